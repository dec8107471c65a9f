//! The way from a result back to the app that asked.

use super::{Flow, Holder};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::provider::AppRequest;
use crate::transport::Deadline;

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

/// An app that asked, and how.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    /// The app's request.
    pub app: &'a AppRequest,
    /// The kind of client that the verification was started for.
    pub holder: Holder,
    /// Our issuer.
    pub issuer: &'a str,
    /// The time by which the answer must be on its way.
    pub deadline: Deadline,
}

impl Flow {
    /// The way from a result to the app that asked for it. `None` if the app is not registered any more. `code` is the
    /// app's code, which exists only for a short time after *verified*.
    pub(super) async fn hand_off(
        &self,
        Asker { app, holder, issuer, deadline }: Asker<'_>,
        outcome: Outcome,
        phone_number: Option<&PhoneNumber>,
        code: Option<String>,
    ) -> Option<HandOff> {
        let address = &app.return_address;
        let registered = self.secrets.find(deadline, |secret| {
            let party = secret.provider.as_ref()?.relying_parties.get(&address.client_id)?;
            party.has_redirect_uri(&address.redirect_uri).then(|| party.client_name.clone())
        });
        let client_name = registered.await.ok().flatten()?;
        let way = match (error_for(outcome), code) {
            (Some(_), _) if holder == Holder::Program => Way::Done,
            (Some(error), _) => {
                let back = address.with_error(issuer, error, outcome.name());
                if app.prompt_none {
                    Way::Redirect(back)
                } else {
                    Way::Links { try_again: again(app, phone_number, outcome), back }
                }
            }
            (None, _) if outcome != Outcome::Verified => return None,
            (None, None) => Way::Done,
            (None, Some(code)) if holder == Holder::Program => Way::Code(code, address.state.clone()),
            (None, Some(code)) => Way::Redirect(address.with_code(issuer, &code)),
        };
        Some(HandOff { client_id: address.client_id.clone(), client_name, language: app.language, way })
    }
}

/// The app's own request as a query; without the number, if the same one would lead to the same outcome.
fn again(app: &AppRequest, phone_number: Option<&PhoneNumber>, outcome: Outcome) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(app.parameters());
    let another_may_help = matches!(outcome, Outcome::NotCovered | Outcome::Misconfigured);
    if let Some(phone_number) = phone_number.filter(|_| app.hinted && !another_may_help) {
        query.append_pair("login_hint", &format!("tel:{}", phone_number.expose()));
    }
    query.finish()
}

redacted_debug!(HandOff, Way);
