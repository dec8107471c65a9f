//! A cache of the secret.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{Secret, Settings};
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::transport::Deadline;

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
    settings: Settings,
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
    /// A store for the secret that the settings name.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        Self { client, settings, cached: Mutex::new(None) }
    }

    /// The secret: from the cache, or read where that is empty or old. If a refresh fails, the old one serves on.
    ///
    /// # Errors
    /// The secret was never read and cannot be read now.
    pub async fn get(&self, deadline: Deadline) -> Result<Arc<Secret>, Failure> {
        let mut cached = deadline.bound(self.cached.lock()).await.map_err(|_| self.timed_out())?;
        match cached.as_mut() {
            Some(known) if known.read_at.elapsed() < REFRESH_AFTER => return Ok(known.secret.clone()),
            // A slow refresh must leave time for the verification, which the old secret can still serve.
            Some(known) => match self.read(Stage::Current, deadline.sooner(REFRESH_WITHIN)).await {
                Ok(secret) => *known = Cached::new(Arc::new(secret)),
                Err(error) => {
                    tracing::warn!(error = error.reason, "secret not refreshed; the one read before serves on");
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
    pub async fn changed_since(&self, known: &Secret, deadline: Deadline) -> Result<Option<Arc<Secret>>, Failure> {
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
                    tracing::warn!(error = error.reason, "other versions of the secret cannot be read");
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

    async fn read(&self, stage: Stage, deadline: Deadline) -> Result<Secret, Failure> {
        let mut request = self.client.get_secret_value().secret_id(&self.settings.secret_id);
        if let Stage::Previous = stage {
            request = request.version_stage("AWSPREVIOUS");
        }
        // Boxed: the SDK's future is 20 KB, which every caller's would be too.
        let answer = deadline.bound(Box::pin(request.send())).await.map_err(|_| self.timed_out())?;
        let value =
            value_of(&answer.map_err(|e| self.refused(&e))?).ok_or_else(|| self.misconfigured("holds no text"))?;
        Secret::parse(&value, self.settings.client_id.as_deref(), self.settings.auth_method)
            .map_err(|fault| self.misconfigured(&fault))
    }

    fn misconfigured(&self, fault: &str) -> Failure {
        Failure::new(Outcome::Misconfigured, format!("secret {}: {fault}", self.settings.secret_id))
    }

    fn timed_out(&self) -> Failure {
        Failure::new(
            Outcome::OperatorTimeout,
            format!("secret {}: Secrets Manager gave no answer before the deadline", self.settings.secret_id),
        )
    }

    fn refused(&self, error: &SdkError<GetSecretValueError, HttpResponse>) -> Failure {
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
                _ => NOT_UNDERSTOOD.to_owned(),
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
    fn busy(&self, how: &str) -> Failure {
        Failure::new(
            Outcome::OperatorBusy,
            format!("secret {}: Secrets Manager {how}; if it does not pass, see its quotas", self.settings.secret_id),
        )
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
