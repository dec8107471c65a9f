//! The value of the secret: JSON, or the bare client secret.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::client::{Client, ClientMembers};
use super::{ClientSettings, Clients};
use crate::operator::{OperatorName, TokenEndpointAuthMethod};
use crate::provider;

/// The members of the JSON form.
#[derive(Default, Deserialize)]
pub(super) struct Members {
    /// The client at the only operator.
    #[serde(flatten)]
    client: ClientMembers,
    /// The clients at several operators.
    operators: Option<BTreeMap<String, Value>>,
    state_key: Option<Zeroizing<String>>,
    relying_parties: Option<Value>,
    /// PEM or JWK.
    signing_key: Option<Value>,
    subject_key: Option<Value>,
}

/// The expected shape of the secret, for messages.
const SHAPE: &str = r#"expected JSON {"client_id", "client_secret", "state_key"?, "private_key"?, "headers"?, "relying_parties"?, "signing_key"?, "subject_key"?}, or the bare client secret with CLIENT_ID set"#;
/// The expected shape of an entry of `operators`.
const ENTRY_SHAPE: &str = r#"expected {"client_id", "client_secret", "private_key"?, "headers"?}"#;

/// In bytes. A shorter key could be guessed with one captured state.
const MIN_STATE_KEY: usize = 16;

/// Removes what editors and shells add around a value: a byte order mark and white space.
pub(super) fn trim(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

impl Members {
    /// Reads a [trimmed](trim) value. Text that could be malformed JSON is not taken for a bare client secret, because
    /// it would be sent to the operator.
    ///
    /// # Errors
    /// The fault, without the value.
    pub(super) fn read(value: &str) -> Result<Self, String> {
        if value.starts_with('{') {
            // serde's own message could quote the value.
            return serde_json::from_str(value).map_err(|e| {
                format!("is not JSON of the expected shape (line {}, column {}); {SHAPE}", e.line(), e.column())
            });
        }
        if let Some(fault) = not_bare(value) {
            return Err(format!("{fault}; {SHAPE}"));
        }
        let client_secret = Some(Zeroizing::new(value.to_owned()));
        Ok(Self { client: ClientMembers { client_secret, ..ClientMembers::default() }, ..Self::default() })
    }

    /// Our clients at the operators of these settings. One of several that cannot be used keeps its fault to itself.
    pub(super) fn clients(&self, settings: &ClientSettings) -> Result<Clients, String> {
        match settings {
            ClientSettings::One { client_id, auth_method } => {
                if self.client.client_id.is_none() && client_id.is_none() {
                    return Err(format!("has no client_id, and CLIENT_ID is not set; {SHAPE}"));
                }
                let client = Client::read(&self.client, client_id.as_deref(), SHAPE)?;
                if let Some(method) = auth_method {
                    client.credentials(*method, &client.private_key).map_err(|fault| format!("{fault}; {SHAPE}"))?;
                }
                Ok(Clients::One(Box::new(client)))
            }
            ClientSettings::Several(operators) => {
                let entries = self.operators.as_ref().ok_or_else(|| {
                    format!("has no operators, an object with an entry for each operator of OPERATORS: {ENTRY_SHAPE}")
                })?;
                let client = |name: &str| {
                    let entry = entries.get(name).ok_or_else(|| format!("is missing; {ENTRY_SHAPE}"))?;
                    let members =
                        ClientMembers::deserialize(entry).map_err(|_| format!("has another shape; {ENTRY_SHAPE}"))?;
                    Client::read(&members, None, ENTRY_SHAPE)
                };
                let located = |(name, auth_method): &(OperatorName, Option<TokenEndpointAuthMethod>)| {
                    let client = client(name.as_str()).and_then(|client| match auth_method {
                        Some(method) => client.credentials(*method, &client.private_key).map(|_| client),
                        None => Ok(client),
                    });
                    (name.clone(), client.map_err(|fault| format!("has an entry operators.{name} that {fault}")))
                };
                Ok(Clients::Several(operators.iter().map(located).collect()))
            }
        }
    }

    /// The input from which all sealing keys are derived: `state_key`, else the client secret.
    pub(super) fn sealing_secret(&self, clients: &ClientSettings) -> Result<&[u8], String> {
        match &self.state_key {
            None if matches!(clients, ClientSettings::Several(_)) => Err(format!(
                "has no state_key, which OPERATORS needs; add one of at least {MIN_STATE_KEY} random characters"
            )),
            Some(key) if key.len() < MIN_STATE_KEY => {
                Err(format!("has a state_key shorter than {MIN_STATE_KEY} characters; use a longer one, or none"))
            }
            Some(key) => Ok(key.as_bytes()),
            None => self.client_secret().map(str::as_bytes).ok_or_else(|| {
                format!("has neither a state_key nor a client_secret to seal states with; add a state_key; {SHAPE}")
            }),
        }
    }

    /// The members that concern the provider.
    pub(super) fn provider(&self) -> provider::Members<'_> {
        provider::Members {
            relying_parties: self.relying_parties.as_ref(),
            state_key: self.state_key.as_ref().map(|key| key.as_str()),
            signing_key: self.signing_key.as_ref(),
            subject_key: self.subject_key.as_ref(),
        }
    }

    fn client_secret(&self) -> Option<&str> {
        self.client.client_secret.as_ref().map(|secret| secret.as_str()).filter(|secret| !secret.is_empty())
    }
}

