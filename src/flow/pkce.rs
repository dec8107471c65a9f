//! PKCE (RFC 7636) without anything stored: the verifier is derived from what only this browser brings back.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::browser::Browser;
use crate::operator::CodeVerifier;
use crate::secret::seal::{SealNonce, Sealer};

/// The `code_verifier` of the flow whose state has this nonce, in this browser: 43 characters (RFC 7636 §4.1).
/// A function that is handed another browser's code cannot compute it.
#[must_use]
pub fn code_verifier(sealer: &Sealer, nonce: &SealNonce, browser: Browser) -> CodeVerifier {
    CodeVerifier::new(sealer.derive_text(&[b"code_verifier", nonce, browser.bytes()]))
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
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn the_verifier_belongs_to_one_key_one_state_and_one_browser() {
        let (ours, theirs) = (Browser::random().unwrap(), Browser::random().unwrap());
        let (key, other_key) = (Sealer::derive(b"key").unwrap(), Sealer::derive(b"other").unwrap());
        let verifier = code_verifier(&key, &[1; 12], ours);
        assert_eq!(verifier.expose().len(), 43);
        assert_eq!(verifier, code_verifier(&key, &[1; 12], ours));
        assert_ne!(verifier, code_verifier(&key, &[2; 12], ours));
        assert_ne!(verifier, code_verifier(&key, &[1; 12], theirs));
        assert_ne!(verifier, code_verifier(&other_key, &[1; 12], ours));
    }
}
