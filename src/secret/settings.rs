//! The settings that this ring needs. `config` builds them from environment variables.

use std::time::Duration;

use crate::operator::{OperatorName, TokenEndpointAuthMethod};

/// The secret to read, and the use of its value.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `CLIENT_SECRET_ID`: name or ARN of the secret in Secrets Manager.
    pub secret_id: String,
    /// The clients that the secret must describe.
    pub clients: ClientSettings,
    /// `STATE_TTL_SECONDS`: the longest time for which a sealed text is valid.
    pub state_ttl: Duration,
}

/// The clients that the secret must describe. A client's method decides which members it needs; it is `None` while an
/// operator's discovery document has not been read.
#[derive(Debug, Clone)]
pub enum ClientSettings {
    /// The client at the only operator.
    One {
        /// `CLIENT_ID`: takes precedence over the secret's own `client_id`.
        client_id: Option<String>,
        /// `TOKEN_ENDPOINT_AUTH_METHOD`.
        auth_method: Option<TokenEndpointAuthMethod>,
    },
    /// The clients at the operators in `OPERATORS`.
    Several(Vec<(OperatorName, Option<TokenEndpointAuthMethod>)>),
}
