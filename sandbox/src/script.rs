//! Scripted answers, given instead of the real ones.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// A scripted answer of one leg, with its delay and its number of uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripted {
    /// The answer.
    pub reply: Reply,
    /// The delay of the answer. The operator acts before the delay, but the client does not know it yet.
    pub delay: Duration,
    /// The number of requests for which the script applies; `None` means until it is removed.
    pub times: Option<u32>,
}

/// The content of a scripted answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// The answer that would be given without the script.
    #[default]
    Real,
    /// This answer, whatever the request is.
    Canned {
        /// 200 to 599.
        status: u16,
        /// Names and values; a name may be repeated.
        headers: Vec<(String, String)>,
        /// The body, as it is sent.
        body: Vec<u8>,
    },
}

impl Scripted {
    /// Creates a fixed answer without headers.
    #[must_use]
    pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let reply = Reply::Canned { status, headers: Vec::new(), body: body.into() };
        Self { reply, ..Self::default() }
    }

    /// Creates a fixed JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::answer(status, body.to_string()).header("content-type", "application/json")
    }

    /// Delays the real answer.
    #[must_use]
    pub fn late(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// Adds a header to a fixed answer. It has no effect on the real answer.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Reply::Canned { headers, .. } = &mut self.reply {
            headers.push((name.into(), value.into()));
        }
        self
    }

    /// Delays the answer.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Limits the script to the next `times` requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// Builds a fixed answer, or returns the reason it is not valid HTTP.
pub(crate) fn canned(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Result<Response, String> {
    // A 1xx is not a final answer (RFC 9110 §15.2).
    let status = StatusCode::from_u16(status)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()))
        .ok_or_else(|| format!("the status {status} is not between 200 and 599"))?;
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let header_name: HeaderName = name.parse().map_err(|_| format!("'{name}' is not a header name"))?;
        let header_value: HeaderValue = value.parse().map_err(|_| format!("'{value}' is not a value for {name}"))?;
        map.append(header_name, header_value);
    }
    Ok((status, map, Body::from(body)).into_response())
}
