//! Sanitises events and reads them.
//!
//! `lambda_http` builds a URI from client input and panics if the input is invalid or too long. A header name or a
//! control character that is not valid HTTP makes it reject the whole event, a control character in one cookie makes it
//! drop all cookies, and a body that is not base64 although it should be makes it panic. API Gateway and load balancers
//! forward some of these requests, and the user would get their bare 502 instead of a page.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderName, HeaderValue, Method};
use lambda_http::request::LambdaRequest;
use serde_json::{Map, Value, from_value};

/// The longest query and the longest path that are read, in bytes, which is as much as API Gateway takes. Together they are
/// below the limit for a URI even if every byte of the query is percent-encoded.
const MAX_LENGTH: usize = 10 * 1024;

/// The event is of another kind. The error does not quote it, because it may contain a person's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEvent;

/// Reads an event of API Gateway, a Function URL or a load balancer, whatever the client sent.
///
/// # Errors
/// The event is of another kind.
pub fn read(mut event: Value) -> Result<LambdaRequest, UnknownEvent> {
    if let Value::Object(event) = &mut event {
        sanitise(event);
    }
    // Deserializing into `LambdaRequest` tries one kind after the other, which takes a quarter of a verification's
    // instructions.
    let request = if event["version"] == "2.0" {
        from_value(event).map(LambdaRequest::ApiGatewayV2)
    } else if event["requestContext"]["elb"].is_object() {
        from_value(event).map(LambdaRequest::Alb)
    } else {
        from_value(event).map(LambdaRequest::ApiGatewayV1)
    };
    request.map_err(|_| UnknownEvent)
}

impl fmt::Display for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an event of API Gateway, a Function URL or a load balancer")
    }
}

impl std::error::Error for UnknownEvent {}

fn sanitise(event: &mut Map<String, Value>) {
    // lambda_http would replace all values of a header by the last one.
    if event.get("multiValueHeaders").and_then(Value::as_object).is_some_and(|headers| !headers.is_empty()) {
        event.remove("headers");
    }
    for headers in ["headers", "multiValueHeaders"] {
        if let Some(Value::Object(headers)) = event.get_mut(headers) {
            headers.retain(|name, value| !is_used_for_the_uri(name) && is_header(name, value));
        }
    }
    if let Some(Value::Array(cookies)) = event.get_mut("cookies") {
        cookies.retain(is_header_value);
    }
    if let Some(Value::String(query)) = event.get_mut("rawQueryString") {
        *query = percent_encoded(query);
    }
    let queries = ["rawQueryString", "queryStringParameters", "multiValueQueryStringParameters"];
    let length = |query: &&str| event.get(*query).map_or(0, text_length);
    if let Some(too_long) = queries.iter().map(length).find(|length| *length > MAX_LENGTH) {
        tracing::warn!(bytes = too_long, "a query longer than {MAX_LENGTH} bytes was not read");
        event.retain(|name, _| !queries.contains(&name.as_str()));
    }
    for query in ["queryStringParameters", "multiValueQueryStringParameters"] {
        if let Some(Value::Object(query)) = event.get_mut(query) {
            query.retain(|_, values| values.as_array().is_none_or(|values| !values.is_empty()));
        }
    }
    for path in ["rawPath", "path"] {
        if let Some(Value::String(path)) = event.get_mut(path) {
            if path.len() > MAX_LENGTH {
                "/too-long".clone_into(path);
            } else if !path.starts_with('/') {
                path.insert(0, '/');
            }
        }
    }
    let is_base64 = event.get("isBase64Encoded").is_some_and(|is_base64| *is_base64 == true);
    if let Some(Value::String(body)) = event.get_mut("body")
        && is_base64
        && BASE64_STANDARD.decode(&*body).is_err()
    {
        body.clear();
    }
    let in_context = event.get_mut("requestContext").and_then(|context| context.pointer_mut("/http/method"));
    if let Some(Value::String(method)) = in_context {
        sanitise_method(method);
    }
    if let Some(Value::String(method)) = event.get_mut("httpMethod") {
        sanitise_method(method);
    }
}

/// Replaces an invalid method with one that no route has.
fn sanitise_method(method: &mut String) {
    if method.parse::<Method>().is_err() {
        "UNKNOWN".clone_into(method);
    }
}

/// The total length of all texts in a value, in bytes.
fn text_length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(text_length).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + text_length(value)).sum(),
        _ => 0,
    }
}

/// Returns whether `lambda_http` builds the URI from this header. These headers are not used: the gateway's own part of
/// the event contains the function's address.
fn is_used_for_the_uri(header: &str) -> bool {
    ["host", "x-forwarded-proto"].iter().any(|name| name.eq_ignore_ascii_case(header))
}

fn is_header(name: &str, value: &Value) -> bool {
    name.parse::<HeaderName>().is_ok() && is_header_value(value)
}

