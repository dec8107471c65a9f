//! The reason a verification ended without the operator's verdict.

use std::fmt;

use crate::outcome::Outcome;

/// A step that did not succeed. It is created where the fault is seen, and reaches the page, the JSON answer and the
/// log line unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The outcome that the user sees.
    pub outcome: Outcome,
    /// For the log: the expected value, the value received, and the fix. It never contains data of a user or an
    /// operator.
    pub reason: String,
    /// The operator's error code if the table of codes knows it, else `unknown`; `None` if there was no code.
    pub code: Option<&'static str>,
    /// Seconds to wait before another attempt, if the operator said so.
    pub retry_after: Option<u64>,
}

impl Failure {
    /// A failure without an error code.
    #[must_use]
    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), code: None, retry_after: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}
