//! HTTP and HTML: an event becomes a request, a handler answers with a [`reply`], and the reply is rendered once.

mod accept;
mod authorize;
mod body;
mod callback;
mod complete;
mod cookies;
pub mod event;
pub mod event_answer;
mod incoming;
mod json_members;
mod origin;
mod origin_header;
pub mod pages;
mod pairs;
mod place;
mod provider;
mod provider_answer;
mod reply;
mod start;
mod verify;

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Method, Response};
use lambda_http::Request;
use url::Url;

use crate::call_log::CallLog;
use crate::flow::{Conclusion, Flow, HandOff, OperatorName, StateMode, Way};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::telemetry::{Event, Telemetry};
use incoming::Incoming;
pub use json_members::JsonMembers;
pub use origin_header::OriginHeader;
use pages::{AppLinks, Notice, Pages, RetrieveChoices, StartForm};
pub use place::RESERVED_PATHS;
use place::Route;
use reply::{Content, Rendering, Reply};

/// The settings of the HTTP side.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `REDIRECT_URI`, if it is not derived from the request.
    pub redirect_uri: Option<Url>,
    /// `CALLBACK_PATH`.
    pub callback_path: String,
    /// `ALLOWED_ORIGINS`.
    pub allowed_origins: Vec<String>,
    /// `ORIGIN_HEADER`: requests without it are refused.
    pub origin_header: Option<OriginHeader>,
}

/// The function, with everything a request needs, set up once.
#[derive(Debug)]
pub struct App {
    settings: Settings,
    flow: Flow,
    pages: Pages,
    telemetry: Telemetry,
}

impl App {
    /// Creates the function from its parts.
    #[must_use]
    pub fn new(settings: Settings, flow: Flow, pages: Pages, telemetry: Telemetry) -> Self {
        Self { settings, flow, pages, telemetry }
    }

    /// Starts, in the background, what the first verification would otherwise wait for.
    pub fn prepare(&self) {
        self.flow.prepare();
    }

    /// Answers every request; after a panic, with an apology (the panic hook has logged where). Without this, the
    /// runtime would pass the panic's message to the invoker, and the gateway would answer with its bare 502.
    pub async fn answer(self: Arc<Self>, request: Request) -> Response<String> {
        let request = Arc::new(request);
        let handling = {
            let (app, request) = (Arc::clone(&self), Arc::clone(&request));
            // Boxed, because the runtime moves the future of an answer a dozen times.
            Box::pin(async move { app.handle(&request).await })
        };
        tokio::spawn(handling).await.unwrap_or_else(|_| {
            let incoming = Incoming::new(&request, &self.settings);
            Reply::defect(&self.rendering(&incoming))
        })
    }

    /// Answers a request.
    pub async fn handle(&self, request: &Request) -> Response<String> {
        let incoming = Incoming::new(request, &self.settings);
        let is_open = self.settings.origin_header.as_ref().is_none_or(|header| header.is_in(request.headers()));
        // The routes of apps are boxed: their futures are large, and every request would pay for moving them.
        let reply = match (incoming.place.route, request.method()) {
            _ if !is_open => Notice::ClosedAddress.into(),
            _ if !self.has_callback(&incoming) => Notice::NotFound.into(),
            (Route::Home, &Method::GET | &Method::HEAD) => Content::Form(self.start_form()).into(),
            (Route::Start, &Method::POST) => self.start(&incoming).await,
            (Route::Complete, &Method::POST) => Box::pin(self.complete(&incoming)).await,
            (Route::Callback, &Method::GET) => self.callback(&incoming).await,
            // The client of a HEAD request does not see the result, so the request must not spend the code.
            (Route::Callback, &Method::HEAD) => Content::Nothing.into(),
            (Route::Provider(route), _) => Box::pin(self.provider(route, &incoming)).await,
            (Route::WrongBrowser, &Method::GET | &Method::HEAD) => Self::wrong_browser(&incoming),
            (Route::Home | Route::Callback | Route::WrongBrowser, _) => Reply::method_not_allowed("GET, HEAD"),
            (Route::Complete, _) if self.flow.settings().state_mode == StateMode::Phone => Notice::NotFound.into(),
            (Route::Start | Route::Complete, _) => Reply::method_not_allowed("POST"),
            (Route::Verify, &Method::POST) => Box::pin(self.verify(&incoming)).await,
            (Route::Verify, _) => Box::pin(self.unless_absent(&incoming, Reply::method_not_allowed("POST"))).await,
            (Route::ClientJwks, _) => Box::pin(self.client_jwks(&incoming)).await,
            (Route::Unknown, _) => Notice::NotFound.into(),
        };
        let mut response = reply.render(self.rendering(&incoming));
        if request.method() == Method::HEAD {
            response.body_mut().clear();
        }
        response
    }

