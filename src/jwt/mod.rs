//! JSON Web Tokens that this function signs, and the keys for them (RFC 7515, RFC 7517, RFC 7519).

mod jwk;
mod private_key;
mod public_key;

use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

#[cfg(test)]
pub(crate) use private_key::tests;
pub use private_key::{Header, PrivateKey};
pub use public_key::PublicKey;

/// A new `jti` (RFC 7519 §4.1.7): 128 random bits.
///
/// # Errors
/// The system has no randomness.
pub fn unique_id() -> Result<String, Unspecified> {
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(id))
}
