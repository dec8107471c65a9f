//! A reply, and its two renderings: HTML for people, JSON for programs.

use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CACHE_CONTROL,
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};
use url::Url;

use super::accept::Format;
use super::pages::{self, AppLinks, Notice, Pages, StartForm, Words};
use super::provider_answer::ProviderAnswer;
use crate::correlator::Correlator;
use crate::flow::Unspent;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;

/// The result of a handler.
pub struct Reply {
    content: Content,
    cookies: Vec<String>,
    retry_after: Option<u64>,
    allow: Option<&'static str>,
    language: Option<Language>,
}

/// The content of a reply.
pub enum Content {
    /// The form for the phone number, perhaps with the text that was typed and its fault.
    Form(StartForm),
    /// The result of a verification, with the links of the app that asked.
    Outcome(Outcome, Option<PhoneNumber>, Option<AppLinks>),
    /// `wrong_browser`, for a program: the code and the state, which are still unused.
    Unspent(Unspent),
    /// A page that is not a step of a verification.
    Notice(Notice),
    /// *Verified*, for a program, with the code for the app's back end.
    Completed(Option<PhoneNumber>, AppCode),
    /// The redirect to the operator, the longest time the verification may take, and the text that a program keeps.
    ToOperator(Url, Duration, Option<String>),
    /// Another page of this function, or the app that asked.
    SeeOther(String),
    /// An answer of the OpenID Provider's back channel.
    Provider(ProviderAnswer),
    /// Nothing: the request was not meant to have an effect.
    Nothing,
}

/// The parameters that a program passes on to its back end.
pub struct AppCode {
    /// The code.
    pub code: String,
    /// The app's own state.
    pub state: Option<String>,
    /// Our issuer.
    pub issuer: String,
}

/// The request that a reply is rendered for.
pub struct Rendering<'a> {
    pub pages: &'a Pages,
    pub format: Format,
    pub language: Language,
    pub home_path: String,
    pub start_path: String,
    pub correlator: &'a Correlator,
    /// The other origin whose scripts may read the reply: `*` for every one.
    pub readable_by: Option<String>,
}

