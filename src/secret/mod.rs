//! The secret in Secrets Manager.

mod container_credentials;
pub mod seal;
pub mod secrets_manager;
mod settings;
mod store;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::operator::{ClientAuthentication, ClientCredentials, ClientSecret, PrivateKey, TokenEndpointAuthMethod};
use seal::Sealer;
pub use settings::{AwsCredentials, AwsSettings, Settings};
pub use store::SecretStore;

/// The secret's value, made ready for use.
#[derive(Debug)]
pub struct Secret {
    /// Who the client is.
    pub credentials: ClientCredentials,
    /// Keys made from `state_key`, or from the client secret where there is none.
    pub sealer: Sealer,
    /// Of the value, to tell whether it changed.
    sha256: [u8; 32],
}

/// The secret's JSON form.
#[derive(Default, Deserialize)]
struct SecretJson {
    client_id: Option<String>,
    client_secret: Option<Zeroizing<String>>,
    state_key: Option<Zeroizing<String>>,
    /// PEM or JWK.
    private_key: Option<Value>,
}

/// What the secret should look like, for messages.
const SHAPE: &str = r#"expected JSON {"client_id", "client_secret", "state_key"?, "private_key"?}, or the bare client secret with CLIENT_ID set"#;

/// A shorter key could be guessed from one captured state.
const MIN_STATE_KEY: usize = 16;

impl Secret {
    /// Reads the secret's value; `client_id` is that of the configuration, and wins over the one in the secret.
    ///
    /// # Errors
    /// What is missing, for the log.
    pub fn parse(value: &str, client_id: Option<&str>, method: TokenEndpointAuthMethod) -> Result<Self, String> {
        // A file written by an editor ends in a line break, and `--secret-string file://…` stores it too.
        let value = value.trim();
        let json = if value.starts_with('{') {
            // serde's own message could quote the value.
            serde_json::from_str::<SecretJson>(value).map_err(|e| {
                format!("is no JSON of the right shape (line {}, column {}); {SHAPE}", e.line(), e.column())
            })?
        } else {
            SecretJson { client_secret: Some(Zeroizing::new(value.to_owned())), ..SecretJson::default() }
        };
        let client_id = client_id
            .or(json.client_id.as_deref())
            .filter(|id| !id.is_empty())
            .ok_or_else(|| format!("has no client_id, and CLIENT_ID is not set; {SHAPE}"))?;
        let authentication = json.authentication(client_id, method)?;
        let sealer = Sealer::derive(json.sealing_secret()?).map_err(|_| "gives no usable key".to_owned())?;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, value.as_bytes()).as_ref());
        Ok(Self { credentials: ClientCredentials { client_id: client_id.to_owned(), authentication }, sealer, sha256 })
    }
}

impl SecretJson {
    fn client_secret(&self) -> Option<&str> {
        self.client_secret.as_ref().map(|secret| secret.as_str()).filter(|secret| !secret.is_empty())
    }

    fn authentication(&self, client_id: &str, method: TokenEndpointAuthMethod) -> Result<ClientAuthentication, String> {
        let secret = || self.client_secret().ok_or_else(|| format!("has no client_secret; {SHAPE}"));
        Ok(match method {
            TokenEndpointAuthMethod::ClientSecretBasic => {
                ClientAuthentication::client_secret_basic(client_id, secret()?)
            }
            TokenEndpointAuthMethod::ClientSecretPost => {
                ClientAuthentication::ClientSecretPost(ClientSecret::new(secret()?))
            }
            TokenEndpointAuthMethod::PrivateKeyJwt => {
                let key = self.private_key.as_ref().ok_or_else(|| {
                    format!("has no private_key, which TOKEN_ENDPOINT_AUTH_METHOD private_key_jwt needs; {SHAPE}")
                })?;
                let key = PrivateKey::parse(key).map_err(|fault| format!("has a private_key that {fault}"))?;
                ClientAuthentication::PrivateKeyJwt(Arc::new(key))
            }
        })
    }

