//! Our access token, which opens `/userinfo` and nothing else (OpenID Connect Core §5.3).
//!
//! A sealed text, bound to the issuer:
//!
//! | bytes | |
//! |---|---|
//! | 8 | expiry: seconds since the epoch, big-endian |
//! | 43 | the `sub` of the ID token |
//! | n | the phone number in E.164 with its `+` |

use aws_lc_rs::error::Unspecified;

use crate::phone_number::PhoneNumber;
use crate::seal::{Purpose, Sealer, is_base64url};

/// The lifetime of our tokens, in seconds.
pub const TOKEN_LIFETIME: u64 = 300;
/// More than the length of any of ours, in characters.
pub(super) const MAX_TOKEN: usize = 256;
const SUBJECT_LEN: usize = 43;

/// The content of an access token.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// `sub`.
    pub subject: String,
    /// `phone_number`.
    pub phone_number: PhoneNumber,
    /// In seconds since the epoch.
    pub expires_at: u64,
}

impl AccessToken {
    /// Seals the token.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn seal(&self, sealer: &Sealer, issuer: &str) -> Result<String, Unspecified> {
        let (subject, number) = (self.subject.as_bytes(), self.phone_number.expose().as_bytes());
        let text = [&self.expires_at.to_be_bytes(), subject, number].concat();
        sealer.seal(Purpose::AccessToken, &[issuer.as_bytes()], &text).map(|(sealed, _)| sealed)
    }

    /// Opens a token at `now`, in seconds since the epoch. `None` if it is not ours or has expired.
    #[must_use]
    pub fn open(sealer: &Sealer, issuer: &str, token: &str, now: u64) -> Option<Self> {
        if !looks_like_an_access_token(token) {
            return None;
        }
        let (text, _) = sealer.open(Purpose::AccessToken, &[issuer.as_bytes()], token).ok()?;
        let (expires_at, rest) = text.split_first_chunk::<8>()?;
        let (subject, number) = rest.split_first_chunk::<SUBJECT_LEN>()?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let phone_number = PhoneNumber::parse(&text(number)?).ok()?;
        let token = Self { subject: text(subject)?, phone_number, expires_at: u64::from_be_bytes(*expires_at) };
        (token.expires_at > now).then_some(token)
    }
}

/// Returns whether a text can be one of our tokens. The secret is not read again for any other text.
#[must_use]
pub fn looks_like_an_access_token(token: &str) -> bool {
    token.len() <= MAX_TOKEN && is_base64url(token)
}

redacted_debug!(AccessToken);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_opens_for_its_issuer_until_it_expires() {
        let sealer = |key: &str| Sealer::of(key.as_bytes()).unwrap();
        let phone_number = PhoneNumber::parse("+34600000001").unwrap();
        let token = AccessToken { subject: "s".repeat(SUBJECT_LEN), phone_number, expires_at: 1000 };
        let sealed = token.seal(&sealer("key"), "https://op.example").unwrap();
        assert!(looks_like_an_access_token(&sealed));
        for (name, key, issuer, text, now, opens) in [
            ("ours", "key", "https://op.example", sealed.as_str(), 999, true),
            ("expired", "key", "https://op.example", &sealed, 1000, false),
            ("another issuer", "key", "https://evil.example", &sealed, 999, false),
            ("another key", "other", "https://op.example", &sealed, 999, false),
            ("truncated", "key", "https://op.example", &sealed[1..], 999, false),
        ] {
            assert_eq!(AccessToken::open(&sealer(key), issuer, text, now).is_some(), opens, "{name}");
        }
    }
}
