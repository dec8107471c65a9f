//! The pages. They know outcomes and words, nothing of OAuth.

mod english;
mod german;
mod language;
mod portuguese;
mod spanish;
mod texts;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use url::Url;

use crate::config::Branding;
use crate::correlator::Correlator;
use crate::outcome::Outcome;
use crate::phone_number::{PhoneNumber, PhoneNumberError};
pub use language::Language;
use texts::{Answer, Texts};

/// The pages in the owner's looks, made ready once.
#[derive(Debug)]
pub struct Pages {
    branding: Branding,
    style: String,
    content_security_policy: HeaderValue,
}

/// A page that is no step of a verification.
#[derive(Debug, Clone, Copy)]
pub enum Notice {
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// A start that another site tried.
    ForeignStart,
}

impl Notice {
    fn text(self, texts: &Texts) -> &Answer {
        match self {
            Self::NotFound => &texts.not_found,
            Self::MethodNotAllowed => &texts.method_not_allowed,
            Self::ForeignStart => &texts.foreign_start,
        }
    }
}

/// What is on every page.
struct Frame<'a> {
    texts: &'a Texts,
    service_name: &'a str,
    style: &'a str,
    logo_url: Option<&'a str>,
    privacy_url: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage<'a> {
    frame: Frame<'a>,
    start_path: &'a str,
    typed: &'a str,
    fault: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "result.html")]
struct ResultPage<'a> {
    frame: Frame<'a>,
    kind: Kind,
    text: &'a Answer,
    number: Option<MaskedNumber>,
    ways: Vec<Way<'a>>,
    correlator: &'a str,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    frame: Frame<'a>,
    text: &'a Answer,
    home_path: &'a str,
    correlator: &'a str,
}

/// The number as it is shown, `+34 ••• ••• 001`, and as it is read out.
struct MaskedNumber {
    masked: String,
}

impl MaskedNumber {
    /// A screen reader would spell out each dot; it gets the digits behind them alone.
    fn ending(&self) -> &str {
        self.masked.trim_end_matches(|c: char| !c.is_ascii_digit()).rsplit(['•', ' ']).next().unwrap_or_default()
    }
}

/// A link to go on with.
struct Way<'a> {
    words: &'a str,
    href: &'a str,
    /// Whether it leads out of this service.
    leaves: bool,
}

/// The ways on from an outcome, the best one first. There is always one, unless all is done.
fn ways<'a>(outcome: Outcome, texts: &'a Texts, home_path: &'a str, fallback_url: Option<&'a str>) -> Vec<Way<'a>> {
    let another_way = fallback_url.map(|href| Way { words: texts.another_way, href, leaves: true });
    match outcome {
        Outcome::Verified => Vec::new(),
        // Until its owner mends the service, trying again comes to the same.
        Outcome::Misconfigured => {
            let start = Way { words: texts.to_start, href: home_path, leaves: false };
            another_way.into_iter().chain([start]).collect()
        }
        _ => {
            let try_again = Way { words: texts.try_again, href: home_path, leaves: false };
            [try_again].into_iter().chain(another_way).collect()
        }
    }
}

/// An answer in words alone, for programs to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// A few.
    pub title: &'static str,
    /// What it means, and what to do.
    pub detail: String,
}

impl From<&Answer> for Words {
    fn from(answer: &Answer) -> Self {
        Self { title: answer.heading, detail: format!("{} {}", answer.meaning, answer.next) }
    }
}

/// The three kinds of answer, never confused.
#[derive(Clone, Copy)]
enum Kind {
    Yes,
    No,
    Unknown,
}

