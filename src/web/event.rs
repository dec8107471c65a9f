//! Reads events: those of API Gateway, Function URLs and load balancers, whatever the client sent.
//!
//! `lambda_http`'s own reading first makes a tree of all the event's members, then a URI of what the client sent, and
//! panics or gives up on some of it: a path or a query that is not a URI, a header with a control character, a body that is
//! not base64 although it should be. Gateways forward such requests, and their users would get a bare 502 instead of a
//! page. Here only the members that are used are read, straight from the text, and no URI is made.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use lambda_http::{Body, Request};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::pairs::Pairs;

/// The longest query and the longest path that are read, in bytes, which is as much as API Gateway takes.
const MAX_LENGTH: usize = 10 * 1024;

/// The stage of an HTTP API or a Function URL that is not in the path.
const DEFAULT_STAGE: &str = "$default";

/// The kind of the event, which decides the form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Payload 2.0: an HTTP API or a Function URL.
    HttpApi,
    /// Payload 1.0: a REST API, or an HTTP API that is set to it.
    RestApi,
    /// An Application Load Balancer.
    LoadBalancer,
}

/// The part of an event that the gateway itself determines. Every request that [`read`] returns has one, as an extension.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The kind of the event.
    pub kind: Kind,
    /// The domain name; `None` behind a load balancer.
    pub domain: Option<String>,
    /// The stage, unless it is the default one, which is in no path.
    pub stage: Option<String>,
    /// The path as the client sent it, with the stage.
    pub path: String,
}

/// The parameters of a request's query, decoded. Every request that [`read`] returns has them, as an extension.
#[derive(Clone)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// The parameters of a request, as they were sent.
    pub fn of(request: &Request) -> impl Iterator<Item = (&str, &str)> {
        let parameters = request.extensions().get::<Self>().into_iter().flat_map(|Self(parameters)| parameters);
        parameters.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

redacted_debug!(Query);

/// The event is of another kind. The error does not quote it, because it may contain a person's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEvent;

impl fmt::Display for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an event of API Gateway, a Function URL or a load balancer")
    }
}

impl std::error::Error for UnknownEvent {}

/// The members that are used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    version: Option<String>,
    request_context: Context,
    http_method: Option<String>,
    raw_path: Option<String>,
    path: Option<String>,
    raw_query_string: Option<String>,
    query_string_parameters: Option<Pairs>,
    multi_value_query_string_parameters: Option<Pairs>,
    headers: Option<Pairs>,
    multi_value_headers: Option<Pairs>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    elb: Option<IgnoredAny>,
    domain_name: Option<String>,
    stage: Option<String>,
    path: Option<String>,
    http: Option<Http>,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// Reads an event, whatever the client sent. The request's URI has no meaning: the path is that of [`Gateway`].
///
/// # Errors
/// The event is of another kind.
pub fn read<'de>(event: impl Deserializer<'de>) -> Result<Request, UnknownEvent> {
    let mut event = Event::deserialize(event).map_err(|_| UnknownEvent)?;
    let kind = match (event.version.as_deref(), &event.request_context.elb) {
        (Some("2.0"), _) => Kind::HttpApi,
        (_, Some(IgnoredAny)) => Kind::LoadBalancer,
        _ => Kind::RestApi,
    };
    let method = event.request_context.http.as_ref().map(|http| &http.method).or(event.http_method.as_ref());
    let method = method.ok_or(UnknownEvent)?.parse().unwrap_or_else(|_| unknown_method());
    let query = Query(event.parameters(kind));
    let mut request = http::Request::new(event.read_body());
    *request.method_mut() = method;
    *request.headers_mut() = event.read_headers();
    let Event { raw_path, path, request_context, .. } = event;
    let path = usable(raw_path.or(path).unwrap_or_default());
    let stage = request_context.stage.filter(|stage| stage != DEFAULT_STAGE);
    let path = match (kind, request_context.path, &stage) {
        // The path of a REST API's event has no stage; the one in its context does.
        (Kind::RestApi, Some(public), _) => public,
        (Kind::RestApi, None, Some(stage)) => format!("/{stage}{path}"),
        _ => path,
    };
    request.extensions_mut().insert(Gateway { kind, domain: request_context.domain_name, stage, path });
    request.extensions_mut().insert(query);
    Ok(request)
}

