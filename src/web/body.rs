//! The body of a request: a form, or a JSON object of texts.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::incoming::Incoming;

/// In bytes. An app's `state` of 2,000 bytes can be 6,000 bytes in a form.
pub(super) const MAX_BODY: usize = 16 * 1024;

/// A form's fields, or a query's parameters.
pub(super) type Parameters<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The format of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFormat {
    Form,
    Json,
}

/// The reason a body cannot be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Its media type is not supported.
    MediaType,
    /// It is too long or does not match its media type.
    Malformed,
}

/// Reads the fields of a body, in order and with their repetitions. A JSON member that is not text is malformed, but one
/// that is `null` is omitted.
pub(super) fn fields<'i>(incoming: &Incoming<'i>) -> Result<(Parameters<'i>, BodyFormat), Unreadable> {
    let body: &[u8] = incoming.request.body();
    if body.len() > MAX_BODY {
        return Err(Unreadable::Malformed);
    }
    if incoming.has_form() {
        return Ok((form_urlencoded::parse(body).collect(), BodyFormat::Form));
    }
    if incoming.media_type().eq_ignore_ascii_case("application/json") {
        let Members(members) = serde_json::from_slice(body).map_err(|_| Unreadable::Malformed)?;
        let fields = members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| match value {
            Value::String(text) => Ok((name.into(), text.into())),
            _ => Err(Unreadable::Malformed),
        });
        return Ok((fields.collect::<Result<_, _>>()?, BodyFormat::Json));
    }
    Err(Unreadable::MediaType)
}

/// The value of a field; `None` if it is missing.
pub(super) fn field<'f>(fields: &'f Parameters, name: &str) -> Option<&'f str> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_ref())
}

/// Returns whether a field came more than once.
pub(super) fn is_repeated(fields: &Parameters, name: &str) -> bool {
    fields.iter().filter(|(field, _)| field == name).count() > 1
}

/// The members of a JSON object with their repetitions, of which a map would keep only the last.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                    // The body's own limit allows thousands.
                    if members.len() > 100 {
                        return Err(de::Error::custom("more than 100 members"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}
