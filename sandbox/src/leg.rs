//! The four requests of a verification that this sandbox answers.

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
    /// Secrets Manager.
    Secret,
}

impl Leg {
    /// Every leg, in the order of the discriminants.
    pub const ALL: [Self; 4] = [Self::Authorize, Self::Token, Self::Verify, Self::Secret];

    /// The leg of a path in a dialect. A request with a wrong method still belongs to its leg.
    pub(crate) fn of(path: &str, dialect: &Dialect) -> Option<Self> {
        let api = path.strip_prefix(dialect.api).unwrap_or_default();
        match path {
            "/" => Some(Self::Secret),
            _ if path == dialect.authorize => Some(Self::Authorize),
            _ if path == dialect.token => Some(Self::Token),
            _ if api.starts_with("/number-verification/") && api.ends_with("/verify") => Some(Self::Verify),
            _ => None,
        }
    }
}
