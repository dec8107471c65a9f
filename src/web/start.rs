//! `POST /start`: a number in, a redirect to the operator out.

use std::time::Instant;

use super::body::{self, BodyFormat, Parameters, Unreadable};
use super::incoming::Incoming;
use super::pages::{Notice, StartForm};
use super::reply::{Content, Reply};
use super::{App, cookies, origin};
use crate::flow::{AppRequest, FromPage, Holder, Question, Start, StartRequest, Started, read_form_field};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::telemetry::Event;

impl App {
    pub(super) async fn start(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        let own_origin = incoming.place.origin();
        if !origin::may_start(incoming.headers(), own_origin.as_deref(), &self.settings.allowed_origins) {
            return Notice::ForeignStart.into();
        }
        let invalid = || Content::Outcome(Outcome::InvalidRequest, None, None).into();
        let (fields, format): (Parameters, _) = match body::fields(incoming) {
            Ok((fields, BodyFormat::Form)) => {
                (fields.into_iter().map(|(name, value)| read_form_field(name, value)).collect(), BodyFormat::Form)
            }
            Ok(json) => json,
            Err(Unreadable::MediaType) => return Notice::UnsupportedMediaType.into(),
            Err(Unreadable::Malformed) => return invalid(),
        };
        if ["phone", "retrieve", "operator"].iter().any(|name| body::is_repeated(&fields, name)) {
            return invalid();
        }
        let operator = body::field(&fields, "operator");
        if self.flow.settings().retrieve_number {
            let number = body::field(&fields, "phone").or_else(|| body::field(&fields, "login_hint"));
            match (body::field(&fields, "retrieve"), number) {
                (Some("true"), None) => {
                    if body::field(&fields, "client_id").is_some() {
                        let from_page = Some(FromPage::Retrieve);
                        if let Some(reply) = Box::pin(self.authorize_with(incoming, &fields, from_page, began)).await {
                            return reply;
                        }
                    }
                    return self.start_with(incoming, Question::Retrieve, operator, None, began).await;
                }
                (None | Some("" | "false"), _) => {}
                // Whoever sends both could take the one for the other.
                _ => return invalid(),
            }
        }
        let typed = body::field(&fields, "phone").unwrap_or_default();
        // A browser encodes the `+` of a form, so only a program can have sent one as a space.
        let may_lack_encoding = format == BodyFormat::Form && !incoming.is_from_browser();
        let parse = if may_lack_encoding { PhoneNumber::parse_from_query } else { PhoneNumber::parse };
        let phone_number = parse(typed);

        if body::field(&fields, "client_id").is_some() {
            let from_page = match &phone_number {
                Ok(number) => FromPage::Number(number),
                Err(fault) => FromPage::Fault(typed, *fault),
            };
            if let Some(reply) = Box::pin(self.authorize_with(incoming, &fields, Some(from_page), began)).await {
                return reply;
            }
        }
        match phone_number {
            Ok(number) => self.start_with(incoming, Question::Verify(number), operator, None, began).await,
            Err(fault) => {
                let typed = typed.to_owned();
                // The corrected number goes to the operator that was chosen.
                let fields = operator.map(|name| ("operator".to_owned(), name.to_owned())).into_iter().collect();
                Content::Form(StartForm { typed, fault: Some(fault), fields, ..self.start_form() }).into()
            }
        }
    }

    /// Starts a verification, for an app if one asked.
    pub(super) async fn start_with(
        &self,
        incoming: &Incoming<'_>,
        question: Question,
        operator: Option<&str>,
        app: Option<AppRequest>,
        began: Instant,
    ) -> Reply {
        let holder = incoming.holder();
        let client = app.as_ref().map(|app| app.return_address.client_id.clone());
        let phone_number = question.phone_number().cloned();
        let Start { result, operator, hand_off, calls } = match incoming.addresses() {
            Ok((callback, issuer)) => {
                let deadline = incoming.deadline;
                let request = StartRequest { question, operator, app, holder, callback, issuer, deadline };
                self.flow.start(&request).await
            }
            Err(failure) => failure.into(),
        };
        let event = Event { calls, client: client.as_deref(), ..self.event(incoming, began, operator.as_ref()) };
        match result {
            Ok(started) => {
                self.telemetry.started(&event);
                let Started { authorization_url, binding, expires_in } = started;
                let (for_program, for_browser) = match holder {
                    Holder::Program => (binding.map(|binding| binding.text), None),
                    Holder::Browser => (None, binding),
                };
                let mut reply = Reply::from(Content::ToOperator(authorization_url, expires_in, for_program));
                if let Some(binding) = for_browser {
                    let name = cookies::name(&binding.handle);
                    for oldest in cookies::to_remove(incoming.headers(), name.len() + binding.text.len()) {
                        reply.set_cookie(cookies::remove(oldest));
                    }
                    reply.set_cookie(cookies::set(&name, &binding.text, expires_in));
                }
                reply
            }
            Err(failure) => {
                self.telemetry.not_started(&event, &failure);
                let mut reply = Self::outcome(incoming, failure.outcome, phone_number, hand_off);
                reply.retry_after(failure.retry_after);
                reply
            }
        }
    }
}
