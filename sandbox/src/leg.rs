//! The requests of a verification that this sandbox answers.

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;

/// A kind of request that the sandbox answers instead of the operator or AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leg {
    /// The browser's request to the authorization endpoint.
    Authorize,
    /// The exchange of a code for a token.
    Token,
    /// The question about a number.
    Verify,
    /// The question for the number.
    #[serde(rename = "device-phone-number")]
    DevicePhoneNumber,
    /// Secrets Manager.
    Secret,
}

impl Leg {
    /// Every leg, in the order of the discriminants.
    pub const ALL: [Self; 5] = [Self::Authorize, Self::Token, Self::Verify, Self::DevicePhoneNumber, Self::Secret];

    /// The leg of a path in a dialect. A request with a wrong method still belongs to its leg.
    pub(crate) fn of(path: &str, dialect: &Dialect) -> Option<Self> {
        let api = path.strip_prefix(dialect.api).unwrap_or_default();
        match path {
            "/" => Some(Self::Secret),
            _ if path == dialect.authorize => Some(Self::Authorize),
            _ if path == dialect.token => Some(Self::Token),
            _ => match api.strip_prefix("/number-verification/")?.rsplit('/').next()? {
                "verify" => Some(Self::Verify),
                "device-phone-number" => Some(Self::DevicePhoneNumber),
                _ => None,
            },
        }
    }
}
