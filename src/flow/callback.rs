//! The callback: what the operator's redirect says, and what it comes to (RFC 6749 §4.1.2).

use std::sync::Arc;

use super::browser::Browser;
use super::reload::FinishedCallback;
use super::state::{self, Binding, OpenedState, StateError};
use super::{Flow, Stopped, nonce, now_seconds, pkce};
use crate::config::StateMode;
use crate::correlator::Correlator;
use crate::deadline::Deadline;
use crate::operator::{
    AccessToken, AuthorizationCode, AuthorizationGrant, CodeVerifier, ErrorCode, Evidence, ExpectedIdToken,
    OperatorError, outcome_of,
};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::secret::Secret;
use crate::telemetry::{Leg, Trace};

/// A callback as the browser brought it.
#[derive(Debug)]
pub struct Callback<'a> {
    /// Its parameters.
    pub parameters: Parameters,
    /// The browser's mark.
    pub browser: Option<Browser>,
    /// The sealed result of an earlier callback.
    pub reload_cookie: Option<&'a str>,
    /// The address the operator was told to redirect to.
    pub redirect_uri: &'a str,
    /// The reference that goes to the operator, the page and the log.
    pub correlator: &'a Correlator,
    /// When the answer must be on its way.
    pub deadline: Deadline,
}

impl<'a> Callback<'a> {
    /// What a state must have been made for.
    fn binding<'s>(&self, secret: &'s Secret) -> Binding<'s>
    where
        'a: 's,
    {
        Binding { client_id: &secret.credentials.client_id, redirect_uri: self.redirect_uri }
    }
}

/// The parameters of an authorization response: RFC 6749 §4.1.2 and RFC 9207.
#[derive(Default)]
pub struct Parameters {
    code: Option<AuthorizationCode>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// What a callback came to.
#[derive(Debug)]
pub struct Finished {
    /// The answer.
    pub outcome: Outcome,
    /// The number that was asked about, where the state told it.
    pub phone_number: Option<PhoneNumber>,
    /// Seconds after which to try again, where the operator said so.
    pub retry_after: Option<u64>,
    /// The sealed result to leave in the browser, so that a reload shows it again.
    pub reload_cookie: Option<String>,
    /// What to log.
    pub trace: Trace,
}

impl Default for Finished {
    /// Nothing has happened yet, which no page may mistake for an answer.
    fn default() -> Self {
        Self {
            outcome: Outcome::OperatorError,
            phone_number: None,
            retry_after: None,
            reload_cookie: None,
            trace: Trace::default(),
        }
    }
}

impl Finished {
    fn stop(&mut self, stopped: Stopped) {
        self.outcome = stopped.outcome;
        self.retry_after = stopped.retry_after;
        self.trace.says = Some(stopped.says);
        self.trace.error_code = stopped.error_code;
    }
}

impl From<Stopped> for Finished {
    fn from(stopped: Stopped) -> Self {
        let mut finished = Self::default();
        finished.stop(stopped);
        finished
    }
}

/// Codes that are signed tokens run to some kilobytes; API Gateway itself stops at 10 KB of headers and URL.
const MAX_PARAMETER_LENGTH: usize = 4096;

impl Parameters {
    /// Picks the parameters out of a query.
    ///
    /// # Errors
    /// The name of one that is repeated (RFC 6749 §3.1) or too long.
    pub fn from_query<'q>(query: impl IntoIterator<Item = (&'q str, &'q str)>) -> Result<Self, Stopped> {
        let (mut code, mut state, mut error, mut iss) = (None, None, None, None);
        let (mut error_description, mut error_uri) = (None, None);
        for (name, value) in query {
            let parameter = match name {
                "code" => &mut code,
                "state" => &mut state,
                "error" => &mut error,
                "error_description" => &mut error_description,
                "error_uri" => &mut error_uri,
                "iss" => &mut iss,
                _ => continue,
            };
            if parameter.replace(value).is_some() {
                return Err(invalid(format!("parameter {name} came more than once (RFC 6749 §3.1)")));
            }
            if value.len() > MAX_PARAMETER_LENGTH {
                return Err(invalid(format!("parameter {name} is longer than {MAX_PARAMETER_LENGTH} bytes")));
            }
        }
        // RFC 6749 §3.1: a parameter without a value counts as omitted.
        let given = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(Self {
            code: given(code).map(AuthorizationCode::new),
            state: given(state),
            error: given(error),
            iss: given(iss),
        })
    }
}

impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parameters([redacted])")
    }
}

