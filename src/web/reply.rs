//! Answers: the same headers on each, HTML or JSON.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CACHE_CONTROL,
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use crate::correlator::Correlator;
use crate::outcome::Outcome;
use crate::web::pages::{Language, Pages, Words};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
/// RFC 9457.
const PROBLEM: &str = "application/problem+json";

const X_CORRELATOR: HeaderName = HeaderName::from_static("x-correlator");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

const ON_EVERY_ANSWER: [(HeaderName, HeaderValue); 6] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (PERMISSIONS_POLICY, HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()")),
    // The query holds the code and the state.
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    (VARY, HeaderValue::from_static("Accept, Accept-Language, Origin")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// What a problem's `type` says.
pub enum Problem {
    /// An outcome.
    Outcome(Outcome),
    /// No more than the HTTP status (RFC 9457 §4.2.1).
    Status,
}

impl Problem {
    /// A name and no address: there is nothing to fetch.
    fn uri(&self) -> String {
        match self {
            Self::Outcome(outcome) => format!("urn:problem-type:number-verification:{}", outcome.name()),
            Self::Status => "about:blank".to_owned(),
        }
    }
}

/// An answer under way.
pub struct Answer(Response<String>);

impl Answer {
    pub fn html(status: u16, page: askama::Result<String>) -> Self {
        match page {
            Ok(page) => Self::new(status, HTML, page),
            Err(error) => {
                tracing::error!(%error, "a page could not be written; please report this as a defect");
                Self::defect()
            }
        }
    }

    /// What is left to say where a defect of this program keeps it from saying more.
    pub fn defect() -> Self {
        Self::new(500, "text/plain", "This page could not be written. It is not your fault.".to_owned())
    }

    pub fn redirect(location: &str) -> Self {
        let mut answer = Self::new(303, HTML, String::new());
        answer.insert(LOCATION, location);
        answer
    }

    pub fn json(members: Map<String, Value>) -> Self {
        Self::new(200, JSON, Value::Object(members).to_string())
    }

    /// RFC 9457 problem details, with `members` of our own.
    pub fn problem(status: u16, kind: &Problem, words: Words, members: Map<String, Value>) -> Self {
        let mut problem = Map::new();
        problem.insert("type".into(), kind.uri().into());
        problem.insert("title".into(), words.title.into());
        problem.insert("status".into(), status.into());
        problem.insert("detail".into(), words.detail.into());
        problem.extend(members);
        Self::new(status, PROBLEM, Value::Object(problem).to_string())
    }

    /// An outcome for a program.
    pub fn outcome(outcome: Outcome, words: Words, correlator: &Correlator, fallback_url: Option<&str>) -> Self {
        let mut members = Map::new();
        members.insert("outcome".into(), outcome.name().into());
        if let Some(verified) = outcome.device_phone_number_verified() {
            members.insert("devicePhoneNumberVerified".into(), verified.into());
        }
        members.insert("correlator".into(), correlator.as_str().into());
        if let Some(fallback_url) = fallback_url.filter(|_| outcome != Outcome::Verified) {
            members.insert("fallback_url".into(), fallback_url.into());
        }
        match outcome.device_phone_number_verified() {
            Some(_) => Self::json(members),
            None => Self::problem(outcome.status(), &Problem::Outcome(outcome), words, members),
        }
    }

    pub fn set_cookie(&mut self, cookie: &str) {
        if let Ok(value) = HeaderValue::try_from(cookie) {
            self.0.headers_mut().append(SET_COOKIE, value);
        }
    }

    pub fn retry_after(&mut self, seconds: u64) {
        self.0.headers_mut().insert(RETRY_AFTER, seconds.into());
    }

    pub fn allow(&mut self, methods: &'static str) {
        self.0.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    }

    /// Lets a page of another origin read this answer; with its cookies only where `origin` is a named one.
    pub fn readable_by(&mut self, origin: &str) {
        self.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        self.insert(ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After, x-correlator");
        if origin != "*" {
            self.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
    }

    /// Adds what every answer carries.
    pub fn finish(mut self, pages: &Pages, language: Language, correlator: &Correlator) -> Response<String> {
        let headers = self.0.headers_mut();
        for (name, value) in ON_EVERY_ANSWER {
            headers.insert(name, value);
        }
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(CONTENT_SECURITY_POLICY, pages.content_security_policy().clone());
        self.insert(X_CORRELATOR, correlator.as_str());
        self.0
    }

    fn new(status: u16, content_type: &'static str, body: String) -> Self {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self(response)
    }

    fn insert(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().insert(name, value);
        }
    }
}
