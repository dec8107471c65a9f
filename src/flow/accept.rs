//! The verification that a callback may finish, checked before any request to the operator.

use std::sync::Arc;

use super::binding::{self, Binding};
use super::callback::{CallbackRequest, invalid};
use super::mark::Mark;
use super::state::{self, Holder, OpenedState, StateError};
use super::{Audience, Flow, Question, StateMode, callback_address, nonce, now_seconds, pkce};
use crate::call_log::Call;
use crate::failure::Failure;
use crate::operator::{AuthorizationCode, AuthorizationResponse, CodeVerifier, Member, Operator};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::secret::Secret;

/// A verification that this callback may finish.
pub(super) struct Accepted<'a> {
    /// The operator to ask.
    pub operator: &'a Operator,
    /// The operator's callback: the `redirect_uri` of the authorization request.
    pub redirect_uri: String,
    /// The question for the operator.
    pub question: Question,
    /// The `state` of the callback.
    pub state: &'a str,
    /// The opened text that the client kept.
    pub binding: Binding,
    /// The handle under which the client kept it; see [`Flow::handle_of`].
    pub handle: Option<String>,
    /// The verifier, if the authorization request had a challenge.
    pub code_verifier: Option<CodeVerifier>,
    /// The `nonce` that the ID token must have, if the authorization request had one.
    pub nonce: Option<String>,
    /// The version of the secret that the verification was started with. It is the current one unless the secret has
    /// changed since.
    pub started_with: Arc<Secret>,
}

impl Accepted<'_> {
    /// The client and callback that the verification's texts are sealed for.
    pub fn audience(&self) -> Result<Audience<'_>, Failure> {
        let client_id = &self.started_with.client(self.operator.name())?.client_id;
        Ok(Audience { client_id, redirect_uri: &self.redirect_uri })
    }
}

/// A state that was opened, with the operator that it was made for and the version of the secret that opened it.
struct Opened<'a> {
    operator: &'a Operator,
    redirect_uri: String,
    secret: Arc<Secret>,
    state: OpenedState,
}

impl Flow {
    /// The handle of the text that belongs to a response, if it could belong to a verification.
    pub(super) fn handle_of(&self, state: &str, code: Option<&AuthorizationCode>) -> Option<String> {
        match self.settings.state_mode {
            StateMode::Sealed => Some(binding::handle(state)),
            // The state is the phone number, and a handle derived from it would reveal the number.
            StateMode::Phone => code.map(|code| binding::handle(code.expose())),
        }
    }

