//! HTTP with bounds: compiled-in roots, no redirects, no proxy, bodies up to 64 KiB, and a second sending only
//! where the far side cannot have acted on the first.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderMap;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use tower::{Layer, Service};

use crate::deadline::Deadline;

/// An HTTP client that keeps its connections across invocations.
#[derive(Debug, Clone)]
pub struct Transport(reqwest::Client);

/// An answer whose body was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether the request was sent twice.
    pub retried: bool,
}

impl Answer {
    /// Reads the body as a JSON object. (A derived `Deserialize` alone would also take an array of the members'
    /// values.)
    #[must_use]
    pub fn json_object<T: DeserializeOwned>(&self) -> Option<T> {
        let body = self.body.trim_ascii_start();
        body.starts_with(b"{").then(|| serde_json::from_slice(body).ok()).flatten()
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum TransportError {
    /// The connection could not be made, or ended before the answer did. The text names the cause and no data.
    Unreachable(String),
    /// The deadline came first.
    TimedOut,
    /// The body is longer than is read.
    TooLarge,
}

const MAX_BODY: usize = 64 * 1024;

/// Lambda freezes an environment between invocations, and middleboxes drop silent connections after a few
/// minutes (AWS NAT gateways: 350 s). Past this a kept connection is not worth trying.
const POOL_IDLE: Duration = Duration::from_mins(2);

impl Transport {
    /// A client that trusts Mozilla's roots, compiled in, and `extra_roots`.
    ///
    /// # Errors
    /// A root that is not a usable certificate; the text says why.
    pub fn new(extra_roots: &[CertificateDer<'static>]) -> Result<Self, String> {
        let mut roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect::<RootCertStore>();
        for certificate in extra_roots {
            roots.add(certificate.clone()).map_err(|e| format!("a certificate cannot be used as a root: {e}"))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|e| format!("TLS cannot be set up: {e}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // Sending again is decided in `send`, where it is known what the request is.
            .retry(reqwest::retry::never())
            .pool_idle_timeout(POOL_IDLE)
            .connector_layer(NoteConnections)
            .build()
            .map(Self)
            .map_err(|e| format!("the HTTP client cannot be set up: {}", cause(&e)))
    }

    /// The client itself, to build a request with.
    #[must_use]
    pub fn client(&self) -> &reqwest::Client {
        &self.0
    }

    /// Sends a request and reads the whole answer.
    ///
    /// It is sent a second time only where the far side cannot have acted on the first: no connection could be
    /// made, or a connection kept from an earlier request closed before any byte of an answer (RFC 9110 §9.2.2
    /// leaves that to a client that knows the request was not processed; RFC 9112 §9.3.1 names this race).
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn send(&self, request: reqwest::Request, deadline: Deadline) -> Result<Answer, TransportError> {
        deadline.bound(self.send_unbounded(request)).await.unwrap_or(Err(TransportError::TimedOut))
    }

    async fn send_unbounded(&self, request: reqwest::Request) -> Result<Answer, TransportError> {
        let again = request.try_clone();
        let (first, connected) = self.execute(request).await;
        let (response, retried) = match (first, again) {
            (Err(error), Some(again)) if error.is_connect() || (!connected && closed_unanswered(&error)) => {
                tracing::warn!(
                    cause = cause(&error),
                    "connection failed before the request was acted on; sending again"
                );
                (self.execute(again).await.0, true)
            }
            (first, _) => (first, false),
        };
        let mut response = response.map_err(|e| TransportError::Unreachable(cause(&e)))?;

        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| TransportError::Unreachable(cause(&e)))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(TransportError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status().as_u16();
        Ok(Answer { status, headers: std::mem::take(response.headers_mut()), body, retried })
    }

    /// Executes a request and tells whether a connection was opened for it.
    async fn execute(&self, request: reqwest::Request) -> (reqwest::Result<reqwest::Response>, bool) {
        let opened = Arc::new(AtomicBool::new(false));
        let response = CONNECTION_OPENED.scope(opened.clone(), self.0.execute(request)).await;
        (response, opened.load(Ordering::Relaxed))
    }
}

/// Whether the connection ended before a byte of the answer came.
fn closed_unanswered(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_incomplete_message() || error.is_closed() || error.is_canceled())
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof);
        }
        source = error.source();
    }
    false
}

/// The innermost cause of an error, without the URL and without the layers around it.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.source().is_none() { "no cause given".to_owned() } else { innermost.to_string() }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(cause) => write!(f, "no answer: {cause}"),
            Self::TimedOut => f.write_str("no answer before the deadline"),
            Self::TooLarge => write!(f, "the answer's body is longer than {MAX_BODY} bytes"),
        }
    }
}

impl std::error::Error for TransportError {}

tokio::task_local! {
    /// Set when a connection is opened on behalf of the request in whose scope it is.
    static CONNECTION_OPENED: Arc<AtomicBool>;
}

/// Notes in [`CONNECTION_OPENED`] that a request did not use a kept connection.
#[derive(Clone)]
struct NoteConnections;

#[derive(Clone)]
struct Noted<S>(S);

impl<S> Layer<S> for NoteConnections {
    type Service = Noted<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Noted(inner)
    }
}

impl<S, Target> Service<Target> for Noted<S>
where
    S: Service<Target>,
    S::Future: Send + 'static,
    S::Response: 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let opened = CONNECTION_OPENED.try_with(Arc::clone).ok();
        let connecting = self.0.call(target);
        Box::pin(async move {
            let connection = connecting.await?;
            if let Some(opened) = opened {
                opened.store(true, Ordering::Relaxed);
            }
            Ok(connection)
        })
    }
}
