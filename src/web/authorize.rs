//! `/authorize`: an app's request in, a redirect to the operator or the start page out.

use std::time::Instant;

use http::Method;

use super::body::{MAX_BODY, Parameters};
use super::event::Query;
use super::incoming::Incoming;
use super::pages::{AppFields, Notice, RetrieveChoices, StartForm};
use super::reply::{Content, Reply};
use super::{App, header};
use crate::flow::{AppForm, Authorize, AuthorizeRequest, FromPage, ToApp};

/// The longest query of such a link, in bytes: API Gateway takes 10,240 bytes of headers.
const MAX_LINK: usize = 8 * 1024;

impl App {
    pub(super) async fn authorize(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        if incoming.is_prefetch() {
            return Content::Nothing.into();
        }
        // A frame could show the page under another site's, and a script could start verifications unnoticed.
        if !incoming.is_top_level() {
            return Notice::Embedded.into();
        }
        let parameters: Parameters = if incoming.request.method() == Method::POST {
            let body: &[u8] = incoming.request.body();
            if !incoming.has_form() || body.len() > MAX_BODY {
                return Notice::UnknownApp.into();
            }
            if header(incoming.headers(), "sec-fetch-site") == Some("cross-site") {
                return as_link(incoming, body);
            }
            form_urlencoded::parse(body).collect()
        } else {
            Query::of(incoming.request).map(|(name, value)| (name.into(), value.into())).collect()
        };
        self.authorize_with(incoming, &parameters, None, began).await.unwrap_or_else(|| Notice::NotFound.into())
    }

    /// Serves an app's request; `from_page` is the user's choice on the start page. `None` if no app is registered.
    pub(super) async fn authorize_with(
        &self,
        incoming: &Incoming<'_>,
        parameters: &Parameters<'_>,
        from_page: Option<FromPage<'_>>,
        began: Instant,
    ) -> Option<Reply> {
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        let next = match incoming.issuer() {
            Ok(issuer) => {
                let holder = incoming.holder();
                let request = AuthorizeRequest {
                    parameters: &parameters,
                    from_page,
                    holder,
                    issuer,
                    deadline: incoming.deadline,
                };
                self.flow.authorize(request).await
            }
            Err(failure) => Err(failure),
        };
        let correlator = incoming.correlator.as_str();
        Some(match next {
            Ok(Authorize::NoProvider) => return None,
            Ok(Authorize::Unknown(reason)) => {
                tracing::info!(correlator, reason, "an app's request was refused");
                Notice::UnknownApp.into()
            }
            Ok(Authorize::Told(ToApp { client_id, location, error, description })) => {
                tracing::info!(
                    correlator,
                    client = client_id,
                    error_code = error,
                    reason = description,
                    "an app's request was refused"
                );
                Content::SeeOther(location).into()
            }
            Ok(Authorize::Ask(AppForm { client_name, fields, back, language, typed, operator, names_number })) => {
                let (typed, fault) = typed.unwrap_or_default();
                let app = Some(AppFields { client_name, back });
                let retrieve =
                    if names_number { RetrieveChoices::None } else { self.retrieve_choices(operator.as_deref()) };
                Reply::from(Content::Form(StartForm { typed, fault, fields, app, retrieve })).in_language(language)
            }
            Ok(Authorize::Start(app, question, operator)) => {
                self.start_with(incoming, question, operator.as_deref(), Some(*app), began).await
            }
            Err(failure) => {
                self.telemetry.not_started(&self.event(incoming, began, None), &failure);
                let mut reply = Reply::from(Content::Outcome(failure.outcome, None, None));
                reply.retry_after(failure.retry_after);
                reply
            }
        })
    }
}

/// Sends another site's form on as a link. A browser sends no `SameSite=Lax` cookie with such a form, so the older cookies
/// would not be seen, and each form would add one more.
fn as_link(incoming: &Incoming, form: &[u8]) -> Reply {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(form_urlencoded::parse(form)).finish();
    if query.len() > MAX_LINK {
        return Notice::UnknownApp.into();
    }
    Content::SeeOther(format!("{}?{query}", incoming.place.authorization_path())).into()
}
