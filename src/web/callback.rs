//! `GET /numberverification-callback`: the operator's redirect in, the result out.

use std::time::Instant;

use super::accept::Format;
use super::event::Query;
use super::incoming::Incoming;
use super::reply::{Content, Reply};
use super::{App, cookies, header};
use crate::flow::{CallbackRequest, Holder};

impl App {
    pub(super) async fn callback(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        let headers = incoming.headers();
        // A prefetched page must not spend the code, because its user may never open it.
        if incoming.is_prefetch() {
            return Content::Nothing.into();
        }
        let parameters: Vec<_> = Query::of(incoming.request).collect();
        let mut conclusion = match incoming.addresses() {
            Ok((callback, issuer)) => {
                let request = CallbackRequest {
                    parameters: &parameters,
                    kept: &|handle| cookies::get(headers, &cookies::name(handle)),
                    holder: Holder::Browser,
                    callback,
                    operator: incoming.place.operator.as_deref(),
                    issuer,
                    correlator: &incoming.correlator,
                    deadline: incoming.deadline,
                };
                self.flow.callback(&request).await
            }
            Err(failure) => failure.into(),
        };
        self.concluded(incoming, began, &mut conclusion);

        let outcome = conclusion.outcome();
        if let Some(unspent) = conclusion.unspent {
            let opened_by_a_person = header(headers, "sec-fetch-dest") == Some("document");
            return match incoming.format {
                // The code may still be good, so it does not stay in the address bar.
                Format::Html if opened_by_a_person => {
                    Content::SeeOther(incoming.place.wrong_browser_path(&self.settings.callback_path)).into()
                }
                Format::Html => Content::Outcome(outcome, None, None).into(),
                Format::Json => Content::Unspent(unspent).into(),
            };
        }
        let mut reply = Self::outcome(incoming, outcome, conclusion.phone_number, conclusion.hand_off);
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
