//! Ties a verification to the browser that started it. The browser keeps a sealed text in a cookie, one for each
//! verification. Phones reload pages, so the text also contains the outcome once there is one. If an app asked, it
//! contains the app's request.
//!
//! # Wire format
//!
//! The sealed text (see [`crate::seal`]) is bound to the client, the callback and the state. It contains
//!
//! | bytes | |
//! |---|---|
//! | 8 | expiry, equal to the state's: seconds since the epoch, big-endian |
//! | 16 | the [`Mark`] |
//! | 16 | the first half of the SHA-256 of the code that was exchanged; zeros before that |
//! | 24 | the name of the outcome, then zeros; only zeros while there is none |
//! | 8 | the time of the operator's answer, like the expiry; zero while there is none |
//! | 16 | the number that the operator named, in E.164 with its `+`, then zeros; only zeros if it named none |
//! | n | the app's request, if an app asked (see `src/provider/kept_request.rs`) |

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::Audience;
use super::mark::Mark;
use crate::outcome::Outcome;
use crate::phone_number::{MAX_DIGITS, PhoneNumber};
use crate::provider::AppRequest;
use crate::seal::{Purpose, Sealer};

/// The opened text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The time at which it expires, in seconds since the epoch.
    pub expires_at: u64,
    /// The verification's mark.
    pub mark: Mark,
    /// The result, once there is one.
    pub finished: Option<Finished>,
    /// The request of the app that asked.
    pub app: Option<AppRequest>,
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    code: CodeHash,
    outcome: Outcome,
    /// The time of the operator's answer, in seconds since the epoch.
    pub answered_at: u64,
    /// The number that the operator named, if it was asked for one.
    pub retrieved: Option<PhoneNumber>,
}

/// The sealed text and its handle.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedBinding {
    /// The handle; see [`handle`].
    pub handle: String,
    /// The text.
    pub text: String,
}

type CodeHash = [u8; CODE_LEN];

const CODE_LEN: usize = 16;
/// In bytes; more than the longest name of an outcome.
const OUTCOME_LEN: usize = 24;
const HANDLE_LEN: usize = 12;
const NUMBER_LEN: usize = MAX_DIGITS + 1;

/// The name under which the text that belongs to a state is kept: 12 characters of the state's SHA-256 in base64url.
#[must_use]
pub fn handle(state: &str) -> String {
    let mut handle = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, state.as_bytes()));
    handle.truncate(HANDLE_LEN);
    handle
}

impl Finished {
    /// The result that the exchange of `code` led to.
    pub fn new(code: &str, outcome: Outcome, answered_at: u64, retrieved: Option<PhoneNumber>) -> Self {
        Self { code: hash(code), outcome, answered_at, retrieved }
    }

    /// A text that belongs to this answer of the operator and to no other.
    pub fn seed(&self) -> &[u8] {
        &self.code
    }

    /// The outcome, if this code led to it.
    pub fn outcome_of(&self, code: &str) -> Option<Outcome> {
        (self.code == hash(code)).then_some(self.outcome)
    }

    /// Returns whether the operator answered the question.
    pub fn is_verdict(&self) -> bool {
        self.outcome.device_phone_number_verified().is_some()
    }
}

