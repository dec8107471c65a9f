//! The result of a callback.

use super::{HandOff, OperatorName, SealedBinding};
use crate::call_log::CallLog;
use crate::failure::Failure;
use crate::operator::AuthorizationCode;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;

/// The result of a callback, for the reply and the log line.
#[derive(Debug)]
pub struct Conclusion {
    /// `devicePhoneNumberVerified`, or the failure.
    pub result: Result<bool, Failure>,
    /// The number that was asked about, or that the operator named.
    pub phone_number: Option<PhoneNumber>,
    /// The operator that was asked, if there are several.
    pub operator: Option<OperatorName>,
    /// The text that replaces the one sent with the callback, so that a reload shows this result.
    pub binding: Option<SealedBinding>,
    /// The code and the state of a callback that reached another browser; they are still unused.
    pub unspent: Option<Unspent>,
    /// The app that asked, and the way back to it.
    pub hand_off: Option<HandOff>,
    /// True if this is the result of an earlier load of the same callback.
    pub reloaded: bool,
    /// The calls that were made.
    pub calls: CallLog,
}

/// A code that has not been exchanged, and its state.
pub struct Unspent {
    /// The code.
    pub code: AuthorizationCode,
    /// The state.
    pub state: String,
}

redacted_debug!(Unspent);

impl Conclusion {
    /// The outcome that the user sees.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        outcome_of(&self.result)
    }
}

impl From<Failure> for Conclusion {
    /// The conclusion of a callback that could not be read.
    fn from(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            phone_number: None,
            operator: None,
            binding: None,
            unspent: None,
            hand_off: None,
            reloaded: false,
            calls: CallLog::default(),
        }
    }
}

pub(super) fn outcome_of(result: &Result<bool, Failure>) -> Outcome {
    match result {
        Ok(true) => Outcome::Verified,
        Ok(false) => Outcome::NotVerified,
        Err(failure) => failure.outcome,
    }
}
