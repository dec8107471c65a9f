//! The secret in memory: read once, refreshed, and kept in two versions while a change is recent.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::failures::{self, ReadError, misconfigured, timed_out};
use super::shared_read::{Read, SHORT_WAIT, Slot};
use super::{Secret, Settings};
use crate::failure::Failure;
use crate::transport::Deadline;

/// The age after which a request tries to read the secret again before using it.
const REFRESH_AFTER: Duration = Duration::from_mins(15);

/// The pause after a failed refresh. The old secret stays in use meanwhile.
const REFRESH_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// The time for which a failed read is remembered, so that a broken secret is not read for every request.
const REMEMBER_FAILURE: Duration = Duration::from_secs(2);

/// Minimum time between two lookups of a newer version, so that forged states cannot make us read secrets in a loop.
///
/// A lookup misses a version that is stored after it. A state sealed with such a version is refused only if all this
/// happens within one second: the version is stored, another environment reads it and seals the state, and the browser
/// returns from the operator. Waiting for the next lookup instead would let every forged state occupy an environment
/// for a second.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Minimum time between two reads for the sake of something that the secret does not contain, such as an app that was
/// registered a moment ago.
const FIND_EVERY: Duration = Duration::from_secs(10);

/// The secret, kept for the life of the environment. A request that finds what it needs here does not wait.
#[derive(Debug)]
pub struct SecretStore {
    source: Arc<Source>,
    current: Arc<Slot<Version>>,
}

/// The versions of the secret that matter at the moment.
#[derive(Debug)]
pub struct Versions {
    /// The current version.
    pub current: Arc<Secret>,
    /// The version before it, while the current one is young.
    pub previous: Option<Arc<Secret>>,
}

/// The version labelled `AWSCURRENT`.
#[derive(Debug, Clone)]
struct Version {
    secret: Arc<Secret>,
    /// `CreatedDate`.
    created: Option<SystemTime>,
    read_at: Instant,
    /// The version labelled `AWSPREVIOUS` while this one is current. It is read when first needed.
    previous: Arc<Slot<Option<Arc<Secret>>>>,
}

/// Reads from Secrets Manager.
#[derive(Debug)]
struct Source {
    client: Client,
    settings: Settings,
}

