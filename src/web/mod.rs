//! Requests to flow, outcomes to responses.

mod accept;
mod cookies;
pub mod event;
mod origin;
pub mod pages;
mod place;
mod reply;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use http::{HeaderMap, Method, Response};
use lambda_http::{Request, RequestExt};
use serde_json::Map;

use crate::config::{Config, StateMode};
use crate::correlator::Correlator;
use crate::deadline::Deadline;
use crate::flow::{Browser, Callback, Finished, Flow, Parameters, Started, Stopped};
use crate::outcome::Outcome;
use crate::phone_number::{PhoneNumber, PhoneNumberError};
use crate::telemetry::{Step, Trace, Verification};
use accept::Format;
use pages::{Language, Notice, Pages};
use place::{Place, Route};
use reply::{Answer, Problem};

/// The function: everything a request needs, set up once.
#[derive(Debug)]
pub struct App {
    config: Config,
    flow: Flow,
    pages: Pages,
    /// Whether no verification has been answered yet.
    cold: AtomicBool,
}

/// What is known of a request before its route is served.
struct Incoming<'r> {
    request: &'r Request,
    place: Place,
    format: Format,
    language: Language,
    correlator: Correlator,
    deadline: Deadline,
    browser: Option<Browser>,
}

/// A form with one short field.
const MAX_FORM: usize = 2048;

impl App {
    /// The function for a configuration.
    #[must_use]
    pub fn new(config: Config, flow: Flow) -> Self {
        let pages = Pages::new(&config.branding);
        Self { config, flow, pages, cold: AtomicBool::new(true) }
    }

    /// Has what the first verification will wait for under way.
    pub fn prepare(&self) {
        self.flow.prepare();
    }

    /// Answers a request, and be it with an apology after a panic, whose place is in the log by then. Without that the
    /// runtime would hand the panic's message to the invoker, and the gateway would answer with its bare 502.
    pub async fn answer(self: Arc<Self>, request: Request) -> Response<String> {
        let request = Arc::new(request);
        let handling = {
            let (app, request) = (Arc::clone(&self), Arc::clone(&request));
            async move { app.handle(&request).await }
        };
        tokio::spawn(handling).await.unwrap_or_else(|_| {
            let language = accept::language(request.headers());
            Answer::defect().finish(&self.pages, language, &correlator(&request))
        })
    }

    /// Answers a request. There is an answer to every one.
    pub async fn handle(&self, request: &Request) -> Response<String> {
        let headers = request.headers();
        let context = request.lambda_context_ref();
        let incoming = Incoming {
            request,
            place: Place::of(request, &self.config.callback_path, self.config.redirect_uri.as_ref()),
            format: accept::format(headers),
            language: accept::language(headers),
            correlator: correlator(request),
            deadline: Deadline::of_invocation(context.map_or(0, |context| context.deadline)),
            browser: cookies::get(headers, cookies::BROWSER).and_then(Browser::from_cookie),
        };
        let mut answer = match (incoming.place.route, request.method()) {
            (Route::Home, &Method::GET) => self.home(&incoming),
            (Route::Start, &Method::POST) => self.start(&incoming).await,
            (Route::Callback, &Method::GET) => self.callback(&incoming).await,
            (Route::Home | Route::Callback, _) => self.method_not_allowed(&incoming, "GET"),
            (Route::Start, _) => self.method_not_allowed(&incoming, "POST"),
            (Route::Unknown, _) => self.notice(&incoming, 404, Notice::NotFound),
        };
        if let Some(origin) = self.reader(&incoming) {
            answer.readable_by(&origin);
        }
        answer.finish(&self.pages, incoming.language, &incoming.correlator)
    }

    fn home(&self, incoming: &Incoming) -> Answer {
        Answer::html(200, self.pages.start(incoming.language, &incoming.place.start_path(), None))
    }

    async fn start(&self, incoming: &Incoming<'_>) -> Answer {
        let own_origin = incoming.place.origin();
        if !origin::may_start(incoming.request.headers(), own_origin.as_deref(), &self.config.allowed_origins) {
            return self.foreign_start(incoming);
        }
        let Ok(typed) = phone_field(incoming.request.body()) else {
            return self.outcome(incoming, Outcome::InvalidRequest, None);
        };
        let phone_number = match PhoneNumber::parse(&typed) {
            Ok(phone_number) => phone_number,
            Err(error) => return self.bad_number(incoming, &typed, error),
        };
        let start = Instant::now();
        match self.started(incoming, &phone_number).await {
            Ok(started) => self.to_operator(incoming, &started),
            Err(stopped) => {
                let trace = Trace { says: Some(stopped.says), ..Trace::default() };
                self.log(incoming, Step::Start, stopped.outcome, start, &trace);
                self.outcome(incoming, stopped.outcome, Some(&phone_number))
            }
        }
    }

    async fn started(&self, incoming: &Incoming<'_>, phone_number: &PhoneNumber) -> Result<Started, Stopped> {
        let redirect_uri = redirect_uri(&incoming.place)?;
        self.flow.start(phone_number, incoming.browser, redirect_uri, incoming.deadline).await
    }

    fn to_operator(&self, incoming: &Incoming, started: &Started) -> Answer {
        let mut answer = match incoming.format {
            Format::Html => Answer::redirect(started.authorization_url.as_str()),
            Format::Json => {
                let mut members = Map::new();
                members.insert("authorization_url".into(), started.authorization_url.as_str().into());
                Answer::json(members)
            }
        };
        if let Some(browser) = started.browser {
            answer.set_cookie(&cookies::set(cookies::BROWSER, &browser.to_cookie(), self.flow.state_ttl()));
        }
        answer
    }

