//! The client's own key: which version of it signs, and which versions an operator can read.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Flow;
use super::redeem::{PREVIOUS_KEY_IS_PUBLISHED, PREVIOUS_KEY_SIGNS};
use crate::call_log::Call;
use crate::failure::Failure;
use crate::jwt::PrivateKey;
use crate::operator::{ClientCredentials, Operator, RequestObject, TokenEndpointAuthMethod};
use crate::outcome::Outcome;
use crate::provider;
use crate::secret::Secret;
use crate::transport::Deadline;

/// The longest wait for the previous version of the secret, which a verification can do without.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// A version of the secret for a token request, and the key that signs it.
pub(super) struct Signing {
    /// The version with our credentials.
    pub secret: Arc<Secret>,
    /// The key of the version before it, while that one signs.
    previous_key: Option<Arc<PrivateKey>>,
}

impl Signing {
    /// With the version's own key.
    pub fn with_own_key(secret: Arc<Secret>) -> Self {
        Self { secret, previous_key: None }
    }

    /// The same with the version's own key, if the previous one signed.
    pub fn instead_of_previous_key(&self) -> Option<Self> {
        self.previous_key.is_some().then(|| {
            tracing::warn!("the operator refused what the client's previous key signed; signing with the current one");
            Self::with_own_key(Arc::clone(&self.secret))
        })
    }

    /// The key that signs; or why there is none.
    pub fn key(&self, operator: &Operator) -> Result<Result<Arc<PrivateKey>, String>, Failure> {
        let client = self.secret.client(operator.name())?;
        Ok(self.previous_key.clone().map_or_else(|| client.private_key.clone(), Ok))
    }

    /// Our credentials at an operator.
    pub fn credentials(&self, operator: &Operator) -> Result<ClientCredentials, Failure> {
        let method = operator.profile().token_endpoint_auth_method;
        let credentials = self.secret.client(operator.name())?.credentials(method, &self.key(operator)?);
        credentials.map_err(|fault| Failure::new(Outcome::Misconfigured, format!("the secret {fault}")))
    }
}

impl Flow {
    /// The current version of the secret, and the key that signs. While the version is young, an operator may know only the
    /// key before it, so that one keeps signing.
    pub(super) async fn signing(&self, operator: &Operator, deadline: Deadline) -> Result<Signing, Failure> {
        let current = self.secrets.get(deadline).await?;
        let Ok(versions) = self.secrets.versions(PREVIOUS_KEY_SIGNS, deadline.sooner(SHORT_WAIT)).await else {
            return Ok(Signing::with_own_key(current));
        };
        let previous_key = versions.previous.and_then(|previous| {
            let (old, new) = (previous.client(operator.name()).ok()?, versions.current.client(operator.name()).ok()?);
            let (Ok(old_key), Ok(new_key)) = (&old.private_key, &new.private_key) else { return None };
            let is_other = old.client_id == new.client_id && old_key.public_key() != new_key.public_key();
            is_other.then(|| Arc::clone(old_key))
        });
        Ok(Signing { secret: versions.current, previous_key })
    }

    /// The credentials and the key for a token request with a code.
    pub(super) async fn authenticating(&self, operator: &Operator, deadline: Deadline) -> Result<Signing, Failure> {
        match operator.profile().token_endpoint_auth_method {
            TokenEndpointAuthMethod::PrivateKeyJwt | TokenEndpointAuthMethod::VonageJwt => {
                self.signing(operator, deadline).await
            }
            TokenEndpointAuthMethod::ClientSecretBasic | TokenEndpointAuthMethod::ClientSecretPost => {
                Ok(Signing::with_own_key(self.secrets.get(deadline).await?))
            }
        }
    }

    /// The credentials for a second attempt after the operator refused the client: with the current key if the previous
    /// one signed, else with the secret if it has changed. `None` if the client was not refused, or nothing is different.
    pub(super) async fn after_refusal(
        &self,
        refusal: &Failure,
        call: &Call,
        used: &Signing,
        deadline: Deadline,
    ) -> Option<Signing> {
        if call.status != Some(401) && refusal.code != Some("invalid_client") {
            return None;
        }
        if let Some(own) = used.instead_of_previous_key() {
            return Some(own);
        }
        match self.secrets.changed_since(&used.secret, deadline).await {
            Ok(newer) => {
                if newer.is_some() {
                    tracing::warn!(
                        "the operator refused the client, whose secret has changed; sending the request again"
                    );
                }
                newer.map(Signing::with_own_key)
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

    /// The key for the request object; `None` if the operator gets none.
    ///
    /// # Errors
    /// The secret cannot be read, or has no key.
    pub(super) async fn request_object_key(
        &self,
        operator: &Operator,
        deadline: Deadline,
    ) -> Result<Option<Arc<PrivateKey>>, Failure> {
        if operator.profile().request_object == RequestObject::Off {
            return Ok(None);
        }
        self.signing(operator, deadline).await?.key(operator)?.map(Some).map_err(|fault| {
            let reason = format!("the secret {fault}; REQUEST_OBJECT signed needs private_key");
            Failure::new(Outcome::Misconfigured, reason)
        })
    }

    /// The public keys of our clients (RFC 7517 §5), for an operator's `jwks_uri`; or why there are none.
    ///
    /// # Errors
    /// A version of the secret has never been read and cannot be read now.
    pub async fn client_jwks(&self, deadline: Deadline) -> Result<Result<Value, String>, Failure> {
        let versions = self.secrets.versions(PREVIOUS_KEY_IS_PUBLISHED, deadline).await?;
        let clients = std::iter::once(&versions.current).chain(&versions.previous).flat_map(|secret| secret.clients());
        let (mut keys, mut fault) = (Vec::new(), None);
        for client in clients {
            match &client.private_key {
                Ok(key) if keys.contains(&key.public_key()) => {}
                Ok(key) => keys.push(key.public_key()),
                Err(reason) => fault = fault.or(Some(reason)),
            }
        }
        if keys.is_empty() {
            return Ok(Err(format!("the secret {}", fault.map_or("has no client", String::as_str))));
        }
        Ok(Ok(provider::jwks(&keys)))
    }
}
