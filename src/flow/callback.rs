//! The callback, from the operator's redirect to the conclusion (RFC 6749 §4.1.2).

use std::fmt;
use std::sync::Arc;

use super::binding::{self, Binding, Finished, SealedBinding};
use super::conclusion::{Conclusion, Unspent, outcome_of};
use super::mark::Mark;
use super::state::{self, Holder, OpenedState, StateError};
use super::{Audience, Flow, StateMode, nonce, now_seconds, pkce};
use crate::call_log::{Call, CallLog};
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::operator::{
    AccessToken, AskedNumber, AuthorizationCode, AuthorizationGrant, AuthorizationResponse, CodeVerifier,
    ExpectedIdToken,
};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::secret::Secret;
use crate::transport::Deadline;

/// A callback as it was received.
#[derive(Clone, Copy)]
pub struct CallbackRequest<'a> {
    /// The parameters of the operator's redirect.
    pub parameters: &'a [(&'a str, &'a str)],
    /// Finds the text that is kept under a handle.
    pub kept: &'a (dyn Fn(&str) -> Option<&'a str> + Sync),
    /// The kind of client that sent the request.
    pub holder: Holder,
    /// The `redirect_uri` of the authorization request.
    pub redirect_uri: &'a str,
    /// Our issuer, for the app that asked.
    pub issuer: &'a str,
    /// The reference for the operator, the page and the log.
    pub correlator: &'a Correlator,
    /// The time by which the answer must be on its way.
    pub deadline: Deadline,
}

impl<'a> CallbackRequest<'a> {
    fn audience<'s>(&self, secret: &'s Secret) -> Audience<'s>
    where
        'a: 's,
    {
        Audience { client_id: &secret.credentials.client_id, redirect_uri: self.redirect_uri }
    }
}

impl fmt::Debug for CallbackRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackRequest([redacted])")
    }
}

/// A verification that this callback may finish.
pub(super) struct Accepted<'a> {
    pub phone_number: PhoneNumber,
    state: &'a str,
    pub binding: Binding,
    code_verifier: Option<CodeVerifier>,
    nonce: Option<String>,
    /// The version of the secret that the verification was started with. It is the current one unless the secret has
    /// changed since.
    pub started_with: Arc<Secret>,
}

impl Flow {
    /// Takes a callback to its conclusion, before the deadline.
    pub async fn callback(&self, request: &CallbackRequest<'_>) -> Conclusion {
        let parameters = || request.parameters.iter().copied();
        let (response, malformed) = match AuthorizationResponse::from_parameters(parameters()) {
            Ok(response) => (response, None),
            Err(failure) => (AuthorizationResponse::with_state_alone(parameters()), Some(failure)),
        };
        let (mut accepted, mut finished, mut reloaded) = (None, None, false);
        let mut calls = CallLog::default();
        let result = async {
            let checked = self.accept(request, &response, &mut calls.secret).await;
            if let Some(failure) = malformed {
                // An app that asked for a genuine verification is told.
                accepted = checked.ok();
                return Err(failure);
            }
            let accepted = accepted.insert(checked?);
            self.operator.profile().check_issuer(response.iss.as_deref())?;
            if let Some(refusal) = response.refusal() {
                return Err(refusal);
            }
            let code = response.code.as_ref().ok_or_else(|| invalid("parameter code is missing"))?;
            finished = accepted.binding.finished.filter(|finished| finished.outcome_of(code.expose()).is_some());
            if let Some(outcome) = finished.and_then(|finished| finished.outcome_of(code.expose())) {
                reloaded = true;
                let shown_again = || Failure::new(outcome, "a reload: the first result is shown again");
                return outcome.device_phone_number_verified().ok_or_else(shown_again);
            }
            let result = self.finish(request, accepted, code, &mut calls).await;
            finished = Some(Finished::new(code.expose(), outcome_of(&result), now_seconds()));
            result
        }
        .await;
        let outcome = outcome_of(&result);
        let (mut phone_number, mut binding, mut hand_off) = (None, None, None);
        if let Some(accepted) = &accepted {
            phone_number = Some(accepted.phone_number.clone());
            binding = finished
                .filter(|_| !reloaded)
                .and_then(|finished| self.finished_binding(request, accepted, &response, finished, &calls));
            if let Some(app) = &accepted.binding.app {
                hand_off = Box::pin(self.hand_off(request, accepted, app, outcome, finished)).await;
            }
        }
        let is_unspent = outcome == Outcome::WrongBrowser;
        let unspent = response.code.zip(response.state).filter(|_| is_unspent);
        let unspent = unspent.map(|(code, state)| Unspent { code, state });
        Conclusion { result, phone_number, binding, unspent, hand_off, reloaded, calls }
    }

