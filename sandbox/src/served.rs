//! One request and its answer, as they were on the wire.

use std::collections::BTreeMap;
use std::fmt;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use crate::client::ClientAuth;
use crate::headers;
use crate::leg::Leg;
use crate::parameters::Parameters;

/// One request and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Served {
    /// The leg of the path; `None` if nothing is served there.
    pub leg: Option<Leg>,
    /// The number of the TCP connection, counted from 1.
    pub connection: usize,
    /// The method.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The `x-correlator` header of the request.
    pub x_correlator: Option<String>,
    /// The `content-type` header of the request.
    pub content_type: Option<String>,
    /// The method by which the client authenticated, on the token leg.
    pub client_auth: Option<ClientAuth>,
    /// The parameters of the query and of the form or JSON object. A JSON value that is not a string is kept as JSON.
    /// Only the first value of a repeated name is kept.
    pub fields: BTreeMap<String, String>,
    /// The phone number in the request, or its hash, on the verify leg.
    pub asked: Option<String>,
    /// The answer's status; `None` before the answer, and if the client did not wait for it.
    pub status: Option<u16>,
    /// `devicePhoneNumberVerified` of the answer, on the verify leg.
    pub answer: Option<bool>,
    /// The error code in the answer: `invalid_grant`, `UNAUTHENTICATED`, `ResourceNotFoundException` …
    pub error: Option<String>,
    /// A summary in a few words. Codes are shortened to their ends.
    pub note: String,
}

/// `POST /token 200  code …a1b2, redirect_uri http://…, PKCE ok`
impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.method, self.path)?;
        match self.status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str("---")?,
        }
        // Parameters come from outside and may contain control characters, which a terminal would obey.
        let note = self.note.replace(char::is_control, "\u{fffd}");
        if note.is_empty() { Ok(()) } else { write!(f, "  {note}") }
    }
}

impl Served {
    /// A request as it arrived, not yet answered.
    pub(crate) fn arrived(leg: Option<Leg>, connection: usize, head: &Parts, body: &[u8]) -> Self {
        let form = Parameters::parse(body);
        let fields = fields(head, &form, body);
        let text = |name| headers::text(&head.headers, name).map(str::to_owned);
        Self {
            connection,
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            x_correlator: text("x-correlator"),
            content_type: text("content-type"),
            client_auth: ClientAuth::of(&head.headers, &form).filter(|_| leg == Some(Leg::Token)),
            asked: fields
                .get("phoneNumber")
                .or_else(|| fields.get("hashedPhoneNumber"))
                .filter(|_| leg == Some(Leg::Verify))
                .cloned(),
            status: None,
            answer: None,
            error: None,
            note: String::new(),
            fields,
            leg,
        }
    }

    pub(crate) fn answered(&mut self, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let location = Location::of(headers);
        let string = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        self.status = Some(status.as_u16());
        self.answer = match self.leg {
            Some(Leg::Verify) => json.get("devicePhoneNumberVerified").and_then(Value::as_bool),
            _ => None,
        };
        // The members of OAuth, CAMARA and AWS, in this order.
        self.error = location
            .as_ref()
            .and_then(|location| location.get("error"))
            .or_else(|| string("error"))
            .or_else(|| string("code"))
            .or_else(|| string("__type"));
        self.note = if let Some(error) = &self.error {
            let description = location
                .as_ref()
                .and_then(|location| location.get("error_description"))
                .or_else(|| string("error_description"))
                .or_else(|| string("message"))
                .unwrap_or_default();
            self.failure(error, &description)
        } else if status.is_client_error() || status.is_server_error() || json.is_null() && location.is_none() {
            self.failure(&text(body), "")
        } else {
            self.success(location)
        };
    }

    pub(crate) fn abandoned(&mut self) {
        self.note = self.failure("the client disconnected before the answer", "");
    }

    fn success(&self, location: Option<Location>) -> String {
        match (self.leg, location) {
            (Some(Leg::Authorize), Some(location)) => {
                let code = location.get("code").unwrap_or_default();
                format!("code {} to {}", end_of(&code), location.uri)
            }
            (Some(Leg::Token), _) if self.fields.contains_key("assertion") => "operator token".to_owned(),
            (Some(Leg::Token), _) => {
                let redirect_uri = self.field("redirect_uri");
                let pkce = if self.fields.contains_key("code_verifier") { "PKCE ok" } else { "no PKCE" };
                format!("code {}, redirect_uri {redirect_uri}, {pkce}", end_of(self.field("code")))
            }
            (Some(Leg::Verify), _) => {
                let asked = self.asked.as_deref().unwrap_or("nothing");
                match self.answer {
                    Some(answer) => format!("{asked} → {answer}"),
                    None => format!("{asked} → no answer"),
                }
            }
            (Some(Leg::DevicePhoneNumber), _) => "the SIM’s number".to_owned(),
            (Some(Leg::Secret), _) => self.field("SecretId").to_owned(),
            _ => String::new(),
        }
    }

    /// `code …a1b2 → invalid_grant: the code has already been used`
    fn failure(&self, error: &str, description: &str) -> String {
        let subject = match self.leg {
            Some(Leg::Token) if self.fields.contains_key("code") => {
                format!("code {}", end_of(self.field("code")))
            }
            Some(Leg::Verify) => self.asked.clone().unwrap_or_default(),
            Some(Leg::Secret) => self.field("SecretId").to_owned(),
            _ => String::new(),
        };
        let arrow = if subject.is_empty() { "" } else { " → " };
        let colon = if description.is_empty() { "" } else { ": " };
        format!("{subject}{arrow}{error}{colon}{description}")
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

fn fields(head: &Parts, form: &Parameters, body: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut add = |name: &str, value: &str| {
        fields.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    };
    let query = Parameters::parse(head.uri.query().unwrap_or_default().as_bytes());
    query.iter().for_each(|(name, value)| add(name, value));
    let media_type = headers::media_type(&head.headers).unwrap_or_default();
    if media_type == "application/x-www-form-urlencoded" {
        form.iter().for_each(|(name, value)| add(name, value));
    } else if let Ok(Value::Object(object)) = serde_json::from_slice(body) {
        for (name, value) in &object {
            match value {
                Value::String(value) => add(name, value),
                other => add(name, &other.to_string()),
            }
        }
    }
    fields
}

/// The target of a redirect, and its parameters.
struct Location {
    uri: String,
    parameters: Parameters,
}

impl Location {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let location = headers::text(headers, header::LOCATION.as_str())?;
        let (uri, query) = location.split_once('?').unwrap_or((location, ""));
        Some(Self { uri: uri.to_owned(), parameters: Parameters::parse(query.as_bytes()) })
    }

    fn get(&self, name: &str) -> Option<String> {
        self.parameters.get(name).map(str::to_owned)
    }
}

/// `…a1b2`: enough to distinguish codes, and useless to anyone who sees the screen.
fn end_of(secret: &str) -> String {
    let end: Vec<char> = secret.chars().rev().take(4).collect();
    format!("…{}", end.into_iter().rev().collect::<String>())
}

/// The start of a body that is not JSON, without its tags.
fn text(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let visible = body.split_once("<body>").map_or(&*body, |(_, visible)| visible);
    let words = visible.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    let text = words.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    text.chars().take(160).collect()
}
