//! `GET /numberverification-callback`: the operator's redirect in, the result out.

use std::time::Instant;

use http::HeaderMap;
use lambda_http::RequestExt as _;

use super::accept::Format;
use super::incoming::Incoming;
use super::reply::{Content, Reply};
use super::{App, cookies, header};
use crate::failure::Failure;
use crate::flow::{self, CallbackRequest, Conclusion};
use crate::operator::{AuthorizationCode, AuthorizationResponse};
use crate::outcome::Outcome;
use crate::telemetry::{Event, Step};

impl App {
    pub(super) async fn callback(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        let headers = incoming.headers();
        // A page that is fetched in case somebody opens it later must not spend the code.
        if is_prefetch(headers) {
            return Content::Nothing.into();
        }
        let response = authorization_response(incoming);
        let unspent = response.as_ref().ok().and_then(unspent);
        let conclusion = match self.callback_request(incoming, response) {
            Ok(request) => self.flow.callback(&request).await,
            Err(failure) => Conclusion::from(failure),
        };
        let event = Event {
            calls: conclusion.calls,
            reloaded: conclusion.reloaded,
            ..self.event(incoming, Step::Callback, began)
        };
        self.telemetry.concluded(&event, &conclusion.result);

        let outcome = conclusion.outcome();
        if let (Outcome::WrongBrowser, Some((code, state))) = (outcome, unspent) {
            let opened_by_a_person = header(headers, "sec-fetch-dest") == Some("document");
            return match incoming.format {
                // The code may still be good, so it does not stay in the address bar.
                Format::Html if opened_by_a_person => {
                    Content::SeeOther(incoming.place.wrong_browser_path(&self.settings.callback_path)).into()
                }
                Format::Html => Content::Outcome(outcome, None).into(),
                Format::Json => Content::Unspent(code, state).into(),
            };
        }
        let mut reply = Reply::from(Content::Outcome(outcome, conclusion.phone_number));
        if let Err(failure) = &conclusion.result {
            reply.retry_after(failure.retry_after);
        }
        if let Some(binding) = &conclusion.binding {
            let lifetime = self.flow.settings().state_ttl;
            reply.set_cookie(cookies::set(&cookies::name(&binding.handle), &binding.text, lifetime));
        }
        reply
    }

    fn callback_request<'i>(
        &self,
        incoming: &'i Incoming<'_>,
        response: Result<AuthorizationResponse, Failure>,
    ) -> Result<CallbackRequest<'i>, Failure> {
        let response = response?;
        let handle = flow::handle_of(&response, self.flow.settings().state_mode);
        let binding = handle.and_then(|handle| cookies::get(incoming.headers(), &cookies::name(&handle)));
        Ok(CallbackRequest {
            response,
            binding,
            redirect_uri: incoming.redirect_uri()?,
            correlator: &incoming.correlator,
            deadline: incoming.deadline,
        })
    }
}

/// Whether a browser fetches the page in case its user opens it (`Sec-Purpose`, and what browsers sent before that).
fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose"].iter().any(|name| {
        header(headers, name).is_some_and(|purpose| purpose.contains("prefetch") || purpose.contains("preview"))
    })
}

fn authorization_response(incoming: &Incoming) -> Result<AuthorizationResponse, Failure> {
    let query = incoming.request.query_string_parameters_ref();
    AuthorizationResponse::from_parameters(query.into_iter().flat_map(|query| query.iter()))
}

fn unspent(response: &AuthorizationResponse) -> Option<(AuthorizationCode, String)> {
    Some((response.code.clone()?, response.state.clone()?))
}
