//! The secret in Secrets Manager: its shape, and a cache of it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
use serde::Deserialize;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::deadline::Deadline;
use crate::operator::ClientCredentials;
use crate::outcome::Outcome;
use crate::seal::Sealer;

/// The secret's value, made ready for use.
#[derive(Debug)]
pub struct Secret {
    /// Who the client is.
    pub credentials: ClientCredentials,
    /// Keys made from `state_key`, or from the client secret where there is none.
    pub sealer: Sealer,
}

/// The secret could not be had. Says which secret, and what the owner should do; never the value.
#[derive(Debug)]
pub struct SecretError {
    /// What it means for the verification.
    pub outcome: Outcome,
    /// What was expected, what came, what to do.
    pub says: String,
}

/// The secret's JSON form.
#[derive(Deserialize)]
struct SecretJson {
    client_id: Option<String>,
    client_secret: Zeroizing<String>,
    state_key: Option<Zeroizing<String>>,
}

/// What the secret should look like, for messages.
const SHAPE: &str =
    r#"expected JSON {"client_id", "client_secret", "state_key"?}, or the bare client secret with CLIENT_ID set"#;

/// A shorter key could be guessed from one captured state.
const MIN_STATE_KEY: usize = 16;

impl Secret {
    /// Reads the secret's value; `client_id` is that of the configuration, and wins over the one in the secret.
    ///
    /// # Errors
    /// What is missing, for the log.
    pub fn parse(value: &str, client_id: Option<&str>) -> Result<Self, String> {
        // A file written by an editor ends in a line break, and `--secret-string file://…` stores it too.
        let value = value.trim();
        let json = if value.starts_with('{') {
            // serde's own message could quote the value.
            serde_json::from_str::<SecretJson>(value).map_err(|e| {
                format!("is no JSON of the right shape (line {}, column {}); {SHAPE}", e.line(), e.column())
            })?
        } else {
            SecretJson { client_id: None, client_secret: Zeroizing::new(value.to_owned()), state_key: None }
        };
        if json.client_secret.is_empty() {
            return Err(format!("has an empty client_secret; {SHAPE}"));
        }
        let client_id = client_id
            .map(str::to_owned)
            .or(json.client_id)
            .filter(|id| !id.is_empty())
            .ok_or_else(|| format!("has no client_id, and CLIENT_ID is not set; {SHAPE}"))?;
        let state_key = match &json.state_key {
            Some(key) if key.len() < MIN_STATE_KEY => {
                return Err(format!(
                    "has a state_key shorter than {MIN_STATE_KEY} characters; give a longer one, or none"
                ));
            }
            Some(key) => key,
            None => &json.client_secret,
        };
        let sealer = Sealer::derive(state_key.as_bytes()).map_err(|_| "gives no usable key".to_owned())?;
        Ok(Self { credentials: ClientCredentials::new(client_id, json.client_secret.as_str()), sealer })
    }
}

/// How old a cached secret may grow before it is read again.
const REFRESH_AFTER: Duration = Duration::from_mins(15);

/// The secret, read when first needed and kept for the life of the environment.
#[derive(Debug)]
pub struct SecretStore {
    client: Client,
    secret_id: String,
    client_id: Option<String>,
    cached: Mutex<Option<Cached>>,
}

#[derive(Debug)]
struct Cached {
    secret: Arc<Secret>,
    read_at: Instant,
}

impl SecretStore {
    /// A store for the secret with this name or ARN.
    #[must_use]
    pub fn new(client: Client, secret_id: String, client_id: Option<String>) -> Self {
        Self { client, secret_id, client_id, cached: Mutex::new(None) }
    }

    /// The secret: from the cache, or read where that is empty or old. If a refresh fails, the old one serves on.
    ///
    /// # Errors
    /// The secret was never read and cannot be read now.
    pub async fn get(&self, deadline: Deadline) -> Result<Arc<Secret>, SecretError> {
        let mut cached = deadline.bound(self.cached.lock()).await.map_err(|_| self.timed_out())?;
        if let Some(known) = cached.as_ref().filter(|known| known.read_at.elapsed() < REFRESH_AFTER) {
            return Ok(known.secret.clone());
        }
        let secret = match (self.read(deadline).await, cached.as_ref()) {
            (Ok(secret), _) => Arc::new(secret),
            (Err(error), Some(known)) => {
                tracing::warn!(error = error.says, "secret not refreshed; the one read before serves on");
                known.secret.clone()
            }
            (Err(error), None) => return Err(error),
        };
        *cached = Some(Cached { secret: secret.clone(), read_at: Instant::now() });
        Ok(secret)
    }

