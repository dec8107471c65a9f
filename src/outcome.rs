//! The result of a verification: one enum, one table.

/// Every result of a verification. There are three kinds, never confused: *verified*, *not verified* (the operator said
/// that the SIM has another number), and *could not be checked* (everything else).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The operator answered `true`.
    Verified,
    /// The operator answered `false`.
    NotVerified,
    /// A parameter is missing, repeated, too long or malformed.
    InvalidRequest,
    /// The state is not ours, was altered, or has expired.
    InvalidState,
    /// The state is genuine, but the browser's cookie is missing or belongs to another verification.
    WrongBrowser,
    /// The token endpoint no longer accepts the code (`invalid_grant`).
    ExpiredCode,
    /// The user, or the operator on the user's behalf, refused.
    AccessDenied,
    /// The operator did not see the device on its mobile network.
    NotOnMobileNetwork,
    /// No operator serves this number, or the service does not apply to it. Retrying cannot help.
    NotCovered,
    /// The operator's redirect contained another error. A redirect is a URL that anyone can write.
    OperatorRefused,
    /// The owner's mistake: the secret, the client registration or the scope.
    Misconfigured,
    /// The operator did not answer as the protocol says.
    OperatorError,
    /// The operator limits requests or is temporarily unavailable.
    OperatorBusy,
    /// There was no answer in time.
    OperatorTimeout,
}

impl Outcome {
    /// Every outcome, in the order of the table in the README.
    pub const ALL: [Self; 14] = [
        Self::Verified,
        Self::NotVerified,
        Self::InvalidRequest,
        Self::InvalidState,
        Self::WrongBrowser,
        Self::ExpiredCode,
        Self::AccessDenied,
        Self::NotOnMobileNetwork,
        Self::NotCovered,
        Self::OperatorRefused,
        Self::Misconfigured,
        Self::OperatorError,
        Self::OperatorBusy,
        Self::OperatorTimeout,
    ];

    /// The name that programs and logs read, and the HTTP status of the answer.
    const fn row(self) -> (&'static str, u16) {
        match self {
            Self::Verified => ("verified", 200),
            Self::NotVerified => ("not_verified", 200),
            Self::InvalidRequest => ("invalid_request", 400),
            Self::InvalidState => ("invalid_state", 400),
            Self::WrongBrowser => ("wrong_browser", 403),
            Self::ExpiredCode => ("expired_code", 400),
            Self::AccessDenied => ("access_denied", 403),
            Self::NotOnMobileNetwork => ("not_on_mobile_network", 403),
            Self::NotCovered => ("not_covered", 422),
            Self::OperatorRefused => ("operator_refused", 403),
            Self::Misconfigured => ("misconfigured", 500),
            Self::OperatorError => ("operator_error", 502),
            Self::OperatorBusy => ("operator_busy", 503),
            Self::OperatorTimeout => ("operator_timeout", 504),
        }
    }

    /// The name that programs and logs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// The outcome with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// The operator's own answer, if there was one.
    #[must_use]
    pub const fn device_phone_number_verified(self) -> Option<bool> {
        match self {
            Self::Verified => Some(true),
            Self::NotVerified => Some(false),
            _ => None,
        }
    }
}
