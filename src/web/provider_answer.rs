//! The answers of the OpenID Provider's back channel. They are JSON, and mostly scripts and back ends read them.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::reply::X_CORRELATOR;
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::flow::TokenError;

/// An answer. Every origin may read it, without credentials, unless it is only for back ends.
pub struct ProviderAnswer {
    status: u16,
    is_for_back_ends: bool,
    body: Option<Value>,
    /// For discovery and both JWK Sets; every other answer is not stored.
    is_public: bool,
    more: Vec<(HeaderName, HeaderValue)>,
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Five minutes. The rotation of both keys counts on it.
const PUBLIC: HeaderValue = HeaderValue::from_static("public, max-age=300");
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"number-verification\", charset=\"UTF-8\"");
const INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer error=\"invalid_token\"");

impl ProviderAnswer {
    /// A document that may be stored for five minutes.
    pub fn document(body: Value) -> Self {
        Self { is_public: true, ..Self::private(200, Some(body)) }
    }

    /// Tokens or claims.
    pub fn secret(body: Value) -> Self {
        Self::private(200, Some(body)).with(PRAGMA, HeaderValue::from_static("no-cache"))
    }

    /// The error of the token endpoint (RFC 6749 §5.2).
    pub fn refused(error: TokenError) -> Self {
        let (code, description) = error.words();
        let body = json!({ "error": code, "error_description": description });
        match error {
            TokenError::InvalidClient => Self::private(401, Some(body)).with(WWW_AUTHENTICATE, BASIC),
            _ => Self::private(400, Some(body)),
        }
    }

    /// A failure of our own: the app may try again, with the same code. The log has the reason.
    pub fn failed(failure: &Failure) -> Self {
        let error = if failure.outcome.status() == 500 { "server_error" } else { "temporarily_unavailable" };
        let description = "the provider cannot answer now; its log says why";
        let answer = Self::private(503, Some(json!({ "error": error, "error_description": description })));
        answer.with(RETRY_AFTER, HeaderValue::from(failure.retry_after.unwrap_or(1)))
    }

    /// The access token is missing or not valid (RFC 6750 §3).
    pub fn invalid_token() -> Self {
        let body = json!({ "error": "invalid_token", "error_description": "the access token is missing or not valid" });
        Self::private(401, Some(body)).with(WWW_AUTHENTICATE, INVALID_TOKEN)
    }

    /// The answer to a preflight request (Fetch §3.2.2).
    pub fn preflight(methods: &'static str) -> Self {
        Self::private(204, None)
            .with(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods))
            .with(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"))
            .with(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"))
    }

    /// The same answer, which no script may read.
    pub fn for_back_ends(self) -> Self {
        Self { is_for_back_ends: true, ..self }
    }

    fn private(status: u16, body: Option<Value>) -> Self {
        Self { status, is_for_back_ends: false, body, is_public: false, more: Vec::new() }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more.push((name, value));
        self
    }

    /// Renders the answer.
    pub fn render(self, correlator: &Correlator) -> Response<String> {
        let mut response = Response::new(self.body.as_ref().map(Value::to_string).unwrap_or_default());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(CACHE_CONTROL, if self.is_public { PUBLIC } else { NO_STORE });
        if !self.is_for_back_ends {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("Retry-After, WWW-Authenticate, x-correlator"),
            );
        }
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(correlator) = HeaderValue::from_str(correlator.as_str()) {
            headers.insert(X_CORRELATOR, correlator);
        }
        headers.extend(self.more);
        response
    }
}
