//! HTTP within limits, over `reqwest`: compiled-in roots, no redirects, no proxy, bodies up to 64 KiB. A request is
//! sent again only if the far side cannot have acted on it.

mod connections;
mod deadline;
#[cfg(test)]
mod tests;

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{ACCEPT_ENCODING, CONNECTION, HeaderValue};
use http::{HeaderMap, Method, Version};
use hyper_util::client::legacy::Error as ClientError;
pub use reqwest::Request;
use reqwest::{Client, ClientBuilder, Response, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use url::Url;

use connections::Connections;
pub use deadline::{Deadline, TimedOut};

/// An HTTP client that keeps its connections across invocations.
#[derive(Debug, Clone)]
pub struct Transport {
    client: Client,
    /// Opens connections ahead. It has no pool, so each of its requests opens a connection.
    opener: Client,
    connections: Connections,
    tls: ClientConfig,
}

/// An answer whose body was read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// True if the request was sent more than once.
    pub retried: bool,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may contain a token.
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Answer {
    /// Reads the body as a JSON object; a byte order mark before it is ignored (RFC 8259 §8.1). (A derived
    /// `Deserialize` alone would also accept an array of the members' values.)
    #[must_use]
    pub fn json_object<T: DeserializeOwned>(&self) -> Option<T> {
        let body = self.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.body).trim_ascii_start();
        body.starts_with(b"{").then(|| serde_json::from_slice(body).ok()).flatten()
    }
}

/// Why no answer was received. The texts contain the cause but no data.
#[derive(Debug)]
pub enum TransportError {
    /// The connection could not be opened, ended before the answer did, or returned something other than HTTP.
    Unreachable(String),
    /// The far side's certificate is not trusted.
    Untrusted(String),
    /// The deadline passed first.
    TimedOut,
    /// The body is longer than the limit.
    TooLarge,
}

const MAX_BODY: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Lambda freezes an environment between invocations, and middleboxes drop silent connections after a few
/// minutes (AWS NAT gateways: 350 s). A connection idle for longer is not worth trying.
const POOL_IDLE: Duration = Duration::from_mins(2);

/// A connection that closes after it has been idle for longer than this was probably closed for being idle. If a
/// younger one closes, the request itself was probably the reason.
const FRESH: Duration = Duration::from_secs(1);

/// The longest time for opening a connection ahead. A request that arrives meanwhile waits for it, and after a freeze
/// the far side may have forgotten the handshake.
const OPEN_WITHIN: Duration = Duration::from_secs(3);

const OUR_NAME: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