    async fn callback(&self, incoming: &Incoming<'_>) -> Answer {
        let start = Instant::now();
        let finished = self.finished(incoming).await.unwrap_or_else(Finished::from);
        self.log(incoming, Step::Callback, finished.outcome, start, &finished.trace);
        let mut answer = self.outcome(incoming, finished.outcome, finished.phone_number.as_ref());
        if let Some(seconds) = finished.retry_after {
            answer.retry_after(seconds);
        }
        if let Some(cookie) = &finished.reload_cookie {
            answer.set_cookie(&cookies::set(cookies::RESULT, cookie, self.flow.state_ttl()));
        }
        answer
    }

    async fn finished(&self, incoming: &Incoming<'_>) -> Result<Finished, Stopped> {
        let query = incoming.request.query_string_parameters_ref();
        let parameters = Parameters::from_query(query.into_iter().flat_map(|query| query.iter()))?;
        let callback = Callback {
            parameters,
            browser: incoming.browser,
            reload_cookie: cookies::get(incoming.request.headers(), cookies::RESULT),
            redirect_uri: redirect_uri(&incoming.place)?,
            correlator: &incoming.correlator,
            deadline: incoming.deadline,
        };
        Ok(self.flow.callback(&callback).await)
    }

    fn log(&self, incoming: &Incoming, step: Step, outcome: Outcome, start: Instant, trace: &Trace) {
        Verification {
            step,
            outcome,
            correlator: &incoming.correlator,
            cold_start: self.cold.swap(false, Ordering::Relaxed),
            operator: self.flow.operator_host(),
            time: start.elapsed(),
            trace,
        }
        .log();
    }

    fn outcome(&self, incoming: &Incoming, outcome: Outcome, phone_number: Option<&PhoneNumber>) -> Answer {
        let correlator = &incoming.correlator;
        match incoming.format {
            Format::Html => {
                let home_path = incoming.place.home_path();
                let page = self.pages.result(incoming.language, outcome, phone_number, &home_path, correlator);
                Answer::html(outcome.status(), page)
            }
            Format::Json => {
                let words = pages::outcome_words(incoming.language, outcome);
                Answer::outcome(outcome, words, correlator, self.pages.fallback_url())
            }
        }
    }

    /// The form again, with what was typed.
    fn bad_number(&self, incoming: &Incoming, typed: &str, error: PhoneNumberError) -> Answer {
        match incoming.format {
            Format::Html => {
                let page = self.pages.start(incoming.language, &incoming.place.start_path(), Some((typed, error)));
                Answer::html(Outcome::InvalidRequest.status(), page)
            }
            Format::Json => {
                let words = pages::number_words(incoming.language, error);
                Answer::outcome(Outcome::InvalidRequest, words, &incoming.correlator, self.pages.fallback_url())
            }
        }
    }

    /// To a program a start by another site is one more request that cannot be served.
    fn foreign_start(&self, incoming: &Incoming) -> Answer {
        let outcome = Outcome::InvalidRequest;
        match incoming.format {
            Format::Html => self.notice(incoming, outcome.status(), Notice::ForeignStart),
            Format::Json => {
                let words = pages::notice_words(incoming.language, Notice::ForeignStart);
                Answer::outcome(outcome, words, &incoming.correlator, self.pages.fallback_url())
            }
        }
    }

    fn method_not_allowed(&self, incoming: &Incoming, allowed: &'static str) -> Answer {
        let mut answer = self.notice(incoming, 405, Notice::MethodNotAllowed);
        answer.allow(allowed);
        answer
    }

    fn notice(&self, incoming: &Incoming, status: u16, notice: Notice) -> Answer {
        match incoming.format {
            Format::Html => {
                let home_path = incoming.place.home_path();
                let page = self.pages.notice(incoming.language, notice, &home_path, &incoming.correlator);
                Answer::html(status, page)
            }
            Format::Json => {
                let mut members = Map::new();
                members.insert("correlator".into(), incoming.correlator.as_str().into());
                let words = pages::notice_words(incoming.language, notice);
                Answer::problem(status, &Problem::Status, words, members)
            }
        }
    }

    /// The other origin, if any, that may read this answer with a script: in `phone` mode any may read a callback's,
    /// since the front end sent its user there by itself; besides, only the allowed ones.
    fn reader(&self, incoming: &Incoming) -> Option<String> {
        let origin = header(incoming.request.headers(), "origin")?;
        if self.config.allowed_origins.iter().any(|allowed| allowed == origin) {
            return Some(origin.to_owned());
        }
        (self.config.state_mode == StateMode::Phone && incoming.place.route == Route::Callback).then(|| "*".to_owned())
    }
}

fn redirect_uri(place: &Place) -> Result<&str, Stopped> {
    place.redirect_uri.as_deref().ok_or_else(|| {
        Stopped::new(
            Outcome::Misconfigured,
            "the event names no domain, as behind a load balancer; set REDIRECT_URI to the callback's public address",
        )
    })
}

/// The form's one field, given at most once.
fn phone_field(body: &[u8]) -> Result<String, ()> {
    if body.len() > MAX_FORM {
        return Err(());
    }
    let mut fields = form_urlencoded::parse(body).filter(|(name, _)| name == "phone");
    let phone = fields.next().map(|(_, value)| value.into_owned()).unwrap_or_default();
    if fields.next().is_some() { Err(()) } else { Ok(phone) }
}

fn correlator(request: &Request) -> Correlator {
    let request_id = request.lambda_context_ref().map_or("", |context| context.request_id.as_str());
    Correlator::from_header(header(request.headers(), "x-correlator"), request_id)
}

/// A header's first value, where it is readable as text.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
