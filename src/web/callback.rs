//! `GET /numberverification-callback`: the operator's redirect in, the result out.

use std::time::Instant;

use lambda_http::RequestExt as _;

use super::accept::Format;
use super::incoming::Incoming;
use super::pages::AppLinks;
use super::reply::{Content, Reply};
use super::{App, cookies, header};
use crate::flow::{CallbackRequest, HandOff, Holder, Way};

impl App {
    pub(super) async fn callback(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        let headers = incoming.headers();
        // A prefetched page must not spend the code, because its user may never open it.
        if incoming.is_prefetch() {
            return Content::Nothing.into();
        }
        let query = incoming.request.query_string_parameters_ref();
        let parameters: Vec<_> = query.into_iter().flat_map(|query| query.iter()).collect();
        let mut conclusion = match incoming.addresses() {
            Ok((redirect_uri, issuer)) => {
                let request = CallbackRequest {
                    parameters: &parameters,
                    kept: &|handle| cookies::get(headers, &cookies::name(handle)),
                    holder: Holder::Browser,
                    redirect_uri,
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
        let mut reply = match conclusion.hand_off {
            Some(HandOff { way: Way::Redirect(location), .. }) => Content::SeeOther(location).into(),
            Some(HandOff { client_name, language, way: Way::Links { try_again, back }, .. }) => {
                let try_again = format!("{}?{try_again}", incoming.place.authorization_path());
                let app = AppLinks { client_name, try_again, back };
                Reply::from(Content::Outcome(outcome, conclusion.phone_number, Some(app))).in_language(language)
            }
            hand_off => {
                let language = hand_off.and_then(|hand_off| hand_off.language);
                Reply::from(Content::Outcome(outcome, conclusion.phone_number, None)).in_language(language)
            }
        };
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
