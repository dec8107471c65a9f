//! Our client at one operator, as the secret describes it.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::value::vschars;
use crate::jwt::PrivateKey;
use crate::operator::{
    BasicAuthorization, ClientAuthentication, ClientCredentials, ClientSecret, TokenEndpointAuthMethod,
};

/// The members of the secret that describe one client.
#[derive(Default, Deserialize)]
pub(super) struct ClientMembers {
    pub client_id: Option<String>,
    pub client_secret: Option<Zeroizing<String>>,
    /// PEM or JWK.
    pub private_key: Option<Value>,
    pub headers: Option<Map<String, Value>>,
}

/// Our client at one operator.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub client_id: String,
    secret: Option<ClientSecret>,
    basic: Option<BasicAuthorization>,
    /// The client's own key; or why there is none.
    pub private_key: Result<Arc<PrivateKey>, String>,
    /// Headers that a gateway in front of the operator wants with every call, such as an API key.
    pub headers: HeaderMap,
}

/// The headers that the owner cannot set, because the protocol decides them. `*` stands for any ending.
const OWN_HEADERS: [&str; 9] = [
    "authorization",
    "host",
    "content-*",
    "x-correlator",
    "accept",
    "accept-encoding",
    "connection",
    "transfer-encoding",
    "dpop",
];

impl Client {
    /// Reads a client. `client_id` is the configured one, which takes precedence over the secret's own. `shape` describes
    /// the expected members.
    ///
    /// # Errors
    /// The fault, without any value.
    pub(super) fn read(members: &ClientMembers, client_id: Option<&str>, shape: &str) -> Result<Self, String> {
        let client_id = client_id
            .or(members.client_id.as_deref())
            .filter(|id| !id.is_empty())
            .ok_or_else(|| format!("has no client_id; {shape}"))?;
        let client_id = vschars("client_id", client_id)?.to_owned();
        let client_secret = members.client_secret.as_deref().filter(|secret| !secret.is_empty());
        let client_secret = client_secret.map(|secret| vschars("client_secret", secret)).transpose()?;
        let private_key = members.private_key.as_ref().ok_or_else(|| format!("has no private_key; {shape}"));
        let private_key = private_key.and_then(|key| {
            PrivateKey::parse(key).map(Arc::new).map_err(|fault| format!("has a private_key that {fault}"))
        });
        Ok(Self {
            basic: client_secret.map(|secret| ClientAuthentication::basic(&client_id, secret)),
            secret: client_secret.map(ClientSecret::new),
            client_id,
            private_key,
            headers: members.headers.as_ref().map(headers).transpose()?.unwrap_or_default(),
        })
    }

    /// The credentials for a method of authentication. `key` is the one that signs; or why there is none.
    ///
    /// # Errors
    /// The member of the secret that is missing.
    pub fn credentials(
        &self,
        method: TokenEndpointAuthMethod,
        key: &Result<Arc<PrivateKey>, String>,
    ) -> Result<ClientCredentials, String> {
        let missing = || "has no client_secret".to_owned();
        let key = || {
            let needed = |fault| format!("{fault}; TOKEN_ENDPOINT_AUTH_METHOD {} needs it", method.name());
            key.clone().map_err(needed)
        };
        let authentication = match method {
            TokenEndpointAuthMethod::ClientSecretBasic => {
                ClientAuthentication::ClientSecretBasic(self.basic.clone().ok_or_else(missing)?)
            }
            TokenEndpointAuthMethod::ClientSecretPost => {
                ClientAuthentication::ClientSecretPost(self.secret.clone().ok_or_else(missing)?)
            }
            TokenEndpointAuthMethod::PrivateKeyJwt => ClientAuthentication::PrivateKeyJwt(key()?),
            TokenEndpointAuthMethod::VonageJwt => ClientAuthentication::VonageJwt(key()?),
        };
        Ok(ClientCredentials { client_id: self.client_id.clone(), authentication, headers: self.headers.clone() })
    }
}

/// Reads the headers that go with every call.
fn headers(members: &Map<String, Value>) -> Result<HeaderMap, String> {
    let header = |(name, value): (&String, &Value)| {
        let is_own = |own: &str| match own.strip_suffix('*') {
            Some(beginning) => name.to_ascii_lowercase().starts_with(beginning),
            None => name.eq_ignore_ascii_case(own),
        };
        if OWN_HEADERS.iter().any(|own| is_own(own)) {
            return Err(format!("has headers that name {name}, which the function itself sends; take it out"));
        }
        // The name could be a value in the wrong place.
        let parsed = HeaderName::try_from(name).map_err(|_| "has headers with a name that HTTP does not allow")?;
        let value = value.as_str().filter(|value| !value.is_empty()).map(HeaderValue::try_from);
        let Some(Ok(mut value)) = value else {
            // Its name is not shown, because it could be the value.
            return Err("has headers with a value that is empty or not text that HTTP allows".to_owned());
        };
        value.set_sensitive(true);
        Ok((parsed, value))
    };
    members.iter().map(header).collect()
}

redacted_debug!(ClientMembers);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(members: &Value) -> Result<Client, String> {
        Client::read(&ClientMembers::deserialize(members).unwrap(), None, "expected members")
    }

    #[test]
    fn headers_are_sent_as_they_are_and_never_shown() {
        let client =
            read(&json!({"client_id": "id", "headers": {"X-RapidAPI-Key": "hush", "x-api-id": "a b"}})).unwrap();
        assert_eq!(
            (&client.headers["x-rapidapi-key"], &client.headers["x-api-id"]),
            (&"hush".parse().unwrap(), &"a b".parse().unwrap())
        );
        assert!(!format!("{client:?}").contains("hush"));
    }

    #[test]
    fn headers_of_the_protocol_and_malformed_ones_are_refused_without_their_values() {
        for (name, headers, fault) in [
            ("authorization", json!({"Authorization": "hush"}), "name Authorization"),
            ("host", json!({"host": "hush"}), "name host"),
            ("content-type", json!({"content-type": "hush"}), "name content-type"),
            ("content-length", json!({"Content-Length": "4"}), "name Content-Length"),
            ("x-correlator", json!({"X-Correlator": "hush"}), "name X-Correlator"),
            ("the framing of the body", json!({"transfer-encoding": "chunked"}), "name transfer-encoding"),
            ("a name with a space", json!({"hush hush": "x"}), "a name that HTTP does not allow"),
            ("a value with a line break", json!({"x-key": "hush\r\nx: y"}), "a value that is empty or not text"),
            ("an empty value", json!({"x-key": ""}), "a value that is empty or not text"),
            ("a value that is a number", json!({"x-key": 1}), "a value that is empty or not text"),
        ] {
            let refused = read(&json!({"client_id": "id", "headers": headers})).expect_err(name);
            assert!(refused.contains(fault) && !refused.contains("hush"), "{name}: {refused}");
        }
    }
}
