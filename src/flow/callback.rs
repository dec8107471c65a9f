//! The callback: what the operator's redirect says, and what it comes to (RFC 6749 §4.1.2).

use std::sync::Arc;

use super::browser::Browser;
use super::reload::FinishedCallback;
use super::state::{self, Binding, OpenedState, StateError};
use super::{Flow, Stopped, nonce, now_seconds, pkce};
use crate::config::StateMode;
use crate::correlator::Correlator;
use crate::deadline::Deadline;
use crate::failure::Failure;
use crate::operator::{AccessToken, AuthorizationGrant, AuthorizationResponse, CodeVerifier, ExpectedIdToken};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::secret::Secret;
use crate::telemetry::Trace;

/// A callback as the browser brought it.
#[derive(Debug)]
pub struct Callback<'a> {
    /// Its parameters.
    pub parameters: AuthorizationResponse,
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
            let refused = parameters.refusal().filter(|_| self.state_mode == StateMode::Phone);
            return Err(refused.map_or_else(|| invalid("parameter state is missing"), Stopped::from));
        };
        let accepted = self.accept(callback, state, &mut finished.trace).await?;
        finished.phone_number = Some(accepted.phone_number.clone());
        self.operator.profile().check_issuer(parameters.iss.as_deref())?;
        if let Some(refused) = parameters.refusal() {
            return Err(refused.into());
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
            id_token: self
                .operator
                .profile()
                .openid()
                .then(|| ExpectedIdToken { nonce: accepted.nonce, issuer: self.operator.profile().issuer.clone() }),
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
            .filter(|_| self.operator.profile().pkce)
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
        let secret = self.secrets.get(callback.deadline).await?;
        let open = |secret: &Secret| state::open(&secret.sealer, callback.binding(secret), state, callback.browser);
        let mut result = open(&secret).map(|opened| (secret.clone(), opened));
        if matches!(result, Err(StateError::NotOurs)) && state::looks_ours(state) {
            for version in self.secrets.other_versions(&secret, callback.deadline).await {
                match open(&version) {
                    Err(StateError::NotOurs) => {}
                    other => result = other.map(|opened| (version, opened)),
                }
            }
        }
        result.map_err(|error| match error {
            StateError::NotOurs => {
                Stopped::new(Outcome::InvalidState, "state was not made here, for this client and this redirect_uri")
            }
            StateError::Expired => Stopped::new(Outcome::InvalidState, "state is past its time (STATE_TTL_SECONDS)"),
            StateError::WrongBrowser => {
                Stopped::new(Outcome::WrongBrowser, "state belongs to another browser than the one that came back")
            }
        })
    }

    /// Exchanges the code, and does it again where the operator refused a secret that has changed meanwhile.
    async fn exchange(
        &self,
        grant: &AuthorizationGrant,
        secret: &Secret,
        deadline: Deadline,
        trace: &mut Trace,
    ) -> Result<AccessToken, Stopped> {
        let first = self.operator.exchange(grant, &secret.credentials, deadline, &mut trace.token).await;
        let client_refused = |failure: &Failure, status| status == Some(401) || failure.code == Some("invalid_client");
        let Err(failure) = first else { return Ok(first?) };
        if !client_refused(&failure, trace.token.status) {
            return Err(failure.into());
        }
        match self.secrets.changed_since(secret, deadline).await {
            Ok(Some(newer)) => {
                tracing::warn!("operator refused the client secret, which has changed; sending again with the new one");
                Ok(self.operator.exchange(grant, &newer.credentials, deadline, &mut trace.token).await?)
            }
            Ok(None) => Err(failure.into()),
            Err(unread) => {
                tracing::warn!(error = unread.says, "operator refused the client secret, and it cannot be read again");
                Err(failure.into())
            }
        }
    }

    /// Asks the operator about the number. The one place where *verified* and *not verified* come from.
    async fn ask(
        &self,
        access_token: AccessToken,
        phone_number: &PhoneNumber,
        callback: &Callback<'_>,
        trace: &mut Trace,
    ) -> Result<Outcome, Stopped> {
        let (correlator, deadline) = (Some(callback.correlator), callback.deadline);
        let verified =
            self.operator.verify(access_token, phone_number, correlator, deadline, &mut trace.verify).await?;
        Ok(if verified { Outcome::Verified } else { Outcome::NotVerified })
    }
}

fn invalid(says: impl Into<String>) -> Stopped {
    Stopped::new(Outcome::InvalidRequest, says)
}
