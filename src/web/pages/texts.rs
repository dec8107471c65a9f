//! What the pages say. A language is one value of [`Texts`]; a text that is missing does not compile.
//!
//! To add a language: copy `english.rs`, translate it, and name it in `language.rs`.

use crate::outcome::Outcome;
use crate::phone_number::PhoneNumberError;

/// All texts of one language.
#[derive(Debug)]
pub struct Texts {
    /// BCP 47 tag, for the `lang` attribute.
    pub lang: &'static str,
    pub start_heading: &'static str,
    pub start_what_happens: &'static str,
    pub start_mobile_data: &'static str,
    pub start_label: &'static str,
    pub start_hint: &'static str,
    pub start_button: &'static str,
    /// Before the title of a page that shows a fault, so that a screen reader says it first.
    pub error_prefix: &'static str,
    pub number_empty: &'static str,
    pub number_without_country: &'static str,
    pub number_with_other_characters: &'static str,
    pub number_length: &'static str,
    pub try_again: &'static str,
    pub another_way: &'static str,
    pub to_start: &'static str,
    /// Read out before the last digits of the number, which is shown with most digits hidden.
    pub number_ending_in: &'static str,
    /// Before the correlator.
    pub reference: &'static str,
    pub privacy: &'static str,
    pub not_found: Answer,
    pub method_not_allowed: Answer,
    pub foreign_start: Answer,
    pub verified: Answer,
    pub not_verified: Answer,
    pub invalid_request: Answer,
    pub invalid_state: Answer,
    pub wrong_browser: Answer,
    pub expired_code: Answer,
    pub access_denied: Answer,
    pub not_on_mobile_network: Answer,
    pub misconfigured: Answer,
    pub operator_error: Answer,
    pub operator_busy: Answer,
    pub operator_timeout: Answer,
}

/// One answer: what it is, what it means, what to do next.
#[derive(Debug)]
pub struct Answer {
    /// At a glance.
    pub heading: &'static str,
    /// One sentence, which says so where it is not the user's fault.
    pub meaning: &'static str,
    /// What to do. No answer is a dead end.
    pub next: &'static str,
}

impl Texts {
    /// The words for an outcome.
    pub fn outcome(&self, outcome: Outcome) -> &Answer {
        match outcome {
            Outcome::Verified => &self.verified,
            Outcome::NotVerified => &self.not_verified,
            Outcome::InvalidRequest => &self.invalid_request,
            Outcome::InvalidState => &self.invalid_state,
            Outcome::WrongBrowser => &self.wrong_browser,
            Outcome::ExpiredCode => &self.expired_code,
            Outcome::AccessDenied => &self.access_denied,
            Outcome::NotOnMobileNetwork | Outcome::NotCovered | Outcome::OperatorRefused => &self.not_on_mobile_network,
            Outcome::Misconfigured => &self.misconfigured,
            Outcome::OperatorError => &self.operator_error,
            Outcome::OperatorBusy => &self.operator_busy,
            Outcome::OperatorTimeout => &self.operator_timeout,
        }
    }

    /// The words beside the form's field.
    pub fn number_fault(&self, error: PhoneNumberError) -> &'static str {
        match error {
            PhoneNumberError::Empty => self.number_empty,
            PhoneNumberError::NoCountryCode => self.number_without_country,
            PhoneNumberError::NotANumber => self.number_with_other_characters,
            PhoneNumberError::Length => self.number_length,
        }
    }
}
