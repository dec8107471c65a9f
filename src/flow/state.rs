//! The `state` parameter. It carries the verification through the operator and back, so that nothing has to be stored.
//!
//! # Wire format
//!
//! 115 characters: base64url, without padding, of 86 bytes (see [`crate::seal`]).
//!
//! | bytes | | |
//! |---|---|---|
//! | 1 | version | `1` |
//! | 12 | nonce | random |
//! | 8 | encrypted | expiry: seconds since the epoch, big-endian |
//! | 32 | encrypted | SHA-256 of the verification's mark |
//! | 1 | encrypted | the [`Holder`] of the binding: 0 for a browser, 1 for a program |
//! | 16 | encrypted | the phone number in E.164 with its `+`, then zeros; only zeros to ask the operator for it |
//! | 16 | tag | over everything, the `client_id` and the `redirect_uri` |

use std::time::Duration;

use aws_lc_rs::error::Unspecified;

use super::Audience;
use super::mark::Mark;
use crate::operator::Question;
use crate::phone_number::{MAX_DIGITS, PhoneNumber};
use crate::seal::{Purpose, SealNonce, Sealer};

/// In characters.
const STATE_LENGTH: usize = 115;

const NUMBER_LEN: usize = MAX_DIGITS + 1;

/// The largest accepted difference between the clocks of two environments.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(5);

/// The kind of client that keeps the text of a state's binding. It decides how the verification is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A browser, as a cookie. It finishes at the callback.
    Browser,
    /// A program, as `binding`. It finishes at `/complete`.
    Program,
}

/// A state of this client and callback that has not expired.
pub struct OpenedState {
    /// The question for the operator.
    pub question: Question,
    /// The random part, from which the PKCE verifier is derived.
    pub seal_nonce: SealNonce,
    /// The kind of client that may finish the verification.
    pub holder: Holder,
    mark_sha256: [u8; 32],
}

/// Returns whether a text has the length of our states. The secret is not read for any other text.
pub fn looks_ours(state: &str) -> bool {
    state.len() == STATE_LENGTH
}

/// The reason a state is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateError {
    /// It was altered, or sealed with another key, for another client or for another callback.
    NotOurs,
    /// It is ours but has expired.
    Expired,
}

redacted_debug!(OpenedState);

impl OpenedState {
    /// Returns whether this state belongs to the verification with this mark.
    pub fn belongs_to(&self, mark: Mark) -> bool {
        mark.has_sha256(&self.mark_sha256)
    }
}

/// Seals a question into a state.
///
/// # Errors
/// The system has no randomness.
pub fn seal(
    sealer: &Sealer,
    audience: Audience,
    question: &Question,
    mark: Mark,
    holder: Holder,
    expires_at: u64,
) -> Result<(String, SealNonce), Unspecified> {
    let mut number = [0; NUMBER_LEN];
    let digits = question.phone_number().map_or("", PhoneNumber::expose);
    for (place, digit) in number.iter_mut().zip(digits.bytes()) {
        *place = digit;
    }
    let holder = u8::from(holder == Holder::Program);
    let text = [&expires_at.to_be_bytes()[..], &mark.sha256(), &[holder], &number].concat();
    sealer.seal(Purpose::State, &audience.parts(), &text)
}

/// Opens a state at `now`, in seconds since the epoch. A state that expires later than `ttl` from now is not accepted
/// either, because it cannot have been created by now.
///
/// # Errors
/// The reason the state is not accepted.
pub fn open(
    sealer: &Sealer,
    audience: Audience,
    state: &str,
    now: u64,
    ttl: Duration,
) -> Result<OpenedState, StateError> {
    if !looks_ours(state) {
        return Err(StateError::NotOurs);
    }
    let (text, seal_nonce) = sealer.open(Purpose::State, &audience.parts(), state).map_err(|_| StateError::NotOurs)?;
    let (expires_at, opened) = read(&text, seal_nonce).ok_or(StateError::NotOurs)?;
    let latest = now + ttl.as_secs() + CLOCK_DIFFERENCE.as_secs();
    if expires_at <= now || expires_at > latest {
        return Err(StateError::Expired);
    }
    Ok(opened)
}

