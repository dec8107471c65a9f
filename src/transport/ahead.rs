//! Connections opened ahead of the request that needs them.
//!
//! A handshake takes two round trips, and at the smallest memory size more CPU time than all else in a verification.
//! Both can pass while something else is waited for.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::Uri;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::task::JoinHandle;

use crate::freeze;

/// Servers close connections on which no request comes, most after a minute.
const USE_WITHIN: Duration = Duration::from_secs(30);

/// The destinations of one transport: at most a handful, scheme and authority each.
pub(super) struct Ahead<S>(Arc<Mutex<HashMap<String, Destination<S>>>>);

struct Destination<S> {
    opening: Option<(Instant, JoinHandle<Option<S>>)>,
    latest: Weak<Open>,
}

/// Stays with a connection for as long as that is open.
#[derive(Debug)]
pub(super) struct Open;

impl<S: AsyncRead + Unpin + Send + 'static> Ahead<S> {
    /// Opens a connection, unless one is open or being opened.
    pub fn open<E, C>(&self, to: &Uri, connect: impl FnOnce() -> C)
    where
        C: Future<Output = Result<S, E>> + Send + 'static,
    {
        let mut destinations = self.lock();
        let destination = destinations.entry(key(to)).or_default();
        let usable = |(since, _): &(Instant, _)| since.elapsed() < USE_WITHIN;
        if destination.latest.strong_count() == 0 && !destination.opening.as_ref().is_some_and(usable) {
            let connecting = connect();
            let opening = async { freeze::unless_frozen(connecting).await?.ok() };
            destination.opening = Some((Instant::now(), tokio::spawn(opening)));
        }
    }

    /// The connection that was opened ahead, once it is open, and since when it is there; `None` where there is none to
    /// use.
    pub fn take(&self, to: &Uri) -> impl Future<Output = Option<(S, Instant)>> + use<S> {
        let opening = self.lock().get_mut(&key(to)).and_then(|destination| destination.opening.take());
        async {
            let (since, opening) = opening.filter(|(since, _)| since.elapsed() < USE_WITHIN)?;
            let mut stream = opening.await.ok()??;
            is_silent(&mut stream).await.then_some((stream, since))
        }
    }

    /// Notes that a connection has been opened.
    pub fn opened(&self, to: &Uri) -> Arc<Open> {
        let open = Arc::new(Open);
        self.lock().entry(key(to)).or_default().latest = Arc::downgrade(&open);
        open
    }
}

impl<S> Ahead<S> {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Destination<S>>> {
        // Nothing in it can be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the far side has neither closed the connection nor said anything on it.
async fn is_silent<S: AsyncRead + Unpin>(stream: &mut S) -> bool {
    let mut stream = pin!(stream);
    let mut byte = [0];
    std::future::poll_fn(|cx| Poll::Ready(stream.as_mut().poll_read(cx, &mut ReadBuf::new(&mut byte)).is_pending()))
        .await
}

fn key(uri: &Uri) -> String {
    format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |authority| authority.as_str()))
}

impl<S> Default for Ahead<S> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<S> Clone for Ahead<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Default for Destination<S> {
    fn default() -> Self {
        Self { opening: None, latest: Weak::new() }
    }
}

impl<S> std::fmt::Debug for Ahead<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.lock().keys()).finish()
    }
}
