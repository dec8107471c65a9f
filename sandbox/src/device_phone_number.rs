//! `GET /device-phone-number` of the CAMARA Number Verification API.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::camara::{self, CamaraError};
use crate::lock::lock;
use crate::operator::Operator;
use crate::scenario::Scenario;

/// The number of the phone's SIM in [`Scenario::AnotherSim`].
pub(crate) const ANOTHER_SIM: &str = "+34600000009";

pub(crate) async fn device_phone_number(
    State(operator): State<Arc<Operator>>,
    Path(version): Path<String>,
    headers: HeaderMap,
) -> Result<Response, CamaraError> {
    let scope = camara::admit(&operator, &version, &headers)?;
    if !scope.allows_device_phone_number() {
        return Err(CamaraError::permission_denied("The token's scope does not allow reading the device's number."));
    }
    let number = match lock(&operator.play).scenario {
        Scenario::OnWifi => return Err(CamaraError::not_on_mobile_network()),
        Scenario::AnotherSim => ANOTHER_SIM,
        _ => &operator.settings.sim,
    };
    Ok(Json(json!({ "devicePhoneNumber": number })).into_response())
}
