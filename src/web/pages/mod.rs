//! The pages. They depend on outcomes and texts, not on OAuth.

mod english;
mod german;
mod kind;
mod notice;
mod portuguese;
mod spanish;
mod texts;
mod ways;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use url::Url;

use crate::correlator::Correlator;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::phone_number::{PhoneNumber, PhoneNumberError};
use kind::Kind;
pub use notice::Notice;
use texts::{PageText, Texts};
use ways::{Way, ways};

/// The pages with the owner's branding; the style and its hash are computed once.
#[derive(Debug)]
pub struct Pages {
    branding: Branding,
    style: String,
    content_security_policy: HeaderValue,
}

/// The owner's name, colours and links.
#[derive(Debug, Clone)]
pub struct Branding {
    /// `SERVICE_NAME`: the pages' title.
    pub service_name: String,
    /// `ACCENT_COLOR`, as `#rrggbb`.
    pub accent_color: Option<String>,
    /// `LOGO_URL`: an `https` address or a `data:` image.
    pub logo_url: Option<String>,
    /// `PRIVACY_URL`.
    pub privacy_url: Option<String>,
    /// `FALLBACK_URL`: "verify another way".
    pub fallback_url: Option<String>,
}

/// The parts that every page has.
struct Frame<'a> {
    lang: &'static str,
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
    text: &'a PageText,
    number: Option<MaskedNumber>,
    ways: Vec<Way<'a>>,
    correlator: &'a str,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    frame: Frame<'a>,
    text: &'a PageText,
    home_path: &'a str,
    correlator: &'a str,
}

/// The number as the page shows it, `+34 ••• ••• 001`, and as a screen reader says it.
struct MaskedNumber {
    masked: String,
}

impl MaskedNumber {
    /// The digits after the dots. A screen reader gets only these, because it would spell out each dot.
    fn ending(&self) -> &str {
        self.masked.trim_end_matches(|c: char| !c.is_ascii_digit()).rsplit(['•', ' ']).next().unwrap_or_default()
    }
}

/// The texts of a page without the page, for programs to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The title: what happened, in a few words.
    pub title: &'static str,
    /// The meaning, and what to do now.
    pub detail: String,
}

impl From<&PageText> for Words {
    fn from(text: &PageText) -> Self {
        Self { title: text.heading, detail: format!("{} {}", text.meaning, text.next) }
    }
}

impl Pages {
    /// Creates the pages with the owner's branding.
    #[must_use]
    pub fn new(branding: Branding) -> Self {
        // It comes after the default accent and so replaces it.
        let accent = branding.accent_color.as_ref().map(|color| format!(":root{{--accent:{color}}}"));
        let style = include_str!("style.css").replace('\n', "") + accent.as_deref().unwrap_or_default();
        let style_hash = BASE64_STANDARD.encode(digest(&SHA256, style.as_bytes()));
        // `data:` allows the empty favicon, without which browsers would request /favicon.ico.
        let logo_origin = branding.logo_url.as_deref().and_then(origin_of).unwrap_or_default();
        // There is no form-action: browsers apply it to the redirects after a form too, and an operator may redirect
        // through hosts that are unknown here.
        let content_security_policy = format!(
            "default-src 'none'; style-src 'sha256-{style_hash}'; img-src data:{logo_origin}; base-uri 'none'; frame-ancestors 'none'"
        );
        // An origin and a hash are ASCII. If they were not, the pages would have no style but be as safe.
        let content_security_policy = HeaderValue::try_from(content_security_policy)
            .unwrap_or(HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'"));
        Self { branding, style, content_security_policy }
    }

    /// The `Content-Security-Policy` under which the pages work.
    #[must_use]
    pub fn content_security_policy(&self) -> &HeaderValue {
        &self.content_security_policy
    }

    /// The address of "verify another way".
    #[must_use]
    pub fn fallback_url(&self) -> Option<&str> {
        self.branding.fallback_url.as_deref()
    }

    /// Renders the form; after an error, with the text that was typed and its fault.
    ///
    /// # Errors
    /// The template cannot be rendered, which only a defect in it can cause.
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

    /// Renders the page that shows an outcome.
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

    /// Renders a page that is not a step of a verification.
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
            lang: language.tag(),
            texts: Texts::of(language),
            service_name: &self.branding.service_name,
            style: &self.style,
            logo_url: self.branding.logo_url.as_deref(),
            privacy_url: self.branding.privacy_url.as_deref(),
        }
    }
}

