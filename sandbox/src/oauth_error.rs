//! Errors of the OAuth endpoints, with the names of RFC 6749.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error of RFC 6749 §4.1.2.1 or §5.2: a code for programs and a description for developers.
#[derive(Debug)]
pub(crate) struct OAuthError {
    pub error: &'static str,
    pub description: Cow<'static, str>,
}

impl OAuthError {
    pub(crate) fn new(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { error, description: description.into() }
    }

    pub(crate) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(crate) fn repeated(parameter: &str) -> Self {
        Self::invalid_request(format!("{parameter} occurs more than once"))
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::invalid_request(format!("{parameter} is missing"))
    }
}

/// The token endpoint's answer (RFC 6749 §5.2).
impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let status = match self.error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = Json(json!({ "error": self.error, "error_description": self.description }));
        (status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], body).into_response()
    }
}
