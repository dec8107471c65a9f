//! The secret in Secrets Manager: its shape, and a cache of it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::deadline::Deadline;
use crate::operator::{
    ClientAuthentication, ClientCredentials, ClientSecret, ErrorCode, PrivateKey, TokenEndpointAuthMethod,
};
use crate::outcome::Outcome;
use crate::seal::Sealer;

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

/// The secret could not be had. Says which secret, and what the owner should do; never the value.
#[derive(Debug)]
pub struct SecretError {
    /// What it means for the verification.
    pub outcome: Outcome,
    /// What was expected, what came, what to do.
    pub says: String,
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

/// How old a cached secret may grow before it is read again.
const REFRESH_AFTER: Duration = Duration::from_mins(15);

/// How long after a look for other versions of the secret no other is taken: whoever sends made-up states to the public
/// address shall not make us read secrets all day.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// The versions of a secret that states in flight may be sealed with.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Current,
    Previous,
}

const NOT_UNDERSTOOD: &str = "Secrets Manager's answer cannot be understood";

/// How long a refresh may hold up verifications.
const REFRESH_WITHIN: Duration = Duration::from_secs(2);

/// The secret, read when first needed and kept for the life of the environment.
#[derive(Debug)]
pub struct SecretStore {
    client: Client,
    secret_id: String,
    client_id: Option<String>,
    auth_method: TokenEndpointAuthMethod,
    cached: Mutex<Option<Cached>>,
}

#[derive(Debug)]
struct Cached {
    secret: Arc<Secret>,
    read_at: Instant,
    /// The version before, once it was looked for.
    previous: Option<Arc<Secret>>,
    looked_at: Option<Instant>,
}

impl Cached {
    fn new(secret: Arc<Secret>) -> Self {
        Self { secret, read_at: Instant::now(), previous: None, looked_at: None }
    }
}

impl SecretStore {
    /// A store for the secret that the configuration names.
    #[must_use]
    pub fn new(client: Client, config: &Config) -> Self {
        Self {
            client,
            secret_id: config.client_secret_id.clone(),
            client_id: config.client_id.clone(),
            auth_method: config.token_endpoint_auth_method,
            cached: Mutex::new(None),
        }
    }

    /// The secret: from the cache, or read where that is empty or old. If a refresh fails, the old one serves on.
    ///
    /// # Errors
    /// The secret was never read and cannot be read now.
    pub async fn get(&self, deadline: Deadline) -> Result<Arc<Secret>, SecretError> {
        let mut cached = deadline.bound(self.cached.lock()).await.map_err(|_| self.timed_out())?;
        match cached.as_mut() {
            Some(known) if known.read_at.elapsed() < REFRESH_AFTER => return Ok(known.secret.clone()),
            // A slow refresh must leave time for the verification, which the old secret can still serve.
            Some(known) => match self.read(Stage::Current, deadline.sooner(REFRESH_WITHIN)).await {
                Ok(secret) => *known = Cached::new(Arc::new(secret)),
                Err(error) => {
                    tracing::warn!(error = error.says, "secret not refreshed; the one read before serves on");
                    known.read_at = Instant::now();
                }
            },
            None => *cached = Some(Cached::new(Arc::new(self.read(Stage::Current, deadline).await?))),
        }
        cached.as_ref().map(|known| known.secret.clone()).ok_or_else(|| self.timed_out())
    }

    /// Reads the secret anew, after the operator refused `known`. `None` where it is still the same.
    ///
    /// # Errors
    /// The secret cannot be read.
    pub async fn changed_since(&self, known: &Secret, deadline: Deadline) -> Result<Option<Arc<Secret>>, SecretError> {
        let mut cached = deadline.bound(self.cached.lock()).await.map_err(|_| self.timed_out())?;
        // Another invocation of this environment may have read it while this one waited for the lock.
        if let Some(newer) = cached.as_ref().filter(|cached| cached.secret.sha256 != known.sha256) {
            return Ok(Some(newer.secret.clone()));
        }
        let secret = Arc::new(self.read(Stage::Current, deadline).await?);
        let changed = secret.sha256 != known.sha256;
        *cached = Some(Cached::new(secret.clone()));
        Ok(changed.then_some(secret))
    }

