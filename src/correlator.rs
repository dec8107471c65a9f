//! `x-correlator`: the reference a user quotes to support, and the operator sees in its own log.

use std::fmt;

/// A value for the `x-correlator` header (CAMARA Commonalities: `^[a-zA-Z0-9-_:;.\/<>{}]{0,256}$`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correlator(String);

/// Longer ones are allowed by CAMARA, but no reference that a person reads out is.
const MAX_LENGTH: usize = 128;

impl Correlator {
    /// The caller's own correlator where it sent a usable one, else `request_id`, which Lambda made and logs.
    ///
    /// Narrower than CAMARA's pattern by `<>{}`: the value is shown on a page and stands in a log.
    #[must_use]
    pub fn from_header(header: Option<&str>, request_id: &str) -> Self {
        let usable = |value: &str| {
            (1..=MAX_LENGTH).contains(&value.len())
                && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:;./".contains(&b))
        };
        Self(header.filter(|value| usable(value)).unwrap_or(request_id).to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_usable_header_is_taken_over() {
        for (name, header, expected) in [
            ("the caller's", Some("app-42:a/b.c"), "app-42:a/b.c"),
            ("none", None, "request-id"),
            ("empty", Some(""), "request-id"),
            ("markup", Some("<b>"), "request-id"),
            ("a line break", Some("a\nb"), "request-id"),
            ("a phone number", Some("+34600000001"), "request-id"),
            ("too long", Some(&"a".repeat(129)[..]), "request-id"),
        ] {
            assert_eq!(Correlator::from_header(header, "request-id").as_str(), expected, "{name}");
        }
    }
}