    /// Reads the secret anew, after the operator refused `known`. `None` where it is still the same.
    ///
    /// # Errors
    /// The secret cannot be read.
    pub async fn changed_since(&self, known: &Secret, deadline: Deadline) -> Result<Option<Arc<Secret>>, SecretError> {
        let mut cached = deadline.bound(self.cached.lock()).await.map_err(|_| self.timed_out())?;
        // Another invocation of this environment may have read it while this one waited for the lock.
        if let Some(newer) = cached.as_ref().filter(|cached| cached.secret.credentials != known.credentials) {
            return Ok(Some(newer.secret.clone()));
        }
        let secret = Arc::new(self.read(deadline).await?);
        let changed = secret.credentials != known.credentials;
        *cached = Some(Cached { secret: secret.clone(), read_at: Instant::now() });
        Ok(changed.then_some(secret))
    }

    async fn read(&self, deadline: Deadline) -> Result<Secret, SecretError> {
        let request = self.client.get_secret_value().secret_id(&self.secret_id);
        // Boxed: the SDK's future is 20 KB, which every caller's would be too.
        let answer = deadline.bound(Box::pin(request.send())).await.map_err(|_| self.timed_out())?;
        let value =
            value_of(&answer.map_err(|e| self.refused(&e))?).ok_or_else(|| self.misconfigured("holds no text"))?;
        Secret::parse(&value, self.client_id.as_deref()).map_err(|fault| self.misconfigured(&fault))
    }

    fn misconfigured(&self, fault: &str) -> SecretError {
        SecretError { outcome: Outcome::Misconfigured, says: format!("secret {}: {fault}", self.secret_id) }
    }

    fn timed_out(&self) -> SecretError {
        SecretError {
            outcome: Outcome::OperatorTimeout,
            says: format!("secret {}: Secrets Manager gave no answer before the deadline", self.secret_id),
        }
    }

    fn refused(&self, error: &SdkError<GetSecretValueError, HttpResponse>) -> SecretError {
        let fault = match error {
            SdkError::ServiceError(refused) => match refused.err().code() {
                Some("ResourceNotFoundException") => {
                    "does not exist in this account and region; create it, or correct CLIENT_SECRET_ID".to_owned()
                }
                Some("AccessDeniedException") => {
                    "may not be read; allow secretsmanager:GetSecretValue on it (and kms:Decrypt on its own key, if it has one) to the function's role".to_owned()
                }
                Some("DecryptionFailure") => "cannot be decrypted; allow kms:Decrypt on its key to the function's role".to_owned(),
                code => format!("Secrets Manager refused with {}", code.unwrap_or("no error code")),
            },
            SdkError::TimeoutError(_) => return self.timed_out(),
            SdkError::DispatchFailure(failure) => format!(
                "Secrets Manager cannot be reached ({}); a function in a VPC needs a route or an endpoint to it",
                failure.as_connector_error().map_or_else(|| "no cause given".to_owned(), ToString::to_string)
            ),
            _ => "Secrets Manager's answer cannot be understood".to_owned(),
        };
        self.misconfigured(&fault)
    }
}

/// The secret's text, whether it was stored as a string or as bytes.
fn value_of(answer: &GetSecretValueOutput) -> Option<Zeroizing<String>> {
    if let Some(text) = answer.secret_string() {
        return Some(Zeroizing::new(text.to_owned()));
    }
    let bytes = answer.secret_binary()?.as_ref().to_vec();
    String::from_utf8(bytes).ok().map(Zeroizing::new)
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

impl std::error::Error for SecretError {}

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
            let parsed = Secret::parse(value, client_id).ok();
            let got = parsed
                .as_ref()
                .map(|secret| (secret.credentials.client_id.as_str(), secret.credentials.client_secret.expose()));
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
            let fault = Secret::parse(value, None).unwrap_err();
            assert!(!fault.contains("hush"), "{fault}");
            assert!(fault.contains("expected JSON"), "{fault}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = Secret::parse(r#"{"client_id":"id","client_secret":"hush"}"#, None).unwrap();
        assert!(!format!("{secret:?}").contains("hush"));
    }
}
