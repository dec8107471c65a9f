//! `POST /start`: a number in, a redirect to the operator out.

use std::time::Instant;

use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::incoming::Incoming;
use super::pages::Notice;
use super::reply::{Content, Reply};
use super::{App, cookies, header, origin};
use crate::call_log::CallLog;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::telemetry::{Event, Step};

/// In bytes; the body is a form or a JSON object with one short member.
const MAX_BODY: usize = 2048;

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

impl App {
    pub(super) async fn start(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        let headers = incoming.headers();
        let own_origin = incoming.place.origin();
        if !origin::may_start(headers, own_origin.as_deref(), &self.settings.allowed_origins) {
            return Notice::ForeignStart.into();
        }
        let (typed, format) = match phone_field(incoming) {
            Ok(field) => field,
            Err(Unreadable::MediaType) => return Notice::UnsupportedMediaType.into(),
            Err(Unreadable::Malformed) => return Content::Outcome(Outcome::InvalidRequest, None).into(),
        };
        // A browser encodes the `+` of a form, so only a program can have sent one as a space.
        let may_lack_encoding = format == BodyFormat::Form && !incoming.is_from_browser();
        let parse = if may_lack_encoding { PhoneNumber::parse_from_query } else { PhoneNumber::parse };
        let phone_number = match parse(&typed) {
            Ok(phone_number) => phone_number,
            Err(error) => return Content::BadNumber(typed, error).into(),
        };

        let mut calls = CallLog::default();
        let started = match incoming.redirect_uri() {
            Ok(redirect_uri) => self.flow.start(&phone_number, redirect_uri, incoming.deadline, &mut calls).await,
            Err(failure) => Err(failure),
        };
        let event = Event { calls, ..self.event(incoming, Step::Start, began) };
        match started {
            Ok(started) => {
                self.telemetry.started(&event);
                let mut reply = Reply::from(Content::ToOperator(started.authorization_url, started.expires_in));
                if let Some(binding) = started.binding {
                    let name = cookies::name(&binding.handle);
                    for oldest in cookies::to_remove(headers, name.len() + binding.text.len()) {
                        reply.set_cookie(cookies::remove(oldest));
                    }
                    reply.set_cookie(cookies::set(&name, &binding.text, started.expires_in));
                }
                reply
            }
            Err(failure) => {
                self.telemetry.concluded(&event, &Err(failure.clone()));
                let mut reply = Reply::from(Content::Outcome(failure.outcome, Some(phone_number)));
                reply.retry_after(failure.retry_after);
                reply
            }
        }
    }
}

/// Reads the field `phone`, which may occur once; empty if it is missing.
fn phone_field(incoming: &Incoming) -> Result<(String, BodyFormat), Unreadable> {
    let body: &[u8] = incoming.request.body();
    if body.len() > MAX_BODY {
        return Err(Unreadable::Malformed);
    }
    let media_type = header(incoming.headers(), CONTENT_TYPE.as_str()).unwrap_or(FORM);
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(FORM) {
        let mut fields = form_urlencoded::parse(body).filter(|(name, _)| name == "phone");
        let phone = fields.next().map(|(_, value)| value.into_owned()).unwrap_or_default();
        return if fields.next().is_some() { Err(Unreadable::Malformed) } else { Ok((phone, BodyFormat::Form)) };
    }
    if media_type.eq_ignore_ascii_case("application/json") {
        // serde would also read an array of the members' values.
        let object = body.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice::<JsonBody>(body));
        return match object {
            Some(Ok(object)) => Ok((object.phone.unwrap_or_default(), BodyFormat::Json)),
            _ => Err(Unreadable::Malformed),
        };
    }
    Err(Unreadable::MediaType)
}

const FORM: &str = "application/x-www-form-urlencoded";
