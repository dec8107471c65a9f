//! The parts that the operations of CAMARA's API have in common: versions, correlators, access tokens and errors.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::headers;
use crate::lock::lock;
use crate::operator::Operator;
use crate::scope::Scope;

pub(crate) const X_CORRELATOR: HeaderName = HeaderName::from_static("x-correlator");

/// The versions whose paths are served; the requests and the answers are the same in all of them.
const VERSIONS: [&str; 3] = ["v0", "v1", "v2"];

/// Admits a request, which uses up its access token. Returns the token's scope.
pub(crate) fn admit(operator: &Operator, version: &str, headers: &HeaderMap) -> Result<Scope, CamaraError> {
    if !VERSIONS.contains(&version) {
        return Err(CamaraError::new(404, "NOT_FOUND", "There is no such version of this API."));
    }
    if headers.contains_key(X_CORRELATOR) && correlator(headers).is_none() {
        return Err(CamaraError::invalid_argument("x-correlator is too long or has a character that is not allowed."));
    }
    let access_token = headers::authorization(headers, "Bearer")
        .ok_or_else(|| CamaraError::unauthenticated("The request has no Bearer token."))?;
    lock(&operator.grants).spend_token(access_token).map_err(CamaraError::unauthenticated)
}

/// The correlator to return, if it is valid: `^[a-zA-Z0-9-_:;.\/<>{}]{0,256}$`.
pub(crate) fn correlator(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(X_CORRELATOR)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_:;./<>{}".contains(byte);
    (value.len() <= 256 && value.as_bytes().iter().all(allowed)).then(|| value.clone())
}

/// An error of CAMARA Commonalities, "Error responses".
pub(crate) struct CamaraError {
    status: u16,
    code: &'static str,
    message: String,
}

impl CamaraError {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    pub(crate) fn permission_denied(message: &str) -> Self {
        Self::new(403, "PERMISSION_DENIED", message)
    }

    fn unauthenticated(message: &str) -> Self {
        Self::new(401, "UNAUTHENTICATED", message)
    }

    pub(crate) fn not_on_mobile_network() -> Self {
        let code = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK";
        Self::new(403, code, "Client must authenticate via the mobile network to use this service.")
    }
}

impl IntoResponse for CamaraError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Json(json!({ "status": self.status, "code": self.code, "message": self.message }));
        let mut response = (status, body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6750 §3.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
