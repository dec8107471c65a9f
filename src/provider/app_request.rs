//! An app's authentication request: OpenID Connect Core §3.1.2.1, RFC 6749 §4.1.1, RFC 7636 §4.3.

use super::{RelyingParties, RelyingParty, ReturnAddress};
use crate::language::Language;
use crate::seal::is_base64url;

/// An app's request, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct AppRequest {
    /// The address to which the answer goes.
    pub return_address: ReturnAddress,
    /// Repeated in the ID token.
    pub nonce: Option<String>,
    /// PKCE, always `S256`.
    pub code_challenge: Option<String>,
    /// The language of the pages, by `ui_locales`.
    pub language: Option<Language>,
    /// True if the scope has `phone` beside `openid`.
    pub phone_scope: bool,
    /// `prompt=none`: none of our pages is shown, and every outcome goes to the app immediately.
    pub prompt_none: bool,
    /// True if the app named the number by `login_hint`.
    pub hinted: bool,
    /// The name of the operator to ask, by `operator`.
    pub operator: Option<String>,
}

/// A checked request with what it does not need any more once the verification has started.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The request.
    pub request: AppRequest,
    /// The registered app.
    pub party: &'a RelyingParty,
    /// `login_hint`: the number, as the app wrote it.
    pub login_hint: Option<LoginHint>,
}

/// `login_hint`, which is not checked yet.
#[derive(Clone)]
pub struct LoginHint(pub String);

/// The reason a request is refused.
#[derive(Debug)]
pub enum Refused {
    /// The client or its redirect URI is not registered. Nobody may be redirected.
    Unknown(&'static str),
    /// The app is told by a redirect.
    Told(ReturnAddress, RequestError),
}

/// An error for the app (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6) and its description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestError(pub &'static str, pub &'static str);

/// The parameters that have a meaning here. All others are ignored.
const KNOWN: [&str; 17] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "login_hint",
    "ui_locales",
    "request",
    "request_uri",
    "registration",
    "id_token_hint",
    "operator",
];

/// In bytes. With the nonce's limit it keeps a browser's cookie below 4,096 bytes.
const MAX_STATE: usize = 2000;
/// In bytes; a `code` with it has at most 512 characters.
const MAX_NONCE: usize = 256;
/// In bytes: the longest name in `OPERATORS`.
const MAX_OPERATOR: usize = 32;
/// The length of an `S256` challenge (RFC 7636 §4.2).
const CHALLENGE_LENGTH: usize = 43;

/// The known parameters of a request, in order.
struct Parameters<'p>(Vec<(&'p str, &'p str)>);

impl<'p> Parameters<'p> {
    /// The value of a parameter. One without a value counts as omitted (RFC 6749 §3.1).
    fn get(&self, name: &str) -> Option<&'p str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(known, _)| *known == name).count() > 1
    }
}

impl AppRequest {
    /// Checks a request.
    ///
    /// # Errors
    /// The reason the request is refused.
    pub fn read<'a, 'p>(
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
        parties: &'a RelyingParties,
    ) -> Result<Asked<'a>, Refused> {
        let parameters = Parameters(parameters.into_iter().filter(|(name, _)| KNOWN.contains(name)).collect());
        let get = |name| parameters.get(name);
        if parameters.is_repeated("client_id") || parameters.is_repeated("redirect_uri") {
            return Err(Refused::Unknown("client_id or redirect_uri came more than once"));
        }
        let party = get("client_id").and_then(|client_id| parties.get(client_id));
        let party = party.ok_or(Refused::Unknown("client_id is missing or not registered in relying_parties"))?;
        let redirect_uri = get("redirect_uri").filter(|redirect_uri| party.has_redirect_uri(redirect_uri));
        let redirect_uri = redirect_uri
            .ok_or(Refused::Unknown("redirect_uri is missing or not one of the client's registered redirect_uris"))?;
        let mut return_address = ReturnAddress {
            client_id: party.client_id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            // A text that is not UTF-8 was decoded with this character, and could not be returned unchanged.
            state: get("state")
                .filter(|state| state.len() <= MAX_STATE && !state.contains('\u{fffd}'))
                .map(str::to_owned),
        };
        if parameters.is_repeated("state") {
            return_address.state = None;
        }
        match check(&parameters, party, return_address.state.is_some()) {
            Err(error) => Err(Refused::Told(return_address, error)),
            Ok(()) => Ok(Asked {
                request: Self {
                    return_address,
                    nonce: get("nonce").map(str::to_owned),
                    code_challenge: get("code_challenge").map(str::to_owned),
                    language: get("ui_locales").and_then(|locales| locales.split(' ').find_map(Language::lookup)),
                    phone_scope: words(get("scope")).any(|scope| scope == "phone"),
                    prompt_none: words(get("prompt")).any(|prompt| prompt == "none"),
                    hinted: get("login_hint").is_some(),
                    operator: get("operator").map(str::to_owned),
                },
                party,
                login_hint: get("login_hint").map(|hint| LoginHint(hint.to_owned())),
            }),
        }
    }

    /// The parameters with which the request can be sent again, without the number.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, &str)> {
        let ReturnAddress { client_id, redirect_uri, state } = &self.return_address;
        let challenge = self.code_challenge.as_deref();
        [
            ("client_id", Some(client_id.as_str())),
            ("redirect_uri", Some(redirect_uri)),
            ("response_type", Some("code")),
            ("scope", Some(self.scope())),
            ("state", state.as_deref()),
            ("nonce", self.nonce.as_deref()),
            ("code_challenge", challenge),
            ("code_challenge_method", challenge.map(|_| "S256")),
            ("ui_locales", self.language.map(Language::tag)),
            ("operator", self.operator.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// The granted scope.
    #[must_use]
    pub fn scope(&self) -> &'static str {
        scope(self.phone_scope)
    }
}

