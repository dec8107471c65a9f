//! The languages of the pages. Each has a file of texts, such as `english.rs`.

use super::english::ENGLISH;
use super::german::GERMAN;
use super::portuguese::PORTUGUESE;
use super::spanish::SPANISH;
use super::texts::Texts;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `en`, also for users whose language is missing.
    English,
    /// `es`
    Spanish,
    /// `pt`
    Portuguese,
    /// `de`
    German,
}

impl Language {
    /// Every language; the first one is the default.
    pub const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::Portuguese, Self::German];

    /// The BCP 47 tag.
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
    use crate::outcome::Outcome;

    /// All texts of a language in the order of the fields, taken from between the quotes that `Debug` writes.
    fn all_texts(language: Language) -> Vec<String> {
        format!("{:?}", language.texts()).split('"').skip(1).step_by(2).map(str::to_owned).collect()
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
                    let [heading, other] = [verdict, other].map(|outcome| language.texts().outcome(outcome).heading);
                    assert_ne!(heading, other, "{language:?}");
                }
            }
        }
    }
}
