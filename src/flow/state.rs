//! The `state` parameter: it carries the flow through the operator and back, so that nothing needs storing.
//!
//! # Wire format
//!
//! 114 characters: base64url, without padding, of 85 bytes. Sealing is [`crate::secret::seal`]'s, for all that is sealed.
//!
//! | bytes | | |
//! |---|---|---|
//! | 1 | version | `1` |
//! | 12 | nonce | random |
//! | 8 | encrypted | when it expires: seconds since the epoch, big-endian |
//! | 32 | encrypted | SHA-256 of the browser's mark |
//! | 16 | encrypted | the phone number in E.164 with its `+`, then zeros |
//! | 16 | tag | over all of it, the `client_id` and the `redirect_uri` |

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;

use super::browser::Browser;
use super::now_seconds;
use crate::phone_number::{MAX_DIGITS, PhoneNumber};
use crate::secret::seal::{Purpose, SealNonce, Sealer};

/// In characters: base64url of version, nonce, text and tag.
const STATE_LENGTH: usize = 114;

const NUMBER_LEN: usize = MAX_DIGITS + 1;

/// Who asked, and where the answer goes: a state made for another client or another callback does not open.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The OAuth `client_id`.
    pub client_id: &'a str,
    /// The callback's own address.
    pub redirect_uri: &'a str,
}

/// A state that this browser started with this client and callback, in time.
#[derive(Debug)]
pub struct OpenedState {
    /// The number to verify.
    pub phone_number: PhoneNumber,
    /// Seconds since the epoch.
    pub expires_at: u64,
    /// What the PKCE verifier is derived from.
    pub nonce: SealNonce,
}

/// Whether a text could be a state of ours, by its length alone: what could not is not worth reading secrets for.
pub fn looks_ours(state: &str) -> bool {
    state.len() == STATE_LENGTH
}

/// Why a state is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateError {
    /// Altered, or made with another key, for another client or another callback.
    NotOurs,
    /// Ours, but its time is over.
    Expired,
    /// Ours and in time, but another browser's.
    WrongBrowser,
}

/// Seals a number into a state.
///
/// # Errors
/// There is no randomness.
pub fn seal(
    sealer: &Sealer,
    binding: Binding,
    phone_number: &PhoneNumber,
    browser: Browser,
    expires_at: u64,
) -> Result<(String, SealNonce), Unspecified> {
    let mut number = [0; NUMBER_LEN];
    for (place, digit) in number.iter_mut().zip(phone_number.expose().bytes()) {
        *place = digit;
    }
    let text = [&expires_at.to_be_bytes()[..], &browser.sha256(), &number].concat();
    sealer.seal(Purpose::State, &binding.parts(), &text)
}

/// Opens a state that came back beside `browser`'s cookie.
///
/// # Errors
/// Why the state is not accepted.
pub fn open(
    sealer: &Sealer,
    binding: Binding,
    state: &str,
    browser: Option<Browser>,
) -> Result<OpenedState, StateError> {
    if !looks_ours(state) {
        return Err(StateError::NotOurs);
    }
    let (text, nonce) = sealer.open(Purpose::State, &binding.parts(), state).map_err(|_| StateError::NotOurs)?;
    let (expires_at, browser_hash, phone_number) = read(&text).ok_or(StateError::NotOurs)?;
    if expires_at <= now_seconds() {
        return Err(StateError::Expired);
    }
    let same_browser = browser.is_some_and(|browser| verify_slices_are_equal(&browser.sha256(), browser_hash).is_ok());
    if !same_browser {
        return Err(StateError::WrongBrowser);
    }
    Ok(OpenedState { phone_number, expires_at, nonce })
}

fn read(text: &[u8]) -> Option<(u64, &[u8; 32], PhoneNumber)> {
    let (expires_at, rest) = text.split_first_chunk::<8>()?;
    let (browser_hash, number) = rest.split_first_chunk::<32>()?;
    let number: &[u8; NUMBER_LEN] = number.try_into().ok()?;
    let number = std::str::from_utf8(number).ok()?.trim_end_matches('\0');
    Some((u64::from_be_bytes(*expires_at), browser_hash, PhoneNumber::parse(number).ok()?))
}