    /// Checks the callback before any request to the operator.
    pub(super) async fn accept<'r>(
        &'r self,
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
        let handle = self.handle_of(state, response.code.as_ref());
        let kept = handle.as_deref().and_then(|handle| (request.kept)(handle));
        if phone_mode {
            let accepted = self.accept_phone_number(request, state, kept, now, call).await?;
            return Ok(Accepted { handle, ..accepted });
        }
        let Opened { operator, redirect_uri, secret, state: opened } =
            call.measure(self.open(request, state, now)).await?;
        let sealer = &secret.sealer;
        let audience = Audience { client_id: &secret.client(operator.name())?.client_id, redirect_uri: &redirect_uri };
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
        let (profile, question) = (operator.profile(), opened.question);
        let code_verifier = profile.pkce.then(|| pkce::code_verifier(sealer, &opened.seal_nonce, binding.mark));
        let nonce = profile.openid(&question).then(|| nonce::nonce(sealer, &opened.seal_nonce, binding.mark));
        Ok(Accepted {
            operator,
            redirect_uri,
            question,
            state,
            binding,
            handle,
            code_verifier,
            nonce,
            started_with: secret,
        })
    }

    async fn accept_phone_number<'r>(
        &'r self,
        request: &CallbackRequest<'_>,
        state: &'r str,
        kept: Option<&str>,
        now: u64,
        call: &mut Call,
    ) -> Result<Accepted<'r>, Failure> {
        let phone_number =
            PhoneNumber::parse_from_query(state).map_err(|error| invalid(format!("parameter state: {error}")))?;
        let single = self.operators.single().ok_or_else(|| no_operator("phone mode has one operator"))?;
        let operator = single.operator(request.deadline).await?;
        let started_with = call.measure(self.secrets.get(request.deadline)).await?;
        let redirect_uri = request.callback.to_owned();
        let audience = Audience { client_id: &started_with.client(None)?.client_id, redirect_uri: &redirect_uri };
        let kept = kept.and_then(|text| Binding::open(&started_with.sealer, audience, state, text, now));
        let binding = kept.unwrap_or_else(|| Binding {
            expires_at: now + self.settings.state_ttl.as_secs(),
            mark: Mark::from_bytes([0; Mark::LEN]),
            finished: None,
            app: None,
        });
        let question = Question::Verify(phone_number);
        let (handle, code_verifier, nonce) = (None, None, None);
        Ok(Accepted { operator, redirect_uri, question, state, binding, handle, code_verifier, nonce, started_with })
    }

    /// Opens a sealed state with the secret, or with another version of it that was current when the verification
    /// started.
    async fn open<'r>(&'r self, request: &CallbackRequest<'_>, state: &str, now: u64) -> Result<Opened<'r>, Failure> {
        let members = self.members_of(request)?;
        let ttl = self.settings.state_ttl;
        let open = |secret: &Arc<Secret>| {
            members.iter().find_map(|member| {
                let client_id = &secret.client(member.name()).ok()?.client_id;
                let redirect_uri = callback_address(request.callback, member.name());
                let audience = Audience { client_id, redirect_uri: &redirect_uri };
                match state::open(&secret.sealer, audience, state, now, ttl) {
                    Err(StateError::NotOurs) => None,
                    result => {
                        Some(result.map(|opened| (*member, redirect_uri.into_owned(), Arc::clone(secret), opened)))
                    }
                }
            })
        };
        // The secret is not even read for a text of another length.
        let opened =
            if state::looks_ours(state) { self.secrets.open_with(request.deadline, open).await? } else { None };
        let refused = |error| {
            let reason = match error {
                StateError::NotOurs => "state was not created here for this client and this redirect_uri",
                StateError::Expired => "state has expired, or was made for a longer STATE_TTL_SECONDS than now",
            };
            Failure::new(Outcome::InvalidState, reason)
        };
        let (member, redirect_uri, secret, state) = opened.unwrap_or(Err(StateError::NotOurs)).map_err(refused)?;
        // The operator gave the code to the client that asked for it, and accepts it from no other.
        let current = self.secrets.get(request.deadline).await?;
        if current.client(member.name())?.client_id != secret.client(member.name())?.client_id {
            return Err(refused(StateError::NotOurs));
        }
        let operator = member.operator(request.deadline).await?;
        // Before the code is exchanged: there is nothing to ask with the token.
        if state.question == Question::Retrieve && operator.profile().retrieval.is_none() {
            let reason = "state was made to retrieve a number, and RETRIEVE_NUMBER is off now";
            return Err(Failure::new(Outcome::InvalidState, reason));
        }
        Ok(Opened { operator, redirect_uri, secret, state })
    }

    /// The operators that a request can belong to: the one whose callback it arrived at, or for a program any.
    fn members_of(&self, request: &CallbackRequest<'_>) -> Result<Vec<&Member>, Failure> {
        match request.holder {
            Holder::Program => Ok(self.operators.iter().collect()),
            Holder::Browser => match self.operators.at(request.operator) {
                Some(member) => Ok(vec![member]),
                None => Err(no_operator(
                    "each operator has its own callback, which ends in its name; register that one with it",
                )),
            },
        }
    }
}

fn no_operator(reason: &'static str) -> Failure {
    Failure::new(Outcome::InvalidState, reason)
}