/// A status, a media type and a body.
type Rendered = (u16, &'static str, String);

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
/// RFC 9457.
const PROBLEM: &str = "application/problem+json";

pub(super) const X_CORRELATOR: HeaderName = HeaderName::from_static("x-correlator");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

const ON_EVERY_REPLY: [(HeaderName, HeaderValue); 6] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (PERMISSIONS_POLICY, HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()")),
    // The query contains the code and the state.
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    (VARY, HeaderValue::from_static("Accept, Accept-Language, Origin")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

impl From<Content> for Reply {
    fn from(content: Content) -> Self {
        Self { content, cookies: Vec::new(), retry_after: None, allow: None, language: None }
    }
}

impl From<ProviderAnswer> for Reply {
    fn from(answer: ProviderAnswer) -> Self {
        Content::Provider(answer).into()
    }
}

impl From<Notice> for Reply {
    fn from(notice: Notice) -> Self {
        Content::Notice(notice).into()
    }
}

impl Reply {
    /// Creates a 405 for a route that has these methods.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Notice::MethodNotAllowed.into() }
    }

    /// Adds a `Set-Cookie` line.
    pub fn set_cookie(&mut self, line: String) {
        self.cookies.push(line);
    }

    /// Sets `Retry-After`, in seconds.
    pub fn retry_after(&mut self, seconds: Option<u64>) {
        self.retry_after = seconds;
    }

    /// Sets the language of the page, if the app that asked chose one.
    pub fn in_language(self, language: Option<Language>) -> Self {
        Self { language, ..self }
    }

    /// The last resort after a defect of this program: a sentence without a page.
    pub fn defect(rendering: &Rendering) -> Response<String> {
        let sentence = "This page could not be written. It is not your fault.".to_owned();
        Self::from(Content::Nothing).with_headers(500, "text/plain", sentence, rendering)
    }

    /// Renders the reply.
    pub fn render(self, mut rendering: Rendering) -> Response<String> {
        rendering.language = self.language.unwrap_or(rendering.language);
        let rendering = &rendering;
        if let Content::Provider(answer) = self.content {
            return answer.render(rendering.correlator);
        }
        let json = (rendering.format == Format::Json).then(|| self.json(rendering)).flatten();
        let (status, content_type, body) = match json.map_or_else(|| self.html(rendering), Ok) {
            Ok(rendered) => rendered,
            Err(error) => {
                tracing::error!(%error, "a page could not be written; please report this as a defect");
                return Self::defect(rendering);
            }
        };
        self.with_headers(status, content_type, body, rendering)
    }

    fn html(&self, rendering: &Rendering) -> askama::Result<Rendered> {
        let Rendering { pages, language, start_path, home_path, correlator, .. } = rendering;
        let result = |outcome: Outcome, number: Option<&PhoneNumber>, app: Option<&AppLinks>| -> askama::Result<_> {
            let page = pages.result(*language, outcome, number, home_path, app, correlator)?;
            Ok((outcome.status(), page))
        };
        let (status, page) = match &self.content {
            Content::Form(form) => {
                let status = if form.fault.is_some() { Outcome::InvalidRequest.status() } else { 200 };
                (status, pages.start(*language, start_path, form)?)
            }
            Content::Outcome(outcome, phone_number, app) => result(*outcome, phone_number.as_ref(), app.as_ref())?,
            Content::Unspent(_) => result(Outcome::WrongBrowser, None, None)?,
            Content::Completed(phone_number, _) => result(Outcome::Verified, phone_number.as_ref(), None)?,
            Content::Notice(notice) => (notice.status(), pages.notice(*language, *notice, home_path, correlator)?),
            Content::ToOperator(..) | Content::SeeOther(_) => (303, String::new()),
            Content::Nothing | Content::Provider(_) => (204, String::new()),
        };
        Ok((status, HTML, page))
    }

    /// Renders JSON; `None` if the content has no JSON form.
    fn json(&self, rendering: &Rendering) -> Option<Rendered> {
        let language = rendering.language;
        match &self.content {
            Content::Form(StartForm { fault: None, .. })
            | Content::SeeOther(_)
            | Content::Provider(_)
            | Content::Nothing => None,
            Content::ToOperator(authorization_url, expires_in, binding) => {
                let mut members =
                    json!({ "authorization_url": authorization_url.as_str(), "expires_in": expires_in.as_secs() });
                if let Some(binding) = binding {
                    members["binding"] = binding.as_str().into();
                }
                Some((200, JSON, members.to_string()))
            }
            Content::Completed(phone_number, AppCode { code, state, issuer }) => {
                let mut members = outcome_members(Outcome::Verified, phone_number.as_ref(), rendering);
                members.insert("code".into(), code.as_str().into());
                members.insert("iss".into(), issuer.as_str().into());
                members.extend(state.as_ref().map(|state| ("state".to_owned(), state.as_str().into())));
                Some((Outcome::Verified.status(), JSON, Value::Object(members).to_string()))
            }
            Content::Form(StartForm { fault: Some(fault), .. }) => {
                let words = pages::number_words(language, *fault);
                let members = outcome_members(Outcome::InvalidRequest, None, rendering);
                Some(problem(Some(Outcome::InvalidRequest), Outcome::InvalidRequest.status(), &words, members))
            }
            Content::Outcome(outcome, phone_number, _) => {
                let members = outcome_members(*outcome, phone_number.as_ref(), rendering);
                Some(match outcome.device_phone_number_verified() {
                    Some(_) => (outcome.status(), JSON, Value::Object(members).to_string()),
                    None => {
                        problem(Some(*outcome), outcome.status(), &pages::outcome_words(language, *outcome), members)
                    }
                })
            }
            Content::Unspent(Unspent { code, state }) => {
                let outcome = Outcome::WrongBrowser;
                let mut members = outcome_members(outcome, None, rendering);
                members.insert("code".into(), code.expose().into());
                members.insert("state".into(), state.as_str().into());
                Some(problem(Some(outcome), outcome.status(), &pages::outcome_words(language, outcome), members))
            }
            Content::Notice(notice) => {
                let outcome = notice.outcome();
                let members = match outcome {
                    Some(outcome) => outcome_members(outcome, None, rendering),
                    None => Map::from_iter([correlator_member(rendering)]),
                };
                Some(problem(outcome, notice.status(), &pages::notice_words(language, *notice), members))
            }
        }
    }

    fn with_headers(
        self,
        status: u16,
        content_type: &'static str,
        body: String,
        rendering: &Rendering,
    ) -> Response<String> {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        // As many as an answer has.
        headers.reserve(16);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.extend(ON_EVERY_REPLY);
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(rendering.language.tag()));
        headers.insert(CONTENT_SECURITY_POLICY, rendering.pages.content_security_policy().clone());
        let mut insert = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(name, value);
            }
        };
        insert(X_CORRELATOR, rendering.correlator.as_str());
        match &self.content {
            Content::ToOperator(url, ..) if status == 303 => insert(LOCATION, url.as_str()),
            Content::SeeOther(path) => insert(LOCATION, path),
            _ => {}
        }
        for cookie in &self.cookies {
            insert(SET_COOKIE, cookie);
        }
        if let Some(methods) = self.allow {
            insert(ALLOW, methods);
        }
        // On a redirect it would ask the browser to wait before it follows (RFC 9110 §10.2.3).
        if let Some(seconds) = self.retry_after.filter(|_| status != 303) {
            insert(RETRY_AFTER, &seconds.to_string());
        }
        if let Some(origin) = &rendering.readable_by {
            insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            insert(ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After, x-correlator");
            // Cookies only for a named origin.
            if origin != "*" {
                insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
            }
        }
        response
    }
}

fn outcome_members(outcome: Outcome, phone_number: Option<&PhoneNumber>, rendering: &Rendering) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("outcome".into(), outcome.name().into());
    if let Some(verified) = outcome.device_phone_number_verified() {
        members.insert("devicePhoneNumberVerified".into(), verified.into());
    }
    if let Some(phone_number) = phone_number {
        members.insert("phone_number".into(), phone_number.masked().into());
    }
    members.extend([correlator_member(rendering)]);
    if let Some(fallback_url) = rendering.pages.fallback_url().filter(|_| outcome != Outcome::Verified) {
        members.insert("fallback_url".into(), fallback_url.into());
    }
    members
}

fn correlator_member(rendering: &Rendering) -> (String, Value) {
    ("correlator".to_owned(), rendering.correlator.as_str().into())
}

/// Problem details (RFC 9457). Their `type` names the outcome and cannot be fetched. Without an outcome it means no
/// more than the HTTP status (§4.2.1).
fn problem(outcome: Option<Outcome>, status: u16, words: &Words, members: Map<String, Value>) -> Rendered {
    let kind = outcome.map_or_else(
        || "about:blank".to_owned(),
        |outcome| format!("urn:problem-type:number-verification:{}", outcome.name()),
    );
    let mut problem = Map::new();
    problem.insert("type".into(), kind.into());
    problem.insert("title".into(), words.title.into());
    problem.insert("status".into(), status.into());
    problem.insert("detail".into(), words.detail.as_str().into());
    problem.extend(members);
    (status, PROBLEM, Value::Object(problem).to_string())
}
