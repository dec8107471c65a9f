//! Pages that are not a step of a verification.

use super::texts::{PageText, Texts};
use crate::outcome::Outcome;

/// A page that is not a step of a verification.
#[derive(Debug, Clone, Copy)]
pub enum Notice {
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// Another site tried to start a verification.
    ForeignStart,
    /// A number that was sent neither as a form nor as JSON.
    UnsupportedMediaType,
    /// A request that bypassed the owner's `CloudFront`.
    ClosedAddress,
    /// A request of an app that is not registered, or for an address that is not.
    UnknownApp,
    /// A page that was opened in a frame or by a script.
    Embedded,
}

impl Notice {
    pub(super) fn text(self, texts: &Texts) -> &PageText {
        match self {
            Self::NotFound => &texts.not_found,
            Self::MethodNotAllowed => &texts.method_not_allowed,
            Self::ForeignStart => &texts.foreign_start,
            Self::UnsupportedMediaType => &texts.unsupported_media_type,
            Self::ClosedAddress => &texts.closed_address,
            Self::UnknownApp => &texts.unknown_app,
            Self::Embedded => &texts.embedded,
        }
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::ForeignStart | Self::UnknownApp | Self::Embedded => 400,
            Self::UnsupportedMediaType => 415,
            Self::ClosedAddress => 403,
        }
    }

    /// The outcome for a program that wanted a verification; `None` if the notice is only about the address.
    #[must_use]
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Self::NotFound | Self::MethodNotAllowed | Self::ClosedAddress => None,
            Self::ForeignStart | Self::UnsupportedMediaType | Self::UnknownApp | Self::Embedded => {
                Some(Outcome::InvalidRequest)
            }
        }
    }
}