    /// What states are sealed with.
    fn sealing_secret(&self) -> Result<&[u8], String> {
        match &self.state_key {
            Some(key) if key.len() < MIN_STATE_KEY => {
                Err(format!("has a state_key shorter than {MIN_STATE_KEY} characters; give a longer one, or none"))
            }
            Some(key) => Ok(key.as_bytes()),
            None => self.client_secret().map(str::as_bytes).ok_or_else(|| {
                format!("has neither a state_key nor a client_secret to seal states with; add a state_key; {SHAPE}")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_shapes_of_a_secret() {
        for (name, value, client_id, expected) in [
            ("JSON", r#"{"client_id":"id","client_secret":"s"}"#, None, Some(("id", "s"))),
            ("JSON with more members", r#"{"client_id":"id","client_secret":"s","note":1}"#, None, Some(("id", "s"))),
            ("CLIENT_ID wins", r#"{"client_id":"id","client_secret":"s"}"#, Some("other"), Some(("other", "s"))),
            ("bare", "s", Some("id"), Some(("id", "s"))),
            ("bare with a line break", "s\n", Some("id"), Some(("id", "s"))),
            ("bare without CLIENT_ID", "s", None, None),
            ("JSON without client_id", r#"{"client_secret":"s"}"#, None, None),
            ("JSON without client_secret", r#"{"client_id":"id"}"#, None, None),
            ("empty client_secret", r#"{"client_id":"id","client_secret":""}"#, None, None),
            ("short state_key", r#"{"client_id":"id","client_secret":"s","state_key":"short"}"#, None, None),
            ("empty", "", Some("id"), None),
            ("truncated", r#"{"client_id":"id","client_sec"#, Some("id"), None),
        ] {
            let parsed = Secret::parse(value, client_id, TokenEndpointAuthMethod::ClientSecretPost).ok();
            let got = parsed.as_ref().map(|secret| match &secret.credentials.authentication {
                ClientAuthentication::ClientSecretPost(client_secret) => {
                    (secret.credentials.client_id.as_str(), client_secret.expose())
                }
                other => panic!("{name}: {other:?}"),
            });
            assert_eq!(got, expected, "{name}");
        }
    }

    #[test]
    fn a_fault_never_quotes_the_value() {
        for value in [
            r#"{"client_id":"id","client_secret":"hush"#,
            r#"{"client_secret":["hush"]}"#,
            r#"{"client_secret":"hush"}"#,
        ] {
            let fault = Secret::parse(value, None, TokenEndpointAuthMethod::ClientSecretBasic).unwrap_err();
            assert!(!fault.contains("hush"), "{fault}");
            assert!(fault.contains("expected JSON"), "{fault}");
        }
    }

    #[test]
    fn a_private_key_needs_a_state_key_beside_it() {
        let key = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
        let quoted = Value::from(key).to_string();
        for (name, value, ok) in [
            (
                "JWK as JSON",
                format!(r#"{{"client_id":"id","state_key":"0123456789abcdef","private_key":{key}}}"#),
                true,
            ),
            (
                "JWK as text",
                format!(r#"{{"client_id":"id","state_key":"0123456789abcdef","private_key":{quoted}}}"#),
                true,
            ),
            (
                "a client_secret to seal with",
                format!(r#"{{"client_id":"id","client_secret":"s","private_key":{key}}}"#),
                true,
            ),
            ("nothing to seal with", format!(r#"{{"client_id":"id","private_key":{key}}}"#), false),
            ("no key", r#"{"client_id":"id","client_secret":"s"}"#.to_owned(), false),
            ("not a key", r#"{"client_id":"id","client_secret":"s","private_key":"x"}"#.to_owned(), false),
        ] {
            let parsed = Secret::parse(&value, None, TokenEndpointAuthMethod::PrivateKeyJwt);
            assert_eq!(parsed.is_ok(), ok, "{name}: {parsed:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let value = r#"{"client_id":"id","client_secret":"hush"}"#;
        let secret = Secret::parse(value, None, TokenEndpointAuthMethod::ClientSecretBasic).unwrap();
        assert!(!format!("{secret:?}").contains("hush"));
    }
}
