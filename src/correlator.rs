//! `x-correlator`: the reference that a user quotes to support and that the operator sees in its own log.

use std::fmt;

/// A value for the `x-correlator` header (CAMARA Commonalities: `^[a-zA-Z0-9-_:;.\/<>{}]{0,256}$`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correlator(String);

impl Correlator {
    /// Takes the caller's correlator if it is a UUID (RFC 9562 §4), else `request_id`, which Lambda created and logs.
    /// The correlator is logged and shown, and any other text could contain personal data.
    #[must_use]
    pub fn from_header(header: Option<&str>, request_id: &str) -> Self {
        Self(header.filter(|value| is_uuid(value)).unwrap_or(request_id).to_owned())
    }

    /// The header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Correlator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

    #[test]
    fn only_a_uuid_is_taken_from_the_header() {
        for (name, header, expected) in [
            ("a UUID", Some(UUID), UUID),
            (
                "a UUID in capitals",
                Some("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"),
                "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
            ),
            ("none", None, "request-id"),
            ("empty", Some(""), "request-id"),
            ("a phone number", Some("34600000001"), "request-id"),
            ("a phone number in the shape of a UUID", Some("34600000-001-0000-0000-0000000000000"), "request-id"),
            ("words", Some("app-42:a/b.c"), "request-id"),
            ("markup", Some("<b>"), "request-id"),
            ("without dashes", Some("f81d4fae7dec11d0a76500a0c91e6bf600000"), "request-id"),
            ("too long", Some("f81d4fae-7dec-11d0-a765-00a0c91e6bf60"), "request-id"),
        ] {
            assert_eq!(Correlator::from_header(header, "request-id").as_str(), expected, "{name}");
        }
    }
}
