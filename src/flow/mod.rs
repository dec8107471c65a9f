//! A verification from its start to its outcome. Knows no HTTP framework.

mod browser;
mod callback;
mod nonce;
mod pkce;
mod reload;
mod start;
mod state;

use std::time::{Duration, SystemTime};

use url::Url;

pub use browser::Browser;
pub use callback::{Callback, Finished, Parameters};
pub use start::Started;

/// What only `fuzz/` needs from outside.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use super::state::{Binding, OpenedState, StateError, open, seal};
}

use crate::config::{Authorization, Config, StateMode};
use crate::failure::Failure;
use crate::operator::{ErrorCode, Operator, OperatorError};
use crate::outcome::Outcome;
use crate::secret::SecretStore;

/// What every verification needs, set up once.
#[derive(Debug)]
pub struct Flow {
    operator: Operator,
    secrets: SecretStore,
    authorization: Authorization,
    /// Where a browser is sent, but for what is its own.
    authorization_url: Url,
    state_mode: StateMode,
    state_ttl: Duration,
}

/// A verification that ended without the operator's answer.
#[derive(Debug)]
pub struct Stopped {
    /// What to tell the user.
    pub outcome: Outcome,
    /// What to log: what was expected, what came, what to do.
    pub says: String,
    /// The operator's error code.
    pub error_code: Option<ErrorCode>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

impl Flow {
    /// The flow with an operator and a secret.
    #[must_use]
    pub fn new(operator: Operator, secrets: SecretStore, config: &Config) -> Self {
        Self {
            operator,
            secrets,
            authorization: config.authorization.clone(),
            authorization_url: start::authorization_url(&config.endpoints.authorization, &config.authorization),
            state_mode: config.state_mode,
            state_ttl: config.secret.state_ttl,
        }
    }

    /// Has what the first verification will wait for under way: the secret, and a connection to the operator. Whatever
    /// fails here is tried again where it is needed, and told there.
    pub fn prepare(&self) {
        self.operator.open_ahead();
        self.secrets.read_ahead();
    }

    /// The operator's host, for the log.
    #[must_use]
    pub fn operator_host(&self) -> &str {
        self.operator.host()
    }

    /// How long a started verification may take.
    #[must_use]
    pub fn state_ttl(&self) -> Duration {
        self.state_ttl
    }
}

impl Stopped {
    /// A stop that the operator had no part in.
    #[must_use]
    pub fn new(outcome: Outcome, says: impl Into<String>) -> Self {
        Self { outcome, says: says.into(), error_code: None, retry_after: None }
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::new(failure.outcome, failure.reason)
    }
}

impl From<OperatorError> for Stopped {
    fn from(error: OperatorError) -> Self {
        Self {
            outcome: error.outcome,
            says: error.says,
            error_code: error.evidence.code,
            retry_after: error.retry_after,
        }
    }
}

/// Seconds since the epoch.
fn now_seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}
