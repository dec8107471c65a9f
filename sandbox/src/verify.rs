//! `POST /verify` of the CAMARA Number Verification API.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::headers;
use crate::lock::lock;
use crate::operator::Operator;
use crate::scenario::Scenario;

pub(crate) const X_CORRELATOR: HeaderName = HeaderName::from_static("x-correlator");

/// The versions whose paths are served; the request and the answer are the same in all of them.
const VERSIONS: [&str; 3] = ["v0", "v1", "v2"];

pub(crate) async fn verify(
    State(operator): State<Arc<Operator>>,
    Path(version): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, CamaraError> {
    if !VERSIONS.contains(&version.as_str()) {
        return Err(CamaraError::new(404, "NOT_FOUND", "There is no such version of this API."));
    }
    if headers.contains_key(X_CORRELATOR) && correlator(&headers).is_none() {
        return Err(CamaraError::invalid_argument("x-correlator is too long or has a character that is not allowed."));
    }
    let access_token = headers::authorization(&headers, "Bearer")
        .ok_or_else(|| CamaraError::unauthenticated("The request has no Bearer token."))?;
    let scope = lock(&operator.grants).spend_token(access_token).map_err(CamaraError::unauthenticated)?;
    if !scope.allows_verify() {
        return Err(CamaraError::new(403, "PERMISSION_DENIED", "The token's scope does not allow verifying a number."));
    }
    if headers::media_type(&headers).as_deref() != Some("application/json") {
        return Err(CamaraError::new(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json."));
    }
    let asked = Asked::parse(&body)?;
    let verified = judge(lock(&operator.play).scenario, &asked, &operator.settings.sim)?;
    Ok(Json(json!({ "devicePhoneNumberVerified": verified })).into_response())
}

/// The correlator to return, if it is valid: `^[a-zA-Z0-9-_:;.\/<>{}]{0,256}$`.
pub(crate) fn correlator(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(X_CORRELATOR)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_:;./<>{}".contains(byte);
    (value.len() <= 256 && value.as_bytes().iter().all(allowed)).then(|| value.clone())
}

/// The body: an object with exactly one of two members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Asked {
    PhoneNumber(String),
    HashedPhoneNumber(String),
}

impl Asked {
    fn parse(body: &[u8]) -> Result<Self, CamaraError> {
        let asked = serde_json::from_slice(body).map_err(|error| {
            let expected = "The body must be an object with either phoneNumber or hashedPhoneNumber";
            CamaraError::invalid_argument(format!("{expected}: {error}."))
        })?;
        match &asked {
            Self::PhoneNumber(number) if !is_e164(number) => Err(CamaraError::invalid_argument(
                "phoneNumber must be + and 5 to 15 digits, the first of which is not 0.",
            )),
            Self::HashedPhoneNumber(hash) if !is_sha256_hex(hash) => {
                Err(CamaraError::invalid_argument("hashedPhoneNumber must be 64 hexadecimal digits."))
            }
            _ => Ok(asked),
        }
    }

    fn is(&self, sim: &str) -> bool {
        match self {
            Self::PhoneNumber(number) => number == sim,
            Self::HashedPhoneNumber(hash) => hash.eq_ignore_ascii_case(&sha256_hex(sim)),
        }
    }
}

/// `^\+[1-9][0-9]{4,14}$`
fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (5..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

fn is_sha256_hex(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn sha256_hex(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn judge(scenario: Scenario, asked: &Asked, sim: &str) -> Result<bool, CamaraError> {
    match (scenario, asked) {
        (Scenario::RightSim, _) => Ok(true),
        (Scenario::AnotherSim, _) => Ok(false),
        (Scenario::OnWifi, _) => Err(CamaraError::not_on_mobile_network()),
        // As in the mock mode of Telefónica's sandbox, with another digit for the third kind of answer.
        (_, Asked::PhoneNumber(number)) => match number.as_bytes().last() {
            Some(b'1') => Ok(true),
            Some(b'2') => Ok(false),
            Some(b'3') => Err(CamaraError::not_on_mobile_network()),
            _ => Ok(asked.is(sim)),
        },
        (_, Asked::HashedPhoneNumber(_)) => Ok(asked.is(sim)),
    }
}

/// An error of CAMARA Commonalities, "Error responses".
pub(crate) struct CamaraError {
    status: u16,
    code: &'static str,
    message: String,
}

impl CamaraError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    fn unauthenticated(message: &str) -> Self {
        Self::new(401, "UNAUTHENTICATED", message)
    }

    fn not_on_mobile_network() -> Self {
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
