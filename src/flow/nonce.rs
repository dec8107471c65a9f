//! OpenID Connect's `nonce` without anything stored: like the PKCE verifier, derived from what only this browser brings
//! back.

use super::browser::Browser;
use crate::secret::seal::{SealNonce, Sealer};

/// The `nonce` (OpenID Connect Core §3.1.2.1) of the flow whose state has this seal, in this browser.
#[must_use]
pub fn nonce(sealer: &Sealer, seal_nonce: &SealNonce, browser: Browser) -> String {
    sealer.derive_text(&[b"nonce", seal_nonce, browser.bytes()])
}
