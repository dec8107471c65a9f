//! The start of a verification: the authorization request (RFC 6749 §4.1.1).

use url::Url;

use super::browser::Browser;
use super::state::{self, Binding};
use super::{Flow, Stopped, nonce, now_seconds, pkce};
use crate::config::{Authorization, StateMode};
use crate::deadline::Deadline;
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
        let mut authorization_url = self.authorization_url.clone();
        authorization_url
            .query_pairs_mut()
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri);
        if self.authorization.login_hint_tel {
            // CAMARA Security and Interoperability Profile.
            authorization_url.query_pairs_mut().append_pair("login_hint", &format!("tel:{}", phone_number.expose()));
        }

        if self.state_mode == StateMode::Phone {
            authorization_url.query_pairs_mut().append_pair("state", phone_number.expose());
            return Ok(Started { authorization_url, browser: None });
        }
        let browser = browser.map_or_else(Browser::random, Ok).map_err(no_randomness)?;
        let binding = Binding { client_id, redirect_uri };
        let expires_at = now_seconds() + self.state_ttl.as_secs();
        let (state, seal_nonce) =
            state::seal(&secret.sealer, binding, phone_number, browser, expires_at).map_err(no_randomness)?;
        authorization_url.query_pairs_mut().append_pair("state", &state);
        if self.authorization.openid() {
            let nonce = nonce::nonce(&secret.sealer, &seal_nonce, browser);
            authorization_url.query_pairs_mut().append_pair("nonce", &nonce);
        }
        if self.authorization.pkce {
            let code_verifier = pkce::code_verifier(&secret.sealer, &seal_nonce, browser);
            authorization_url
                .query_pairs_mut()
                .append_pair("code_challenge", &pkce::code_challenge(&code_verifier))
                .append_pair("code_challenge_method", "S256");
        }
        Ok(Started { authorization_url, browser: Some(browser) })
    }
}

/// The authorization endpoint, with the parameters that are the same for everybody: RFC 6749 §4.1.1, OpenID Connect
/// Core §3.1.2.1.
pub(super) fn authorization_url(endpoint: &Url, authorization: &Authorization) -> Url {
    let mut url = endpoint.clone();
    let mut query = url.query_pairs_mut();
    query.append_pair("response_type", "code").append_pair("scope", &authorization.scope);
    if authorization.prompt_none {
        query.append_pair("prompt", "none");
    }
    drop(query);
    url
}

fn no_randomness(_: aws_lc_rs::error::Unspecified) -> Stopped {
    Stopped::new(Outcome::Misconfigured, "the system gave no randomness")
}
