//! The start of a verification: the authorization request (RFC 6749 §4.1.1).

use url::Url;

use super::browser::Browser;
use super::state::{self, Binding};
use super::{Flow, Stopped, nonce, now_seconds, pkce};
use crate::config::StateMode;
use crate::deadline::Deadline;
use crate::operator::AuthorizationRequest;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;

/// A verification under way.
#[derive(Debug)]
pub struct Started {
    /// Where to send the browser.
    pub authorization_url: Url,
    /// The mark to leave in the browser, for [`Flow::state_ttl`]; none in `phone` mode.
    pub browser: Option<Browser>,
}

impl Flow {
    /// Starts the verification of a number for a browser, which may bring the mark of an earlier start.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub async fn start(
        &self,
        phone_number: &PhoneNumber,
        browser: Option<Browser>,
        redirect_uri: &str,
        deadline: Deadline,
    ) -> Result<Started, Stopped> {
        let secret = self.secrets.get(deadline).await?;
        let client_id = &secret.credentials.client_id;
        let request = AuthorizationRequest {
            client_id,
            redirect_uri,
            state: phone_number.expose(),
            nonce: None,
            code_challenge: None,
            phone_number,
        };
        if self.state_mode == StateMode::Phone {
            return Ok(Started { authorization_url: self.operator.authorization_url(&request), browser: None });
        }
        let browser = browser.map_or_else(Browser::random, Ok).map_err(no_randomness)?;
        let binding = Binding { client_id, redirect_uri };
        let expires_at = now_seconds() + self.state_ttl.as_secs();
        let (state, seal_nonce) =
            state::seal(&secret.sealer, binding, phone_number, browser, expires_at).map_err(no_randomness)?;
        let profile = self.operator.profile();
        let nonce = profile.openid().then(|| nonce::nonce(&secret.sealer, &seal_nonce, browser));
        let code_challenge =
            profile.pkce.then(|| pkce::code_challenge(&pkce::code_verifier(&secret.sealer, &seal_nonce, browser)));
        let request = AuthorizationRequest {
            state: &state,
            nonce: nonce.as_deref(),
            code_challenge: code_challenge.as_deref(),
            ..request
        };
        Ok(Started { authorization_url: self.operator.authorization_url(&request), browser: Some(browser) })
    }
}

fn no_randomness(_: aws_lc_rs::error::Unspecified) -> Stopped {
    Stopped::new(Outcome::Misconfigured, "the system gave no randomness")
}