impl Binding {
    /// Seals the text for the verification with this state.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn seal(&self, sealer: &Sealer, audience: Audience, state: &str) -> Result<String, Unspecified> {
        let mut outcome = [0; OUTCOME_LEN];
        let mut code = [0; CODE_LEN];
        let mut answered_at = 0;
        let mut retrieved = [0; NUMBER_LEN];
        if let Some(finished) = &self.finished {
            code = finished.code;
            answered_at = finished.answered_at;
            for (place, byte) in outcome.iter_mut().zip(finished.outcome.name().bytes()) {
                *place = byte;
            }
            let digits = finished.retrieved.as_ref().map_or("", PhoneNumber::expose);
            for (place, digit) in retrieved.iter_mut().zip(digits.bytes()) {
                *place = digit;
            }
        }
        let app = self.app.as_ref().map(AppRequest::to_bytes).unwrap_or_default();
        let (expires_at, answered_at) = (self.expires_at.to_be_bytes(), answered_at.to_be_bytes());
        let text = [&expires_at[..], self.mark.bytes(), &code, &outcome, &answered_at, &retrieved, &app].concat();
        let (sealed, _) = sealer.seal(Purpose::Binding, &audience.with(state.as_bytes()), &text)?;
        Ok(sealed)
    }

    /// Opens the text kept for this state. Returns `None` if it was not sealed for this state or has expired at `now`,
    /// in seconds since the epoch.
    pub fn open(sealer: &Sealer, audience: Audience, state: &str, sealed: &str, now: u64) -> Option<Self> {
        let (text, _) = sealer.open(Purpose::Binding, &audience.with(state.as_bytes()), sealed).ok()?;
        let (expires_at, rest) = text.split_first_chunk::<8>()?;
        let (mark, rest) = rest.split_first_chunk::<{ Mark::LEN }>()?;
        let (code, rest) = rest.split_first_chunk::<CODE_LEN>()?;
        let (outcome, rest) = rest.split_first_chunk::<OUTCOME_LEN>()?;
        let (answered_at, rest) = rest.split_first_chunk::<8>()?;
        let (retrieved, app) = rest.split_first_chunk::<NUMBER_LEN>()?;
        let outcome = std::str::from_utf8(outcome).ok()?.trim_end_matches('\0');
        let finished = match outcome {
            "" => None,
            name => {
                let answered_at = u64::from_be_bytes(*answered_at);
                let retrieved = match std::str::from_utf8(retrieved).ok()?.trim_end_matches('\0') {
                    "" => None,
                    number => Some(PhoneNumber::parse(number).ok()?),
                };
                Some(Finished { code: *code, outcome: Outcome::from_name(name)?, answered_at, retrieved })
            }
        };
        let app = if app.is_empty() { None } else { Some(AppRequest::from_bytes(app)?) };
        let expires_at = u64::from_be_bytes(*expires_at);
        (expires_at > now).then_some(Self { expires_at, mark: Mark::from_bytes(*mark), finished, app })
    }
}

redacted_debug!(SealedBinding);

fn hash(code: &str) -> CodeHash {
    let mut half = [0; CODE_LEN];
    for (place, byte) in half.iter_mut().zip(digest(&SHA256, code.as_bytes()).as_ref()) {
        *place = *byte;
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIENCE: Audience = Audience { client_id: "my-app-id", redirect_uri: "https://a.example/callback" };

    fn sealer(key: &str) -> Sealer {
        Sealer::of(key.as_bytes()).unwrap()
    }

    #[test]
    fn sealed_text_opens_unchanged() {
        let retrieved =
            |outcome| (outcome == Outcome::Verified).then(|| PhoneNumber::parse("+123456789012345").unwrap());
        for outcome in Outcome::ALL.into_iter().map(Some).chain([None]) {
            let binding = Binding {
                expires_at: 1000,
                mark: Mark::random().unwrap(),
                finished: outcome.map(|outcome| Finished::new("code", outcome, 900, retrieved(outcome))),
                app: None,
            };
            let sealed = binding.seal(&sealer("key"), AUDIENCE, "state").unwrap();
            assert_eq!(Binding::open(&sealer("key"), AUDIENCE, "state", &sealed, 999), Some(binding), "{outcome:?}");
        }
    }

    #[test]
    fn text_opens_for_its_own_verification_only() {
        let mark = Mark::random().unwrap();
        let binding = Binding { expires_at: 1000, mark, finished: None, app: None };
        let sealed = binding.seal(&sealer("key"), AUDIENCE, "state").unwrap();
        let other_client = Audience { client_id: "other", ..AUDIENCE };
        let other_callback = Audience { redirect_uri: "https://b.example/callback", ..AUDIENCE };
        for (name, key, audience, state, text, now) in [
            ("another key", "other", AUDIENCE, "state", &*sealed, 0),
            ("another client", "key", other_client, "state", &sealed, 0),
            ("another callback", "key", other_callback, "state", &sealed, 0),
            ("another state", "key", AUDIENCE, "other", &sealed, 0),
            ("expired", "key", AUDIENCE, "state", &sealed, 1000),
            ("rubbish", "key", AUDIENCE, "state", "rubbish", 0),
        ] {
            assert_eq!(Binding::open(&sealer(key), audience, state, text, now), None, "{name}");
        }
    }

    #[test]
    fn result_belongs_to_one_code() {
        let finished = Finished::new("code", Outcome::Verified, 900, None);
        assert_eq!(finished.outcome_of("code"), Some(Outcome::Verified));
        assert_eq!(finished.outcome_of("other"), None);
    }

    #[test]
    fn handle_is_short_and_differs_with_the_state() {
        assert_eq!(handle("state").len(), 12);
        assert_ne!(handle("state"), handle("other"));
    }
}