    /// The versions, besides `known`, that a state in flight may have been sealed with: a newer one that another
    /// environment has read already, and the one before (`AWSPREVIOUS`). Nothing older.
    pub async fn other_versions(&self, known: &Secret, deadline: Deadline) -> Vec<Arc<Secret>> {
        let Ok(mut guard) = deadline.bound(self.cached.lock()).await else { return Vec::new() };
        let looked_lately = |cached: &Cached| cached.looked_at.is_some_and(|at| at.elapsed() < LOOK_AGAIN_AFTER);
        if !guard.as_ref().is_some_and(looked_lately) {
            let (current, previous) =
                tokio::join!(self.read(Stage::Current, deadline), self.read(Stage::Previous, deadline));
            match current {
                // A secret that was never changed has no version before it.
                Ok(current) => {
                    let previous = previous.ok().map(Arc::new);
                    *guard =
                        Some(Cached { previous, looked_at: Some(Instant::now()), ..Cached::new(Arc::new(current)) });
                }
                Err(error) => {
                    tracing::warn!(error = error.says, "other versions of the secret cannot be read");
                    if let Some(cached) = guard.as_mut() {
                        cached.looked_at = Some(Instant::now());
                    }
                }
            }
        }
        let Some(cached) = guard.as_ref() else { return Vec::new() };
        // A code belongs to the client that asked for it, so a version for another client finishes nothing.
        let client_id = &cached.secret.credentials.client_id;
        let previous = cached.previous.as_ref().filter(|previous| previous.credentials.client_id == *client_id);
        let versions = [Some(&cached.secret), previous].into_iter().flatten();
        versions.filter(|version| version.sha256 != known.sha256).cloned().collect()
    }

    async fn read(&self, stage: Stage, deadline: Deadline) -> Result<Secret, SecretError> {
        let mut request = self.client.get_secret_value().secret_id(&self.secret_id);
        if let Stage::Previous = stage {
            request = request.version_stage("AWSPREVIOUS");
        }
        // Boxed: the SDK's future is 20 KB, which every caller's would be too.
        let answer = deadline.bound(Box::pin(request.send())).await.map_err(|_| self.timed_out())?;
        let value =
            value_of(&answer.map_err(|e| self.refused(&e))?).ok_or_else(|| self.misconfigured("holds no text"))?;
        Secret::parse(&value, self.client_id.as_deref(), self.auth_method).map_err(|fault| self.misconfigured(&fault))
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
        let unavailable = error.raw_response().is_some_and(|response| response.status().is_server_error());
        let fault = match error {
            SdkError::ServiceError(refused) => match refused.err().code() {
                Some("ResourceNotFoundException") => {
                    "does not exist in this account and region; create it, or correct CLIENT_SECRET_ID".to_owned()
                }
                Some("AccessDeniedException") => {
                    "may not be read; allow secretsmanager:GetSecretValue on it (and kms:Decrypt on its own key, if it has one) to the function's role".to_owned()
                }
                Some("DecryptionFailure") => "cannot be decrypted; allow kms:Decrypt on its key to the function's role".to_owned(),
                Some("ThrottlingException") => return self.busy("limits how often it is read"),
                _ if unavailable => return self.busy("is unavailable for now"),
                code => match code.and_then(ErrorCode::new) {
                    Some(code) => format!("Secrets Manager refused with {}", code.as_str()),
                    None => NOT_UNDERSTOOD.to_owned(),
                },
            },
            SdkError::TimeoutError(_) => return self.timed_out(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => return self.timed_out(),
            SdkError::DispatchFailure(failure) => {
                let cause = failure.as_connector_error().and_then(std::error::Error::source);
                format!(
                    "Secrets Manager cannot be reached ({}); a function in a VPC needs a route or an endpoint to it",
                    cause.map_or_else(|| "no cause given".to_owned(), ToString::to_string)
                )
            }
            _ if unavailable => return self.busy("is unavailable for now"),
            _ => NOT_UNDERSTOOD.to_owned(),
        };
        self.misconfigured(&fault)
    }

    /// What passes by itself.
    fn busy(&self, how: &str) -> SecretError {
        SecretError {
            outcome: Outcome::OperatorBusy,
            says: format!("secret {}: Secrets Manager {how}; if it does not pass, see its quotas", self.secret_id),
        }
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
