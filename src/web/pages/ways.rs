//! The links that a page offers after an outcome.

use super::texts::Texts;
use crate::outcome::Outcome;

/// A link to continue with.
pub(super) struct Way<'a> {
    pub words: &'a str,
    pub href: &'a str,
    /// True if it leads to another service.
    pub leaves: bool,
}

/// Links to offer after an outcome, best first; empty only after *verified*.
pub(super) fn ways<'a>(
    outcome: Outcome,
    texts: &'a Texts,
    home_path: &'a str,
    fallback_url: Option<&'a str>,
) -> Vec<Way<'a>> {
    let another_way = fallback_url.map(|href| Way { words: texts.another_way, href, leaves: true });
    let home = |words| Way { words, href: home_path, leaves: false };
    match outcome {
        Outcome::Verified => Vec::new(),
        // Retrying will not help: another number may be covered, and an owner can fix the configuration.
        Outcome::NotCovered | Outcome::Misconfigured => another_way.into_iter().chain([home(texts.to_start)]).collect(),
        _ => [home(texts.try_again)].into_iter().chain(another_way).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn every_outcome_but_verified_offers_a_link() {
        const SMS: Option<&str> = Some("https://shop.example/sms");
        for outcome in Outcome::ALL {
            let expected: [&[&str]; 2] = match outcome {
                Outcome::Verified => [&[], &[]],
                Outcome::NotCovered | Outcome::Misconfigured => {
                    [&["Go to the start"], &["Verify another way", "Go to the start"]]
                }
                _ => [&["Try again"], &["Try again", "Verify another way"]],
            };
            for (fallback, expected) in [None, SMS].into_iter().zip(expected) {
                let ways = ways(outcome, Texts::of(Language::English), "/", fallback);
                let words: Vec<_> = ways.iter().map(|way| way.words).collect();
                assert_eq!(words, expected, "{outcome:?} {fallback:?}");
            }
        }
    }
}