/// The reason a text that does not start with `{` is not a bare client secret; `None` if it can be one.
fn not_bare(value: &str) -> Option<&'static str> {
    let is_number = || matches!(serde_json::from_str(value), Ok(Value::Number(_)));
    let is_json = || serde_json::from_str::<Value>(value).is_ok();
    if value.is_empty() {
        Some("is empty")
    } else if value.starts_with(['\'', '"', '`', '\u{2018}', '\u{201c}']) {
        Some("starts with a quotation mark, as if a shell or a document had quoted it; store it without")
    } else if value.starts_with('[') || is_json() && !is_number() {
        Some("is JSON but not an object")
    } else if value.contains("-----BEGIN") {
        Some("is a key or certificate; put a private key into the JSON's private_key")
    } else if value.contains("client_secret") || value.contains("CLIENT_SECRET") {
        Some("names client_secret but is not JSON")
    } else {
        (!is_vschars(value)).then_some(
            "has a line break or another character that a client secret cannot have (RFC 6749, appendix A.2)",
        )
    }
}

/// Checks the characters of a client's identifier or secret (RFC 6749, appendices A.1 and A.2).
pub(super) fn vschars<'a>(member: &str, value: &'a str) -> Result<&'a str, String> {
    if is_vschars(value) {
        Ok(value)
    } else {
        Err(format!("has a {member} with a character that it cannot have (RFC 6749, appendix A): only printable ASCII"))
    }
}

