//! The pages. They know outcomes and words, nothing of OAuth.

mod english;
mod texts;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::Url;

use crate::config::Branding;
use crate::correlator::Correlator;
use crate::outcome::Outcome;
use crate::phone_number::{PhoneNumber, PhoneNumberError};
use texts::{Answer, Texts};

/// The pages in the owner's looks, made ready once.
#[derive(Debug)]
pub struct Pages {
    branding: Branding,
    style: String,
    content_security_policy: String,
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
    masked_number: Option<String>,
    try_again: bool,
    home_path: &'a str,
    fallback_url: Option<&'a str>,
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
        let images = branding.logo_url.as_deref().and_then(image_source);
        let image_source = images.map(|source| format!("; img-src {source}")).unwrap_or_default();
        // No form-action: browsers hold each redirect behind a form to it, and where an operator redirects to on the
        // way to the SIM's own network is not ours to know.
        let content_security_policy = format!(
            "default-src 'none'; style-src 'sha256-{style_hash}'{image_source}; base-uri 'none'; frame-ancestors 'none'"
        );
        Self { branding: branding.clone(), style, content_security_policy }
    }

    /// The `Content-Security-Policy` under which the pages work.
    #[must_use]
    pub fn content_security_policy(&self) -> &str {
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
    pub fn start(&self, start_path: &str, fault: Option<(&str, PhoneNumberError)>) -> askama::Result<String> {
        let frame = self.frame();
        let (typed, fault) = fault.map_or(("", None), |(typed, error)| (typed, Some(frame.texts.number_fault(error))));
        StartPage { frame, start_path, typed, fault }.render()
    }

    /// The answer.
    ///
    /// # Errors
    /// See [`Pages::start`].
    pub fn result(
        &self,
        outcome: Outcome,
        phone_number: Option<&PhoneNumber>,
        home_path: &str,
        correlator: &Correlator,
    ) -> askama::Result<String> {
        let verified = outcome == Outcome::Verified;
        let frame = self.frame();
        ResultPage {
            kind: Kind::of(outcome),
            text: frame.texts.outcome(outcome),
            masked_number: phone_number.map(PhoneNumber::masked),
            try_again: !verified,
            home_path,
            fallback_url: self.fallback_url().filter(|_| !verified),
            correlator: correlator.as_str(),
            frame,
        }
        .render()
    }

    /// A page that is no step of a verification.
    ///
    /// # Errors
    /// See [`Pages::start`].
    pub fn notice(&self, notice: Notice, home_path: &str, correlator: &Correlator) -> askama::Result<String> {
        let frame = self.frame();
        NoticePage { text: notice.text(frame.texts), home_path, correlator: correlator.as_str(), frame }.render()
    }

    /// An outcome in a few words.
    #[must_use]
    pub fn title(&self, outcome: Outcome) -> &'static str {
        english::ENGLISH.outcome(outcome).heading
    }

    /// A notice in a few words.
    #[must_use]
    pub fn notice_title(&self, notice: Notice) -> &'static str {
        notice.text(&english::ENGLISH).heading
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            texts: &english::ENGLISH,
            service_name: &self.branding.service_name,
            style: &self.style,
            logo_url: self.branding.logo_url.as_deref(),
            privacy_url: self.branding.privacy_url.as_deref(),
        }
    }
}

/// What a logo's address is in a `Content-Security-Policy`.
fn image_source(logo_url: &str) -> Option<String> {
    match Url::parse(logo_url).ok()? {
        data if data.scheme() == "data" => Some("data:".to_owned()),
        url => Some(url.origin().ascii_serialization()),
    }
}
