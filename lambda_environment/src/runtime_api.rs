use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::message::read_message;
use crate::signal::signal;

/// The time after an invocation's deadline for which its answer is still awaited.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program's answer to an event.
#[derive(Debug)]
pub struct Answer {
    /// The time at which all of it had arrived.
    pub at: Instant,
    /// The answer, or the error that the program reported instead.
    pub result: Result<Value, String>,
}

/// The Runtime API of one environment. Programs may take one event at a time or many at once. Nothing is cached, and a
/// queued event is handed over at once.
pub struct RuntimeApi {
    address: SocketAddr,
    events: UnboundedSender<Invocation>,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    events: tokio::sync::Mutex<UnboundedReceiver<Invocation>>,
    answers: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    invocations: AtomicU64,
    /// The number of the program's requests that are waiting for an event.
    asking: watch::Sender<usize>,
    /// The process to continue as soon as it has an event.
    frozen: Mutex<Option<u32>>,
    on_init: Box<dyn Fn() -> io::Result<()> + Send + Sync>,
    initialized: OnceLock<Result<Instant, String>>,
}

struct Invocation {
    request_id: String,
    deadline_ms: u128,
    event: String,
}

impl RuntimeApi {
    /// `on_init` is called when the program first asks for an event, before it gets one: the init phase ends there.
    ///
    /// # Errors
    /// No socket can be opened.
    pub async fn start(on_init: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (events, receiver) = unbounded_channel();
        let shared = Arc::new(Shared {
            events: tokio::sync::Mutex::new(receiver),
            answers: Mutex::default(),
            invocations: AtomicU64::new(0),
            asking: watch::Sender::new(0),
            frozen: Mutex::default(),
            on_init: Box::new(on_init),
            initialized: OnceLock::new(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, events, shared, server })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Queues an event at once. The returned future waits for the answer, which is due within `time_left`.
    ///
    /// # Errors
    /// There is no answer within 20 seconds after the deadline.
    pub fn invoke(&self, event: &str, time_left: Duration) -> impl Future<Output = io::Result<Answer>> + use<> {
        let number = self.shared.invocations.fetch_add(1, Ordering::Relaxed);
        let request_id = format!("8476a536-e9f4-11e8-9739-{number:012x}");
        let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default() + time_left;
        let (answered, answer) = oneshot::channel();
        lock(&self.shared.answers).insert(request_id.clone(), answered);
        let invocation = Invocation { request_id, deadline_ms: deadline.as_millis(), event: event.to_owned() };
        // If the server is gone, the answer never arrives.
        let _ = self.events.send(invocation);
        async move {
            let in_time = tokio::time::timeout(time_left + PATIENCE, answer).await;
            let answer = in_time.map_err(|_| io::Error::other("the program gave no answer in time"))?;
            answer.map_err(|_| io::Error::other("the Runtime API has ended"))
        }
    }

    /// The time at which the program first asked for an event.
    ///
    /// # Errors
    /// It has not asked yet, or `on_init` failed.
    pub fn initialized(&self) -> io::Result<Instant> {
        let initialized = self.shared.initialized.get().cloned();
        initialized.unwrap_or_else(|| Err("no event was asked for".to_owned())).map_err(io::Error::other)
    }

    /// Stops the process as soon as it waits for an event, until there is one.
    pub(crate) async fn freeze(&self, process: u32) -> io::Result<()> {
        self.shared.asking.subscribe().wait_for(|asking| *asking > 0).await.map_err(io::Error::other)?;
        signal("-STOP", process)?;
        *lock(&self.shared.frozen) = Some(process);
        Ok(())
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for RuntimeApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeApi").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok(request) = read_message(&mut stream).await {
                if answer(&mut stream, &request, &shared).await.is_none() {
                    break;
                }
            }
        });
    }
}

/// Answers a request; `None` ends the connection, for example after a request that the Runtime API does not have.
async fn answer(stream: &mut TcpStream, request: &[u8], shared: &Shared) -> Option<()> {
    let at = Instant::now();
    let request = String::from_utf8_lossy(request);
    let path = request.split(' ').nth(1)?.strip_prefix("/2018-06-01/runtime/invocation/")?;
    if path == "next" {
        shared.initialized.get_or_init(|| (shared.on_init)().map(|()| at).map_err(|error| error.to_string()));
        return hand_over(stream, shared).await;
    }
    let (request_id, kind) = path.split_once('/')?;
    let (_, body) = request.split_once("\r\n\r\n")?;
    let result = match kind {
        "response" => serde_json::from_str(body).map_err(|error| error.to_string()),
        _ => Err(body.to_owned()),
    };
    // A second answer to an event ends the connection, which the program reports.
    let waiting = lock(&shared.answers).remove(request_id)?;
    // The caller may have stopped waiting.
    let _ = waiting.send(Answer { at, result });
    stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.ok()
}

async fn hand_over(stream: &mut TcpStream, shared: &Shared) -> Option<()> {
    shared.asking.send_modify(|asking| *asking += 1);
    let invocation = shared.events.lock().await.recv().await?;
    shared.asking.send_modify(|asking| *asking -= 1);
    let event = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         lambda-runtime-aws-request-id: {}\r\nlambda-runtime-deadline-ms: {}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:number-verification\r\n\
         lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n\r\n{}",
        invocation.event.len(),
        invocation.request_id,
        invocation.deadline_ms,
        invocation.event
    );
    stream.write_all(event.as_bytes()).await.ok()?;
    // The process continues only now, so that it finds the event together with everything else that happened while it
    // was frozen.
    let frozen = lock(&shared.frozen).take();
    frozen.map_or(Ok(()), |process| signal("-CONT", process)).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