/// What an accepted state tells.
struct Accepted {
    phone_number: PhoneNumber,
    expires_at: u64,
    /// The version of the secret that the flow was started with: now the current one, unless that has changed since.
    started_with: Arc<Secret>,
    code_verifier: Option<CodeVerifier>,
    nonce: Option<String>,
}

impl Flow {
    /// Takes a callback to its outcome. Always comes to one, before the deadline.
    pub async fn callback(&self, callback: &Callback<'_>) -> Finished {
        let mut finished = Finished::default();
        match self.run(callback, &mut finished).await {
            Ok(outcome) => finished.outcome = outcome,
            Err(stopped) => finished.stop(stopped),
        }
        finished
    }

    async fn run(&self, callback: &Callback<'_>, finished: &mut Finished) -> Result<Outcome, Stopped> {
        let parameters = &callback.parameters;
        let Some(state) = parameters.state.as_deref() else {
            // A state was sent, so an operator's refusal carries it too (RFC 6749 §4.1.2.1). An `error` without one is
            // anybody's, and must not look like an outage. In phone mode any could be.
            let refused = refused(parameters).filter(|_| self.state_mode == StateMode::Phone);
            return Err(refused.unwrap_or_else(|| invalid("parameter state is missing")));
        };
        let accepted = self.accept(callback, state, &mut finished.trace).await?;
        finished.phone_number = Some(accepted.phone_number.clone());
        self.check_issuer(parameters)?;
        if let Some(refused) = refused(parameters) {
            return Err(refused);
        }
        let code = parameters.code.as_ref().ok_or_else(|| invalid("parameter code is missing"))?;

        let this_callback = FinishedCallback {
            binding: callback.binding(&accepted.started_with),
            authorization_code: code.expose(),
            state,
            browser: callback.browser,
        };
        let sealer = &accepted.started_with.sealer;
        if let Some(outcome) = callback.reload_cookie.and_then(|cookie| this_callback.open(sealer, cookie)) {
            finished.trace.reloaded = true;
            return Ok(outcome);
        }

        let grant = AuthorizationGrant {
            authorization_code: code.clone(),
            redirect_uri: callback.redirect_uri.to_owned(),
            code_verifier: accepted.code_verifier,
            id_token: self.authorization.openid().then(|| ExpectedIdToken {
                nonce: accepted.nonce,
                issuer: self.authorization.issuer.as_ref().map(|issuer| issuer.identifier.clone()),
            }),
        };
        let secret = self.secrets.get(callback.deadline).await?;
        let result = match self.exchange(&grant, &secret, callback.deadline, &mut finished.trace).await {
            Ok(access_token) => self.ask(access_token, &accepted.phone_number, callback, &mut finished.trace).await,
            Err(stopped) => Err(stopped),
        };
        let outcome = result.as_ref().map_or_else(|stopped| stopped.outcome, |outcome| *outcome);
        // Where the operator took no decision about the code, a reload may try it again.
        let code_is_spent = finished.trace.token.status == Some(200) || outcome == Outcome::ExpiredCode;
        if code_is_spent {
            finished.reload_cookie = this_callback.seal(sealer, outcome, accepted.expires_at).ok();
        }
        result
    }

    /// Accepts the state, or stops before anything is asked of the operator.
    async fn accept(&self, callback: &Callback<'_>, state: &str, trace: &mut Trace) -> Result<Accepted, Stopped> {
        if self.state_mode == StateMode::Phone {
            // A `+` that nobody percent-encoded arrives as a space.
            let number = state.strip_prefix(' ').map_or_else(|| state.to_owned(), |digits| format!("+{digits}"));
            let phone_number = PhoneNumber::parse(&number).map_err(|e| invalid(format!("parameter state: {e}")))?;
            return Ok(Accepted {
                phone_number,
                expires_at: now_seconds() + self.state_ttl.as_secs(),
                started_with: trace.secret.measure(self.secrets.get(callback.deadline)).await?,
                code_verifier: None,
                nonce: None,
            });
        }
        let (started_with, opened) = trace.secret.measure(self.open(callback, state)).await?;
        let browser = callback.browser;
        let sealer = &started_with.sealer;
        let code_verifier = browser
            .filter(|_| self.authorization.pkce)
            .map(|browser| pkce::code_verifier(sealer, &opened.nonce, browser));
        let nonce = browser.map(|browser| nonce::nonce(sealer, &opened.nonce, browser));
        Ok(Accepted {
            phone_number: opened.phone_number,
            expires_at: opened.expires_at,
            started_with,
            code_verifier,
            nonce,
        })
    }

