//! The events that are logged.

use std::time::Duration;

use crate::call_log::CallLog;
use crate::correlator::Correlator;

/// The function that writes the lines.
#[derive(Debug, Clone)]
pub struct Function {
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub name: String,
    /// `AWS_LAMBDA_FUNCTION_VERSION`.
    pub version: String,
}

/// The facts about a step that do not depend on its result.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// The time from the event to the answer.
    pub time: Duration,
    /// The reference shown on the page.
    pub correlator: &'a Correlator,
    /// The operator: its name if there are several, else its host. `None` if none of several was chosen yet.
    pub operator: Option<&'a str>,
    /// True if the operator has a name, which the owner gave, so that it can be a dimension of the metrics.
    pub is_one_of_several: bool,
    /// The calls that were made.
    pub calls: CallLog,
    /// True if the result of an earlier load is shown again.
    pub reloaded: bool,
    /// The `client_id` of the app that asked: one of those that the owner registered.
    pub client: Option<&'a str>,
}
