//! A verification from its start to its outcome. Knows no HTTP framework.

mod browser;
mod callback;
mod nonce;
mod pkce;
mod reload;
mod start;
mod state;

use std::time::{Duration, SystemTime};

pub use browser::Browser;
pub use callback::{Callback, Finished};
pub use start::Started;

/// What only `fuzz/` needs from outside.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use super::state::{Binding, OpenedState, StateError, open, seal};
}

use crate::config::{Config, StateMode};
use crate::deadline::Deadline;
use crate::failure::Failure;
use crate::freeze;
use crate::operator::Operator;
use crate::outcome::Outcome;
use crate::secret::secrets_manager;
use crate::secret::{SecretError, SecretStore};

/// What every verification needs, set up once.
#[derive(Debug)]
pub struct Flow {
    operator: Operator,
    secrets: SecretStore,
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
    pub error_code: Option<&'static str>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

impl Flow {
    /// The flow with an operator and a secret.
    #[must_use]
    pub fn new(operator: Operator, secrets: SecretStore, config: &Config) -> Self {
        Self { operator, secrets, state_mode: config.state_mode, state_ttl: config.state_ttl }
    }

    /// Has what the first verification will wait for under way: the secret, and a connection to the operator. Whatever
    /// fails here is tried again where it is needed, and told there.
    pub async fn prepare(&self) {
        self.operator.open_ahead();
        // For one try: what that does not bring, a verification that waits for it would not have had sooner by itself.
        let _ = freeze::unless_frozen(self.secrets.get(Deadline::after(secrets_manager::ATTEMPT))).await;
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

impl From<SecretError> for Stopped {
    fn from(error: SecretError) -> Self {
        Self::new(error.outcome, error.says)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self {
            outcome: failure.outcome,
            says: failure.reason,
            error_code: failure.code,
            retry_after: failure.retry_after,
        }
    }
}

/// Seconds since the epoch.
fn now_seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}
