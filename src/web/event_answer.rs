//! The answer to an event, in the form that its gateway expects.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use memchr::memchr3_iter;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::event::Kind;

/// The answer to an event of a kind.
#[derive(Debug)]
pub struct EventAnswer {
    /// The kind of the event.
    pub kind: Kind,
    /// The answer, as HTTP.
    pub response: Response<String>,
}

impl Serialize for EventAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (status, headers) = (self.response.status(), self.response.headers());
        let mut answer = serializer.serialize_struct("EventAnswer", 6)?;
        answer.serialize_field("statusCode", &status.as_u16())?;
        match self.kind {
            // It takes cookies from a list of their own, and one value for each other header; no other of ours has several.
            Kind::HttpApi => {
                let cookies: Vec<_> = headers.get_all(SET_COOKIE).into_iter().filter_map(text).collect();
                answer.serialize_field("cookies", &cookies)?;
                answer.serialize_field("headers", &Single(headers))?;
            }
            Kind::RestApi => answer.serialize_field("multiValueHeaders", &Several(headers))?,
            // It reads one of the two, for which it is configured.
            Kind::LoadBalancer => {
                answer.serialize_field("multiValueHeaders", &Several(headers))?;
                answer.serialize_field("headers", &First(headers))?;
                let reason = status.canonical_reason().unwrap_or_default();
                answer.serialize_field("statusDescription", &format!("{} {reason}", status.as_u16()))?;
            }
        }
        match escaped(self.response.body()) {
            Some(body) => answer.serialize_field("body", &body)?,
            None => answer.serialize_field("body", self.response.body())?,
        }
        answer.serialize_field("isBase64Encoded", &false)?;
        answer.end()
    }
}

/// The headers other than cookies.
struct Single<'h>(&'h HeaderMap);

impl Serialize for Single<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let others = self.0.iter().filter(|(name, _)| *name != SET_COOKIE);
        serializer.collect_map(others.filter_map(|(name, value)| Some((name.as_str(), text(value)?))))
    }
}

/// The first value for each name.
struct First<'h>(&'h HeaderMap);

impl Serialize for First<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let first = |name| Some((HeaderName::as_str(name), text(self.0.get(name)?)?));
        serializer.collect_map(self.0.keys().filter_map(first))
    }
}

/// All values for each name.
struct Several<'h>(&'h HeaderMap);

impl Serialize for Several<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = |name| self.0.get_all(name).into_iter().filter_map(text).collect::<Vec<_>>();
        serializer.collect_map(self.0.keys().map(|name| (name.as_str(), all(name))))
    }
}

/// A text as a JSON string, unless it has control characters other than the ends of its lines. `serde_json` decides about
/// each character by itself, which for a page takes 13 thousand instructions more.
fn escaped(text: &str) -> Option<Box<RawValue>> {
    let mut json = String::with_capacity(text.len() + text.len() / 8);
    let mut copied = 0;
    json.push('"');
    for at in memchr3_iter(b'"', b'\\', b'\n', text.as_bytes()) {
        json.push_str(text.get(copied..at)?);
        let ends_line = text.as_bytes().get(at) == Some(&b'\n');
        json.push_str(if ends_line { "\\n" } else { "\\" });
        copied = at + usize::from(ends_line);
    }
    json.push_str(text.get(copied..)?);
    json.push('"');
    RawValue::from_string(json).ok()
}

/// A value as text. Ours all are.
fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(kind: Kind) -> Value {
        let mut response = Response::new("<p>\"Hi\"</p>".to_owned());
        for (name, value) in [("content-type", "text/html"), ("set-cookie", "a=1"), ("set-cookie", "b=2")] {
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        serde_json::to_value(EventAnswer { kind, response }).unwrap()
    }

    #[test]
    fn every_text_arrives_as_it_is() {
        let texts =
            ["", "\"", "\\", "\n", "\"\"\\\\\n\n", "<p class=\"hint\">\n‘¿Qué?’ \\ 🙂</p>\n"].map(str::to_owned);
        let with_one = ('\0'..='\u{a0}').chain(['\u{2028}']).map(|character| format!("a{character}b"));
        for text in texts.into_iter().chain(with_one) {
            let answer = EventAnswer { kind: Kind::HttpApi, response: Response::new(text.clone()) };
            let json: Value = serde_json::from_str(&serde_json::to_string(&answer).unwrap()).unwrap();
            assert_eq!(json["body"], text);
        }
    }

    /// The forms in the documentation of API Gateway and of load balancers.
    #[test]
    fn each_gateway_gets_its_own_form() {
        let several = json!({ "content-type": ["text/html"], "set-cookie": ["a=1", "b=2"] });
        let body = "<p>\"Hi\"</p>";
        for (kind, expected) in [
            (
                Kind::HttpApi,
                json!({
                    "statusCode": 200, "headers": { "content-type": "text/html" }, "cookies": ["a=1", "b=2"],
                    "body": body, "isBase64Encoded": false,
                }),
            ),
            (
                Kind::RestApi,
                json!({ "statusCode": 200, "multiValueHeaders": several, "body": body, "isBase64Encoded": false }),
            ),
            (
                Kind::LoadBalancer,
                json!({
                    "statusCode": 200, "statusDescription": "200 OK", "multiValueHeaders": several,
                    "headers": { "content-type": "text/html", "set-cookie": "a=1" },
                    "body": body, "isBase64Encoded": false,
                }),
            ),
        ] {
            assert_eq!(answer(kind), expected, "{kind:?}");
        }
    }
}