impl Transport {
    /// Creates a client that trusts Mozilla's compiled-in roots and `extra_roots`.
    ///
    /// # Errors
    /// One of the roots is not a usable certificate. The text says why.
    pub fn new(extra_roots: &[CertificateDer<'static>]) -> Result<Self, String> {
        Self::over(tls_config(extra_roots)?)
    }

    /// Creates a client that trusts the same roots but shares no connection with this one.
    ///
    /// # Errors
    /// The client cannot be set up.
    pub fn with_own_connections(&self) -> Result<Self, String> {
        Self::over(self.tls.clone())
    }

    fn over(tls: ClientConfig) -> Result<Self, String> {
        let connections = Connections::default();
        let client = |limits: fn(ClientBuilder) -> ClientBuilder| {
            limits(client(tls.clone()).connector_layer(connections.clone()))
                .build()
                .map_err(|e| format!("the HTTP client cannot be set up: {}", cause(&e)))
        };
        Ok(Self {
            client: client(|builder| builder.pool_idle_timeout(POOL_IDLE))?,
            opener: client(|builder| builder.pool_max_idle_per_host(0).connect_timeout(OPEN_WITHIN))?,
            connections,
            tls,
        })
    }

    /// Starts to open a connection for the next request to this origin, unless one is open. It runs as a task of the
    /// current Tokio runtime; failures are ignored, because the request then opens its own connection.
    pub fn open_ahead(&self, to: &Url) {
        self.connections.open_ahead(&self.opener, Request::new(Method::GET, to.clone()));
    }

    /// Sends a request and reads the whole answer.
    ///
    /// The request is sent again only if the far side cannot have acted on it: connecting failed (once), or a
    /// connection that had been idle for more than a second closed before any answer (RFC 9110 §9.2.2 leaves that to a
    /// client that knows the request was not processed; RFC 9112 §9.3.1 names this race).
    ///
    /// # Errors
    /// Why no answer was received.
    pub async fn send(&self, request: Request, deadline: Deadline) -> Result<Answer, TransportError> {
        // Boxed, because each future around this one would contain it twice.
        let sent = Box::pin(self.send_unbounded(request));
        deadline.bound(sent).await.unwrap_or(Err(TransportError::TimedOut))
    }

    async fn send_unbounded(&self, request: Request) -> Result<Answer, TransportError> {
        let mut may_connect_again = true;
        let mut retried = false;
        loop {
            // None of our bodies is a stream, which could not be sent twice.
            let attempt = request.try_clone().ok_or_else(|| TransportError::Unreachable("no request".to_owned()))?;
            let start = Instant::now();
            let error = match Connections::request(attempt.url().origin(), self.client.execute(attempt)).await {
                Ok(response) => return self.read(response, retried).await,
                Err(error) => error,
            };
            // After a freeze any number of pooled connections may be dead, and each is tried before a new one is
            // opened.
            let again = if error.is_connect() {
                std::mem::take(&mut may_connect_again) && !is_untrusted(&error)
            } else {
                self.was_closed_while_idle(&error, start)
            };
            if !again {
                return Err(error.into());
            }
            retried = true;
            tracing::warn!(cause = cause(&error), "the request was not accepted; sending it again");
        }
    }

    /// Returns whether a request failed because its idle connection was closed. hyper does not distinguish a partial
    /// answer from no answer.
    fn was_closed_while_idle(&self, error: &reqwest::Error, start: Instant) -> bool {
        let found = |error| find::<ClientError>(error)?.connect_info().and_then(connections::ends);
        let idle = found(error).and_then(|ends| self.connections.failed(ends, start));
        let answered = find::<hyper::Error>(error).is_none_or(hyper::Error::is_parse);
        !answered && idle.is_some_and(|idle| idle > FRESH)
    }

    async fn read(&self, mut response: Response, retried: bool) -> Result<Answer, TransportError> {
        let body = read_body(&mut response).await;
        if let Some(ends) = connections::ends_in(response.extensions()) {
            self.connections.answered(ends, body.is_ok() && stays_open(&response));
        }
        let headers = std::mem::take(response.headers_mut());
        Ok(Answer { status: response.status().as_u16(), headers, body: body?, retried })
    }
}

async fn read_body(response: &mut Response) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(TransportError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Builds a client with the settings that both of a transport's clients share.
fn client(tls: ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .user_agent(OUR_NAME)
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]))
}

fn tls_config(extra_roots: &[CertificateDer<'static>]) -> Result<ClientConfig, String> {
    let mut roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect::<RootCertStore>();
    for certificate in extra_roots {
        roots.add(certificate.clone()).map_err(|e| format!("a certificate cannot be used as a root: {e}"))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| format!("TLS cannot be set up: {e}"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Returns whether the far side keeps the connection open after this response (RFC 9112 §9.3).
fn stays_open(response: &Response) -> bool {
    let close = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"close");
    response.version() == Version::HTTP_11 && !response.headers().get_all(CONNECTION).iter().any(close)
}

/// Returns whether the far side's certificate was rejected, which another attempt would not change.
fn is_untrusted(error: &reqwest::Error) -> bool {
    matches!(find(error), Some(rustls::Error::InvalidCertificate(_)))
}

/// Finds the outermost error of type `E` among an error and its causes.
fn find<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        // The `source` of an `io::Error` skips the error that it wraps.
        Some(wrapped) => Some(wrapped),
        None => (*error).source(),
    })
}

/// The innermost cause of an error, without the layers around it. (The text of the outermost error, reqwest's, contains
/// the URL.)
fn cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

impl From<reqwest::Error> for TransportError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let cause = cause(&error);
        if is_untrusted(&error) { Self::Untrusted(cause) } else { Self::Unreachable(cause) }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(cause) => write!(f, "no usable answer: {cause}"),
            Self::Untrusted(cause) => write!(f, "not trusted: {cause}"),
            Self::TimedOut => f.write_str("no answer before the deadline"),
            Self::TooLarge => write!(f, "the answer's body is longer than {MAX_BODY} bytes"),
        }
    }
}

impl StdError for TransportError {}
