//! HTTP with bounds: compiled-in roots, no redirects, no proxy, bodies up to 64 KiB, and a second sending only
//! where the far side cannot have acted on the first.

mod ahead;

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{HeaderValue, USER_AGENT};
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower::Service;

use crate::deadline::Deadline;
use ahead::{Ahead, Open};

/// An HTTP client that keeps its connections across invocations.
#[derive(Debug, Clone)]
pub struct Transport {
    client: Client<Connector, Full<Bytes>>,
    connector: Connector,
}

/// An answer whose body was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether the request was sent more than once.
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

/// Why there is no answer. The texts name the cause and no data.
#[derive(Debug)]
pub enum TransportError {
    /// The connection could not be made, or ended before the answer did.
    Unreachable(String),
    /// The far side's certificate is not one to trust.
    Untrusted(String),
    /// The deadline came first.
    TimedOut,
    /// The body is longer than is read.
    TooLarge,
}

const MAX_BODY: usize = 64 * 1024;
/// Of the answer's head.
const MAX_HEAD: usize = 64 * 1024;

/// Lambda freezes an environment between invocations, and middleboxes drop silent connections after a few
/// minutes (AWS NAT gateways: 350 s). Past this a kept connection is not worth trying.
const POOL_IDLE: Duration = Duration::from_mins(2);

/// A connection opened ahead counts as a kept one once it is older than this: it stood idle, through a freeze perhaps,
/// and the far side may have closed it for that. A younger one is closed for what was sent over it.
const FRESH: Duration = Duration::from_secs(1);

const OUR_NAME: HeaderValue = HeaderValue::from_static(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));

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
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = Connector { https: HttpsConnector::from((tcp, tls)), ahead: Ahead::default() };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .http1_max_buf_size(MAX_HEAD)
            .build(connector.clone());
        Ok(Self { client, connector })
    }

    /// Opens a connection for the request that will be next, unless there is one. It is a task of the current Tokio
    /// runtime; nobody hears of its failure, because the request then makes a connection of its own.
    pub fn open_ahead(&self, to: &Uri) {
        self.connector.ahead.open(to, || {
            let connecting = self.connector.clone().https.call(to.clone());
            async { connecting.await.map(TokioIo::new) }
        });
    }

    /// Sends a request and reads the whole answer.
    ///
    /// It is sent a second time only where the far side cannot have acted on the first: no connection could be
    /// made, or a connection kept from an earlier request closed before any byte of an answer (RFC 9110 §9.2.2
    /// leaves that to a client that knows the request was not processed; RFC 9112 §9.3.1 names this race).
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn send<B: Into<Bytes>>(
        &self,
        request: Request<B>,
        deadline: Deadline,
    ) -> Result<Answer, TransportError> {
        let mut request = request.map(|body| Full::new(body.into()));
        request.headers_mut().entry(USER_AGENT).or_insert(OUR_NAME);
        deadline.bound(self.send_unbounded(request)).await.unwrap_or(Err(TransportError::TimedOut))
    }

    async fn send_unbounded(&self, request: Request<Full<Bytes>>) -> Result<Answer, TransportError> {
        let mut connects_failed = 0;
        let mut retried = false;
        let response = loop {
            let error = match self.client.request(request.clone()).await {
                Ok(response) => break response,
                Err(error) => error,
            };
            connects_failed += u8::from(error.is_connect());
            // After a freeze any number of kept connections may be dead, and each is tried before a new one is made.
            let again = if error.is_connect() {
                connects_failed == 1 && !is_untrusted(&error)
            } else {
                kept_connection_closed(&error)
            };
            if !again {
                return Err(TransportError::from(&error));
            }
            retried = true;
            tracing::warn!(cause = cause(&error), "the request was not taken; sending it again on a new connection");
        };

        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                TransportError::TooLarge
            } else {
                TransportError::Unreachable(cause(&*error))
            }
        })?;
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes().into(), retried })
    }
}

/// Whether the request went to a connection kept from an earlier one, and nothing came back.
fn kept_connection_closed(error: &ClientError) -> bool {
    let mut found = http::Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut found);
    }
    found.get::<Arc<Traffic>>().is_some_and(|traffic| traffic.kept_and_silent())
}

/// Whether the far side's certificate was refused, which another try would not change.
fn is_untrusted(error: &ClientError) -> bool {
    causes(error).any(|cause| matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
}

fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        // An `io::Error` passes over the error it wraps, and gives that one's source as its own.
        Some(wrapped) => Some(wrapped),
        None => (*error).source(),
    })
}

/// The innermost cause of an error, without the layers around it.
fn cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

impl From<&ClientError> for TransportError {
    fn from(error: &ClientError) -> Self {
        let cause = cause(error);
        if is_untrusted(error) { Self::Untrusted(cause) } else { Self::Unreachable(cause) }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(cause) => write!(f, "no answer: {cause}"),
            Self::Untrusted(cause) => write!(f, "not trusted: {cause}"),
            Self::TimedOut => f.write_str("no answer before the deadline"),
            Self::TooLarge => write!(f, "the answer's body is longer than {MAX_BODY} bytes"),
        }
    }
}

impl StdError for TransportError {}

/// What went over a connection so far, as far as a decision to send again depends on it.
#[derive(Debug, Default)]
struct Traffic {
    /// It was there before the request: an answer came over it, or it was opened ahead and stood idle.
    kept: AtomicBool,
    /// None came since the last byte was sent.
    silent: AtomicBool,
}

impl Traffic {
    fn kept_and_silent(&self) -> bool {
        self.kept.load(Ordering::Relaxed) && self.silent.load(Ordering::Relaxed)
    }
}

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Makes connections whose [`Traffic`] is known, or takes one that was opened ahead.
#[derive(Debug, Clone)]
struct Connector {
    https: HttpsConnector<HttpConnector>,
    ahead: Ahead<TokioIo<Stream>>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Watched<Stream>>;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let ahead = self.ahead.clone();
        let connecting = self.https.call(destination.clone());
        Box::pin(async move {
            let (stream, kept) = match ahead.take(&destination).await {
                Some((stream, since)) => (stream, since.elapsed() > FRESH),
                None => (TokioIo::new(connecting.await?), false),
            };
            let open = ahead.opened(&destination);
            let traffic = Arc::new(Traffic { kept: AtomicBool::new(kept), silent: AtomicBool::default() });
            Ok(TokioIo::new(Watched { stream, traffic, _open: open }))
        })
    }
}

/// A connection that notes its [`Traffic`]. It is the inside of TLS, where there is any: a session ticket is no answer.
struct Watched<S> {
    stream: TokioIo<S>,
    traffic: Arc<Traffic>,
    _open: Arc<Open>,
}

impl<S: Connection> Connection for Watched<S> {
    fn connected(&self) -> Connected {
        self.stream.inner().connected().extra(Arc::clone(&self.traffic))
    }
}

impl<S: Unpin> AsyncRead for Watched<S>
where
    TokioIo<S>: AsyncRead,
{
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.traffic.kept.store(true, Ordering::Relaxed);
            self.traffic.silent.store(false, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Unpin> AsyncWrite for Watched<S>
where
    TokioIo<S>: AsyncWrite,
{
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.traffic.silent.store(true, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.traffic.silent.store(true, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
