//! `GET /numberverification-callback`: the operator's redirect in, the result out.

use std::time::Instant;

use http::HeaderMap;
use lambda_http::RequestExt as _;

use super::accept::Format;
use super::incoming::Incoming;
use super::reply::{Content, Reply};
use super::{App, cookies, header};
use crate::flow::CallbackRequest;
use crate::telemetry::{Event, Step};

impl App {
    pub(super) async fn callback(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        let headers = incoming.headers();
        // A prefetched page must not spend the code, because its user may never open it.
        if is_prefetch(headers) {
            return Content::Nothing.into();
        }
        let query = incoming.request.query_string_parameters_ref();
        let parameters: Vec<_> = query.into_iter().flat_map(|query| query.iter()).collect();
        let conclusion = match incoming.redirect_uri() {
            Ok(redirect_uri) => {
                let request = CallbackRequest {
                    parameters: &parameters,
                    kept: &|handle| cookies::get(headers, &cookies::name(handle)),
                    redirect_uri,
                    correlator: &incoming.correlator,
                    deadline: incoming.deadline,
                };
                self.flow.callback(&request).await
            }
            Err(failure) => failure.into(),
        };
        let event = Event {
            calls: conclusion.calls,
            reloaded: conclusion.reloaded,
            ..self.event(incoming, Step::Callback, began)
        };
        self.telemetry.concluded(&event, &conclusion.result);

        let outcome = conclusion.outcome();
        if let Some(unspent) = conclusion.unspent {
            let opened_by_a_person = header(headers, "sec-fetch-dest") == Some("document");
            return match incoming.format {
                // The code may still be good, so it does not stay in the address bar.
                Format::Html if opened_by_a_person => {
                    Content::SeeOther(incoming.place.wrong_browser_path(&self.settings.callback_path)).into()
                }
                Format::Html => Content::Outcome(outcome, None).into(),
                Format::Json => Content::Unspent(unspent).into(),
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
}

/// Returns whether the browser prefetches the page (`Sec-Purpose`, and the headers that older browsers send instead).
fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().filter_map(|name| header(headers, name)).any(|purpose| {
        let purpose = purpose.to_ascii_lowercase();
        purpose.contains("prefetch") || purpose.contains("preview")
    })
}
