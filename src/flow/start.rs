//! The start of a verification.

use std::time::Duration;

use url::Url;

use super::binding::{Binding, SealedBinding, handle};
use super::hand_off::Asker;
use super::mark::Mark;
use super::state::Holder;
use super::{
    Audience, Flow, HandOff, OperatorName, Question, StateMode, callback_address, nonce, now_seconds, pkce, state,
};
use crate::call_log::CallLog;
use crate::failure::Failure;
use crate::operator::{AuthorizationRequest, Member};
use crate::outcome::Outcome;
use crate::provider::AppRequest;
use crate::transport::Deadline;

/// The result of a start, for the reply and the log line.
#[derive(Debug)]
pub struct Start {
    /// The started verification, or the failure.
    pub result: Result<Started, Failure>,
    /// The operator that was chosen, if there are several.
    pub operator: Option<OperatorName>,
    /// The way back to the app that asked, after a failure.
    pub hand_off: Option<HandOff>,
    /// The calls that were made.
    pub calls: CallLog,
}

impl From<Failure> for Start {
    /// The result of a start that could not be tried.
    fn from(failure: Failure) -> Self {
        Self { result: Err(failure), operator: None, hand_off: None, calls: CallLog::default() }
    }
}

/// A started verification.
pub struct Started {
    /// The address to which the browser is sent.
    pub authorization_url: Url,
    /// The text that the browser or the program keeps until it comes back; `None` in `phone` mode.
    pub binding: Option<SealedBinding>,
    /// The longest time the verification may take.
    pub expires_in: Duration,
}

redacted_debug!(Started);

/// A verification to start.
#[derive(Debug, Clone)]
pub struct StartRequest<'a> {
    /// The question for the operator.
    pub question: Question,
    /// The name of the operator to ask, if the user or the app chose one.
    pub operator: Option<&'a str>,
    /// The request of the app that asked, if one did.
    pub app: Option<AppRequest>,
    /// The kind of client that keeps the text of the verification's binding.
    pub holder: Holder,
    /// The public address of our callback, without an operator's name.
    pub callback: &'a str,
    /// Our issuer, for the app that asked.
    pub issuer: &'a str,
    /// The time by which the answer must be on its way.
    pub deadline: Deadline,
}

impl Flow {
    /// Starts a verification. It fails if no operator serves the number, or the secret or an operator's discovery document
    /// cannot be read.
    pub async fn start(&self, request: &StartRequest<'_>) -> Start {
        let mut calls = CallLog::default();
        let member = self.operator_for(&request.question, request.operator);
        let operator = member.as_ref().ok().and_then(|member| member.name().cloned());
        let result = match member {
            Ok(member) => self.start_at(member, request, &mut calls).await,
            Err(failure) => Err(failure),
        };
        let mut hand_off = None;
        if let (Err(failure), Some(app)) = (&result, &request.app) {
            let &StartRequest { holder, issuer, deadline, .. } = request;
            let asker = Asker { app, holder, issuer, deadline };
            hand_off = Box::pin(self.hand_off(asker, failure.outcome, request.question.phone_number(), None)).await;
        }
        Start { result, operator, hand_off, calls }
    }

    async fn start_at(
        &self,
        member: &Member,
        request: &StartRequest<'_>,
        calls: &mut CallLog,
    ) -> Result<Started, Failure> {
        let StartRequest { question, app, holder, callback, deadline, .. } = request;
        let operator = member.operator(*deadline).await?;
        let secret = calls.secret.measure(self.secrets.get(*deadline)).await?;
        let client_id = &secret.client(operator.name())?.client_id;
        let redirect_uri = &*callback_address(callback, operator.name());
        let expires_in = self.settings.state_ttl;
        let key = calls.secret.measure(self.request_object_key(operator, *deadline)).await?;
        let key = key.as_deref();
        if let (StateMode::Phone, Some(phone_number)) = (self.settings.state_mode, question.phone_number()) {
            let authorization_url = operator.authorization_url(&AuthorizationRequest {
                client_id,
                redirect_uri,
                question,
                state: phone_number.expose(),
                nonce: None,
                code_challenge: None,
                prompt_none: false,
                key,
            })?;
            return Ok(Started { authorization_url, binding: None, expires_in });
        }

        let no_randomness = |_| Failure::new(Outcome::Misconfigured, "the system has no randomness");
        let audience = Audience { client_id, redirect_uri };
        let expires_at = now_seconds() + expires_in.as_secs();
        let mark = Mark::random().map_err(no_randomness)?;
        let (state, seal_nonce) =
            state::seal(&secret.sealer, audience, question, mark, *holder, expires_at).map_err(no_randomness)?;
        let profile = operator.profile();
        let nonce = profile.openid(question).then(|| nonce::nonce(&secret.sealer, &seal_nonce, mark));
        let code_challenge =
            profile.pkce.then(|| pkce::code_challenge(&pkce::code_verifier(&secret.sealer, &seal_nonce, mark)));
        let authorization_url = operator.authorization_url(&AuthorizationRequest {
            client_id,
            redirect_uri,
            question,
            state: &state,
            nonce: nonce.as_deref(),
            code_challenge: code_challenge.as_deref(),
            prompt_none: app.as_ref().is_some_and(|app| app.prompt_none),
            key,
        })?;
        let binding = Binding { expires_at, mark, finished: None, app: app.clone() };
        let text = binding.seal(&secret.sealer, audience, &state).map_err(no_randomness)?;
        Ok(Started { authorization_url, binding: Some(SealedBinding { handle: handle(&state), text }), expires_in })
    }
}
