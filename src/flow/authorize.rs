//! An app's request, from `/authorize` or from the start page that the app's user saw, to the next step.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Flow, Holder, Question, StateMode};
use crate::failure::Failure;
use crate::language::Language;
use crate::phone_number::{PhoneNumber, PhoneNumberError};
use crate::provider::{AppRequest, Asked, LoginHint, Refused, RelyingParty, RequestError, ReturnAddress};
use crate::secret::Secret;
use crate::transport::Deadline;

/// A request in the name of an app.
#[derive(Clone, Copy)]
pub struct AuthorizeRequest<'a> {
    /// The parameters.
    pub parameters: &'a [(&'a str, &'a str)],
    /// The choice that the user made on the start page; `None` at `/authorize`.
    pub from_page: Option<FromPage<'a>>,
    /// The kind of client that sent the request.
    pub holder: Holder,
    /// Our issuer.
    pub issuer: &'a str,
    /// The time by which the answer must be on its way.
    pub deadline: Deadline,
}

/// A user's choice on the start page.
#[derive(Clone, Copy)]
pub enum FromPage<'a> {
    /// The number to verify.
    Number(&'a PhoneNumber),
    /// A text that is not a number, and its fault.
    Fault(&'a str, PhoneNumberError),
    /// The operator is to name the number.
    Retrieve,
}

/// The next step after an app's request.
#[derive(Debug)]
pub enum Authorize {
    /// No app is registered: these routes do not exist.
    NoProvider,
    /// The app or its redirect URI is not registered, for this reason.
    Unknown(&'static str),
    /// The app is told an error.
    Told(ToApp),
    /// The start page asks for the number.
    Ask(AppForm),
    /// The verification starts, with the operator that the app or the user chose.
    Start(Box<AppRequest>, Question, Option<String>),
}

/// A redirect that tells an app an error.
pub struct ToApp {
    /// The app.
    pub client_id: String,
    /// The address.
    pub location: String,
    /// `error`.
    pub error: &'static str,
    /// `error_description`.
    pub description: &'static str,
}

/// The content of a start page that asks in the name of an app.
pub struct AppForm {
    /// The name that users read.
    pub client_name: String,
    /// The app's request, to be sent with the number.
    pub fields: Vec<(String, String)>,
    /// The address that tells the app that the user refused.
    pub back: String,
    /// The language, if the app chose one.
    pub language: Option<Language>,
    /// The number in the field, and its fault.
    pub typed: Option<(String, Option<PhoneNumberError>)>,
    /// The name of the operator that the app chose.
    pub operator: Option<String>,
    /// True if the app asks about one number, so that the operator's own word on the number would answer another question.
    pub names_number: bool,
}

impl Flow {
    /// Checks an app's request.
    ///
    /// # Errors
    /// The secret has never been read and cannot be read now.
    pub async fn authorize(&self, request: AuthorizeRequest<'_>) -> Result<Authorize, Failure> {
        if self.settings.state_mode == StateMode::Phone {
            return Ok(Authorize::NoProvider);
        }
        let read = |secret: &Secret| {
            let parties = &secret.provider.as_ref()?.relying_parties;
            Some(match AppRequest::read(request.parameters.iter().copied(), parties) {
                Ok(asked) => self.next_step(&request, asked),
                Err(Refused::Unknown(reason)) => Authorize::Unknown(reason),
                Err(Refused::Told(address, error)) => told(&request, &address, error),
            })
        };
        // An app that was registered a moment ago is looked for in the newest version of the secret.
        let known = |secret: &Arc<Secret>| read(secret).filter(|next| !matches!(next, Authorize::Unknown(_)));
        if let Some(next) = self.secrets.find(request.deadline, known).await? {
            return Ok(next);
        }
        let secret = self.secrets.get(request.deadline).await?;
        Ok(read(&secret).unwrap_or(Authorize::NoProvider))
    }
}

impl Flow {
    fn next_step(&self, request: &AuthorizeRequest, asked: Asked) -> Authorize {
        let Asked { request: app, party, login_hint } = asked;
        // Anyone can start an app that has no secret and no https address, so its user is asked (RFC 8252 §8.6).
        let must_ask = party.is_public() && !app.return_address.redirect_uri.starts_with("https://");
        let hinted = login_hint.as_ref().map(|LoginHint(hint)| (hint, PhoneNumber::parse_from_query(hint)));
        let error = |error, description| told(request, &app.return_address, RequestError(error, description));
        let start = |app: AppRequest, question| {
            let operator = app.operator.clone();
            Authorize::Start(Box::new(app), question, operator)
        };
        let verify = |app, number| start(app, Question::Verify(number));
        // Without our page, nobody could choose among several operators.
        let knows_operator = self.operators.single().is_some() || app.operator.is_some();
        let may_retrieve_without_page = self.settings.retrieve_number && party.retrieve_number && knows_operator;
        let unconfirmed = || error("interaction_required", "a public client must let its user confirm");
        let no_number = || error("login_required", "send the number as login_hint");
        if app.prompt_none {
            return match hinted {
                _ if must_ask => unconfirmed(),
                None if may_retrieve_without_page => start(app, Question::Retrieve),
                None => no_number(),
                Some((_, Err(_))) => error("invalid_request", "login_hint is not a phone number with its country code"),
                Some((_, Ok(number))) => verify(app, number),
            };
        }
        let typed = match (request.from_page, hinted) {
            (Some(FromPage::Number(number)), _) => return verify(app, number.clone()),
            // A program has shown none of our pages.
            (Some(FromPage::Retrieve), _) if request.holder == Holder::Program => {
                return match () {
                    () if must_ask => unconfirmed(),
                    () if may_retrieve_without_page => start(app, Question::Retrieve),
                    () => no_number(),
                };
            }
            (Some(FromPage::Retrieve), _) => {
                // The user chose the operator on the page, and can choose another one with "try again".
                let operator = app.operator.clone();
                return Authorize::Start(Box::new(AppRequest { operator: None, ..app }), Question::Retrieve, operator);
            }
            (Some(FromPage::Fault(typed, fault)), _) => Some((typed.to_owned(), Some(fault))),
            (None, Some((_, Ok(number)))) if !must_ask => return verify(app, number),
            (None, Some((hint, number))) => Some((hint.strip_prefix("tel:").unwrap_or(hint).to_owned(), number.err())),
            (None, None) => None,
        };
        Authorize::Ask(form(request, &app, party, login_hint.as_ref(), typed))
    }
}

fn form(
    request: &AuthorizeRequest,
    app: &AppRequest,
    party: &RelyingParty,
    login_hint: Option<&LoginHint>,
    typed: Option<(String, Option<PhoneNumberError>)>,
) -> AppForm {
    let hint = login_hint.map(|LoginHint(hint)| ("login_hint", hint.as_str()));
    AppForm {
        client_name: party.client_name.clone(),
        fields: app.parameters().into_iter().chain(hint).map(|(name, value)| form_field(name, value)).collect(),
        back: app.return_address.with_error(request.issuer, "unmet_authentication_requirements", "access_denied"),
        language: app.language,
        typed,
        operator: app.operator.clone(),
        names_number: app.hinted,
    }
}

/// Marks a field whose value is percent-encoded.
const ENCODED: char = '*';

/// A hidden field of the form. Browsers send every line break of a form as CR LF, so a value with control characters is
/// encoded, and its name marked.
fn form_field(name: &str, value: &str) -> (String, String) {
    if value.contains(char::is_control) {
        (format!("{name}{ENCODED}"), form_urlencoded::byte_serialize(value.as_bytes()).collect())
    } else {
        (name.to_owned(), value.to_owned())
    }
}

/// Reads a field that [`form_field`] wrote.
#[must_use]
pub fn read_form_field<'f>(name: Cow<'f, str>, value: Cow<'f, str>) -> (Cow<'f, str>, Cow<'f, str>) {
    match name.strip_suffix(ENCODED) {
        Some(name) => {
            let decoded = form_urlencoded::parse(value.as_bytes()).next().map(|(text, _)| text.into_owned());
            (name.to_owned().into(), decoded.unwrap_or_default().into())
        }
        None => (name, value),
    }
}

fn told(
    request: &AuthorizeRequest,
    address: &ReturnAddress,
    RequestError(error, description): RequestError,
) -> Authorize {
    Authorize::Told(ToApp {
        client_id: address.client_id.clone(),
        location: address.with_error(request.issuer, error, description),
        error,
        description,
    })
}

redacted_debug!(AuthorizeRequest<'_>, FromPage<'_>, ToApp, AppForm);
