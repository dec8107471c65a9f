//! The keys that are derived from one secret with HKDF-SHA-256 (RFC 5869). A label gives each use a key of its own.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::with_lengths;

const KEY_LEN: usize = 32;

/// The source of all keys that come from one secret.
pub struct MasterKey(Prk);

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        KEY_LEN
    }
}

impl MasterKey {
    /// Reads a secret of any length.
    #[must_use]
    pub fn extract(secret: &[u8]) -> Self {
        Self(Salt::new(HKDF_SHA256, b"number-verification v1").extract(secret))
    }

    /// Derives the key for the use that the label names.
    ///
    /// # Errors
    /// The cryptographic library failed, which it never does for keys of this length.
    pub fn derive(&self, label: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>, Unspecified> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        self.0.expand(&[label], KeyLength)?.fill(&mut *key)?;
        Ok(key)
    }
}

redacted_debug!(MasterKey, SubjectKey);

/// The key of the `sub` claim: a pseudonym for a number, different for each app.
pub struct SubjectKey(hmac::Key);

impl SubjectKey {
    /// Derives the key from `subject_key`, or from `state_key` in the same way, so that copying the old `state_key` into
    /// `subject_key` keeps every `sub`.
    ///
    /// # Errors
    /// See [`MasterKey::derive`].
    pub fn of(secret: &[u8]) -> Result<Self, Unspecified> {
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &*MasterKey::extract(secret).derive(b"subject")?)))
    }

    /// The `sub` of a number for an app: 43 characters (OpenID Connect Core §8.1, pairwise).
    #[must_use]
    pub fn subject(&self, client_id: &str, phone_number: &str) -> String {
        let parts = with_lengths(&[client_id.as_bytes(), phone_number.as_bytes()]);
        BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(secret: &str, client_id: &str, number: &str) -> String {
        SubjectKey::of(secret.as_bytes()).unwrap().subject(client_id, number)
    }

    #[test]
    fn subject_is_stable_and_differs_for_each_key_app_and_number() {
        let ours = subject("key", "shop", "+34600000001");
        assert_eq!(ours, subject("key", "shop", "+34600000001"));
        assert_eq!(ours.len(), 43);
        for (name, other) in [
            ("another key", subject("other", "shop", "+34600000001")),
            ("another app", subject("key", "bank", "+34600000001")),
            ("another number", subject("key", "shop", "+34600000002")),
            ("the two cut elsewhere", subject("key", "shop+", "34600000001")),
        ] {
            assert_ne!(ours, other, "{name}");
        }
    }
}
