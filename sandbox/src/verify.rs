//! `POST /verify` of the CAMARA Number Verification API.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::camara::{self, CamaraError};
use crate::headers;
use crate::lock::lock;
use crate::operator::Operator;
use crate::scenario::Scenario;

pub(crate) async fn verify(
    State(operator): State<Arc<Operator>>,
    Path(version): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, CamaraError> {
    let scope = camara::admit(&operator, &version, &headers)?;
    if !scope.allows_verify() {
        return Err(CamaraError::permission_denied("The token's scope does not allow verifying a number."));
    }
    if headers::media_type(&headers).as_deref() != Some("application/json") {
        return Err(CamaraError::new(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json."));
    }
    let asked = Asked::parse(&body)?;
    let verified = judge(lock(&operator.play).scenario, &asked, &operator.settings.sim)?;
    Ok(Json(json!({ "devicePhoneNumberVerified": verified })).into_response())
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
