//! The name of an operator in `OPERATORS`.

use std::fmt;
use std::sync::Arc;

/// The name that the owner gave to an operator: 1 to 32 of `a` to `z`, `0` to `9` and `-`. It is the last segment of the
/// operator's callback, its key in the secret, and a dimension of the metrics.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperatorName(Arc<str>);

/// In characters.
const MAX_LENGTH: usize = 32;

impl OperatorName {
    /// Reads a name; `None` if the text cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        ((1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_plain)).then(|| Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_short_and_plain() {
        let longest = "a".repeat(32);
        for (text, ok) in [
            ("es", true),
            ("5g-es", true),
            (longest.as_str(), true),
            ("", false),
            ("ES", false),
            ("e_s", false),
            ("e/s", false),
            ("é", false),
        ] {
            assert_eq!(OperatorName::parse(text).is_some(), ok, "{text}");
        }
        assert!(OperatorName::parse(&(longest + "a")).is_none());
    }
}
