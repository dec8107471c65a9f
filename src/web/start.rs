//! `POST /start`: a number in, a redirect to the operator out.

use std::time::Instant;

use serde::Deserialize;

use super::authorize::{MAX_BODY, Parameters};
use super::incoming::Incoming;
use super::pages::{Notice, StartForm};
use super::reply::{Content, Reply};
use super::{App, cookies, origin};
use crate::call_log::CallLog;
use crate::flow::{AppRequest, StartRequest, read_form_field};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::telemetry::Event;

/// The reason a body contains no number.
enum Unreadable {
    /// Its media type is not supported.
    MediaType,
    /// It is too long, has the number twice, or does not match its media type.
    Malformed,
}

/// The format of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyFormat {
    Form,
    Json,
}

#[derive(Deserialize)]
struct JsonBody {
    phone: Option<String>,
}

impl JsonBody {
    fn fields(self) -> Parameters<'static> {
        self.phone.into_iter().map(|phone| ("phone".into(), phone.into())).collect()
    }
}

impl App {
    pub(super) async fn start(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        let own_origin = incoming.place.origin();
        if !origin::may_start(incoming.headers(), own_origin.as_deref(), &self.settings.allowed_origins) {
            return Notice::ForeignStart.into();
        }
        let (fields, format) = match fields(incoming) {
            Ok(fields) => fields,
            Err(Unreadable::MediaType) => return Notice::UnsupportedMediaType.into(),
            Err(Unreadable::Malformed) => return Content::Outcome(Outcome::InvalidRequest, None, None).into(),
        };
        let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_ref());
        let typed = field("phone").unwrap_or_default();
        // A browser encodes the `+` of a form, so only a program can have sent one as a space.
        let may_lack_encoding = format == BodyFormat::Form && !incoming.is_from_browser();
        let parse = if may_lack_encoding { PhoneNumber::parse_from_query } else { PhoneNumber::parse };
        let phone_number = parse(typed);

        if field("client_id").is_some() {
            let number = phone_number.as_ref().map_err(|fault| (typed, *fault));
            if let Some(reply) = self.authorize_with(incoming, &fields, Some(number), began).await {
                return reply;
            }
        }
        match phone_number {
            Ok(phone_number) => self.start_with(incoming, phone_number, None, began).await,
            Err(fault) => Content::Form(StartForm { typed: typed.to_owned(), fault: Some(fault), app: None }).into(),
        }
    }

    /// Starts a verification, for an app if one asked.
    pub(super) async fn start_with(
        &self,
        incoming: &Incoming<'_>,
        phone_number: PhoneNumber,
        app: Option<AppRequest>,
        began: Instant,
    ) -> Reply {
        let client = app.as_ref().map(|app| app.return_address.client_id.clone());
        let mut calls = CallLog::default();
        let started = match incoming.redirect_uri() {
            Ok(redirect_uri) => {
                let phone_number = phone_number.clone();
                let request = StartRequest { phone_number, app, redirect_uri, deadline: incoming.deadline };
                self.flow.start(request, &mut calls).await
            }
            Err(failure) => Err(failure),
        };
        let event = Event { calls, client: client.as_deref(), ..self.event(incoming, began) };
        match started {
            Ok(started) => {
                self.telemetry.started(&event);
                let mut reply = Reply::from(Content::ToOperator(started.authorization_url, started.expires_in));
                if let Some(binding) = started.binding {
                    let name = cookies::name(&binding.handle);
                    for oldest in cookies::to_remove(incoming.headers(), name.len() + binding.text.len()) {
                        reply.set_cookie(cookies::remove(oldest));
                    }
                    reply.set_cookie(cookies::set(&name, &binding.text, started.expires_in));
                }
                reply
            }
            Err(failure) => {
                self.telemetry.not_started(&event, &failure);
                let mut reply = Reply::from(Content::Outcome(failure.outcome, Some(phone_number), None));
                reply.retry_after(failure.retry_after);
                reply
            }
        }
    }
}

/// Reads the fields. `phone` may occur once; it is empty if it is missing.
fn fields<'i>(incoming: &'i Incoming) -> Result<(Parameters<'i>, BodyFormat), Unreadable> {
    let body: &[u8] = incoming.request.body();
    if body.len() > MAX_BODY {
        return Err(Unreadable::Malformed);
    }
    if incoming.has_form() {
        let fields: Parameters =
            form_urlencoded::parse(body).map(|(name, value)| read_form_field(name, value)).collect();
        let numbers = fields.iter().filter(|(name, _)| name == "phone").count();
        return if numbers > 1 { Err(Unreadable::Malformed) } else { Ok((fields, BodyFormat::Form)) };
    }
    if incoming.media_type().eq_ignore_ascii_case("application/json") {
        // serde would also read an array of the members' values.
        let object = body.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice::<JsonBody>(body));
        return match object {
            Some(Ok(object)) => Ok((object.fields(), BodyFormat::Json)),
            _ => Err(Unreadable::Malformed),
        };
    }
    Err(Unreadable::MediaType)
}
