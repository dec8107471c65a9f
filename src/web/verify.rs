//! `POST /verify`: an app's back end has an operator token (TS.43) of a phone on Wi-Fi. Always JSON.

use std::time::Instant;

use http::header::AUTHORIZATION;

use super::App;
use super::body::{self, Unreadable};
use super::incoming::Incoming;
use super::pages::Notice;
use super::provider_answer::ProviderAnswer;
use super::reply::{Content, Reply};
use crate::call_log::CallLog;
use crate::flow::{AskedNumber, HashedPhoneNumber, OperatorToken, Presented, VerifyRequest};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::telemetry::Event;

/// The longest operator token that is accepted, in bytes.
const MAX_TOKEN: usize = 8 * 1024;

/// The fields that may come once.
const FIELDS: [&str; 6] =
    ["client_id", "client_secret", "phoneNumber", "hashedPhoneNumber", "operatorToken", "operator"];

impl App {
    pub(super) async fn verify(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        let fields = match body::fields(incoming) {
            Ok((fields, _)) => fields,
            Err(Unreadable::MediaType) => {
                return self.unless_absent(incoming, Notice::UnsupportedMediaType.into()).await;
            }
            Err(Unreadable::Malformed) => Vec::new(),
        };
        let field = |name| body::field(&fields, name).filter(|value| !value.is_empty());
        let authorization = incoming.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        let client = match Presented::read(authorization, field("client_id"), field("client_secret")) {
            Ok(client) => client,
            Err(error) => {
                return self.unless_absent(incoming, ProviderAnswer::refused(error).for_back_ends().into()).await;
            }
        };
        let client_id = match self.flow.confidential_client(&client, incoming.deadline).await {
            Ok(Some(Ok(client_id))) => client_id,
            Ok(Some(Err(error))) => return ProviderAnswer::refused(error).for_back_ends().into(),
            Ok(None) => return Notice::NotFound.into(),
            Err(failure) => return Content::Outcome(failure.outcome, None, None).into(),
        };

        let invalid = || Content::Outcome(Outcome::InvalidRequest, None, None).into();
        let token = field("operatorToken").filter(|token| token.len() <= MAX_TOKEN && is_token(token));
        let number = match (field("phoneNumber").map(PhoneNumber::parse), field("hashedPhoneNumber")) {
            (Some(Ok(number)), None) => Some(AskedNumber::Plain(number)),
            (None, Some(hash)) => HashedPhoneNumber::parse(hash).map(AskedNumber::Hashed),
            _ => None,
        };
        let is_repeated = FIELDS.iter().any(|name| body::is_repeated(&fields, name));
        let (Some(number), Some(token), false) = (number, token, is_repeated) else { return invalid() };

        let mut calls = CallLog::default();
        let request = VerifyRequest {
            number: &number,
            operator: field("operator"),
            operator_token: &OperatorToken::new(token),
            correlator: &incoming.correlator,
            deadline: incoming.deadline,
        };
        let (result, operator) = self.flow.verify_operator_token(request, &mut calls).await;
        let event = Event { calls, client: Some(&client_id), ..self.event(incoming, began, operator.as_ref()) };
        self.telemetry.ended(&event, &result);
        let outcome = match &result {
            Ok(true) => Outcome::Verified,
            Ok(false) => Outcome::NotVerified,
            Err(failure) => failure.outcome,
        };
        let asked = if let AskedNumber::Plain(number) = number { Some(number) } else { None };
        let mut reply = Reply::from(Content::Outcome(outcome, asked, None));
        if let Err(failure) = result {
            reply.retry_after(failure.retry_after);
        }
        reply
    }

    /// The reply, or 404 if no app is registered.
    pub(super) async fn unless_absent(&self, incoming: &Incoming<'_>, reply: Reply) -> Reply {
        match self.flow.has_provider(incoming.deadline).await {
            Ok(true) => reply,
            Ok(false) => Notice::NotFound.into(),
            Err(failure) => Content::Outcome(failure.outcome, None, None).into(),
        }
    }
}

/// Returns whether a token can stand in a claim as it is: visible ASCII.
fn is_token(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}