impl<'a> Binding<'a> {
    /// The associated data of everything sealed for this client and callback.
    pub(super) fn parts(self) -> [&'a [u8]; 2] {
        [self.client_id.as_bytes(), self.redirect_uri.as_bytes()]
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    const BINDING: Binding = Binding { client_id: "my-app-id", redirect_uri: "https://a.example/callback" };
    const FAR: u64 = u64::MAX;

    fn sealer() -> Sealer {
        Sealer::derive(b"key").unwrap()
    }

    fn browser(byte: u8) -> Browser {
        Browser::from_cookie(&base64::prelude::BASE64_URL_SAFE_NO_PAD.encode([byte; 16])).unwrap()
    }

    fn state_for(number: &str, expires_at: u64) -> String {
        let number = PhoneNumber::parse(number).unwrap();
        seal(&sealer(), BINDING, &number, browser(1), expires_at).unwrap().0
    }

    #[test]
    fn the_same_browser_gets_its_number_back() {
        for number in ["+34600000001", "+12345", "+123456789012345"] {
            let state = state_for(number, FAR);
            assert!(looks_ours(&state));
            let opened = open(&sealer(), BINDING, &state, Some(browser(1))).unwrap();
            assert_eq!(opened.phone_number.expose(), number);
        }
    }

    #[test]
    fn anything_else_is_refused_and_told_apart() {
        let state = state_for("+34600000001", FAR);
        let other_client = Binding { client_id: "other", ..BINDING };
        let other_callback = Binding { redirect_uri: "https://b.example/callback", ..BINDING };
        let past = state_for("+34600000001", 1);
        for (name, binding, state, browser, expected) in [
            ("another browser", BINDING, &state, Some(browser(2)), StateError::WrongBrowser),
            ("no cookie", BINDING, &state, None, StateError::WrongBrowser),
            ("another client", other_client, &state, Some(browser(1)), StateError::NotOurs),
            ("another callback", other_callback, &state, Some(browser(1)), StateError::NotOurs),
            ("expired", BINDING, &past, Some(browser(1)), StateError::Expired),
            ("expired, another browser", BINDING, &past, Some(browser(2)), StateError::Expired),
            ("a phone number", BINDING, &"+34600000001".to_owned(), Some(browser(1)), StateError::NotOurs),
            ("too long", BINDING, &state.repeat(5), Some(browser(1)), StateError::NotOurs),
        ] {
            assert_eq!(open(&sealer(), binding, state, browser).err(), Some(expected), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_sealed_opens_and_nothing_one_bit_away_does(
            digits in "[1-9][0-9]{4,14}", mark in proptest::array::uniform16(0_u8..), bit in 0_usize..85 * 8
        ) {
            let engine = base64::prelude::BASE64_URL_SAFE_NO_PAD;
            let browser = Browser::from_cookie(&engine.encode(mark)).unwrap();
            let number = PhoneNumber::parse(&format!("+{digits}")).unwrap();
            let (state, nonce) = seal(&sealer(), BINDING, &number, browser, FAR).unwrap();
            let opened = open(&sealer(), BINDING, &state, Some(browser)).unwrap();
            assert_eq!((opened.phone_number, opened.nonce, opened.expires_at), (number.clone(), nonce, FAR));

            let mut wire = engine.decode(&state).unwrap();
            wire[bit / 8] ^= 1 << (bit % 8);
            let refused = open(&sealer(), BINDING, &engine.encode(wire), Some(browser)).err();
            assert_eq!(refused, Some(StateError::NotOurs));

            let mut mark = mark;
            mark[bit % 16] ^= 1 << (bit % 8);
            let other = Browser::from_cookie(&engine.encode(mark));
            assert_eq!(open(&sealer(), BINDING, &state, other).err(), Some(StateError::WrongBrowser));

            assert_ne!(seal(&sealer(), BINDING, &number, browser, FAR).unwrap().0, state);
        }
    }

    #[test]
    fn no_two_states_are_equal() {
        assert_ne!(state_for("+34600000001", FAR), state_for("+34600000001", FAR));
    }
}
