//! The way from a result back to the app that asked.

use std::fmt;

use super::binding::Finished;
use super::callback::{Accepted, CallbackRequest};
use super::{Flow, Holder, now_seconds};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::provider::{AppRequest, BoundTo, Verified};

/// The app that asked for a verification, and the way back to it.
#[derive(Clone)]
pub struct HandOff {
    /// `client_id`.
    pub client_id: String,
    /// The name that users read.
    pub client_name: String,
    /// The language of the page, if the app chose one.
    pub language: Option<Language>,
    /// The way back.
    pub way: Way,
}

/// The way back to an app.
#[derive(Clone)]
pub enum Way {
    /// The browser goes there at once.
    Redirect(String),
    /// The page has links.
    Links {
        /// The query of the app's own request, to send it again.
        try_again: String,
        /// The address that tells the app the error.
        back: String,
    },
    /// A program gets the code and the app's own `state`, for the app's back end.
    Code(String, Option<String>),
    /// There is none: the app has had its code, which has expired, or a program knows its own way.
    Done,
}

/// The OAuth error for an outcome; `None` for *verified*, and for the outcomes that no app learns.
fn error_for(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::NotVerified => Some("access_denied"),
        Outcome::AccessDenied
        | Outcome::NotOnMobileNetwork
        | Outcome::NotCovered
        | Outcome::OperatorRefused
        | Outcome::ExpiredCode => Some("unmet_authentication_requirements"),
        Outcome::OperatorBusy | Outcome::OperatorTimeout => Some("temporarily_unavailable"),
        Outcome::OperatorError | Outcome::Misconfigured => Some("server_error"),
        Outcome::InvalidRequest => Some("invalid_request"),
        Outcome::Verified | Outcome::WrongBrowser | Outcome::InvalidState => None,
    }
}

impl Flow {
    /// The way from a result to the app that asked for it. `None` if it is not registered any more.
    pub(super) async fn hand_off(
        &self,
        request: &CallbackRequest<'_>,
        accepted: &Accepted<'_>,
        app: &AppRequest,
        outcome: Outcome,
        finished: Option<Finished>,
    ) -> Option<HandOff> {
        let address = &app.return_address;
        let registered = self.secrets.find(request.deadline, |secret| {
            let party = secret.provider.as_ref()?.relying_parties.get(&address.client_id)?;
            party.has_redirect_uri(&address.redirect_uri).then(|| party.client_name.clone())
        });
        let client_name = registered.await.ok().flatten()?;
        let way = match error_for(outcome) {
            Some(_) if request.holder == Holder::Program => Way::Done,
            Some(error) => {
                let back = address.with_error(request.issuer, error, outcome.name());
                if app.prompt_none {
                    Way::Redirect(back)
                } else {
                    Way::Links { try_again: again(app, accepted, outcome), back }
                }
            }
            None if outcome == Outcome::Verified => {
                let code = finished.and_then(|finished| code(request, accepted, app, &finished));
                match (code, request.holder) {
                    (None, _) => Way::Done,
                    (Some(code), Holder::Program) => Way::Code(code, address.state.clone()),
                    (Some(code), Holder::Browser) => Way::Redirect(address.with_code(request.issuer, &code)),
                }
            }
            None => return None,
        };
        Some(HandOff { client_id: address.client_id.clone(), client_name, language: app.language, way })
    }
}

/// The app's code for one answer of the operator: the same one for a minute, then none.
fn code(
    request: &CallbackRequest<'_>,
    accepted: &Accepted<'_>,
    app: &AppRequest,
    finished: &Finished,
) -> Option<String> {
    let verified = Verified {
        phone_number: accepted.phone_number.clone(),
        answered_at: finished.answered_at,
        nonce: app.nonce.clone(),
        phone_scope: app.phone_scope,
    };
    let seed = [accepted.binding.mark.bytes().as_slice(), finished.seed()];
    let bound_to = BoundTo::request(request.issuer, app);
    verified.to_code(&accepted.started_with.sealer, bound_to, &seed, now_seconds())
}

/// The app's own request as a query; without the number, if the same one would lead to the same outcome.
fn again(app: &AppRequest, accepted: &Accepted<'_>, outcome: Outcome) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(app.parameters());
    let another_may_help = matches!(outcome, Outcome::NotCovered | Outcome::Misconfigured);
    if app.hinted && !another_may_help {
        query.append_pair("login_hint", &format!("tel:{}", accepted.phone_number.expose()));
    }
    query.finish()
}

impl fmt::Debug for HandOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandOff({}, [redacted])", self.client_id)
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way([redacted])")
    }
}
