//! The answer to an event, in the form that its gateway expects.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

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
        if self.kind == Kind::HttpApi {
            let cookies: Vec<_> = headers.get_all(SET_COOKIE).into_iter().filter_map(text).collect();
            answer.serialize_field("cookies", &cookies)?;
        } else {
            answer.serialize_field("multiValueHeaders", &Several(headers))?;
        }
        // A REST API would send the headers of both lists. A load balancer reads the list for which it is configured.
        if self.kind != Kind::RestApi {
            answer.serialize_field("headers", &Last(headers))?;
        }
        if self.kind == Kind::LoadBalancer {
            let reason = status.canonical_reason().unwrap_or_default();
            answer.serialize_field("statusDescription", &format!("{} {reason}", status.as_u16()))?;
        }
        answer.serialize_field("body", self.response.body())?;
        answer.serialize_field("isBase64Encoded", &false)?;
        answer.end()
    }
}

/// One value for each name. Cookies are the only headers of ours that have several; HTTP APIs take them from their own
/// list.
struct Last<'h>(&'h HeaderMap);

impl Serialize for Last<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.0.keys() {
            if let Some(value) = values(self.0, name).last() {
                map.serialize_entry(name.as_str(), value)?;
            }
        }
        map.end()
    }
}

/// All values for each name.
struct Several<'h>(&'h HeaderMap);

impl Serialize for Several<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.keys().map(|name| (name.as_str(), values(self.0, name).collect::<Vec<_>>())))
    }
}

fn values<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).into_iter().filter_map(text)
}

/// A value as text. Ours all are.
fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}
