//! The body of a request: a form, or a JSON object of texts.

use std::borrow::Cow;

use serde_json::Value;

use super::incoming::Incoming;
use super::json_members::JsonMembers;

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

/// Reads the fields of a body, in order and with their repetitions. A JSON member that is neither text nor a boolean is
/// malformed, but one that is `null` is omitted.
pub(super) fn fields<'i>(incoming: &Incoming<'i>) -> Result<(Parameters<'i>, BodyFormat), Unreadable> {
    let body: &[u8] = incoming.request.body();
    if body.len() > MAX_BODY {
        return Err(Unreadable::Malformed);
    }
    if incoming.has_form() {
        return Ok((form_urlencoded::parse(body).collect(), BodyFormat::Form));
    }
    if incoming.media_type().eq_ignore_ascii_case("application/json") {
        let JsonMembers(members) =
            serde_json::from_slice::<JsonMembers<Value>>(body).map_err(|_| Unreadable::Malformed)?;
        let fields = members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| match value {
            Value::String(text) => Ok((name.into(), text.into())),
            Value::Bool(value) => Ok((name.into(), value.to_string().into())),
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