fn read(text: &[u8], seal_nonce: SealNonce) -> Option<(u64, OpenedState)> {
    let (expires_at, rest) = text.split_first_chunk::<8>()?;
    let (mark_sha256, rest) = rest.split_first_chunk::<32>()?;
    let ([holder], number) = rest.split_first_chunk::<1>()?;
    let holder = match holder {
        0 => Holder::Browser,
        1 => Holder::Program,
        _ => return None,
    };
    let number: &[u8; NUMBER_LEN] = number.try_into().ok()?;
    let question = match std::str::from_utf8(number).ok()?.trim_end_matches('\0') {
        "" => Question::Retrieve,
        number => Question::Verify(PhoneNumber::parse(number).ok()?),
    };
    let opened = OpenedState { question, seal_nonce, holder, mark_sha256: *mark_sha256 };
    Some((u64::from_be_bytes(*expires_at), opened))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;
    use crate::flow::{Started, Unspent};
    use crate::operator::AuthorizationCode;

    const AUDIENCE: Audience = Audience { client_id: "my-app-id", redirect_uri: "https://a.example/callback" };
    const TTL: Duration = Duration::from_mins(10);
    const NOW: u64 = 1_800_000_000;
    const LATER: u64 = NOW + 600;

    fn sealer() -> Sealer {
        Sealer::of(b"key").unwrap()
    }

    fn mark(byte: u8) -> Mark {
        Mark::from_bytes([byte; 16])
    }

    fn verify(number: &str) -> Question {
        Question::Verify(PhoneNumber::parse(number).unwrap())
    }

    fn state_for(number: &str, expires_at: u64) -> String {
        seal(&sealer(), AUDIENCE, &verify(number), mark(1), Holder::Browser, expires_at).unwrap().0
    }

    #[test]
    fn opened_state_contains_the_number() {
        for number in ["+34600000001", "+12345", "+123456789012345"] {
            let state = state_for(number, LATER);
            assert!(looks_ours(&state));
            let opened = open(&sealer(), AUDIENCE, &state, NOW, TTL).unwrap();
            assert_eq!(opened.question, verify(number));
            assert!(opened.belongs_to(mark(1)));
            assert!(!opened.belongs_to(mark(2)));
        }
    }

    #[test]
    fn state_to_retrieve_a_number_has_none_and_the_same_length() {
        let (state, _) = seal(&sealer(), AUDIENCE, &Question::Retrieve, mark(1), Holder::Browser, LATER).unwrap();
        assert!(looks_ours(&state));
        assert_eq!(open(&sealer(), AUDIENCE, &state, NOW, TTL).unwrap().question, Question::Retrieve);
    }

    #[test]
    fn debug_shows_nothing_of_a_verification() {
        let state = state_for("+34600000001", LATER);
        let opened = open(&sealer(), AUDIENCE, &state, NOW, TTL).unwrap();
        let unspent = Unspent { code: AuthorizationCode::new("a-code"), state };
        let url = url::Url::parse("https://op.example/?state=a-state").unwrap();
        let started = Started { authorization_url: url, binding: None, expires_in: TTL };
        let shown = format!("{opened:?} {unspent:?} {started:?}");
        assert_eq!(shown, "OpenedState([redacted]) Unspent([redacted]) Started([redacted])");
    }

    #[test]
    fn other_states_are_refused() {
        let state = state_for("+34600000001", LATER);
        let other_client = Audience { client_id: "other", ..AUDIENCE };
        let other_callback = Audience { redirect_uri: "https://b.example/callback", ..AUDIENCE };
        for (name, audience, state, now, expected) in [
            ("another client", other_client, &*state, NOW, StateError::NotOurs),
            ("another callback", other_callback, &state, NOW, StateError::NotOurs),
            ("a phone number", AUDIENCE, "+34600000001", NOW, StateError::NotOurs),
            ("too long", AUDIENCE, &state.repeat(5), NOW, StateError::NotOurs),
            ("expired", AUDIENCE, &state, LATER, StateError::Expired),
            ("expires later than any state created now", AUDIENCE, &state, NOW - 6, StateError::Expired),
        ] {
            assert_eq!(open(&sealer(), audience, state, now, TTL).err(), Some(expected), "{name}");
        }
        for now in [NOW - 5, LATER - 1] {
            assert!(open(&sealer(), AUDIENCE, &state, now, TTL).is_ok(), "{now}");
        }
    }

    proptest::proptest! {
        #[test]
        fn sealed_state_opens_and_one_changed_bit_closes_it(
            digits in "[1-9]{5,15}", mark in proptest::array::uniform16(0_u8..), program: bool, bit in 0_usize..86 * 8
        ) {
            let engine = base64::prelude::BASE64_URL_SAFE_NO_PAD;
            let number = verify(&format!("+{digits}"));
            let ours = Mark::from_bytes(mark);
            let holder = if program { Holder::Program } else { Holder::Browser };
            let (state, seal_nonce) = seal(&sealer(), AUDIENCE, &number, ours, holder, LATER).unwrap();
            let opened = open(&sealer(), AUDIENCE, &state, NOW, TTL).unwrap();
            assert_eq!((&opened.question, opened.seal_nonce, opened.holder), (&number, seal_nonce, holder));
            assert!(opened.belongs_to(ours));

            let mut wire = engine.decode(&state).unwrap();
            wire[bit / 8] ^= 1 << (bit % 8);
            let refused = open(&sealer(), AUDIENCE, &engine.encode(wire), NOW, TTL).err();
            assert_eq!(refused, Some(StateError::NotOurs));

            let mut mark = mark;
            mark[bit % 16] ^= 1 << (bit % 8);
            assert!(!opened.belongs_to(Mark::from_bytes(mark)));

            assert_ne!(seal(&sealer(), AUDIENCE, &number, ours, holder, LATER).unwrap().0, state);
        }
    }
}
