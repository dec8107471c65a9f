//! The token endpoint (RFC 6749 §4.1.3).

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::assertion;
use crate::client::ClientAuth;
use crate::grants::{Exchange, Issued};
use crate::headers;
use crate::id_token;
use crate::lock::lock;
use crate::oauth_error::OAuthError;
use crate::operator::Operator;
use crate::parameters::Parameters;
use crate::scope::Scope;

/// A code that can be exchanged any number of times, with any redirect URI, with or without a `code_verifier`. Events
/// stored in files use it, because a code from `/authorize` would have expired.
pub const SAMPLE_CODE: &str = "sandbox-sample-code";

pub(crate) async fn token(
    State(operator): State<Arc<Operator>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    if headers::media_type(&headers).as_deref() != Some("application/x-www-form-urlencoded") {
        let error = OAuthError::invalid_request("the body must be application/x-www-form-urlencoded");
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, error).into_response();
    }
    if query.is_some() {
        // RFC 6749 §2.3.1: credentials must not be in the URI, which may be logged. The same goes for a code.
        return OAuthError::invalid_request("parameters belong in the body, not in the query").into_response();
    }
    match exchange(&operator, &headers, &Parameters::parse(&body)) {
        Ok(issued) => success(&operator, &issued),
        Err(error) => failure(error, &headers),
    }
}

fn exchange(operator: &Operator, headers: &HeaderMap, form: &Parameters) -> Result<Issued, OAuthError> {
    if let Some(name) = form.repeated() {
        return Err(OAuthError::repeated(name));
    }
    if form.get("grant_type") == Some(assertion::GRANT) {
        if headers.contains_key(header::AUTHORIZATION) {
            return Err(OAuthError::invalid_request(
                "the assertion authenticates the client; send no other credentials",
            ));
        }
        let token_endpoint = format!("{}{}", operator.base_url, operator.settings.dialect.token);
        let scope = lock(&operator.assertions).accept(form, &operator.settings.client_id, &token_endpoint)?;
        return Ok(lock(&operator.grants).issue_token(scope));
    }
    if let Some(required) = operator.settings.dialect.client_auth
        && ClientAuth::of(headers, form) != Some(required)
    {
        return Err(OAuthError::new("invalid_client", "this operator documents another method of authentication"));
    }
    let client_id = lock(&operator.clients).authenticate(headers, form)?;
    match form.get("grant_type") {
        Some("authorization_code") => {}
        Some(_) => {
            let description = "grant_type must be authorization_code, or jwt-bearer with an operator token";
            return Err(OAuthError::new("unsupported_grant_type", description));
        }
        None => return Err(OAuthError::missing("grant_type")),
    }
    let code = form.get("code").ok_or_else(|| OAuthError::missing("code"))?;
    let mut grants = lock(&operator.grants);
    if code == SAMPLE_CODE {
        return Ok(grants.issue_token(Scope::verify()));
    }
    let exchange = Exchange {
        client_id: &client_id,
        redirect_uri: form.get("redirect_uri"),
        code_verifier: form.get("code_verifier"),
    };
    grants.exchange(code, &exchange).map_err(OAuthError::invalid_grant)
}

/// The answer with a token (RFC 6749 §5.1).
fn success(operator: &Operator, issued: &Issued) -> Response {
    let mut body = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": operator.settings.token_lifetime.as_secs(),
        "scope": issued.scope.to_string(),
    });
    if let Some((client_id, nonce)) = issued.for_client.as_ref().filter(|_| issued.scope.has_openid()) {
        let clients = lock(&operator.clients);
        let client_secret = clients.secret_of(client_id).unwrap_or_default();
        body["id_token"] = id_token::issue(&operator.base_url, client_id, client_secret, nonce.as_deref()).into();
    }
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}

/// The answer with an error. A client that used the `Authorization` header gets the scheme (RFC 6749 §5.2).
fn failure(error: OAuthError, headers: &HeaderMap) -> Response {
    let mut response = error.into_response();
    if response.status() == StatusCode::UNAUTHORIZED && headers::authorization(headers, "Basic").is_some() {
        let challenge = HeaderValue::from_static("Basic realm=\"sandbox\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