    /// Returns whether the operator that a callback's path names exists.
    fn has_callback(&self, incoming: &Incoming) -> bool {
        let named = incoming.place.operator.as_deref();
        named.is_none_or(|name| self.flow.operator_names().any(|known| known.as_str() == name))
    }

    /// The start page, empty.
    fn start_form(&self) -> StartForm {
        StartForm { retrieve: self.retrieve_choices(None), ..StartForm::default() }
    }

    /// The ways in which a user can let an operator name the number; one of several operators if an app chose it.
    fn retrieve_choices(&self, chosen: Option<&str>) -> RetrieveChoices {
        if !self.flow.settings().retrieve_number {
            return RetrieveChoices::None;
        }
        let names: Vec<_> = self.flow.operator_names().map(|name| name.as_str().to_owned()).collect();
        match chosen.and_then(|chosen| names.iter().find(|name| *name == chosen)) {
            Some(chosen) => RetrieveChoices::Operators(vec![chosen.clone()]),
            None if names.is_empty() => RetrieveChoices::OnlyOperator,
            None => RetrieveChoices::Operators(names),
        }
    }

    /// The reply with an outcome, for the app that asked if one did.
    fn outcome(
        incoming: &Incoming,
        outcome: Outcome,
        phone_number: Option<PhoneNumber>,
        hand_off: Option<HandOff>,
    ) -> Reply {
        match hand_off {
            Some(HandOff { way: Way::Redirect(location), .. }) => Content::SeeOther(location).into(),
            Some(HandOff { client_name, language, way: Way::Links { try_again, back }, .. }) => {
                let try_again = format!("{}?{try_again}", incoming.place.authorization_path());
                let app = AppLinks { client_name, try_again, back };
                Reply::from(Content::Outcome(outcome, phone_number, Some(app))).in_language(language)
            }
            hand_off => {
                let language = hand_off.and_then(|hand_off| hand_off.language);
                Reply::from(Content::Outcome(outcome, phone_number, None)).in_language(language)
            }
        }
    }

    /// The page for a browser that was redirected from a callback. It shows its own reference, so that is logged too.
    fn wrong_browser(incoming: &Incoming) -> Reply {
        let correlator = incoming.correlator.as_str();
        tracing::info!(correlator, "wrong_browser: a browser was sent to the page without the code");
        Content::Outcome(Outcome::WrongBrowser, None, None).into()
    }

    fn rendering<'a>(&'a self, incoming: &'a Incoming) -> Rendering<'a> {
        Rendering {
            pages: &self.pages,
            format: incoming.format,
            language: incoming.language,
            home_path: incoming.place.home_path(),
            start_path: incoming.place.start_path(),
            correlator: &incoming.correlator,
            readable_by: self.reader(incoming),
        }
    }

    /// The facts for a log line, about an operator if there are several.
    fn event<'a>(&'a self, incoming: &'a Incoming, began: Instant, operator: Option<&'a OperatorName>) -> Event<'a> {
        Event {
            time: began.elapsed(),
            correlator: &incoming.correlator,
            operator: self.flow.operator_label(operator),
            is_one_of_several: operator.is_some(),
            calls: CallLog::default(),
            reloaded: false,
            client: None,
        }
    }

    /// Writes the log line of a verification that has ended.
    fn concluded(&self, incoming: &Incoming, began: Instant, conclusion: &mut Conclusion) {
        let event = Event {
            calls: mem::take(&mut conclusion.calls),
            reloaded: conclusion.reloaded,
            client: conclusion.hand_off.as_ref().map(|hand_off| hand_off.client_id.as_str()),
            ..self.event(incoming, began, conclusion.operator.as_ref())
        };
        self.telemetry.ended(&event, &conclusion.result);
    }

    /// The other origin whose scripts may read the reply, if any. None reads the pages of the provider or the answers for
    /// programs, and every one reads the provider's back channel (`provider_answer.rs`). Otherwise it is an allowed one, or
    /// any origin for a callback in `phone` mode, because its front end can be anywhere.
    fn reader(&self, incoming: &Incoming) -> Option<String> {
        if matches!(incoming.place.route, Route::Provider(_) | Route::Complete | Route::Verify | Route::ClientJwks) {
            return None;
        }
        let origin = header(incoming.headers(), "origin")?;
        if self.settings.allowed_origins.iter().any(|allowed| allowed == origin) {
            return Some(origin.to_owned());
        }
        let phone_mode = self.flow.settings().state_mode == StateMode::Phone;
        (phone_mode && incoming.place.route == Route::Callback).then(|| "*".to_owned())
    }
}

/// A header's first value, if it is readable as text.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
