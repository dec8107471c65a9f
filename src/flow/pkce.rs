//! PKCE (RFC 7636). The verifier is derived from the state and the mark instead of stored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::mark::Mark;
use crate::operator::CodeVerifier;
use crate::seal::{SealNonce, Sealer};

/// Derives the `code_verifier` for the verification with this mark and this state: 43 characters (RFC 7636 §4.1). It
/// cannot be computed without the mark, so a code that was injected into another verification is useless.
#[must_use]
pub fn code_verifier(sealer: &Sealer, seal_nonce: &SealNonce, mark: Mark) -> CodeVerifier {
    CodeVerifier::new(sealer.derive_text(&[b"code_verifier", seal_nonce, mark.bytes()]))
}

/// The `S256` challenge of a verifier (RFC 7636 §4.2).
#[must_use]
pub fn code_challenge(verifier: &CodeVerifier) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_matches_rfc_7636_appendix_b() {
        let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn verifier_belongs_to_one_key_one_state_and_one_mark() {
        let (ours, theirs) = (Mark::random().unwrap(), Mark::random().unwrap());
        let (key, other_key) = (Sealer::of(b"key").unwrap(), Sealer::of(b"other").unwrap());
        let verifier = code_verifier(&key, &[1; 12], ours);
        assert_eq!(verifier.expose().len(), 43);
        assert_eq!(verifier, code_verifier(&key, &[1; 12], ours));
        assert_ne!(verifier, code_verifier(&key, &[2; 12], ours));
        assert_ne!(verifier, code_verifier(&key, &[1; 12], theirs));
        assert_ne!(verifier, code_verifier(&other_key, &[1; 12], ours));
    }
}
