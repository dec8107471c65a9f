//! The texts of the pages. Each language is one value of [`Texts`], so a missing text is a compile error.
//!
//! To add a language: copy `english.rs`, translate it, and add it here and to `src/language.rs`.

use super::english::ENGLISH;
use super::german::GERMAN;
use super::portuguese::PORTUGUESE;
use super::spanish::SPANISH;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumberError;

/// All texts of one language.
#[derive(Debug)]
pub struct Texts {
    pub start_heading: &'static str,
    pub start_what_happens: &'static str,
    pub start_mobile_data: &'static str,
    pub start_label: &'static str,
    pub start_hint: &'static str,
    pub start_button: &'static str,
    /// Takes the place of `start_what_happens` if the operator can name the number.
    pub retrieve_what_happens: &'static str,
    /// Lets the operator name the number.
    pub retrieve_button: &'static str,
    /// Stands before buttons with the names of several operators, which do the same.
    pub retrieve_which: &'static str,
    /// Stands between that and the field for the number.
    pub or: &'static str,
    /// Says who asks. `{app}` stands for the app's name, here and in the other texts for apps.
    pub app_asks: &'static str,
    pub app_button: &'static str,
    /// Starts the title of a page that shows an error, so that a screen reader says it first.
    pub error_prefix: &'static str,
    pub number_empty: &'static str,
    pub number_without_country: &'static str,
    pub number_with_other_characters: &'static str,
    pub number_length: &'static str,
    pub number_zero_in_brackets: &'static str,
    pub number_trunk_zero: &'static str,
    pub number_double_meaning: &'static str,
    pub try_again: &'static str,
    pub another_way: &'static str,
    pub to_start: &'static str,
    pub back_to_app: &'static str,
    /// Read out before the last digits of the number; the others are hidden.
    pub number_ending_in: &'static str,
    /// Stands before the correlator.
    pub reference: &'static str,
    pub privacy: &'static str,
    pub not_found: PageText,
    pub method_not_allowed: PageText,
    pub foreign_start: PageText,
    pub unsupported_media_type: PageText,
    pub closed_address: PageText,
    pub unknown_app: PageText,
    pub embedded: PageText,
    pub verified: PageText,
    pub not_verified: PageText,
    pub invalid_request: PageText,
    pub invalid_state: PageText,
    pub wrong_browser: PageText,
    pub expired_code: PageText,
    pub access_denied: PageText,
    pub not_on_mobile_network: PageText,
    pub not_covered: PageText,
    pub operator_refused: PageText,
    pub misconfigured: PageText,
    pub operator_error: PageText,
    pub operator_busy: PageText,
    pub operator_timeout: PageText,
}

/// The words of one page: what happened, what it means, what to do next.
#[derive(Debug)]
pub struct PageText {
    /// The heading: what happened, in a few words.
    pub heading: &'static str,
    /// One sentence. If the service or the operator is at fault and not the user, it says so.
    pub meaning: &'static str,
    /// The next step for the user.
    pub next: &'static str,
}

impl Texts {
    /// The texts in a language.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Spanish => &SPANISH,
            Language::Portuguese => &PORTUGUESE,
            Language::German => &GERMAN,
        }
    }

    /// The words for an outcome.
    pub fn outcome(&self, outcome: Outcome) -> &PageText {
        match outcome {
            Outcome::Verified => &self.verified,
            Outcome::NotVerified => &self.not_verified,
            Outcome::InvalidRequest => &self.invalid_request,
            Outcome::InvalidState => &self.invalid_state,
            Outcome::WrongBrowser => &self.wrong_browser,
            Outcome::ExpiredCode => &self.expired_code,
            Outcome::AccessDenied => &self.access_denied,
            Outcome::NotOnMobileNetwork => &self.not_on_mobile_network,
            Outcome::NotCovered => &self.not_covered,
            Outcome::OperatorRefused => &self.operator_refused,
            Outcome::Misconfigured => &self.misconfigured,
            Outcome::OperatorError => &self.operator_error,
            Outcome::OperatorBusy => &self.operator_busy,
            Outcome::OperatorTimeout => &self.operator_timeout,
        }
    }

    /// A text with the name of the app that asked.
    pub fn naming(text: &str, client_name: &str) -> String {
        text.replace("{app}", client_name)
    }

    /// The fault of a number, shown beside the form's field.
    pub fn number_fault(&self, error: PhoneNumberError) -> &'static str {
        match error {
            PhoneNumberError::Empty => self.number_empty,
            PhoneNumberError::NoCountryCode => self.number_without_country,
            PhoneNumberError::NotANumber => self.number_with_other_characters,
            PhoneNumberError::Length => self.number_length,
            PhoneNumberError::ZeroInBrackets => self.number_zero_in_brackets,
            PhoneNumberError::TrunkZero => self.number_trunk_zero,
            PhoneNumberError::DoubleMeaning => self.number_double_meaning,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All texts of a language in the order of the fields, taken from between the quotes that `Debug` writes.
    fn all_texts(language: Language) -> Vec<String> {
        format!("{:?}", Texts::of(language)).split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn texts_are_complete_and_have_no_stray_characters() {
        for language in Language::ALL {
            for text in all_texts(language) {
                assert!(!text.trim().is_empty(), "{language:?} has an empty text");
                assert_eq!(text.trim_start(), text, "{language:?}");
                assert!(!text.contains("  ") && !text.contains(['<', '&']), "{language:?}: {text}");
                assert!(!text.contains("Wi-Fi"), "a line may end after this hyphen, {language:?}: {text}");
            }
        }
    }

    #[test]
    fn every_text_is_translated() {
        let english = all_texts(Language::English);
        for language in &Language::ALL[1..] {
            let texts = all_texts(*language);
            assert_eq!(texts.len(), english.len());
            for (text, original) in texts.iter().zip(&english) {
                // Spanish uses the same word.
                assert!(text != original || text == "Error: ", "{language:?}: {text}");
            }
        }
    }

    #[test]
    fn only_verified_and_not_verified_have_their_headings() {
        for language in Language::ALL {
            for verdict in [Outcome::Verified, Outcome::NotVerified] {
                for other in Outcome::ALL.into_iter().filter(|other| *other != verdict) {
                    let [heading, other] = [verdict, other].map(|outcome| Texts::of(language).outcome(outcome).heading);
                    assert_ne!(heading, other, "{language:?}");
                }
            }
        }
    }
}
