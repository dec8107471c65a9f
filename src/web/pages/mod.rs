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

/// The content of the start page.
#[derive(Default)]
pub struct StartForm {
    /// The text in the field.
    pub typed: String,
    /// The fault of that text.
    pub fault: Option<PhoneNumberError>,
    /// The hidden fields.
    pub fields: Vec<(String, String)>,
    /// The app that asks.
    pub app: Option<AppFields>,
    /// The ways without a number.
    pub retrieve: RetrieveChoices,
}

/// The ways in which a user can let the operator name the number (`RETRIEVE_NUMBER`).
#[derive(Debug, Default)]
pub enum RetrieveChoices {
    /// There is none.
    #[default]
    None,
    /// The only operator names it.
    OnlyOperator,
    /// One of these operators, which the user chooses.
    Operators(Vec<String>),
}

impl RetrieveChoices {
    /// Returns whether the page has any.
    fn any(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The operators to choose from; none if there is nothing to choose.
    fn operators(&self) -> &[String] {
        match self {
            Self::None | Self::OnlyOperator => &[],
            Self::Operators(names) => names,
        }
    }
}

/// The parts of the start page that belong to an app.
pub struct AppFields {
    /// The app's name.
    pub client_name: String,
    /// The address of "back to the app".
    pub back: String,
}

/// The links of a result page for an app.
pub struct AppLinks {
    /// The app's name.
    pub client_name: String,
    /// The address of "try again".
    pub try_again: String,
    /// The address of "back to the app".
    pub back: String,
}

redacted_debug!(StartForm, AppFields, AppLinks);

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
    asks: Option<String>,
    button: String,
    fields: &'a [(String, String)],
    retrieve: &'a RetrieveChoices,
    back: Option<Way<'a>>,
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

    /// Renders the start page.
    ///
    /// # Errors
    /// The template cannot be rendered, which only a defect in it can cause.
    pub fn start(&self, language: Language, start_path: &str, form: &StartForm) -> askama::Result<String> {
        let frame = self.frame(language);
        let texts = frame.texts;
        let app = form.app.as_ref();
        let naming = |text: &str| app.map(|app| Texts::naming(text, &app.client_name));
        StartPage {
            start_path,
            typed: &form.typed,
            fault: form.fault.map(|fault| texts.number_fault(fault)),
            asks: naming(texts.app_asks),
            button: naming(texts.app_button).unwrap_or_else(|| texts.start_button.to_owned()),
            fields: &form.fields,
            retrieve: &form.retrieve,
            back: app.map(|app| Way::back(texts, &app.client_name, &app.back)),
            frame,
        }
        .render()
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
        app: Option<&AppLinks>,
        correlator: &Correlator,
    ) -> askama::Result<String> {
        let frame = self.frame(language);
        ResultPage {
            kind: Kind::of(outcome),
            text: frame.texts.outcome(outcome),
            number: phone_number.map(|number| MaskedNumber { masked: number.masked() }),
            ways: ways(outcome, frame.texts, home_path, self.fallback_url(), app),
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
mod tests;
