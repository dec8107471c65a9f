//! Proof Key for Code Exchange (RFC 7636), method S256 only.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// The `code_challenge` of an authorization request: base64url(SHA-256(verifier)), RFC 7636 §4.2.
#[derive(Clone, Debug)]
pub(crate) struct CodeChallenge(Vec<u8>);

impl CodeChallenge {
    /// Reads 43 characters of base64url, the length of a SHA-256 hash.
    pub(crate) fn parse(challenge: &str) -> Option<Self> {
        let hash = BASE64_URL_SAFE_NO_PAD.decode(challenge).ok()?;
        (hash.len() == 32).then_some(Self(hash))
    }

    /// Returns whether the verifier matches this challenge (RFC 7636 §4.6).
    pub(crate) fn is_met_by(&self, verifier: &str) -> bool {
        is_verifier(verifier) && digest(&SHA256, verifier.as_bytes()).as_ref() == self.0
    }
}

/// Returns whether this is a verifier: 43 to 128 unreserved characters (RFC 7636 §4.1).
fn is_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7636_appendix_b_example_matches() {
        let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").expect("a challenge");
        assert!(challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
    }

    #[test]
    fn verifier_length_and_alphabet_are_checked() {
        for (verifier, expected) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("-._~".repeat(32), true),
            ("a".repeat(129), false),
            ("+".repeat(43), false),
        ] {
            assert_eq!(is_verifier(&verifier), expected, "{verifier}");
        }
    }
}
