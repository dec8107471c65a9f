//! An answer given instead of the real one.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// What one leg answers, how late, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripted {
    /// The answer.
    pub reply: Reply,
    /// How long the answer is held back. The operator has acted by then, but the client does not know.
    pub delay: Duration,
    /// For how many requests it applies; `None` means until it is removed.
    pub times: Option<u32>,
}

/// What a script answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// The answer without the script.
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
    /// A fixed answer without headers.
    #[must_use]
    pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let reply = Reply::Canned { status, headers: Vec::new(), body: body.into() };
        Self { reply, ..Self::default() }
    }

    /// A fixed JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::answer(status, body.to_string()).header("content-type", "application/json")
    }

    /// The real answer, held back.
    #[must_use]
    pub fn late(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// Adds a header to a fixed answer. The real answer does not change.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Reply::Canned { headers, .. } = &mut self.reply {
            headers.push((name.into(), value.into()));
        }
        self
    }

    /// Holds the answer back.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Only the next `times` requests get this answer.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// A fixed answer as HTTP, or why it is not valid HTTP.
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
