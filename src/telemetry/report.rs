//! The step that a log line reports.

use crate::failure::Failure;
use crate::outcome::Outcome;

/// The step that a line reports.
#[derive(Clone, Copy)]
pub(super) enum Report<'a> {
    /// A browser was sent to the operator.
    Started,
    /// A verification could not be started.
    NotStarted(&'a Failure),
    /// A verification has ended.
    Ended(Outcome, Option<&'a Failure>),
    /// An app got its tokens.
    Redeemed,
    /// An app's token request was refused, with this error and for this reason.
    Refused(&'static str, &'static str),
    /// An app's token request failed.
    NotRedeemed(&'a Failure),
}

impl<'a> Report<'a> {
    pub fn of(result: &'a Result<bool, Failure>) -> Self {
        match result {
            Ok(true) => Self::Ended(Outcome::Verified, None),
            Ok(false) => Self::Ended(Outcome::NotVerified, None),
            Err(failure) => Self::Ended(failure.outcome, Some(failure)),
        }
    }

    pub fn message(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::NotStarted(_) => "a verification could not be started",
            Self::Ended(..) => "verification",
            Self::Redeemed => "redeemed",
            Self::Refused(..) => "an app's token request was refused",
            Self::NotRedeemed(_) => "a code could not be redeemed",
        }
    }

    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Ended(outcome, _) => Some(outcome),
            Self::NotStarted(failure) | Self::NotRedeemed(failure) => Some(failure.outcome),
            Self::Started | Self::Redeemed | Self::Refused(..) => None,
        }
    }

    /// The error code and the reason, if there is one.
    pub fn reason(self) -> (Option<&'a str>, Option<&'a str>) {
        match self {
            Self::NotStarted(failure) | Self::NotRedeemed(failure) | Self::Ended(_, Some(failure)) => {
                (failure.code, Some(failure.reason.as_ref()))
            }
            Self::Refused(error, reason) => (Some(error), Some(reason)),
            Self::Started | Self::Redeemed | Self::Ended(_, None) => (None, None),
        }
    }

    /// The log level, which says how urgent the line is for the owner.
    pub fn level(self) -> &'static str {
        match self.outcome() {
            Some(Outcome::Misconfigured) => "ERROR",
            Some(Outcome::OperatorError | Outcome::OperatorBusy | Outcome::OperatorTimeout) => "WARN",
            _ => "INFO",
        }
    }
}