    /// The handle of the text that belongs to a response, if it could belong to a verification.
    fn handle_of(&self, state: &str, code: Option<&AuthorizationCode>) -> Option<String> {
        match self.settings.state_mode {
            StateMode::Sealed => Some(binding::handle(state)),
            // The state is the phone number, and a handle derived from it would reveal the number.
            StateMode::Phone => code.map(|code| binding::handle(code.expose())),
        }
    }

    /// Checks the callback before any request to the operator.
    async fn accept<'r>(
        &self,
        request: &CallbackRequest<'_>,
        response: &'r AuthorizationResponse,
        call: &mut Call,
    ) -> Result<Accepted<'r>, Failure> {
        let phone_mode = self.settings.state_mode == StateMode::Phone;
        let Some(state) = response.state.as_deref() else {
            // In sealed mode a state was sent, so a refusal carries it too (RFC 6749 §4.1.2.1). An `error` without one
            // can come from anybody.
            let refusal = response.refusal().filter(|_| phone_mode);
            return Err(refusal.unwrap_or_else(|| invalid("parameter state is missing")));
        };
        let now = now_seconds();
        let kept = self.handle_of(state, response.code.as_ref()).and_then(|handle| (request.kept)(&handle));
        if phone_mode {
            return self.accept_phone_number(request, state, kept, now, call).await;
        }
        let (started_with, opened) = call.measure(self.open(request, state, now)).await?;
        let sealer = &started_with.sealer;
        let audience = request.audience(&started_with);
        let binding = kept
            .and_then(|text| Binding::open(sealer, audience, state, text, now))
            .filter(|binding| opened.belongs_to(binding.mark) && opened.holder == request.holder)
            .ok_or_else(|| {
                let reason = match opened.holder {
                    Holder::Browser => "state was not started by the browser that came back",
                    Holder::Program => {
                        "state was started by a program, which finishes it at /complete with its binding"
                    }
                };
                Failure::new(Outcome::WrongBrowser, reason)
            })?;
        let profile = self.operator.profile();
        let code_verifier = profile.pkce.then(|| pkce::code_verifier(sealer, &opened.seal_nonce, binding.mark));
        let nonce = profile.openid().then(|| nonce::nonce(sealer, &opened.seal_nonce, binding.mark));
        Ok(Accepted { phone_number: opened.phone_number, state, binding, code_verifier, nonce, started_with })
    }

    async fn accept_phone_number<'r>(
        &self,
        request: &CallbackRequest<'_>,
        state: &'r str,
        kept: Option<&str>,
        now: u64,
        call: &mut Call,
    ) -> Result<Accepted<'r>, Failure> {
        let phone_number =
            PhoneNumber::parse_from_query(state).map_err(|error| invalid(format!("parameter state: {error}")))?;
        let started_with = call.measure(self.secrets.get(request.deadline)).await?;
        let audience = request.audience(&started_with);
        let kept = kept.and_then(|text| Binding::open(&started_with.sealer, audience, state, text, now));
        let binding = kept.unwrap_or_else(|| Binding {
            expires_at: now + self.settings.state_ttl.as_secs(),
            mark: Mark::from_bytes([0; Mark::LEN]),
            finished: None,
            app: None,
        });
        Ok(Accepted { phone_number, state, binding, code_verifier: None, nonce: None, started_with })
    }

    /// Opens a sealed state with the secret, or with another version of it that was current when the verification
    /// started.
    async fn open(
        &self,
        request: &CallbackRequest<'_>,
        state: &str,
        now: u64,
    ) -> Result<(Arc<Secret>, OpenedState), Failure> {
        let open = |secret: &Arc<Secret>| {
            let ttl = self.settings.state_ttl;
            match state::open(&secret.sealer, request.audience(secret), state, now, ttl) {
                Err(StateError::NotOurs) => None,
                result => Some(result.map(|opened| (Arc::clone(secret), opened))),
            }
        };
        // The secret is not even read for a text of another length.
        let opened =
            if state::looks_ours(state) { self.secrets.open_with(request.deadline, open).await? } else { None };
        opened.unwrap_or(Err(StateError::NotOurs)).map_err(|error| {
            let reason = match error {
                StateError::NotOurs => "state was not created here for this client and this redirect_uri",
                StateError::Expired => "state has expired, or was made for a longer STATE_TTL_SECONDS than now",
            };
            Failure::new(Outcome::InvalidState, reason)
        })
    }

    /// Exchanges the code and asks the operator about the number. This is the only source of *verified* and *not
    /// verified*.
    async fn finish(
        &self,
        request: &CallbackRequest<'_>,
        accepted: &Accepted<'_>,
        code: &AuthorizationCode,
        calls: &mut CallLog,
    ) -> Result<bool, Failure> {
        let profile = self.operator.profile();
        let grant = AuthorizationGrant {
            authorization_code: code.clone(),
            redirect_uri: request.redirect_uri.to_owned(),
            code_verifier: accepted.code_verifier.clone(),
            id_token: profile
                .openid()
                .then(|| ExpectedIdToken { nonce: accepted.nonce.clone(), issuer: profile.issuer.clone() }),
        };
        let secret = self.secrets.get(request.deadline).await?;
        let access_token = self.exchange(request, accepted, &grant, &secret, &mut calls.token).await?;
        let (correlator, deadline) = (Some(request.correlator), request.deadline);
        let number = AskedNumber::Plain(accepted.phone_number.clone());
        self.operator.verify(access_token, &number, correlator, deadline, &mut calls.verify).await
    }

    /// Exchanges the code. If the operator refuses the client, the secret is read again, and if it has changed the
    /// exchange is repeated once.
    async fn exchange(
        &self,
        request: &CallbackRequest<'_>,
        accepted: &Accepted<'_>,
        grant: &AuthorizationGrant,
        secret: &Secret,
        call: &mut Call,
    ) -> Result<AccessToken, Failure> {
        let deadline = request.deadline;
        self.count_attempt(accepted)?;
        let refused = match self.operator.exchange(grant, &secret.credentials, deadline, call).await {
            Err(refusal) => refusal,
            token => return token,
        };
        let Some(newer) = self.newer_secret(&refused, call, secret, deadline).await else { return Err(refused) };
        self.count_attempt(accepted)?;
        self.operator.exchange(grant, &newer.credentials, deadline, call).await
    }

    /// Reads the secret again if the operator refused the client. `None` if it did not, or if the secret is unchanged.
    pub(super) async fn newer_secret(
        &self,
        refusal: &Failure,
        call: &Call,
        secret: &Secret,
        deadline: Deadline,
    ) -> Option<Arc<Secret>> {
        if call.status != Some(401) && refusal.code != Some("invalid_client") {
            return None;
        }
        match self.secrets.changed_since(secret, deadline).await {
            Ok(newer) => {
                if newer.is_some() {
                    tracing::warn!(
                        "the operator refused the client, whose secret has changed; sending the request again"
                    );
                }
                newer
            }
            Err(unread) => {
                tracing::warn!(
                    reason = unread.reason,
                    "the operator refused the client, and its secret cannot be read"
                );
                None
            }
        }
    }

    /// Limits the number of codes that one started verification can send to the operator. A phone number as the state
    /// is not counted, because anyone could use up another person's attempts.
    fn count_attempt(&self, accepted: &Accepted<'_>) -> Result<(), Failure> {
        let counted = self.settings.state_mode == StateMode::Sealed;
        if !counted || self.attempts.count(accepted.state, accepted.binding.expires_at, now_seconds()) {
            return Ok(());
        }
        Err(Failure::new(Outcome::InvalidState, "state has no token requests left; start again"))
    }

    /// The text to keep once the operator has accepted the code. Before that, a reload may try the code again. A verdict
    /// that this state already has is not replaced by a failure.
    fn finished_binding(
        &self,
        request: &CallbackRequest<'_>,
        accepted: &Accepted<'_>,
        response: &AuthorizationResponse,
        finished: Finished,
        calls: &CallLog,
    ) -> Option<SealedBinding> {
        let earlier_is_verdict = accepted.binding.finished.is_some_and(|earlier| earlier.is_verdict());
        if calls.token.status != Some(200) || (earlier_is_verdict && !finished.is_verdict()) {
            return None;
        }
        let audience = request.audience(&accepted.started_with);
        let binding = Binding { finished: Some(finished), ..accepted.binding.clone() };
        let text = binding.seal(&accepted.started_with.sealer, audience, accepted.state).ok()?;
        let handle = self.handle_of(accepted.state, response.code.as_ref())?;
        Some(SealedBinding { handle, text })
    }
}

fn invalid(reason: impl Into<String>) -> Failure {
    Failure::new(Outcome::InvalidRequest, reason)
}