/// The scope of the tokens: `openid`, and `phone` if the app asked for it.
pub(super) fn scope(phone: bool) -> &'static str {
    if phone { "openid phone" } else { "openid" }
}

fn words(value: Option<&str>) -> impl Iterator<Item = &str> {
    value.unwrap_or_default().split(' ').filter(|word| !word.is_empty())
}

/// Checks everything but the client and its redirect URI.
fn check(parameters: &Parameters, party: &RelyingParty, has_state: bool) -> Result<(), RequestError> {
    let get = |name| parameters.get(name);
    let invalid = |description| Err(RequestError("invalid_request", description));
    if KNOWN.iter().any(|name| parameters.is_repeated(name)) {
        return invalid("a parameter came more than once");
    }
    if get("state").is_some() && !has_state {
        return invalid("state is longer than 2000 bytes or not UTF-8");
    }
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if get(name).is_some() {
            return Err(RequestError(error, "send plain parameters"));
        }
    }
    match get("response_type") {
        Some("code") => {}
        Some(_) => return Err(RequestError("unsupported_response_type", "response_type must be code")),
        None => return invalid("response_type is missing; it must be code"),
    }
    if get("response_mode").is_some_and(|mode| mode != "query") {
        return invalid("response_mode must be query");
    }
    if !words(get("scope")).any(|scope| scope == "openid") {
        return Err(RequestError("invalid_scope", "scope must contain openid"));
    }
    if get("nonce").is_some_and(|nonce| nonce.len() > MAX_NONCE || nonce.contains('\u{fffd}')) {
        return invalid("nonce is longer than 256 bytes or not UTF-8");
    }
    if get("operator").is_some_and(|operator| operator.len() > MAX_OPERATOR) {
        return invalid("operator is longer than 32 bytes");
    }
    match (get("code_challenge"), get("code_challenge_method")) {
        (None, None) if party.is_public() => return invalid("a public client must send a code_challenge"),
        (None, None) => {}
        (Some(challenge), Some("S256")) if is_challenge(challenge) => {}
        (Some(_), Some("S256")) => return invalid("code_challenge is not 43 characters of base64url"),
        (Some(_), _) => return invalid("code_challenge_method must be S256"),
        (None, Some(_)) => return invalid("code_challenge is missing"),
    }
    if !has_state && get("nonce").is_none() && get("code_challenge").is_none() {
        return invalid("send a state, a nonce or a code_challenge");
    }
    let prompts: Vec<_> = words(get("prompt")).collect();
    if prompts.contains(&"none") && prompts.len() > 1 {
        return invalid("prompt none cannot stand beside another value");
    }
    Ok(())
}

fn is_challenge(challenge: &str) -> bool {
    challenge.len() == CHALLENGE_LENGTH && is_base64url(challenge)
}

redacted_debug!(AppRequest, LoginHint);
