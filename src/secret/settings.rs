//! The settings that this ring needs. `config` builds them from environment variables.

use std::time::Duration;

use crate::operator::TokenEndpointAuthMethod;

/// The secret to read, and the use of its value.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `CLIENT_SECRET_ID`: name or ARN of the secret in Secrets Manager.
    pub secret_id: String,
    /// `CLIENT_ID`: takes precedence over the secret's own `client_id`.
    pub client_id: Option<String>,
    /// `TOKEN_ENDPOINT_AUTH_METHOD`: decides which members the secret must have.
    pub auth_method: TokenEndpointAuthMethod,
    /// `STATE_TTL_SECONDS`: the longest time for which a sealed text is valid.
    pub state_ttl: Duration,
}
