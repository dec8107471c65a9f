//! The browser's own random mark, kept in the cookie `__Host-nv`.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// 16 random bytes that tell one browser from another (RFC 9700 §4.7: a callback may only complete the flow that the
/// same browser started).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Browser([u8; 16]);

impl Browser {
    /// A mark for a browser that has none.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn random() -> Result<Self, Unspecified> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads a cookie's value; `None` where it is not one of ours.
    #[must_use]
    pub fn from_cookie(value: &str) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok().map(Self)
    }

    /// The cookie's value.
    #[must_use]
    pub fn to_cookie(self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What a state holds of it: a leaked state tells nobody the cookie.
    pub(super) fn sha256(self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        hash
    }
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_cookie_is_taken() {
        let browser = Browser::random().unwrap();
        assert_eq!(Browser::from_cookie(&browser.to_cookie()), Some(browser));
        for value in ["", "short", &"A".repeat(21), &"A".repeat(23), "AAAAAAAAAAAAAAAAAAAAAB", "+/AAAAAAAAAAAAAAAAAAAA"]
        {
            assert_eq!(Browser::from_cookie(value), None, "{value}");
        }
    }
}
