//! Our authorization code: a sealed text that only its app can exchange (RFC 6749 §4.1.2).
//!
//! It is bound to the issuer, the app, the redirect URI and the PKCE challenge, which the token request must match, and
//! contains
//!
//! | bytes | |
//! |---|---|
//! | 8 | the time of the operator's answer: seconds since the epoch, big-endian |
//! | 1 | 1 if the scope has `phone` |
//! | 16 | the phone number in E.164 with its `+`, then zeros |
//! | n | the app's `nonce` |

use super::AppRequest;
use crate::phone_number::{MAX_DIGITS, PhoneNumber};
use crate::seal::{Purpose, Sealer, is_base64url};

/// The lifetime of a code, in seconds.
pub const CODE_LIFETIME: u64 = 60;
/// In characters.
pub(super) const MAX_CODE: usize = 512;
/// The largest accepted difference between the clocks of two environments, in seconds.
const CLOCK_DIFFERENCE: u64 = 5;
const NUMBER_LEN: usize = MAX_DIGITS + 1;

/// The request that a code is bound to. The code opens for no other.
#[derive(Debug, Clone, Copy)]
pub struct BoundTo<'a> {
    /// Our issuer.
    pub issuer: &'a str,
    /// The app.
    pub client_id: &'a str,
    /// The app's redirect URI.
    pub redirect_uri: &'a str,
    /// The app's challenge, if it sent one.
    pub code_challenge: Option<&'a str>,
}

/// The content of a code: a verification for an app.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    /// The number that the operator verified.
    pub phone_number: PhoneNumber,
    /// The time of the operator's answer, in seconds since the epoch.
    pub answered_at: u64,
    /// The `nonce` of the app's request.
    pub nonce: Option<String>,
    /// True if the scope has `phone`.
    pub phone_scope: bool,
}

impl<'a> BoundTo<'a> {
    /// Returns the values that the code for this request is bound to.
    #[must_use]
    pub fn request(issuer: &'a str, request: &'a AppRequest) -> Self {
        let address = &request.return_address;
        let (client_id, redirect_uri) = (address.client_id.as_str(), address.redirect_uri.as_str());
        Self { issuer, client_id, redirect_uri, code_challenge: request.code_challenge.as_deref() }
    }

    fn parts(&self) -> [&'a [u8]; 4] {
        [self.issuer, self.client_id, self.redirect_uri, self.code_challenge.unwrap_or_default()].map(str::as_bytes)
    }
}

impl Verified {
    /// Seals the code at `now`, in seconds since the epoch; `None` once it would have expired. `seed` belongs to one answer
    /// of the operator, so that the answer makes one code however often it is sealed.
    #[must_use]
    pub fn to_code(&self, sealer: &Sealer, bound_to: BoundTo, seed: &[&[u8]], now: u64) -> Option<String> {
        if self.expires_at() <= now {
            return None;
        }
        let mut number = [0; NUMBER_LEN];
        for (place, digit) in number.iter_mut().zip(self.phone_number.expose().bytes()) {
            *place = digit;
        }
        let nonce = self.nonce.as_deref().unwrap_or_default().as_bytes();
        let text = [&self.answered_at.to_be_bytes()[..], &[u8::from(self.phone_scope)], &number, nonce].concat();
        sealer.seal_again(Purpose::Code, &bound_to.parts(), &text, seed).ok()
    }

    /// Opens a code at `now`, in seconds since the epoch. `None` if it is not ours, is bound to something else or has
    /// expired.
    #[must_use]
    pub fn from_code(sealer: &Sealer, bound_to: BoundTo, code: &str, now: u64) -> Option<Self> {
        if !looks_like_a_code(code) {
            return None;
        }
        let (text, _) = sealer.open(Purpose::Code, &bound_to.parts(), code).ok()?;
        let (answered_at, rest) = text.split_first_chunk::<8>()?;
        let ([phone_scope], rest) = rest.split_first_chunk::<1>()?;
        let (number, nonce) = rest.split_first_chunk::<NUMBER_LEN>()?;
        let number = std::str::from_utf8(number).ok()?.trim_end_matches('\0');
        let nonce = String::from_utf8(nonce.to_vec()).ok()?;
        let verified = Self {
            phone_number: PhoneNumber::parse(number).ok()?,
            answered_at: u64::from_be_bytes(*answered_at),
            nonce: (!nonce.is_empty()).then_some(nonce),
            phone_scope: *phone_scope == 1,
        };
        (verified.answered_at <= now + CLOCK_DIFFERENCE && verified.expires_at() > now).then_some(verified)
    }

    /// The time at which the code expires, in seconds since the epoch.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.answered_at.saturating_add(CODE_LIFETIME)
    }
}

/// Returns whether a text can be one of our codes. The secret is not read again for any other text.
#[must_use]
pub fn looks_like_a_code(code: &str) -> bool {
    code.len() <= MAX_CODE && is_base64url(code)
}

redacted_debug!(Verified);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const BOUND: BoundTo = BoundTo {
        issuer: "https://op.example",
        client_id: "shop",
        redirect_uri: "https://shop.example/cb",
        code_challenge: Some("x"),
    };

    fn sealer(key: &str) -> Sealer {
        Sealer::of(key.as_bytes()).unwrap()
    }

    fn verified(nonce: Option<&str>) -> Verified {
        let phone_number = PhoneNumber::parse("+123456789012345").unwrap();
        Verified { phone_number, answered_at: NOW, nonce: nonce.map(str::to_owned), phone_scope: true }
    }

    #[test]
    fn code_opens_unchanged_and_is_short() {
        let longest = "n".repeat(256);
        for nonce in [None, Some("n-1"), Some(longest.as_str())] {
            let code = verified(nonce).to_code(&sealer("key"), BOUND, &[b"seed"], NOW).unwrap();
            assert!(code.len() <= MAX_CODE, "{}", code.len());
            assert!(Verified::from_code(&sealer("key"), BOUND, &code, NOW) == Some(verified(nonce)));
        }
    }

    #[test]
    fn one_answer_makes_one_code() {
        let code = |seed: &[u8]| verified(None).to_code(&sealer("key"), BOUND, &[seed], NOW + 59).unwrap();
        assert_eq!(code(b"one"), code(b"one"));
        assert_ne!(code(b"one"), code(b"another"));
        assert_eq!(verified(None).to_code(&sealer("key"), BOUND, &[b"one"], NOW + 60), None, "after a minute");
    }

    #[test]
    fn code_opens_only_for_what_it_is_bound_to() {
        let code = verified(None).to_code(&sealer("key"), BOUND, &[b"seed"], NOW).unwrap();
        for (name, key, bound_to, now) in [
            ("another key", "other", BOUND, NOW),
            ("another issuer", "key", BoundTo { issuer: "https://evil.example", ..BOUND }, NOW),
            ("another app", "key", BoundTo { client_id: "bank", ..BOUND }, NOW),
            ("another redirect URI", "key", BoundTo { redirect_uri: "https://shop.example", ..BOUND }, NOW),
            ("another challenge", "key", BoundTo { code_challenge: Some("y"), ..BOUND }, NOW),
            ("no challenge", "key", BoundTo { code_challenge: None, ..BOUND }, NOW),
            ("after a minute", "key", BOUND, NOW + 60),
            ("before it was made", "key", BOUND, NOW - 6),
        ] {
            assert!(Verified::from_code(&sealer(key), bound_to, &code, now).is_none(), "{name}");
        }
        assert!(Verified::from_code(&sealer("key"), BOUND, &code, NOW + 59).is_some());
    }
}
