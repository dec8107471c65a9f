//! OpenID Connect's `nonce`. Like the PKCE verifier, it is derived instead of stored.

use super::mark::Mark;
use crate::seal::{SealNonce, Sealer};

/// Derives the `nonce` (OpenID Connect Core §3.1.2.1) for the verification with this mark and this state.
#[must_use]
pub fn nonce(sealer: &Sealer, seal_nonce: &SealNonce, mark: Mark) -> String {
    sealer.derive_text(&[b"nonce", seal_nonce, mark.bytes()])
}
