//! The four requests of a verification that this sandbox answers.

use serde::{Deserialize, Serialize};

/// One kind of request the sandbox answers in somebody else's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leg {
    /// The browser at the operator's authorization endpoint.
    Authorize,
    /// The code for a token.
    Token,
    /// The number for an answer.
    Verify,
    /// Secrets Manager.
    Secret,
}

impl Leg {
    /// Every leg, in the order of the discriminants.
    pub const ALL: [Self; 4] = [Self::Authorize, Self::Token, Self::Verify, Self::Secret];

    /// Judged by the path alone, so that a wrong method is still seen as this leg's.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Secret),
            "/authorize" => Some(Self::Authorize),
            "/token" => Some(Self::Token),
            _ if path.starts_with("/number-verification/") && path.ends_with("/verify") => Some(Self::Verify),
            _ => None,
        }
    }
}
