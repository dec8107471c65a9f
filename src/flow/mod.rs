//! A verification from its start to its conclusion. This ring knows no HTTP framework and no pages.

mod accept;
mod ask;
mod attempts;
mod authorize;
mod binding;
mod callback;
mod client_key;
mod complete;
mod conclusion;
mod hand_off;
mod mark;
mod nonce;
mod operator_token;
mod pkce;
mod redeem;
mod start;
mod state;

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

pub use authorize::{AppForm, Authorize, AuthorizeRequest, FromPage, ToApp, read_form_field};
pub use binding::SealedBinding;
pub use callback::CallbackRequest;
pub use complete::CompleteRequest;
pub use conclusion::{Conclusion, Unspent};
pub use hand_off::{HandOff, Way};
pub use operator_token::VerifyRequest;
pub use redeem::{Redeemed, TokenCall};
pub use start::{Start, StartRequest, Started};
pub use state::Holder;

pub use crate::operator::{AskedNumber, HashedPhoneNumber, OperatorName, OperatorToken, Question};
pub use crate::provider::{
    AUTHORIZATION_PATH, AppRequest, DISCOVERY_PATH, JWKS_PATH, Presented, TOKEN_PATH, TokenError, USERINFO_PATH,
};

use crate::failure::Failure;
use crate::operator::{Member, Operator, Operators};
use crate::outcome::Outcome;
use crate::provider::UsedCodes;
use crate::secret::SecretStore;
use attempts::Attempts;
use complete::Completed;

/// Items that only `fuzz/` needs.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use super::Audience;
    pub use super::mark::Mark;
    pub use super::state::{Holder, OpenedState, StateError, open, seal};
}

/// The flow's own settings.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// `STATE_MODE`.
    pub state_mode: StateMode,
    /// `STATE_TTL_SECONDS`: the longest time from the start to the callback.
    pub state_ttl: Duration,
    /// `RETRIEVE_NUMBER`: users may let the operator name their number.
    pub retrieve_number: bool,
}

/// The content of the `state` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateMode {
    /// Sealed, and tied to the browser that started the verification.
    Sealed,
    /// The phone number itself, sent by a front end that builds the authorization request.
    Phone,
}

/// The client and callback that a text is sealed for. It does not open for others.
#[derive(Debug, Clone, Copy)]
pub struct Audience<'a> {
    /// The OAuth `client_id`.
    pub client_id: &'a str,
    /// The address of the callback.
    pub redirect_uri: &'a str,
}

impl<'a> Audience<'a> {
    fn parts(self) -> [&'a [u8]; 2] {
        [self.client_id.as_bytes(), self.redirect_uri.as_bytes()]
    }

    fn with(self, part: &'a [u8]) -> [&'a [u8]; 3] {
        let [client_id, redirect_uri] = self.parts();
        [client_id, redirect_uri, part]
    }
}

/// Everything a verification needs, set up once.
#[derive(Debug)]
pub struct Flow {
    operators: Operators,
    secrets: SecretStore,
    settings: Settings,
    attempts: Attempts,
    used_codes: UsedCodes,
    completed: Completed,
    /// True once this environment has logged that there is no `subject_key`.
    warned_of_subject_key: AtomicBool,
}

impl Flow {
    /// Creates the flow with its operators, a secret, and the codes that apps have exchanged.
    #[must_use]
    pub fn new(operators: Operators, secrets: SecretStore, used_codes: UsedCodes, settings: Settings) -> Self {
        let (attempts, warned_of_subject_key) = (Attempts::default(), AtomicBool::new(false));
        let completed = Completed::default();
        Self { operators, secrets, settings, attempts, used_codes, completed, warned_of_subject_key }
    }

    /// Starts, in the background, what the first verification would otherwise wait for: a connection to each operator,
    /// and reading the secret. A failure is not reported here, because the verification tries again and reports it
    /// then.
    pub fn prepare(&self) {
        self.operators.iter().filter_map(Member::ready).for_each(Operator::open_ahead);
        self.secrets.read_ahead();
    }