impl SecretStore {
    /// Creates a store for the secret that the settings name, without reading it.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        Self { source: Arc::new(Source { client, settings }), current: Arc::default() }
    }

    /// Starts reading the secret in the background. If that fails, the first request that needs it reads it again and
    /// reports the failure.
    pub fn read_ahead(&self) {
        let source = Arc::clone(&self.source);
        self.current.read(REFRESH_AFTER, REMEMBER_FAILURE, || async move { source.current(None).await.ok().map(Ok) });
    }

    /// Returns the current secret. A cached one is returned at once; if it is older than 15 minutes, the request first
    /// waits up to 2 s for a refresh, and continues with the old one if there is none by then.
    ///
    /// # Errors
    /// The secret has never been read, and reading it fails now or failed within the last 2 s.
    pub async fn get(&self, deadline: Deadline) -> Result<Arc<Secret>, Failure> {
        Ok(self.current(deadline).await?.secret)
    }

    /// Reads the secret again, after the operator refused `known`. `None` if it is unchanged.
    ///
    /// # Errors
    /// The secret cannot be read.
    pub async fn changed_since(&self, known: &Secret, deadline: Deadline) -> Result<Option<Arc<Secret>>, Failure> {
        let refused_at = Instant::now();
        loop {
            let cached = self.current.value().filter(|cached| cached.secret.sha256 != known.sha256);
            if let Some(newer) = cached {
                return Ok(Some(newer.secret));
            }
            let read = self.read_current(Duration::ZERO, REMEMBER_FAILURE);
            let started = read.started();
            let version = self.result(read, deadline).await?;
            if version.secret.sha256 != known.sha256 {
                return Ok(Some(version.secret));
            }
            // A read that was already under way may have missed the change.
            if started >= refused_at {
                return Ok(None);
            }
        }
    }

    /// Looks for something in the secret. If it is not there, the secret is read again, at most once in ten seconds.
    ///
    /// # Errors
    /// The secret has never been read and cannot be read now.
    pub async fn find<T>(
        &self,
        deadline: Deadline,
        find: impl Fn(&Arc<Secret>) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let current = self.current(deadline).await?;
        if let Some(found) = find(&current.secret) {
            return Ok(Some(found));
        }
        let newer = self.read_current(FIND_EVERY, FIND_EVERY).soon(deadline.sooner(SHORT_WAIT)).await;
        Ok(newer.and_then(|newer| find(&newer.secret)))
    }

    /// Returns the current version, and the one before it while the current one is younger than `young`.
    ///
    /// # Errors
    /// A version has never been read and cannot be read now.
    pub async fn versions(&self, young: Duration, deadline: Deadline) -> Result<Versions, Failure> {
        let current = self.current(deadline).await?;
        let previous = if current.age().is_none_or(|age| age >= young) {
            None
        } else if let Some(previous) = current.previous.value() {
            previous
        } else {
            let read = self.read_previous(&current).result();
            let timed_out = || Err(timed_out(&self.source.settings.secret_id));
            deadline.bound(read).await.ok().flatten().unwrap_or_else(timed_out)?
        };
        Ok(Versions { current: current.secret, previous })
    }

    /// Tries `open` on every version of the secret that may open a sealed text, until it returns a value:
    ///
    /// - the current version, which another environment may have read before this one;
    /// - the version before it, only while the current one is younger than the longest life of a sealed text plus the
    ///   time for which another environment may continue to seal with the old one. A leaked key is therefore useless soon
    ///   after it is replaced.
    ///
    /// # Errors
    /// The secret has never been read and cannot be read now. A failure to read another version is only logged, because
    /// anyone could cause it with a forged text.
    pub async fn open_with<T>(
        &self,
        deadline: Deadline,
        open: impl Fn(&Arc<Secret>) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let current = self.current(deadline).await?;
        let attempt = |current: &Version| {
            open(&current.secret).or_else(|| self.source.previous_of(current).and_then(|previous| open(&previous)))
        };
        if let Some(opened) = attempt(&current) {
            return Ok(Some(opened));
        }
        let deadline = deadline.sooner(SHORT_WAIT);
        let current = self.read_current(LOOK_EVERY, REMEMBER_FAILURE).soon(deadline).await.unwrap_or(current);
        if self.source.previous_may_open(&current) && current.previous.value().is_none() {
            self.read_previous(&current).soon(deadline).await;
        }
        Ok(attempt(&current))
    }

    async fn current(&self, deadline: Deadline) -> Result<Version, Failure> {
        match self.current.value() {
            Some(known) if known.read_at.elapsed() < REFRESH_AFTER => Ok(known),
            // Boxed, because every request would pay for moving these large and rare futures.
            Some(known) => {
                let read = self.read_current(REFRESH_AFTER, REFRESH_AGAIN_AFTER);
                Ok(Box::pin(read.soon(deadline)).await.unwrap_or(known))
            }
            None => Box::pin(self.result(self.read_current(REFRESH_AFTER, REMEMBER_FAILURE), deadline)).await,
        }
    }

    /// Joins the read of the current version that is under way or recent, or starts one.
    fn read_current(&self, reuse_success: Duration, reuse_failure: Duration) -> Read<Version> {
        self.current.read(reuse_success, reuse_failure, || {
            let (source, known) = (Arc::clone(&self.source), self.current.value());
            async move { Some(source.current(known).await) }
        })
    }

    /// Joins the read of the version before `current`, or starts one.
    fn read_previous(&self, current: &Version) -> Read<Option<Arc<Secret>>> {
        let source = Arc::clone(&self.source);
        current.previous.read(Duration::MAX, REMEMBER_FAILURE, || async move { Some(source.previous().await) })
    }

    /// Waits for a read that the request cannot do without.
    async fn result(&self, read: Read<Version>, deadline: Deadline) -> Result<Version, Failure> {
        let result = async {
            match read.result().await {
                Some(result) => Some(result),
                // That was the read in the background, which failed.
                None => self.read_current(REFRESH_AFTER, REMEMBER_FAILURE).result().await,
            }
        };
        deadline.bound(result).await.ok().flatten().unwrap_or_else(|| Err(timed_out(&self.source.settings.secret_id)))
    }
}

