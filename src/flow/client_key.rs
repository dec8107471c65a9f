//! The client's own key: which version of it signs, and which versions an operator can read.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Flow;
use super::redeem::{PREVIOUS_KEY_IS_PUBLISHED, PREVIOUS_KEY_SIGNS};
use crate::failure::Failure;
use crate::jwt::PrivateKey;
use crate::operator::{Operator, RequestObject, TokenEndpointAuthMethod};
use crate::outcome::Outcome;
use crate::provider;
use crate::secret::{Client, Secret};
use crate::transport::Deadline;

/// The longest wait for the previous version of the secret, which a verification can do without.
const SHORT_WAIT: Duration = Duration::from_secs(2);

impl Flow {
    /// The version of the secret whose `private_key` signs. While the current one is young, an operator may know only the
    /// key before it, so that one keeps signing.
    pub(super) async fn signer(&self, operator: &Operator, deadline: Deadline) -> Result<Arc<Secret>, Failure> {
        let current = self.secrets.get(deadline).await?;
        let Ok(versions) = self.secrets.versions(PREVIOUS_KEY_SIGNS, deadline.sooner(SHORT_WAIT)).await else {
            return Ok(current);
        };
        let previous = versions.previous.filter(|previous| {
            let clients = (previous.client(operator.name()), versions.current.client(operator.name()));
            matches!(clients, (Ok(old), Ok(new)) if old.client_id == new.client_id && have_different_keys(old, new))
        });
        Ok(previous.unwrap_or(versions.current))
    }

    /// The version of the secret whose credentials a token request has.
    pub(super) async fn client_version(&self, operator: &Operator, deadline: Deadline) -> Result<Arc<Secret>, Failure> {
        match operator.profile().token_endpoint_auth_method {
            TokenEndpointAuthMethod::PrivateKeyJwt | TokenEndpointAuthMethod::VonageJwt => {
                self.signer(operator, deadline).await
            }
            TokenEndpointAuthMethod::ClientSecretBasic | TokenEndpointAuthMethod::ClientSecretPost => {
                self.secrets.get(deadline).await
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
        let secret = self.signer(operator, deadline).await?;
        secret.client(operator.name())?.private_key.clone().map(Some).map_err(|fault| {
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

fn have_different_keys(old: &Client, new: &Client) -> bool {
    matches!((&old.private_key, &new.private_key), (Ok(old), Ok(new)) if old.public_key() != new.public_key())
}