/// A method that no route has, for a text that is not a method.
fn unknown_method() -> Method {
    Method::from_bytes(b"UNKNOWN").unwrap_or_default()
}

/// A path to find the route of.
fn usable(path: String) -> String {
    match path.as_str() {
        path if path.len() > MAX_LENGTH => "/too-long".to_owned(),
        path if !path.starts_with('/') => format!("/{path}"),
        _ => path,
    }
}

impl Event {
    /// The query's parameters, decoded.
    fn parameters(&mut self, kind: Kind) -> Vec<(String, String)> {
        let of_several = self.multi_value_query_string_parameters.take().filter(|several| !several.0.is_empty());
        let Pairs(pairs) = of_several.or(self.query_string_parameters.take()).unwrap_or_default();
        let query = self.raw_query_string.as_deref().filter(|_| kind == Kind::HttpApi);
        let length = query.map_or_else(|| pairs.iter().map(|(name, value)| name.len() + value.len()).sum(), str::len);
        if length > MAX_LENGTH {
            tracing::warn!(bytes = length, "a query longer than {MAX_LENGTH} bytes was not read");
            return Vec::new();
        }
        match (kind, query) {
            (_, Some(query)) => decoded(query).collect(),
            // A load balancer does not decode what it splits.
            (Kind::LoadBalancer, None) => {
                let encoded = pairs.iter().map(|(name, value)| format!("{name}={value}"));
                encoded.flat_map(|pair| decoded(&pair).collect::<Vec<_>>()).collect()
            }
            (_, None) => pairs,
        }
    }

    /// The headers that are valid HTTP.
    fn read_headers(&mut self) -> HeaderMap {
        // The other list has only the last value of each.
        let of_several = self.multi_value_headers.take().filter(|several| !several.0.is_empty());
        let Pairs(pairs) = of_several.or(self.headers.take()).unwrap_or_default();
        let mut headers = HeaderMap::with_capacity(pairs.len() + 1);
        for (name, value) in pairs {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        let cookies = self.cookies.take().unwrap_or_default();
        for cookie in cookies.into_iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
            headers.append(COOKIE, cookie);
        }
        headers
    }

    /// The body; an empty one if it is not base64 although it should be.
    fn read_body(&mut self) -> Body {
        match self.body.take() {
            Some(body) if self.is_base64_encoded == Some(true) => {
                Body::Binary(BASE64_STANDARD.decode(body).unwrap_or_default())
            }
            Some(body) => Body::Text(body),
            None => Body::Empty,
        }
    }
}

fn decoded(query: &str) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(request: &Request) -> Option<&str> {
        Query::of(request).find(|(name, _)| *name == "state").map(|(_, value)| value)
    }

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
            let request: Request = read(event).unwrap_or_else(|e| panic!("{name}: {e}"));
            let expected = form_urlencoded::parse(query.as_bytes()).next().unwrap().1;
            assert_eq!(state(&request), Some(&*expected), "{name}");
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
                let request: Request = read(event).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert!(state(&request).is_none_or(str::is_empty), "{name}");
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
            let request: Request = read(event).unwrap();
            assert!(request.extensions().get::<Gateway>().unwrap().path.len() < 20);
            assert_eq!(Query::of(&request).next(), None);
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
        let request: Request = read(event).unwrap();
        assert_eq!(request.headers().get_all("cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    }

    #[test]
    fn unknown_events_are_refused() {
        for event in [json!(null), json!([]), json!("x"), json!({}), json!({ "headers": 1, "cookies": {} })] {
            assert!(read(event.clone()).is_err(), "{event}");
        }
    }
}
