//! Events, mended before `lambda_http` reads them.
//!
//! It makes a URI out of what a client sent, and panics where that is none; it gives an event up for a control
//! character in a header, and all cookies for one in a cookie. API Gateway and load balancers pass all of that on, and the user
//! would get their bare 502 where this function has an answer.

use std::fmt::{self, Write as _};

use lambda_http::request::LambdaRequest;
use serde_json::{Map, Value, from_value};

/// An event of another kind. It does not say what was found instead: that may be a person's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEvent;

/// Reads an event of API Gateway, a Function URL or a load balancer, whatever its client put into it.
///
/// # Errors
/// It is none of these.
pub fn read(mut event: Value) -> Result<LambdaRequest, UnknownEvent> {
    if let Value::Object(event) = &mut event {
        mend(event);
    }
    // `LambdaRequest` itself would be written out as text, and read again as one kind after the other until one fits:
    // a quarter of a verification's instructions.
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

fn mend(event: &mut Map<String, Value>) {
    for headers in ["headers", "multiValueHeaders"] {
        if let Some(Value::Object(headers)) = event.get_mut(headers) {
            headers.retain(|name, value| !makes_a_uri(name) && readable(value));
        }
    }
    if let Some(Value::Array(cookies)) = event.get_mut("cookies") {
        cookies.retain(readable);
    }
    if let Some(Value::String(query)) = event.get_mut("rawQueryString") {
        *query = percent_encoded(query);
    }
    for path in ["rawPath", "path"] {
        if let Some(Value::String(path)) = event.get_mut(path)
            && !path.starts_with('/')
        {
            path.insert(0, '/');
        }
    }
}

/// Headers that `lambda_http` makes the URI from. Nothing here trusts them: the function's address is what the
/// gateway says it is.
fn makes_a_uri(header: &str) -> bool {
    ["host", "x-forwarded-proto"].iter().any(|name| name.eq_ignore_ascii_case(header))
}

/// Whether `lambda_http` can read a header's value, or its list of values.
fn readable(value: &Value) -> bool {
    match value {
        Value::String(text) => http::HeaderValue::from_str(text).is_ok(),
        Value::Array(values) => values.iter().all(readable),
        _ => true,
    }
}

/// A query in which whatever cannot stand in a URI (RFC 3986 §3.4) is percent-encoded, so that it means the same.
fn percent_encoded(query: &str) -> String {
    query.bytes().fold(String::with_capacity(query.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // A String takes whatever is written to it.
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
    fn what_a_client_sends_does_not_keep_an_event_from_being_read() {
        let host = "abc123.execute-api.eu-west-1.amazonaws.com";
        for (name, headers, query, path) in [
            ("a query that is no URI", json!({ "host": host }), "state=a b<\"|^`{}\\>é", "/callback"),
            ("a query with a fragment sign", json!({ "host": host }), "state=a#b", "/callback"),
            ("a host that is none", json!({ "host": "a b:c" }), "state=a", "/callback"),
            ("an empty host", json!({ "Host": "" }), "state=a", "/callback"),
            ("a scheme that is none", json!({ "host": host, "X-Forwarded-Proto": "!" }), "state=a", "/callback"),
            ("a path that is no path", json!({ "host": host }), "state=a", ":99999"),
            ("a path with anything in it", json!({ "host": host }), "state=a", "/ é\"<>\\^`{|}%zz"),
            ("a header with a line break", json!({ "host": host, "x": "a\r\nb" }), "state=a", "/callback"),
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
    fn what_is_no_event_of_a_gateway_is_refused_without_a_panic() {
        for event in [json!(null), json!([]), json!("x"), json!({}), json!({ "headers": 1, "cookies": {} })] {
            assert!(read(event.clone()).is_err(), "{event}");
        }
    }
}
