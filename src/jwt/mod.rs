//! JSON Web Tokens that this function signs, and the keys for them (RFC 7515, RFC 7517, RFC 7519).

mod private_key;
mod public_key;

pub use private_key::PrivateKey;
#[cfg(test)]
pub(crate) use private_key::tests;
pub use public_key::PublicKey;