    /// Opens a sealed state with the secret, or with the version of it that was current when the flow started.
    async fn open(&self, callback: &Callback<'_>, state: &str) -> Result<(Arc<Secret>, OpenedState), Stopped> {
        let open =
            |secret: &Arc<Secret>| match state::open(&secret.sealer, callback.binding(secret), state, callback.browser)
            {
                Err(StateError::NotOurs) => None,
                result => Some(result.map(|opened| (Arc::clone(secret), opened))),
            };
        // Not even the secret is read for a text of another length.
        let result =
            if state::looks_ours(state) { self.secrets.open_with(callback.deadline, open).await? } else { None };
        result.unwrap_or(Err(StateError::NotOurs)).map_err(|error| match error {
            StateError::NotOurs => {
                Stopped::new(Outcome::InvalidState, "state was not made here, for this client and this redirect_uri")
            }
            StateError::Expired => Stopped::new(Outcome::InvalidState, "state is past its time (STATE_TTL_SECONDS)"),
            StateError::WrongBrowser => {
                Stopped::new(Outcome::WrongBrowser, "state belongs to another browser than the one that came back")
            }
        })
    }

    /// RFC 9207 §2.4: where the issuer is known, a response of another one is not for us (mix-up).
    fn check_issuer(&self, parameters: &Parameters) -> Result<(), Stopped> {
        let right = match (&self.authorization.issuer, &parameters.iss) {
            (Some(issuer), Some(came)) => *came == issuer.identifier,
            (Some(issuer), None) => !issuer.in_callback,
            (None, _) => true,
        };
        if right { Ok(()) } else { Err(invalid("parameter iss is not the configured ISSUER (RFC 9207)")) }
    }

    /// Exchanges the code, and does it again where the operator refused a secret that has changed meanwhile.
    async fn exchange(
        &self,
        grant: &AuthorizationGrant,
        secret: &Secret,
        deadline: Deadline,
        trace: &mut Trace,
    ) -> Result<AccessToken, Stopped> {
        let first = trace.token.measure(self.operator.exchange(grant, &secret.credentials, deadline)).await;
        let invalid_client =
            |error: &OperatorError| error.evidence.code.as_ref().map(ErrorCode::as_str) == Some("invalid_client");
        let result = match first {
            Err(error) if invalid_client(&error) => match self.secrets.changed_since(secret, deadline).await {
                Ok(Some(newer)) => {
                    tracing::warn!(
                        "operator refused the client secret, which has changed; sending again with the new one"
                    );
                    trace.token.measure(self.operator.exchange(grant, &newer.credentials, deadline)).await
                }
                Ok(None) => Err(error),
                Err(unread) => {
                    tracing::warn!(
                        error = unread.reason,
                        "operator refused the client secret, and it cannot be read again"
                    );
                    Err(error)
                }
            },
            result => result,
        };
        answered(result, &mut trace.token)
    }

    /// Asks the operator about the number. The one place where *verified* and *not verified* come from.
    async fn ask(
        &self,
        access_token: AccessToken,
        phone_number: &PhoneNumber,
        callback: &Callback<'_>,
        trace: &mut Trace,
    ) -> Result<Outcome, Stopped> {
        let asked = self.operator.verify(access_token, phone_number, Some(callback.correlator), callback.deadline);
        let result = trace.verify.measure(asked).await;
        Ok(if answered(result, &mut trace.verify)? { Outcome::Verified } else { Outcome::NotVerified })
    }
}

/// Takes the evidence of an operator's answer into the trace.
fn answered<T>(result: Result<(T, Evidence), OperatorError>, leg: &mut Leg) -> Result<T, Stopped> {
    let (result, evidence) = match result {
        Ok((value, evidence)) => (Ok(value), evidence),
        Err(error) => {
            let evidence = error.evidence.clone();
            (Err(Stopped::from(error)), evidence)
        }
    };
    leg.status = evidence.status;
    leg.retried = evidence.retried;
    result
}

/// What the operator's `error` parameter comes to.
fn refused(parameters: &Parameters) -> Option<Stopped> {
    let code = parameters.error.as_deref()?;
    let mut stopped = Stopped::new(outcome_of(code), "the operator redirected with an error");
    stopped.error_code = ErrorCode::new(code);
    Some(stopped)
}

fn invalid(says: impl Into<String>) -> Stopped {
    Stopped::new(Outcome::InvalidRequest, says)
}
