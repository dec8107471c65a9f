//! The connections of one transport: opened ahead of the request that needs them, and how long each has been idle.
//!
//! A handshake takes two round trips, and at the smallest memory size more CPU time than the rest of a verification.
//! Both can overlap other waits.
//!
//! reqwest can neither open a connection without a request nor say which connection a request used. So a connector
//! layer records every connection, and a connection is opened ahead by a request that fails on purpose: the layer keeps
//! its connection before a byte of HTTP is sent.

use std::any::Any;
use std::collections::HashMap;
use std::error::Error as StdError;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hyper::rt::{Read, ReadBuf};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpInfo};
use reqwest::{Client, Request};
use tokio::task::JoinHandle;
use tower::{Layer, Service};
use url::Origin;

use super::POOL_IDLE;

/// The time for which a connection opened ahead can be used. Servers close connections that send no request, most of
/// them after a minute.
const USE_WITHIN: Duration = Duration::from_secs(30);

/// The connections of one transport, shared by its clients.
#[derive(Debug, Clone, Default)]
pub(super) struct Connections(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The connections in use or in the pool, as far as we can tell: reqwest does not report when one closes.
    open: HashMap<Ends, Noted>,
    /// The connection opened ahead for each origin, or being opened, and the time at which opening it started.
    ahead: HashMap<Origin, (Instant, JoinHandle<Option<Stream>>)>,
}

/// The local and the remote address, which identify a connection while it is open.
type Ends = (SocketAddr, SocketAddr);

#[derive(Debug)]
struct Noted {
    origin: Origin,
    /// The time at which the connection was opened or last brought an answer.
    used: Instant,
}

/// A connection of reqwest's, whose type cannot be named, and the time at which it was opened.
type Stream = (Box<dyn Any + Send>, Instant);

tokio::task_local! {
    /// The purpose for which the current task wants a connection. A connector layer does not receive the destination.
    static WANTED: Wanted;
}

#[derive(Clone)]
enum Wanted {
    /// For a request to this origin.
    Now(Origin),
    /// For a later request; the connection is stored here.
    Later(Arc<Mutex<Option<Stream>>>),
}

impl Connections {
    /// Starts to open a connection with `client`, which must not have a pool, unless one is open or being opened. It
    /// runs as a task of the current Tokio runtime; failures are ignored, because the request then opens its own
    /// connection.
    pub fn open_ahead(&self, client: &Client, request: Request) {
        let origin = request.url().origin();
        let mut state = self.lock();
        let is_open = state.open.values().any(|noted| noted.origin == origin && noted.used.elapsed() < POOL_IDLE);
        if is_open || state.ahead.get(&origin).is_some_and(|(since, _)| since.elapsed() < USE_WITHIN) {
            return;
        }
        let (client, stream) = (client.clone(), Arc::default());
        let opening = WANTED.scope(Wanted::Later(Arc::clone(&stream)), async move {
            // Always an error: the connector either failed or kept the connection.
            let _ = client.execute(request).await;
            lock(&stream).take()
        });
        state.ahead.insert(origin, (Instant::now(), tokio::spawn(opening)));
    }

    /// Runs a request to `origin`, so that it uses the connection opened ahead, or its new connection is recorded.
    pub fn request<F: Future>(origin: Origin, request: F) -> impl Future<Output = F::Output> {
        WANTED.scope(Wanted::Now(origin), request)
    }

    /// Records that an answer has just arrived over a connection, and whether the connection stays open.
    pub fn answered(&self, ends: Ends, stays_open: bool) {
        let mut state = self.lock();
        if !stays_open {
            state.open.remove(&ends);
        } else if let Some(noted) = state.open.get_mut(&ends) {
            noted.used = Instant::now();
        }
    }

    /// Removes a connection on which a request failed. Returns how long it had been idle at `start`, when the request
    /// began.
    pub fn failed(&self, ends: Ends, start: Instant) -> Option<Duration> {
        self.lock().open.remove(&ends).map(|noted| start.saturating_duration_since(noted.used))
    }

    fn opened(&self, stream: &impl Connection, origin: Origin, used: Instant) {
        let mut state = self.lock();
        // The pool never uses an older one.
        state.open.retain(|_, noted| noted.used.elapsed() < 2 * POOL_IDLE);
        if let Some(ends) = ends(&stream.connected()) {
            state.open.insert(ends, Noted { origin, used });
        }
    }

    /// Waits for the connection opened ahead and takes it, unless it is too old or was closed meanwhile.
    async fn take<S: Connection + Read + Unpin + 'static>(&self, origin: &Origin) -> Option<S> {
        let (since, opening) = self.lock().ahead.remove(origin)?;
        if since.elapsed() >= USE_WITHIN {
            return None;
        }
        let (stream, opened) = opening.await.ok()??;
        let mut stream = *stream.downcast::<S>().ok()?;
        is_silent(&mut stream).then(|| {
            self.opened(&stream, origin.clone(), opened);
            stream
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

/// The two ends of a TCP connection.
pub(super) fn ends(connected: &Connected) -> Option<Ends> {
    let mut extensions = http::Extensions::new();
    connected.get_extras(&mut extensions);
    ends_in(&extensions)
}

/// The two ends of the TCP connection that a response came over.
pub(super) fn ends_in(extensions: &http::Extensions) -> Option<Ends> {
    extensions.get::<HttpInfo>().map(|info| (info.local_addr(), info.remote_addr()))
}

/// Returns whether the far side has neither closed the connection nor sent anything on it.
fn is_silent<S: Read + Unpin>(stream: &mut S) -> bool {
    let mut byte = [0];
    let mut read = ReadBuf::new(&mut byte);
    Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), read.unfilled()).is_pending()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in it can be left half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S> Layer<S> for Connections {
    type Service = Connector<S>;

    fn layer(&self, inner: S) -> Connector<S> {
        Connector { inner, connections: self.clone() }
    }
}

/// reqwest's connector, with [`Connections`] around it.
#[derive(Debug, Clone)]
pub(super) struct Connector<S> {
    inner: S,
    connections: Connections,
}

type BoxError = Box<dyn StdError + Send + Sync>;

impl<S, D> Service<D> for Connector<S>
where
    S: Service<D, Error = BoxError>,
    S::Response: Connection + Read + Unpin + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, destination: D) -> Self::Future {
        let connecting = self.inner.call(destination);
        let connections = self.connections.clone();
        // Read here, because the pool may run the future below in another task.
        let wanted = WANTED.try_with(Wanted::clone);
        Box::pin(async move {
            match wanted {
                Ok(Wanted::Now(origin)) => {
                    if let Some(stream) = connections.take(&origin).await {
                        return Ok(stream);
                    }
                    let stream = connecting.await?;
                    connections.opened(&stream, origin, Instant::now());
                    Ok(stream)
                }
                Ok(Wanted::Later(place)) => {
                    let stream = connecting.await?;
                    *lock(&place) = Some((Box::new(stream), Instant::now()));
                    Err("kept for a later request".into())
                }
                Err(_) => connecting.await,
            }
        })
    }
}
