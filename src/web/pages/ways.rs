//! The links that a page offers after an outcome.

use std::borrow::Cow;

use super::AppLinks;
use super::texts::Texts;
use crate::outcome::Outcome;

/// A link to continue with.
pub(super) struct Way<'a> {
    pub words: Cow<'a, str>,
    pub href: &'a str,
    /// True if it leads to another service.
    pub leaves: bool,
}

impl<'a> Way<'a> {
    /// The link back to the app that asked.
    pub fn back(texts: &Texts, client_name: &str, back: &'a str) -> Self {
        Self { words: Texts::naming(texts.back_to_app, client_name).into(), href: back, leaves: true }
    }
}

/// Links to offer after an outcome, best first; empty only after *verified*.
pub(super) fn ways<'a>(
    outcome: Outcome,
    texts: &'a Texts,
    home_path: &'a str,
    fallback_url: Option<&'a str>,
    app: Option<&'a AppLinks>,
) -> Vec<Way<'a>> {
    if outcome == Outcome::Verified {
        return Vec::new();
    }
    let another_way = fallback_url.map(|href| Way { words: texts.another_way.into(), href, leaves: true });
    let back = app.map(|app| Way::back(texts, &app.client_name, &app.back));
    // Retrying will not help: another number may be covered, and an owner can fix the configuration.
    let retry_is_useless = matches!(outcome, Outcome::NotCovered | Outcome::Misconfigured);
    let words = if retry_is_useless { texts.to_start } else { texts.try_again };
    let again = Way { words: words.into(), href: app.map_or(home_path, |app| &app.try_again), leaves: false };
    if retry_is_useless {
        another_way.into_iter().chain(back).chain([again]).collect()
    } else {
        [again].into_iter().chain(back).chain(another_way).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn every_outcome_but_verified_offers_a_link() {
        const SMS: Option<&str> = Some("https://shop.example/sms");
        let app = AppLinks {
            client_name: "The Shop".to_owned(),
            try_again: "/authorize?client_id=shop".to_owned(),
            back: "https://shop.example/cb?error=access_denied".to_owned(),
        };
        for outcome in Outcome::ALL {
            let expected: [&[&str]; 3] = match outcome {
                Outcome::Verified => [&[], &[], &[]],
                Outcome::NotCovered | Outcome::Misconfigured => [
                    &["Go to the start"],
                    &["Verify another way", "Go to the start"],
                    &["Verify another way", "Back to The Shop", "Go to the start"],
                ],
                _ => [
                    &["Try again"],
                    &["Try again", "Verify another way"],
                    &["Try again", "Back to The Shop", "Verify another way"],
                ],
            };
            for ((fallback, app), expected) in [(None, None), (SMS, None), (SMS, Some(&app))].into_iter().zip(expected)
            {
                let ways = ways(outcome, Texts::of(Language::English), "/", fallback, app);
                let words: Vec<_> = ways.iter().map(|way| way.words.as_ref()).collect();
                assert_eq!(words, expected, "{outcome:?} {fallback:?}");
            }
        }
    }
}
