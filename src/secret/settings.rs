//! The settings that this ring needs. `config` builds them from environment variables.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;

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

/// The address of Secrets Manager, and the credentials for it.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub region: String,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, else `AWS_ENDPOINT_URL`; `None` for AWS's own endpoint.
    pub endpoint_url: Option<String>,
    /// The credentials of the function's role.
    pub credentials: AwsCredentials,
}

/// The source of the credentials of the function's role.
#[derive(Clone)]
pub enum AwsCredentials {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, which live as long as the environment.
    Environment(Credentials),
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`, an address that returns credentials with an expiry.
    Container {
        /// The address.
        uri: String,
        /// `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
        authorization: Option<String>,
    },
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsCredentials([redacted])")
    }
}
