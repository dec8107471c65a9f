//! The back channel of an app: tokens, the user's number, and the provider's documents.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Flow, StateMode, now_seconds};
use crate::failure::Failure;
use crate::jwt::PrivateKey;
use crate::outcome::Outcome;
use crate::provider::{self, AccessToken, Presented, Provider, RelyingParty, TokenError, TokenRequest};
use crate::secret::{Secret, Versions};
use crate::transport::Deadline;

/// The time for which the previous version's key signs: until every environment has read the new version (15 minutes)
/// and every app or operator has fetched the new key (5 minutes, `max-age`).
pub(super) const PREVIOUS_KEY_SIGNS: Duration = Duration::from_mins(20);
/// The time for which the previous version's key is published.
pub(super) const PREVIOUS_KEY_IS_PUBLISHED: Duration = Duration::from_mins(30);

/// A request to the token endpoint.
#[derive(Clone, Copy)]
pub struct TokenCall<'a> {
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The body.
    pub form: &'a [u8],
    /// Our issuer.
    pub issuer: &'a str,
    /// The time by which the answer must be on its way.
    pub deadline: Deadline,
}

/// The answer of the token endpoint.
pub enum Redeemed {
    /// The tokens, for this app.
    Tokens(String, Value),
    /// The request is refused. The app is named if it authenticated itself.
    Refused(Option<String>, TokenError),
    /// The code cannot be exchanged now.
    Failed(Option<String>, Failure),
}

impl Flow {
    /// Exchanges a code for tokens. The code is used up after all checks and before the answer.
    pub async fn redeem(&self, call: TokenCall<'_>) -> Redeemed {
        let request = match TokenRequest::read(call.authorization, call.form) {
            Ok(request) => request,
            Err(error) => return Redeemed::Refused(None, error),
        };
        let client_id = match self.authenticate(&request.client, call.deadline).await {
            Ok(Some(party)) if party.is_public() && !request.has_verifier() => {
                let error = TokenError::InvalidGrant("a public client must send its code_verifier");
                return Redeemed::Refused(Some(party.client_id), error);
            }
            Ok(Some(party)) => party.client_id,
            Ok(None) => return Redeemed::Refused(None, TokenError::InvalidClient),
            Err(failure) => return Redeemed::Failed(None, failure),
        };
        match self.tokens(&request, call).await {
            Ok(Ok(tokens)) => Redeemed::Tokens(client_id, tokens),
            Ok(Err(error)) => Redeemed::Refused(Some(client_id), error),
            Err(failure) => Redeemed::Failed(Some(client_id), failure),
        }
    }

    /// Finds the app with these credentials.
    pub(super) async fn authenticate(
        &self,
        presented: &Presented,
        deadline: Deadline,
    ) -> Result<Option<RelyingParty>, Failure> {
        let authentic = |secret: &Arc<Secret>| {
            let party = secret.provider.as_ref()?.relying_parties.get(&presented.client_id)?;
            presented.are_of(party).then(|| party.clone())
        };
        self.secrets.find(deadline, authentic).await
    }

    async fn tokens(
        &self,
        request: &TokenRequest,
        TokenCall { issuer, deadline, .. }: TokenCall<'_>,
    ) -> Result<Result<Value, TokenError>, Failure> {
        let now = now_seconds();
        let opened = if provider::looks_like_a_code(&request.code) {
            self.secrets.open_with(deadline, |secret| request.open(&secret.sealer, issuer, now)).await?
        } else {
            None
        };
        let Some(verified) = opened else {
            return Ok(Err(TokenError::InvalidGrant(
                "the code is not valid, or is older than 60 seconds, or belongs to another client, redirect_uri or \
                 code_verifier",
            )));
        };
        let versions = self.secrets.versions(PREVIOUS_KEY_SIGNS, deadline).await?;
        let Some((provider, key)) = signing(&versions) else {
            return Err(Failure::new(Outcome::Misconfigured, "the last app was removed from relying_parties"));
        };
        if provider.subject_key_is_derived && !self.warned_of_subject_key.swap(true, Ordering::Relaxed) {
            tracing::warn!("the secret has no subject_key: a new state_key changes every sub; `make keys` adds one");
        }
        if !self.used_codes.use_up(&request.code, verified.expires_at(), now, deadline).await? {
            return Ok(Err(TokenError::InvalidGrant("the code has been used before")));
        }
        let sealer = &versions.current.sealer;
        let tokens = provider.tokens(sealer, key, issuer, &request.client.client_id, &verified, now);
        tokens
            .map(Ok)
            .map_err(|_| Failure::new(Outcome::Misconfigured, "an ID token cannot be signed with signing_key"))
    }

    /// The claims for the bearer of an access token; `None` if the token is not valid.
    ///
    /// # Errors
    /// The secret has never been read and cannot be read now.
    pub async fn userinfo(&self, token: &str, issuer: &str, deadline: Deadline) -> Result<Option<Value>, Failure> {
        if !provider::looks_like_an_access_token(token) {
            return Ok(None);
        }
        let now = now_seconds();
        let open = |secret: &Arc<Secret>| AccessToken::open(&secret.sealer, issuer, token, now);
        let opened = self.secrets.open_with(deadline, open).await?;
        Ok(opened.map(|token| {
            json!({
                "sub": token.subject,
                "phone_number": token.phone_number.expose(),
                "phone_number_verified": true,
            })
        }))
    }

    /// The provider's metadata; `None` if no app is registered.
    ///
    /// # Errors
    /// The secret has never been read and cannot be read now.
    pub async fn discovery(&self, issuer: &str, deadline: Deadline) -> Result<Option<Value>, Failure> {
        let versions = self.secrets.versions(PREVIOUS_KEY_SIGNS, deadline).await?;
        Ok(signing(&versions).map(|(_, key)| provider::discovery(issuer, key.algorithm())))
    }

    /// The provider's public keys; `None` if no app is registered.
    ///
    /// # Errors
    /// A version of the secret has never been read and cannot be read now.
    pub async fn jwks(&self, deadline: Deadline) -> Result<Option<Value>, Failure> {
        let versions = self.secrets.versions(PREVIOUS_KEY_IS_PUBLISHED, deadline).await?;
        let secrets = std::iter::once(&versions.current).chain(&versions.previous);
        let mut keys: Vec<_> = secrets
            .filter_map(|secret| secret.provider.as_ref())
            .map(|provider| provider.signing_key.public_key())
            .collect();
        keys.dedup();
        Ok((!keys.is_empty()).then(|| provider::jwks(&keys)))
    }

    /// Returns whether an app is registered.
    ///
    /// # Errors
    /// The secret has never been read and cannot be read now.
    pub async fn has_provider(&self, deadline: Deadline) -> Result<bool, Failure> {
        if self.settings.state_mode == StateMode::Phone {
            return Ok(false);
        }
        let registered = self.secrets.find(deadline, |secret| secret.provider.as_ref().map(drop)).await?;
        Ok(registered.is_some())
    }
}

/// The current provider, and the key that signs, of the versions for [`PREVIOUS_KEY_SIGNS`].
fn signing(versions: &Versions) -> Option<(&Provider, &PrivateKey)> {
    let current = versions.current.provider.as_ref()?;
    let previous = versions.previous.as_ref().and_then(|secret| secret.provider.as_ref());
    Some((current, &previous.unwrap_or(current).signing_key))
}

redacted_debug!(TokenCall<'_>, Redeemed);
