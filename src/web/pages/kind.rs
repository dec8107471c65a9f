//! The three kinds of outcome, as a page shows them.

use crate::outcome::Outcome;

/// The kind of an outcome: the operator answered *yes* or *no*, or the number could not be checked.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Yes,
    No,
    Unknown,
}

impl Kind {
    pub fn of(outcome: Outcome) -> Self {
        match outcome.device_phone_number_verified() {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }

    /// The class in `style.css`.
    pub fn class(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    /// A tick, a cross or an exclamation mark, so that the answer does not depend on colour alone.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Yes => "M7 12.5l3.5 3.5L17 9",
            Self::No => "M8.5 8.5l7 7m0-7l-7 7",
            Self::Unknown => "M12 7v6m0 3.5v.1",
        }
    }
}