    /// The name of an operator for the log: the one in `OPERATORS`, or the host of the only one.
    #[must_use]
    pub fn operator_label<'a>(&'a self, name: Option<&'a OperatorName>) -> Option<&'a str> {
        let host = || Some(self.operators.single()?.ready()?.host());
        name.map(OperatorName::as_str).or_else(host)
    }

    /// The names of the operators in `OPERATORS`; none if there is only one operator.
    pub fn operator_names(&self) -> impl Iterator<Item = &OperatorName> {
        self.operators.iter().filter_map(Member::name)
    }

    /// The operator to ask. `chosen` is the name that a user or an app gave.
    fn operator_for(&self, question: &Question, chosen: Option<&str>) -> Result<&Member, Failure> {
        let chosen = chosen.filter(|name| !name.is_empty());
        let member = match question {
            Question::Verify(phone_number) => self.operators.serving(phone_number, chosen),
            Question::Retrieve => match (self.operators.single(), chosen) {
                (Some(single), _) => Some(single),
                (None, Some(name)) => self.operators.at(Some(name)),
                (None, None) => {
                    let reason = "operator is missing; with several operators, the number of one of them is retrieved";
                    return Err(Failure::new(Outcome::InvalidRequest, reason));
                }
            },
        };
        member.ok_or_else(not_covered)
    }

    /// The flow's settings.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }
}

fn not_covered() -> Failure {
    Failure::new(
        Outcome::NotCovered,
        "no operator in OPERATORS serves the number, or none that serves it has the chosen name",
    )
}

/// The address of an operator's callback. Each of several operators has its own, so that none can pass another's answer
/// off as its own (RFC 9700 §4.4.2.2).
fn callback_address<'a>(callback: &'a str, operator: Option<&OperatorName>) -> Cow<'a, str> {
    operator.map_or(callback.into(), |name| format!("{callback}/{name}").into())
}

/// Seconds since the epoch.
fn now_seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlator::Correlator;
    use crate::phone_number::PhoneNumber;
    use crate::transport::Deadline;

    #[test]
    fn debug_shows_nothing_of_a_request_or_its_way_back() {
        let (correlator, deadline) = (Correlator::from_header(None, "id"), Deadline::after(Duration::ZERO));
        let (parameters, issuer) = (&[("code", "hush"), ("state", "hush")], "https://a.example");
        let callback = CallbackRequest {
            parameters,
            kept: &|_| Some("hush"),
            holder: Holder::Browser,
            callback: issuer,
            operator: None,
            issuer,
            correlator: &correlator,
            deadline,
        };
        let complete = CompleteRequest {
            parameters,
            binding: "hush",
            callback: issuer,
            issuer,
            correlator: &correlator,
            deadline,
        };
        let (number, token) = (PhoneNumber::parse("+34600000001").unwrap(), OperatorToken::new("hush"));
        let asked = AskedNumber::Plain(number.clone());
        let verify =
            VerifyRequest { number: &asked, operator: None, operator_token: &token, correlator: &correlator, deadline };
        let from_page = Some(FromPage::Number(&number));
        let authorize = AuthorizeRequest { parameters, from_page, holder: Holder::Browser, issuer, deadline };
        let token_call = TokenCall { authorization: Some("hush"), form: b"hush", issuer, deadline };
        let way = Way::Code("hush".to_owned(), Some("hush".to_owned()));
        let binding = SealedBinding { handle: "hush".to_owned(), text: "hush".to_owned() };
        let redeemed = Redeemed::Tokens("shop".to_owned(), serde_json::json!("hush"));
        let to_app =
            ToApp { client_id: "hush".to_owned(), location: "hush".to_owned(), error: "hush", description: "hush" };
        for shown in [
            format!("{to_app:?} {callback:?} {complete:?} {verify:?} {authorize:?} {from_page:?}"),
            format!("{token_call:?} {way:?} {binding:?} {redeemed:?} {asked:?} {token:?}"),
        ] {
            assert!(!shown.contains("hush") && !shown.contains("600"), "{shown}");
            assert!(shown.split(' ').all(|part| part.contains("([redacted])")), "{shown}");
        }
    }
}
