//! The languages there are. Each is one file of words: `english.rs` and its siblings.

use super::english::ENGLISH;
use super::german::GERMAN;
use super::portuguese::PORTUGUESE;
use super::spanish::SPANISH;
use super::texts::Texts;

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `en`, for everybody whose own is not here.
    English,
    /// `es`
    Spanish,
    /// `pt`
    Portuguese,
    /// `de`
    German,
}

impl Language {
    /// All of them; the first one is the default.
    pub const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::Portuguese, Self::German];

    /// Its BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.texts().lang
    }

    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::Spanish => &SPANISH,
            Self::Portuguese => &PORTUGUESE,
            Self::German => &GERMAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All texts of a language, in the order of the fields: `Debug` puts each into quotes.
    fn all_texts(language: Language) -> Vec<String> {
        format!("{:?}", language.texts()).split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn no_text_is_empty_or_has_loose_ends() {
        for language in Language::ALL {
            for text in all_texts(language) {
                assert!(!text.trim().is_empty(), "{language:?} has an empty text");
                assert_eq!(text.trim_start(), text, "{language:?}");
                assert!(!text.contains("  ") && !text.contains(['<', '&']), "{language:?}: {text}");
            }
        }
    }

    #[test]
    fn no_text_was_left_in_english() {
        let english = all_texts(Language::English);
        for language in &Language::ALL[1..] {
            let texts = all_texts(*language);
            assert_eq!(texts.len(), english.len());
            for (text, original) in texts.iter().zip(&english) {
                // The one word that is the same in Spanish.
                assert!(text != original || text == "Error: ", "{language:?}: {text}");
            }
        }
    }

    #[test]
    fn no_text_is_there_twice_for_two_kinds_of_answer() {
        for language in Language::ALL {
            let texts = language.texts();
            for other in [&texts.not_verified, &texts.operator_error, &texts.misconfigured] {
                assert_ne!(texts.verified.heading, other.heading);
            }
            for failed in [&texts.operator_error, &texts.operator_timeout, &texts.misconfigured] {
                assert_ne!(texts.not_verified.heading, failed.heading);
            }
        }
    }
}