impl Source {
    /// Reads the current version. If it is still `known`, its previous version is kept too.
    async fn current(&self, known: Option<Version>) -> Result<Version, Failure> {
        let read_at = Instant::now();
        let read = match self.get_secret_value("AWSCURRENT").await {
            Ok(answer) => self.parse(&answer).map(|secret| (secret, created(&answer))),
            Err(error) => Err(failures::of(&self.settings.secret_id, &error)),
        };
        match (read, known) {
            (Ok((secret, created)), Some(known))
                if known.secret.sha256 == secret.sha256 && known.created == created =>
            {
                Ok(Version { read_at, ..known })
            }
            (Ok((secret, created)), _) => {
                secret.log_faults();
                Ok(Version { secret: Arc::new(secret), created, read_at, previous: Arc::default() })
            }
            (Err(failure), known) => {
                if known.is_some() {
                    tracing::warn!(error = failure.reason, "the secret cannot be read again; the old one stays in use");
                }
                Err(failure)
            }
        }
    }

    /// Reads the version before the current one; `None` if there is none that could have sealed anything.
    async fn previous(&self) -> Result<Option<Arc<Secret>>, Failure> {
        match self.get_secret_value("AWSPREVIOUS").await {
            Ok(answer) => Ok(self.parse(&answer).ok().map(Arc::new)),
            Err(error) if failures::is_missing(&error) => Ok(None),
            Err(error) => {
                let failure = failures::of(&self.settings.secret_id, &error);
                tracing::warn!(error = failure.reason, "the previous version of the secret cannot be read");
                Err(failure)
            }
        }
    }

    /// The version before `current`, if it has been read and may open sealed texts.
    fn previous_of(&self, current: &Version) -> Option<Arc<Secret>> {
        current.previous.value().flatten().filter(|_| self.previous_may_open(current))
    }

    /// Returns whether the keys of the previous version may still open texts. Without a `CreatedDate`, which Secrets
    /// Manager always gives, they may not.
    fn previous_may_open(&self, current: &Version) -> bool {
        current.age().is_some_and(|age| age < self.settings.state_ttl + REFRESH_AFTER)
    }

    async fn get_secret_value(&self, version_stage: &str) -> Result<GetSecretValueOutput, ReadError> {
        let request = self.client.get_secret_value().secret_id(&self.settings.secret_id);
        request.version_stage(version_stage).send().await
    }

    fn parse(&self, answer: &GetSecretValueOutput) -> Result<Secret, Failure> {
        let value = text_of(answer).and_then(|value| Secret::parse(&value, &self.settings.clients));
        value.map_err(|fault| misconfigured(&self.settings.secret_id, &fault))
    }
}

impl Version {
    fn age(&self) -> Option<Duration> {
        // A date in the future means that the two clocks differ.
        self.created.map(|created| created.elapsed().unwrap_or_default())
    }
}

fn created(answer: &GetSecretValueOutput) -> Option<SystemTime> {
    answer.created_date().and_then(|date| SystemTime::try_from(*date).ok())
}

/// The text of the secret, stored as a string or as bytes.
fn text_of(answer: &GetSecretValueOutput) -> Result<Zeroizing<String>, String> {
    if let Some(text) = answer.secret_string() {
        return Ok(Zeroizing::new(text.to_owned()));
    }
    let bytes = answer.secret_binary().ok_or("contains no text; store one")?.as_ref().to_vec();
    let text = String::from_utf8(bytes).map_err(|_| "contains bytes that are not UTF-8; store it as text")?;
    Ok(Zeroizing::new(text))
}