/// The texts of an outcome, for programs.
#[must_use]
pub fn outcome_words(language: Language, outcome: Outcome) -> Words {
    Texts::of(language).outcome(outcome).into()
}

/// The texts of a notice, for programs.
#[must_use]
pub fn notice_words(language: Language, notice: Notice) -> Words {
    notice.text(Texts::of(language)).into()
}

/// The fault of a number, for programs, in the words that the form shows.
#[must_use]
pub fn number_words(language: Language, error: PhoneNumberError) -> Words {
    let texts = Texts::of(language);
    Words { title: texts.invalid_request.heading, detail: texts.number_fault(error).to_owned() }
}

/// The origin of a logo as an additional source in the `Content-Security-Policy`; `None` for a `data:` image.
fn origin_of(logo_url: &str) -> Option<String> {
    let url = Url::parse(logo_url).ok().filter(|url| url.scheme() != "data")?;
    Some(format!(" {}", url.origin().ascii_serialization()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Pages {
        // Addresses as long as real ones. A `data:` logo would count too, but its size is up to the owner.
        Pages::new(Branding {
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

    /// Every page, with its name.
    fn every_page(language: Language) -> Vec<(String, String)> {
        let (pages, number, correlator) = (pages(), PhoneNumber::parse("+34600000001").unwrap(), correlator());
        let mut all = vec![("start".to_owned(), pages.start(language, "/start", None))];
        for error in PhoneNumberError::ALL {
            all.push((format!("start, {error:?}"), pages.start(language, "/start", Some(("6000", error)))));
        }
        for outcome in Outcome::ALL {
            let page = pages.result(language, outcome, Some(&number), "/", &correlator);
            all.push((outcome.name().to_owned(), page));
        }
        for notice in [
            Notice::NotFound,
            Notice::MethodNotAllowed,
            Notice::ForeignStart,
            Notice::UnsupportedMediaType,
            Notice::ClosedAddress,
        ] {
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
    fn every_page_names_its_language_and_runs_no_script() {
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
    fn numbers_are_masked_and_only_their_ending_is_read_out() {
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
    fn every_number_error_has_its_own_sentence_in_the_form() {
        for language in Language::ALL {
            let sentences = PhoneNumberError::ALL.map(|error| number_words(language, error).detail);
            for (error, sentence) in PhoneNumberError::ALL.into_iter().zip(&sentences) {
                assert_eq!(sentences.iter().filter(|other| *other == sentence).count(), 1, "{language:?} {error:?}");
                let page = pages().start(language, "/start", Some(("+", error))).unwrap();
                assert!(page.contains(&format!(r#"role="alert">{sentence}</p>"#)), "{language:?} {error:?}");
            }
        }
    }

    #[test]
    fn outcomes_that_are_not_the_users_fault_say_so() {
        for (language, words) in [
            (Language::English, "not your fault"),
            (Language::Spanish, "No es culpa suya"),
            (Language::Portuguese, "A culpa não é sua"),
            (Language::German, "Es liegt nicht an Ihnen"),
        ] {
            for outcome in Outcome::ALL {
                let not_the_users = outcome.status() >= 500;
                assert_eq!(
                    outcome_words(language, outcome).detail.contains(words),
                    not_the_users,
                    "{language:?} {outcome:?}"
                );
            }
        }
    }
}
