//! The random mark of one started verification.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;

/// 16 random bytes, known only to the browser that started the verification. A callback can finish a verification only
/// with its mark (RFC 9700 §4.7).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mark([u8; Self::LEN]);

impl Mark {
    /// In bytes.
    pub const LEN: usize = 16;

    /// Generates a new mark.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn random() -> Result<Self, Unspecified> {
        let mut bytes = [0; Self::LEN];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The mark with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    pub(super) const fn bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The hash in the state, so that a leaked state does not reveal the mark.
    pub(super) fn sha256(self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        hash
    }

    /// Returns whether `sha256` is the hash of this mark, in constant time.
    pub(super) fn has_sha256(self, sha256: &[u8; 32]) -> bool {
        verify_slices_are_equal(&self.sha256(), sha256).is_ok()
    }
}

redacted_debug!(Mark);
