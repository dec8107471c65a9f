//! `/sandbox/…`: controls the sandbox over HTTP, and lists the requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::headers;
use crate::leg::Leg;
use crate::lock::lock;
use crate::operator::Operator;
use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::script::{Reply, Scripted, canned};
use crate::served::Served;

/// The answer to an invalid request: 400 and the reason in one line.
pub(crate) struct BadRequest(String);

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, format!("{}\n", self.0)).into_response()
    }
}

#[derive(Deserialize)]
struct ChosenScenario {
    scenario: String,
}

/// A browser that sent the page's form returns to the page; a program gets 204.
pub(crate) async fn set_scenario(
    State(operator): State<Arc<Operator>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, BadRequest> {
    let is_form = headers::media_type(&headers).as_deref() == Some("application/x-www-form-urlencoded");
    let name = if is_form {
        Parameters::parse(&body).get("scenario").unwrap_or_default().to_owned()
    } else {
        json::<ChosenScenario>(&body)?.scenario
    };
    let scenario: Scenario = name.parse().map_err(|unknown| BadRequest(format!("{unknown}")))?;
    lock(&operator.play).scenario = scenario;
    if is_form { Ok(Redirect::to("/").into_response()) } else { Ok(StatusCode::NO_CONTENT.into_response()) }
}

/// A script as JSON. Without `status` and `body` it is the real answer, delayed by `delay_ms`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonScript {
    leg: Leg,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A string is sent as it is, any other value as JSON.
    body: Option<Value>,
    #[serde(default)]
    delay_ms: u64,
    times: Option<u32>,
}

impl JsonScript {
    fn scripted(self) -> Result<Scripted, BadRequest> {
        let headers: Vec<_> = self.headers.into_iter().collect();
        let reply = match (self.status, self.body) {
            (None, None) if headers.is_empty() => Reply::Real,
            (status, body) => {
                let body = match body {
                    None => Vec::new(),
                    Some(Value::String(text)) => text.into_bytes(),
                    Some(value) => value.to_string().into_bytes(),
                };
                Reply::Canned { status: status.unwrap_or(200), headers, body }
            }
        };
        if let Reply::Canned { status, headers, .. } = &reply {
            // An invalid answer is refused now, so that it does not fail when the leg is called.
            canned(*status, headers, Vec::new()).map_err(BadRequest)?;
        }
        Ok(Scripted { reply, delay: Duration::from_millis(self.delay_ms), times: self.times })
    }
}

pub(crate) async fn set_script(State(operator): State<Arc<Operator>>, body: Bytes) -> Result<StatusCode, BadRequest> {
    let script: JsonScript = json(&body)?;
    let leg = script.leg;
    let scripted = script.scripted()?;
    lock(&operator.play).set_script(leg, Some(scripted));
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove_script(State(operator): State<Arc<Operator>>, Path(leg): Path<Leg>) -> StatusCode {
    lock(&operator.play).set_script(leg, None);
    StatusCode::NO_CONTENT
}

pub(crate) async fn requests(State(operator): State<Arc<Operator>>) -> Json<Vec<Served>> {
    Json(operator.ledger.requests())
}

pub(crate) async fn clear_requests(State(operator): State<Arc<Operator>>) -> StatusCode {
    operator.ledger.clear();
    StatusCode::NO_CONTENT
}

fn json<'b, T: Deserialize<'b>>(body: &'b Bytes) -> Result<T, BadRequest> {
    serde_json::from_slice(body).map_err(|error| BadRequest(format!("the body is not the JSON expected: {error}")))
}
