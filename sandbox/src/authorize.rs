//! The authorization endpoint (RFC 6749 §4.1.1). It identifies the SIM from the connection, so it asks the user
//! nothing.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::grants::Authorization;
use crate::lock::lock;
use crate::oauth_error::OAuthError;
use crate::operator::Operator;
use crate::page;
use crate::parameters::Parameters;
use crate::pkce::CodeChallenge;
use crate::redirect_uri;
use crate::scenario::Scenario;
use crate::scope::Scope;

pub(crate) async fn authorize(State(operator): State<Arc<Operator>>, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let (client_id, redirect_uri) = match destination(&operator, &parameters) {
        Ok(destination) => destination,
        Err(reason) => return refuse(&reason),
    };
    let answer = match login_hint(&operator, &parameters)
        .and_then(|()| validate(&parameters))
        .and_then(|request| consent(&operator, request))
    {
        Ok((code_challenge, scope)) => {
            let nonce = parameters.get("nonce").map(str::to_owned);
            let authorization =
                Authorization { client_id, redirect_uri: redirect_uri.clone(), code_challenge, scope, nonce };
            vec![("code", lock(&operator.grants).issue_code(authorization))]
        }
        Err(OAuthError { error, description }) => {
            vec![("error", error.to_owned()), ("error_description", description.into_owned())]
        }
    };
    redirect(&operator, &redirect_uri, &parameters, &answer)
}

/// The client and its redirect URI. If either cannot be verified, the browser is not redirected (RFC 6749 §4.1.2.1).
fn destination(operator: &Operator, parameters: &Parameters) -> Result<(String, String), String> {
    for name in ["client_id", "redirect_uri"] {
        if parameters.is_repeated(name) {
            return Err(format!("{name} occurs more than once"));
        }
    }
    let client_id = parameters.get("client_id").ok_or("client_id is missing")?;
    if !lock(&operator.clients).knows(client_id) {
        return Err(format!("the client_id {client_id} is not known"));
    }
    // OpenID Connect Core §3.1.2.1 requires it, RFC 6749 does not. CAMARA follows OpenID Connect.
    let requested = parameters.get("redirect_uri").ok_or("redirect_uri is missing")?;
    let redirect_uri = redirect_uri::resolve(requested, &operator.settings.registered_redirect_uris)?;
    Ok((client_id.to_owned(), redirect_uri))
}

/// Checks the parameters of RFC 6749 §4.1.1 and RFC 7636 §4.3. Others (`prompt`, `login_hint`, `nonce`) are only
/// recorded in the ledger.
fn validate(parameters: &Parameters) -> Result<(Option<CodeChallenge>, Scope), OAuthError> {
    if let Some(name) = parameters.repeated() {
        return Err(OAuthError::repeated(name));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(OAuthError::new("unsupported_response_type", "response_type must be code"));
        }
        None => return Err(OAuthError::missing("response_type")),
    }
    let scope = parameters.get("scope").ok_or_else(|| OAuthError::new("invalid_scope", "scope is missing"))?;
    let scope = Scope::parse(scope).map_err(|reason| OAuthError::new("invalid_scope", reason))?;
    let code_challenge = match (parameters.get("code_challenge"), parameters.get("code_challenge_method")) {
        (None, None) => None,
        (Some(challenge), Some("S256")) => {
            let malformed = "code_challenge must be a SHA-256 hash in base64url: 43 characters";
            Some(CodeChallenge::parse(challenge).ok_or_else(|| OAuthError::invalid_request(malformed))?)
        }
        // RFC 7636 §4.3: no method means "plain", but CAMARA's profile requires S256.
        (Some(_), _) => {
            return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
        }
        (None, Some(_)) => return Err(OAuthError::missing("code_challenge")),
    };
    Ok((code_challenge, scope))
}

/// Checks `login_hint`, if the operator has no network that could tell the number (CAMARA Security and Interoperability
/// Profile: a `tel:` URI).
fn login_hint(operator: &Operator, parameters: &Parameters) -> Result<(), OAuthError> {
    let is_number = |hint: &str| hint.strip_prefix("tel:+").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    if !operator.settings.dialect.login_hint || parameters.get("login_hint").is_some_and(is_number) {
        return Ok(());
    }
    Err(OAuthError::invalid_request("login_hint must be the number as tel:+…"))
}

/// Issues a code, unless the user refuses.
fn consent<T>(operator: &Operator, request: T) -> Result<T, OAuthError> {
    match lock(&operator.play).scenario {
        Scenario::ConsentRefused => Err(OAuthError::new("access_denied", "the user refused")),
        _ => Ok(request),
    }
}

/// Redirects to the client with its `state` (RFC 6749 §4.1.2) and the operator's issuer (RFC 9207 §2).
fn redirect(
    operator: &Operator,
    redirect_uri: &str,
    parameters: &Parameters,
    answer: &[(&'static str, String)],
) -> Response {
    let mut added: Vec<(&str, &str)> = answer.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if let Some(state) = parameters.get("state").filter(|_| !parameters.is_repeated("state")) {
        added.push(("state", state));
    }
    added.push(("iss", &operator.base_url));
    let location = redirect_uri::with_parameters(redirect_uri, &added);
    (StatusCode::FOUND, [(header::LOCATION, location.as_str()), (header::CACHE_CONTROL, "no-store")]).into_response()
}

fn refuse(reason: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Refused</title>\n\
         <body>\n<p>The operator refuses this authorization request: {}.</p>\n</body>\n</html>\n",
        page::escape(reason)
    );
    (StatusCode::BAD_REQUEST, Html(page)).into_response()
}
