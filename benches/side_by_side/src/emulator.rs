//! The Runtime API, as far as a function needs it. It freezes nothing and caches nothing: an event that is queued is
//! handed over at once.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, OnceCell};
use tokio::task::JoinHandle;

/// What Lambda gives an invocation here.
const TIMEOUT: Duration = Duration::from_secs(30);

type OnInit = Box<dyn Fn() -> io::Result<()> + Send + Sync>;

struct Shared {
    events: Mutex<UnboundedReceiver<Bytes>>,
    answers: UnboundedSender<(Instant, Bytes)>,
    on_init: OnInit,
    initialized: OnceCell<Result<Instant, String>>,
}

/// The Runtime API of one environment.
pub struct Emulator {
    pub address: SocketAddr,
    events: UnboundedSender<Bytes>,
    answers: UnboundedReceiver<(Instant, Bytes)>,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Emulator {
    /// `on_init` is called at the first `/next`, before it is answered: there the init phase ends.
    pub async fn start(on_init: OnInit) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let (events, queue) = unbounded_channel();
        let (sender, answers) = unbounded_channel();
        let initialized = OnceCell::new();
        let shared = Arc::new(Shared { events: Mutex::new(queue), answers: sender, on_init, initialized });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{end}", post(answered))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { drop(axum::serve(socket, routes).await) });
        Ok(Self { address, events, answers, shared, server })
    }

    pub fn queue(&self, event: &Bytes) {
        // It fails only where the server is gone, and then no answer comes either.
        let _ = self.events.send(event.clone());
    }

    /// The answer to the event queued first, and when it came.
    pub async fn answer(&mut self) -> io::Result<(Instant, Value)> {
        let late = |_| io::Error::other("the function gave no answer in time");
        let answer = tokio::time::timeout(TIMEOUT, self.answers.recv()).await.map_err(late)?;
        let (at, body) = answer.ok_or_else(|| io::Error::other("the emulator has ended"))?;
        Ok((at, serde_json::from_slice(&body)?))
    }

    /// When `/next` was first asked for, if what was to be done then could be done.
    pub fn initialized(&self) -> io::Result<Instant> {
        let initialized = self.shared.initialized.get().cloned();
        initialized.unwrap_or_else(|| Err("no event was asked for".to_owned())).map_err(io::Error::other)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let begin_serving = async || {
        let now = Instant::now();
        (shared.on_init)().map(|()| now).map_err(|error| error.to_string())
    };
    shared.initialized.get_or_init(begin_serving).await;
    let Some(event) = shared.events.lock().await.recv().await else { return Response::default() };
    let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default() + TIMEOUT;
    let mut response = Response::new(Body::from(event));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:bench".to_owned()),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700".to_owned()),
        ("content-type", "application/json".to_owned()),
    ] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn answered(
    State(shared): State<Arc<Shared>>,
    Path((_, end)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let at = Instant::now();
    if end == "error" {
        eprintln!("the function failed: {}", String::from_utf8_lossy(&body));
    }
    // Nobody waits for the answer where the environment is being ended.
    let _ = shared.answers.send((at, body));
    StatusCode::ACCEPTED
}
