//! `GetSecretValue` of AWS Secrets Manager, as its SDKs ask for it: AWS JSON 1.1 over `POST /`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::headers;
use crate::lock::lock;
use crate::operator::Operator;
use crate::secret::Secret;

const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// `VersionId` is not supported, and is refused instead of ignored.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetSecretValue {
    secret_id: String,
    version_stage: Option<String>,
}

pub(crate) async fn answer(
    State(operator): State<Arc<Operator>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AwsError> {
    let is_aws_json = headers::media_type(&headers).as_deref() == Some(MEDIA_TYPE);
    if !is_aws_json || headers::text(&headers, "x-amz-target") != Some("secretsmanager.GetSecretValue") {
        return Err(AwsError("UnknownOperationException", "The sandbox supports only GetSecretValue.".into()));
    }
    // Any credentials are accepted, because the signature is not verified. An unsigned request would fail at AWS.
    if headers::authorization(&headers, "AWS4-HMAC-SHA256").is_none() {
        return Err(AwsError("MissingAuthenticationTokenException", "Missing Authentication Token".into()));
    }
    let request: GetSecretValue =
        serde_json::from_slice(&body).map_err(|error| AwsError("SerializationException", error.to_string()))?;
    get_secret_value(&lock(&operator.secret), &request)
}

fn get_secret_value(secret: &Secret, request: &GetSecretValue) -> Result<Response, AwsError> {
    if !secret.is_called(&request.secret_id) {
        return Err(AwsError::not_found("Secrets Manager can't find the specified secret.".into()));
    }
    let stage = request.version_stage.as_deref().unwrap_or("AWSCURRENT");
    let version = secret.staged(stage).ok_or_else(|| {
        let what = "Secrets Manager can't find the specified secret value for staging label";
        AwsError::not_found(format!("{what}: {stage}"))
    })?;
    let body = json!({
        "ARN": secret.arn(),
        "Name": secret.name(),
        "VersionId": version.id,
        "SecretString": version.secret_string,
        "VersionStages": [stage],
        "CreatedDate": version.created.as_secs_f64(),
    });
    Ok(aws_json(StatusCode::OK, &body))
}

/// An error of AWS JSON 1.1: the shape's name and a message.
pub(crate) struct AwsError(&'static str, String);

impl AwsError {
    fn not_found(message: String) -> Self {
        Self("ResourceNotFoundException", message)
    }
}

impl IntoResponse for AwsError {
    fn into_response(self) -> Response {
        aws_json(StatusCode::BAD_REQUEST, &json!({ "__type": self.0, "message": self.1 }))
    }
}

fn aws_json(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body.to_string()).into_response()
}
