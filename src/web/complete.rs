//! `POST /complete`: what the operator's redirect brought to a program, in; the result, out. Always JSON, and no cookie is
//! read or set.

use std::time::Instant;

use super::App;
use super::body::{self, Unreadable};
use super::incoming::Incoming;
use super::pages::Notice;
use super::reply::{AppCode, Content, Reply};
use crate::flow::{CompleteRequest, HandOff, StateMode, Way};
use crate::outcome::Outcome;

impl App {
    pub(super) async fn complete(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        if self.flow.settings().state_mode == StateMode::Phone {
            return Notice::NotFound.into();
        }
        let fields = match body::fields(incoming) {
            Ok((fields, _)) if !body::is_repeated(&fields, "binding") => fields,
            Err(Unreadable::MediaType) => return Notice::UnsupportedMediaType.into(),
            Ok(_) | Err(Unreadable::Malformed) => return Content::Outcome(Outcome::InvalidRequest, None, None).into(),
        };
        let parameters: Vec<_> = fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        let mut conclusion = match incoming.addresses() {
            Ok((callback, issuer)) => {
                let request = CompleteRequest {
                    parameters: &parameters,
                    binding: body::field(&fields, "binding").unwrap_or_default(),
                    callback,
                    issuer,
                    correlator: &incoming.correlator,
                    deadline: incoming.deadline,
                };
                self.flow.complete(&request).await
            }
            Err(failure) => failure.into(),
        };
        self.concluded(incoming, began, &mut conclusion);

        let outcome = conclusion.outcome();
        let mut reply = match conclusion.hand_off {
            Some(HandOff { way: Way::Code(code, state), .. }) => {
                let issuer = incoming.place.issuer.clone().unwrap_or_default();
                Content::Completed(conclusion.phone_number, AppCode { code, state, issuer }).into()
            }
            _ => Reply::from(Content::Outcome(outcome, conclusion.phone_number, None)),
        };
        if let Err(failure) = &conclusion.result {
            reply.retry_after(failure.retry_after);
        }
        reply
    }
}