impl Kind {
    fn of(outcome: Outcome) -> Self {
        match outcome.device_phone_number_verified() {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    /// A tick, a cross, an exclamation mark: the answer does not hang on colour alone.
    fn icon(self) -> &'static str {
        match self {
            Self::Yes => "M7 12.5l3.5 3.5L17 9",
            Self::No => "M8.5 8.5l7 7m0-7l-7 7",
            Self::Unknown => "M12 7v6m0 3.5v.1",
        }
    }
}

impl Pages {
    /// Pages in the owner's looks.
    #[must_use]
    pub fn new(branding: &Branding) -> Self {
        // After the default accent, which it replaces.
        let accent = branding.accent_color.as_ref().map(|color| format!(":root{{--accent:{color}}}"));
        let style = include_str!("style.css").replace('\n', "") + accent.as_deref().unwrap_or_default();
        let style_hash = BASE64_STANDARD.encode(digest(&SHA256, style.as_bytes()));
        // An empty data: image is the icon, for which browsers would ask the function by a request of its own.
        let logo_origin = branding.logo_url.as_deref().and_then(origin_of).unwrap_or_default();
        // No form-action: browsers hold each redirect behind a form to it, and where an operator redirects to on the
        // way to the SIM's own network is not ours to know.
        let content_security_policy = format!(
            "default-src 'none'; style-src 'sha256-{style_hash}'; img-src data:{logo_origin}; base-uri 'none'; frame-ancestors 'none'"
        );
        // An origin and a hash are ASCII. Were they not, the pages would be plain, and no less safe.
        let content_security_policy = HeaderValue::try_from(content_security_policy)
            .unwrap_or(HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'"));
        Self { branding: branding.clone(), style, content_security_policy }
    }

    /// The `Content-Security-Policy` under which the pages work.
    #[must_use]
    pub fn content_security_policy(&self) -> &HeaderValue {
        &self.content_security_policy
    }

    /// "Verify another way".
    #[must_use]
    pub fn fallback_url(&self) -> Option<&str> {
        self.branding.fallback_url.as_deref()
    }

    /// The form; after a fault, with what was typed and what is wrong with it.
    ///
    /// # Errors
    /// The page cannot be written, which takes a defect in a template.
    pub fn start(
        &self,
        language: Language,
        start_path: &str,
        fault: Option<(&str, PhoneNumberError)>,
    ) -> askama::Result<String> {
        let frame = self.frame(language);
        let (typed, fault) = fault.map_or(("", None), |(typed, error)| (typed, Some(frame.texts.number_fault(error))));
        StartPage { frame, start_path, typed, fault }.render()
    }

    /// The answer.
    ///
    /// # Errors
    /// See [`Pages::start`].
    pub fn result(
        &self,
        language: Language,
        outcome: Outcome,
        phone_number: Option<&PhoneNumber>,
        home_path: &str,
        correlator: &Correlator,
    ) -> askama::Result<String> {
        let frame = self.frame(language);
        ResultPage {
            kind: Kind::of(outcome),
            text: frame.texts.outcome(outcome),
            number: phone_number.map(|number| MaskedNumber { masked: number.masked() }),
            ways: ways(outcome, frame.texts, home_path, self.fallback_url()),
            correlator: correlator.as_str(),
            frame,
        }
        .render()
    }

    /// A page that is no step of a verification.
    ///
    /// # Errors
    /// See [`Pages::start`].
    pub fn notice(
        &self,
        language: Language,
        notice: Notice,
        home_path: &str,
        correlator: &Correlator,
    ) -> askama::Result<String> {
        let frame = self.frame(language);
        NoticePage { text: notice.text(frame.texts), home_path, correlator: correlator.as_str(), frame }.render()
    }

    fn frame(&self, language: Language) -> Frame<'_> {
        Frame {
            texts: language.texts(),
            service_name: &self.branding.service_name,
            style: &self.style,
            logo_url: self.branding.logo_url.as_deref(),
            privacy_url: self.branding.privacy_url.as_deref(),
        }
    }
}

/// An outcome in words alone.
#[must_use]
pub fn outcome_words(language: Language, outcome: Outcome) -> Words {
    language.texts().outcome(outcome).into()
}

/// A notice in words alone.
#[must_use]
pub fn notice_words(language: Language, notice: Notice) -> Words {
    notice.text(language.texts()).into()
}

/// What is wrong with a number, in the words that stand beside the form's field.
#[must_use]
pub fn number_words(language: Language, error: PhoneNumberError) -> Words {
    let texts = language.texts();
    Words { title: texts.invalid_request.heading, detail: texts.number_fault(error).to_owned() }
}

/// A logo's address as one more source in a `Content-Security-Policy`; none for a `data:` image.
fn origin_of(logo_url: &str) -> Option<String> {
    let url = Url::parse(logo_url).ok().filter(|url| url.scheme() != "data")?;
    Some(format!(" {}", url.origin().ascii_serialization()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Pages {
        // Addresses of the length that real ones have; a logo's data is the owner's own weight.
        Pages::new(&Branding {
            service_name: "Number verification of the Shop".to_owned(),
            accent_color: Some("#0b57d0".to_owned()),
            logo_url: Some("https://www.shop.example/assets/images/brand/logo.svg".to_owned()),
            privacy_url: Some("https://www.shop.example/legal/privacy-notice".to_owned()),
            fallback_url: Some("https://www.shop.example/account/verify/by-text-message".to_owned()),
        })
    }

    fn correlator() -> Correlator {
        Correlator::from_header(None, "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
    }

    /// Each page there is, by name.
    fn every_page(language: Language) -> Vec<(String, String)> {
        let (pages, number, correlator) = (pages(), PhoneNumber::parse("+34600000001").unwrap(), correlator());
        let mut all = vec![("start".to_owned(), pages.start(language, "/start", None))];
        for error in [
            PhoneNumberError::Empty,
            PhoneNumberError::NoCountryCode,
            PhoneNumberError::NotANumber,
            PhoneNumberError::Length,
        ] {
            all.push((format!("start, {error:?}"), pages.start(language, "/start", Some(("6000", error)))));
        }
        for outcome in Outcome::ALL {
            let page = pages.result(language, outcome, Some(&number), "/", &correlator);
            all.push((outcome.name().to_owned(), page));
        }
        for notice in [Notice::NotFound, Notice::MethodNotAllowed, Notice::ForeignStart] {
            all.push((format!("{notice:?}"), pages.notice(language, notice, "/", &correlator)));
        }
        all.into_iter().map(|(name, page)| (format!("{name} in {}", language.tag()), page.unwrap())).collect()
    }

    #[test]
    fn every_page_in_every_language_is_under_6_kilobytes() {
        for language in Language::ALL {
            for (name, page) in every_page(language) {
                assert!(page.len() < 6 * 1024, "{name}: {} bytes", page.len());
            }
        }
    }

    #[test]
    fn every_page_says_its_language_and_runs_no_script() {
        for language in Language::ALL {
            for (name, page) in every_page(language) {
                assert!(page.contains(&format!(r#"<html lang="{}">"#, language.tag())), "{name}");
                for forbidden in ["<script", "javascript:", " style=", " onclick", "@import", "url("] {
                    assert!(!page.contains(forbidden), "{name}: {forbidden}");
                }
                assert_eq!(page.matches("<h1").count(), 1, "{name}");
            }
        }
    }

    #[test]
    fn the_style_is_the_one_that_the_policy_allows() {
        let pages = pages();
        let page = pages.start(Language::English, "/start", None).unwrap();
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = BASE64_STANDARD.encode(digest(&SHA256, style.as_bytes()));
        let policy = pages.content_security_policy().to_str().unwrap();
        assert!(policy.contains(&format!("style-src 'sha256-{hash}'")));
        assert!(policy.contains("img-src data: https://www.shop.example;"));
    }

    #[test]
    fn no_outcome_is_a_dead_end() {
        for (fallback, outcome, expected) in [
            (None, Outcome::NotVerified, &["Try again"][..]),
            (None, Outcome::Misconfigured, &["Go to the start"]),
            (Some("https://shop.example/sms"), Outcome::NotVerified, &["Try again", "Verify another way"]),
            (Some("https://shop.example/sms"), Outcome::Misconfigured, &["Verify another way", "Go to the start"]),
            (Some("https://shop.example/sms"), Outcome::Verified, &[]),
        ] {
            let ways = ways(outcome, Language::English.texts(), "/", fallback);
            assert_eq!(ways.iter().map(|way| way.words).collect::<Vec<_>>(), expected, "{outcome:?} {fallback:?}");
        }
        for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Verified) {
            assert!(!ways(outcome, Language::English.texts(), "/", None).is_empty(), "{outcome:?}");
        }
    }

    #[test]
    fn a_number_is_shown_masked_and_read_out_short() {
        for (number, ending) in [("+34600000001", "001"), ("+12345", "45"), ("+123456789012345", "345")] {
            let masked = PhoneNumber::parse(number).unwrap().masked();
            assert_eq!(MaskedNumber { masked }.ending(), ending, "{number}");
        }
        for language in Language::ALL {
            for (name, page) in every_page(language).iter().filter(|(name, _)| !name.starts_with("start")) {
                assert!(!page.contains("600000001") && !page.contains("600 000 001"), "{name}");
            }
        }
    }

    #[test]
    fn somebody_else_s_fault_is_said_to_be_so() {
        for (language, words) in [
            (Language::English, "not your fault"),
            (Language::Spanish, "No es culpa suya"),
            (Language::Portuguese, "A culpa não é sua"),
            (Language::German, "Es liegt nicht an Ihnen"),
        ] {
            for outcome in Outcome::ALL {
                let theirs = outcome.status() >= 500;
                assert_eq!(outcome_words(language, outcome).detail.contains(words), theirs, "{language:?} {outcome:?}");
            }
        }
    }
}