fn is_vschars(value: &str) -> bool {
    value.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::ClientAuthentication;
    use crate::secret::Secret;

    fn parse(value: &str, client_id: Option<&str>) -> Result<(String, String), String> {
        const METHOD: TokenEndpointAuthMethod = TokenEndpointAuthMethod::ClientSecretPost;
        let client_id = client_id.map(str::to_owned);
        let secret = Secret::parse(value, &ClientSettings::One { client_id, auth_method: Some(METHOD) })?;
        let client = secret.client(None).map_err(|e| e.reason)?;
        let credentials = client.credentials(METHOD, &client.private_key)?;
        match &credentials.authentication {
            ClientAuthentication::ClientSecretPost(client_secret) => {
                Ok((credentials.client_id, client_secret.expose().to_owned()))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn secret_is_json_or_a_bare_client_secret() {
        for (name, value, client_id, expected) in [
            ("JSON", r#"{"client_id":"id","client_secret":"s"}"#, None, ("id", "s")),
            ("JSON with more members", r#"{"client_id":"id","client_secret":"s","note":1}"#, None, ("id", "s")),
            (
                "JSON after a byte order mark",
                "\u{feff}{\"client_id\":\"id\",\"client_secret\":\"s\"}",
                None,
                ("id", "s"),
            ),
            ("CLIENT_ID takes precedence", r#"{"client_id":"id","client_secret":"s"}"#, Some("other"), ("other", "s")),
            ("bare", "s", Some("id"), ("id", "s")),
            ("bare with a line break at its end", "s\r\n", Some("id"), ("id", "s")),
            ("bare after a byte order mark", "\u{feff}s\n", Some("id"), ("id", "s")),
            ("bare digits", "12345678", Some("id"), ("id", "12345678")),
            ("bare with every kind of character", r#"a b}]"'\:=&~"#, Some("id"), ("id", r#"a b}]"'\:=&~"#)),
        ] {
            assert_eq!(parse(value, client_id), Ok((expected.0.to_owned(), expected.1.to_owned())), "{name}");
        }
    }

    #[test]
    fn malformed_secret_is_refused_with_a_fix_and_without_its_value() {
        for (name, value, client_id, fault) in [
            ("bare without CLIENT_ID", "hush", None, "CLIENT_ID is not set"),
            ("JSON without client_id", r#"{"client_secret":"hush"}"#, None, "has no client_id"),
            ("JSON without client_secret", r#"{"client_id":"hush"}"#, None, "has no client_secret"),
            ("name and value as a key/value pair", r#"{"id":"hush"}"#, Some("id"), "has no client_secret"),
            ("empty client_secret", r#"{"client_id":"hush","client_secret":""}"#, None, "has no client_secret"),
            ("client_secret with a tab", r#"{"client_secret":"hush\t"}"#, Some("id"), "printable ASCII"),
            ("client_id with a line break", r#"{"client_id":"i\n","client_secret":"hush"}"#, None, "printable ASCII"),
            ("short state_key", r#"{"client_secret":"s","state_key":"hush"}"#, Some("id"), "shorter than 16"),
            ("a list as client_secret", r#"{"client_secret":["hush"]}"#, Some("id"), "line 1, column"),
            ("cut off", r#"{"client_id":"id","client_secret":"hush"#, Some("id"), "line 1, column"),
            ("single quotes inside", "{'client_secret': 'hush'}", Some("id"), "line 1, column"),
            ("single quotes around it", r#"'{"client_secret":"hush"}'"#, Some("id"), "quotation mark"),
            ("typographic quotes around it", "\u{201c}hush\u{201d}", Some("id"), "quotation mark"),
            ("a JSON string", r#""hush""#, Some("id"), "quotation mark"),
            ("JSON inside a JSON string", r#""{\"client_secret\":\"hush\"}""#, Some("id"), "quotation mark"),
            ("without its first brace", r#"client_secret":"hush"}"#, Some("id"), "names client_secret"),
            ("a file of settings", "CLIENT_SECRET=hush", Some("id"), "names client_secret"),
            ("a JSON array", r#"["hush"]"#, Some("id"), "not an object"),
            ("a broken JSON array", r#"["hush""#, Some("id"), "not an object"),
            ("null", "null", Some("id"), "not an object"),
            ("a private key", "-----BEGIN PRIVATE KEY-----\\nhush", Some("id"), "private_key"),
            ("two lines", "hush\nhush", Some("id"), "line break"),
            ("a control character", "hush\u{0}", Some("id"), "line break or another character"),
            ("beyond ASCII", "hüsh hush", Some("id"), "line break or another character"),
            ("empty", "", Some("id"), "is empty"),
            ("a byte order mark alone", "\u{feff}\n", Some("id"), "is empty"),
        ] {
            let refused = parse(value, client_id).expect_err(name);
            assert!(refused.contains(fault), "{name}: {refused}");
            assert!(!refused.contains("hush"), "{name}: {refused}");
        }
    }

    #[test]
    fn private_key_needs_a_state_key_or_a_client_secret() {
        let key = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
        let quoted = Value::from(key).to_string();
        for (name, members, accepted) in [
            ("JWK as JSON", format!(r#""state_key":"0123456789abcdef","private_key":{key}"#), true),
            ("JWK as text", format!(r#""state_key":"0123456789abcdef","private_key":{quoted}"#), true),
            ("a client_secret to seal with", format!(r#""client_secret":"s","private_key":{key}"#), true),
            ("nothing to seal with", format!(r#""private_key":{key}"#), false),
            ("no key", r#""client_secret":"s""#.to_owned(), false),
            ("not a key", r#""client_secret":"s","private_key":"x""#.to_owned(), false),
        ] {
            let value = format!(r#"{{"client_id":"id",{members}}}"#);
            let auth_method = Some(TokenEndpointAuthMethod::PrivateKeyJwt);
            let parsed = Secret::parse(&value, &ClientSettings::One { client_id: None, auth_method });
            assert_eq!(parsed.is_ok(), accepted, "{name}: {parsed:?}");
        }
    }
}