/// Returns whether `lambda_http` can read a header's value, or its list of values.
fn is_header_value(value: &Value) -> bool {
    match value {
        Value::String(text) => HeaderValue::from_str(text).is_ok(),
        Value::Array(values) => values.iter().all(is_header_value),
        _ => false,
    }
}

/// Percent-encodes the characters of a query that a URI cannot contain (RFC 3986 §3.4), which does not change its
/// meaning.
fn percent_encoded(query: &str) -> String {
    query.bytes().fold(String::with_capacity(query.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use lambda_http::{Request, RequestExt as _};
    use serde_json::json;

    use super::*;

    /// `lambda_http` alone panics or gives up on each of these.
    #[test]
    fn nothing_a_client_sends_makes_an_event_unreadable() {
        let host = "abc123.execute-api.eu-west-1.amazonaws.com";
        for (name, headers, query, path) in [
            ("a query that is not a URI", json!({ "host": host }), "state=a b<\"|^`{}\\>é", "/callback"),
            ("a query with a fragment sign", json!({ "host": host }), "state=a#b", "/callback"),
            ("a host that is not a name", json!({ "host": "a b:c" }), "state=a", "/callback"),
            ("an empty host", json!({ "Host": "" }), "state=a", "/callback"),
            ("a scheme that is not a word", json!({ "host": host, "X-Forwarded-Proto": "!" }), "state=a", "/callback"),
            ("a path without its slash", json!({ "host": host }), "state=a", ":99999"),
            ("a path with anything in it", json!({ "host": host }), "state=a", "/ é\"<>\\^`{|}%zz"),
            ("a header with a line break", json!({ "host": host, "x": "a\r\nb" }), "state=a", "/callback"),
            (
                "a header whose name is not one",
                json!({ "host": host, "a[b]": "c", "é": "c", "": "c" }),
                "state=a",
                "/callback",
            ),
        ] {
            let event = json!({
                "version": "2.0",
                "rawPath": path,
                "rawQueryString": query,
                "headers": headers,
                "cookies": ["a=\n", "b=c"],
                "requestContext": { "stage": "$default", "domainName": host, "http": { "method": "GET" } },
            });
            let request: Request = read(event).unwrap_or_else(|e| panic!("{name}: {e}")).into();
            let expected = form_urlencoded::parse(query.as_bytes()).next().unwrap().1;
            let parameters = request.query_string_parameters_ref().unwrap();
            assert_eq!(parameters.first("state"), Some(&*expected), "{name}");
            assert_eq!(request.headers()["cookie"], "b=c", "{name}");
        }
    }

    #[test]
    fn long_queries_bad_base64_and_unknown_methods_are_read() {
        let long = "ü".repeat(MAX_LENGTH);
        let v2 = |method: &str, query: &str, body: &str| {
            json!({
                "version": "2.0",
                "rawPath": "/",
                "rawQueryString": query,
                "headers": {},
                "requestContext": { "stage": "$default", "http": { "method": method } },
                "body": body,
                "isBase64Encoded": true,
            })
        };
        let alb = |method: &str, query: &str, body: &str| {
            json!({
                "requestContext": { "elb": {} },
                "httpMethod": method,
                "path": "/",
                "queryStringParameters": { "state": query },
                "headers": {},
                "body": body,
                "isBase64Encoded": true,
            })
        };
        for (name, method, query, body) in [
            ("a long query", "GET", &*long, ""),
            ("a body that is not base64", "POST", "", "%%%"),
            ("a method that is not one", "GE T", "", ""),
            ("an empty method", "", "", ""),
        ] {
            for event in [v2(method, query, body), alb(method, query, body)] {
                let request: Request = read(event).unwrap_or_else(|e| panic!("{name}: {e}")).into();
                assert!(request.uri().query().is_none_or(|query| query.len() < 10), "{name}");
                assert!(request.body().is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn long_paths_and_parameters_without_a_value_are_read() {
        for (path, parameters) in [("a".repeat(70_000), json!({})), ("/".to_owned(), json!({ "state": [] }))] {
            let event = json!({
                "requestContext": { "elb": {} },
                "httpMethod": "GET",
                "path": path,
                "multiValueQueryStringParameters": parameters,
                "headers": {},
            });
            let request: Request = read(event).unwrap().into();
            assert!(request.uri().path().len() < 20);
            assert!(request.query_string_parameters().is_empty());
        }
    }

    #[test]
    fn all_values_of_a_header_are_read() {
        let event = json!({
            "requestContext": { "stage": "prod", "httpMethod": "GET" },
            "httpMethod": "GET",
            "path": "/",
            "headers": { "Cookie": "b=2", "x": null },
            "multiValueHeaders": { "Cookie": ["a=1", "b=2"] },
        });
        let request: Request = read(event).unwrap().into();
        assert_eq!(request.headers().get_all("cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    }

    #[test]
    fn unknown_events_are_refused() {
        for event in [json!(null), json!([]), json!("x"), json!({}), json!({ "headers": 1, "cookies": {} })] {
            assert!(read(event.clone()).is_err(), "{event}");
        }
    }
}
