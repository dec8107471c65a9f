//! Client authentication at the token endpoint (RFC 6749 §2.3).

use std::collections::HashMap;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::headers;
use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::settings::Settings;

/// The method by which a token request tried to authenticate its client, with the names of RFC 7591 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// HTTP Basic.
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the form.
    ClientSecretPost,
    /// Both at once, which RFC 6749 §2.3 forbids.
    Both,
}

impl ClientAuth {
    pub(crate) fn of(headers: &HeaderMap, form: &Parameters) -> Option<Self> {
        let basic = headers::authorization(headers, "Basic").is_some();
        let post = form.get("client_secret").is_some();
        match (basic, post) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::ClientSecretBasic),
            (false, true) => Some(Self::ClientSecretPost),
            (false, false) => None,
        }
    }
}

/// The clients that the operator knows, with their secrets by ID.
#[derive(Debug)]
pub(crate) struct Clients(HashMap<String, String>);

impl Clients {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut clients: HashMap<_, _> = settings.other_clients.clone().into_iter().collect();
        clients.insert(settings.client_id.clone(), settings.client_secret.clone());
        Self(clients)
    }

    pub(crate) fn knows(&self, client_id: &str) -> bool {
        self.0.contains_key(client_id)
    }

    pub(crate) fn secret_of(&self, client_id: &str) -> Option<&str> {
        self.0.get(client_id).map(String::as_str)
    }

    pub(crate) fn set_secret(&mut self, client_id: &str, client_secret: String) {
        self.0.insert(client_id.to_owned(), client_secret);
    }

    /// The ID of the client that sent this request, or the reason it is not authenticated.
    pub(crate) fn authenticate(&self, headers: &HeaderMap, form: &Parameters) -> Result<String, OAuthError> {
        let (client_id, client_secret) = match ClientAuth::of(headers, form) {
            Some(ClientAuth::Both) => {
                return Err(OAuthError::invalid_request("the client authenticates both with Basic and in the form"));
            }
            Some(ClientAuth::ClientSecretBasic) => basic_credentials(headers)?,
            Some(ClientAuth::ClientSecretPost) => posted_credentials(form)?,
            None => return Err(invalid_client("the client did not authenticate")),
        };
        if form.get("client_id").is_some_and(|in_form| in_form != client_id) {
            return Err(OAuthError::invalid_request(
                "client_id in the form is not the client of the Basic credentials",
            ));
        }
        if self.0.get(&client_id) == Some(&client_secret) {
            Ok(client_id)
        } else {
            Err(invalid_client("unknown client or wrong secret"))
        }
    }
}

/// Reads HTTP Basic. RFC 6749 §2.3.1: the ID and the secret are each form-urlencoded, joined by a colon, and encoded in
/// base64 (RFC 7617).
fn basic_credentials(headers: &HeaderMap) -> Result<(String, String), OAuthError> {
    let malformed = || invalid_client("the Basic credentials are not base64 of id:secret");
    let encoded = headers::authorization(headers, "Basic").ok_or_else(malformed)?;
    let decoded = BASE64_STANDARD.decode(encoded).map_err(|_| malformed())?;
    let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (client_id, client_secret) = decoded.split_once(':').ok_or_else(malformed)?;
    Ok((form_urldecode(client_id), form_urldecode(client_secret)))
}

fn posted_credentials(form: &Parameters) -> Result<(String, String), OAuthError> {
    match (form.get("client_id"), form.get("client_secret")) {
        (Some(client_id), Some(client_secret)) => Ok((client_id.to_owned(), client_secret.to_owned())),
        _ => Err(invalid_client("client_secret requires client_id")),
    }
}

fn form_urldecode(value: &str) -> String {
    // Decoded as the value of a pair, so that '=' is literal. An '&' that is not encoded ends the value.
    let pair = format!("v={value}");
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn invalid_client(description: &'static str) -> OAuthError {
    OAuthError::new("invalid_client", description)
}
