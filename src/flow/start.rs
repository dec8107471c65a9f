//! The start of a verification.

use std::fmt;
use std::time::Duration;

use url::Url;

use super::binding::{Binding, SealedBinding, handle};
use super::mark::Mark;
use super::state::Holder;
use super::{Audience, Flow, StateMode, nonce, now_seconds, pkce, state};
use crate::call_log::CallLog;
use crate::failure::Failure;
use crate::operator::AuthorizationRequest;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::provider::AppRequest;
use crate::transport::Deadline;

/// A started verification.
pub struct Started {
    /// The address to which the browser is sent.
    pub authorization_url: Url,
    /// The text that the browser or the program keeps until it comes back; `None` in `phone` mode.
    pub binding: Option<SealedBinding>,
    /// The longest time the verification may take.
    pub expires_in: Duration,
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Started([redacted])")
    }
}

/// A verification to start.
#[derive(Debug, Clone)]
pub struct StartRequest<'a> {
    /// The number to verify.
    pub phone_number: PhoneNumber,
    /// The request of the app that asked, if one did.
    pub app: Option<AppRequest>,
    /// The kind of client that keeps the text of the verification's binding.
    pub holder: Holder,
    /// The public address of our callback.
    pub redirect_uri: &'a str,
    /// The time by which the answer must be on its way.
    pub deadline: Deadline,
}

impl Flow {
    /// Starts the verification of a number.
    ///
    /// # Errors
    /// The secret cannot be read, or the system has no randomness.
    pub async fn start(&self, request: StartRequest<'_>, calls: &mut CallLog) -> Result<Started, Failure> {
        let StartRequest { phone_number, app, holder, redirect_uri, deadline } = request;
        let phone_number = &phone_number;
        let secret = calls.secret.measure(self.secrets.get(deadline)).await?;
        let client_id = &secret.credentials.client_id;
        let expires_in = self.settings.state_ttl;
        if self.settings.state_mode == StateMode::Phone {
            let authorization_url = self.operator.authorization_url(&AuthorizationRequest {
                client_id,
                redirect_uri,
                phone_number,
                state: phone_number.expose(),
                nonce: None,
                code_challenge: None,
                prompt_none: false,
            });
            return Ok(Started { authorization_url, binding: None, expires_in });
        }

        let no_randomness = |_| Failure::new(Outcome::Misconfigured, "the system has no randomness");
        let audience = Audience { client_id, redirect_uri };
        let expires_at = now_seconds() + expires_in.as_secs();
        let mark = Mark::random().map_err(no_randomness)?;
        let (state, seal_nonce) =
            state::seal(&secret.sealer, audience, phone_number, mark, holder, expires_at).map_err(no_randomness)?;
        let profile = self.operator.profile();
        let nonce = profile.openid().then(|| nonce::nonce(&secret.sealer, &seal_nonce, mark));
        let code_challenge =
            profile.pkce.then(|| pkce::code_challenge(&pkce::code_verifier(&secret.sealer, &seal_nonce, mark)));
        let authorization_url = self.operator.authorization_url(&AuthorizationRequest {
            client_id,
            redirect_uri,
            phone_number,
            state: &state,
            nonce: nonce.as_deref(),
            code_challenge: code_challenge.as_deref(),
            prompt_none: app.as_ref().is_some_and(|app| app.prompt_none),
        });
        let binding = Binding { expires_at, mark, finished: None, app };
        let text = binding.seal(&secret.sealer, audience, &state).map_err(no_randomness)?;
        Ok(Started { authorization_url, binding: Some(SealedBinding { handle: handle(&state), text }), expires_in })
    }
}
