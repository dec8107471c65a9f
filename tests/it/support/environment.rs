//! A Lambda environment: the real program, and the Runtime API that it asks for events.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};

use super::far_side::read_message;

/// How long an answer may take beyond the invocation's own deadline before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program in an environment of its own. Dropping it ends both.
pub struct Environment {
    child: Child,
    runtime_api: Arc<RuntimeApi>,
    waiting: mpsc::UnboundedSender<Invocation>,
    log: watch::Receiver<Vec<String>>,
}

#[derive(Default)]
struct RuntimeApi {
    answers: Mutex<HashMap<String, oneshot::Sender<Result<Value, String>>>>,
    numbered: AtomicU64,
    /// How many of the program's requests for an event wait for one.
    asking: watch::Sender<usize>,
    /// The process to let go on once it has an event.
    frozen: Mutex<Option<String>>,
}

struct Invocation {
    request_id: String,
    deadline_ms: u128,
    event: String,
}

impl Environment {
    /// Starts the program with these variables, and no others but Lambda's own.
    pub async fn start(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let runtime_api = Arc::new(RuntimeApi::default());
        let (waiting, receiver) = mpsc::unbounded_channel();
        tokio::spawn(serve(listener, Arc::clone(&runtime_api), Arc::new(tokio::sync::Mutex::new(receiver))));

        let mut child = Command::new(env!("CARGO_BIN_EXE_number-verification"))
            .env_clear()
            .envs(variables)
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "number-verification")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (written, log) = watch::channel(Vec::new());
        let outputs: [Box<dyn AsyncRead + Send + Unpin>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let written = written.clone();
            tokio::spawn(async move {
                let mut lines = BufReader::new(output).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    written.send_modify(|log| log.push(line));
                }
            });
        }
        Self { child, runtime_api, waiting, log }
    }

    /// Invokes the function. An error is what the program told the Runtime API instead of an answer.
    pub async fn invoke(&self, event: &Value, time_left: Duration) -> Result<Value, String> {
        let number = self.runtime_api.numbered.fetch_add(1, Ordering::Relaxed);
        let request_id = format!("8476a536-e9f4-11e8-9739-{number:012x}");
        let deadline_ms = (SystemTime::UNIX_EPOCH.elapsed().unwrap() + time_left).as_millis();
        let (answered, answer) = oneshot::channel();
        self.runtime_api.answers.lock().unwrap().insert(request_id.clone(), answered);
        let invocation = Invocation { request_id, deadline_ms, event: event.to_string() };
        assert!(self.waiting.send(invocation).is_ok(), "the Runtime API is served");
        tokio::time::timeout(time_left + PATIENCE, answer).await.expect("an invocation hangs").unwrap()
    }

    /// Stops the program once it waits for an event, until there is one: what Lambda does between invocations.
    pub async fn freeze(&self) {
        self.runtime_api.asking.subscribe().wait_for(|asking| *asking > 0).await.unwrap();
        let id = self.child.id().unwrap().to_string();
        signal("-STOP", &id);
        *self.runtime_api.frozen.lock().unwrap() = Some(id);
    }

    /// Every line written so far, to standard output or error.
    pub fn log(&self) -> Vec<Value> {
        self.log
            .borrow()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.as_str().into()))
            .collect()
    }

    /// The first line with this text, once it is there.
    pub async fn logged(&self, text: &str) -> Value {
        let mut log = self.log.clone();
        let found = log.wait_for(|log| log.iter().any(|line| line.contains(text)));
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{text} is not logged")).unwrap();
        self.log().into_iter().find(|line| line.to_string().contains(text)).unwrap()
    }

    /// Kilobytes in memory.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim_end_matches("kB").trim().parse().unwrap()
    }
}

fn signal(signal: &str, process: &str) {
    assert!(std::process::Command::new("kill").args([signal, process]).status().unwrap().success());
}

async fn serve(
    listener: TcpListener,
    runtime_api: Arc<RuntimeApi>,
    waiting: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>>,
) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let (runtime_api, waiting) = (Arc::clone(&runtime_api), Arc::clone(&waiting));
        tokio::spawn(async move {
            while let Ok(request) = read_message(&mut stream).await {
                if answer(&mut stream, &request, &runtime_api, &waiting).await.is_none() {
                    break;
                }
            }
        });
    }
}

async fn answer(
    stream: &mut TcpStream,
    request: &[u8],
    runtime_api: &RuntimeApi,
    waiting: &tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
) -> Option<()> {
    let request = String::from_utf8_lossy(request);
    let path = request.split(' ').nth(1)?;
    if path == "/2018-06-01/runtime/invocation/next" {
        runtime_api.asking.send_modify(|asking| *asking += 1);
        let invocation = waiting.lock().await.recv().await?;
        runtime_api.asking.send_modify(|asking| *asking -= 1);
        let event = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             lambda-runtime-aws-request-id: {}\r\nlambda-runtime-deadline-ms: {}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:000000000000:function:number-verification\r\n\
             \r\n{}",
            invocation.event.len(),
            invocation.request_id,
            invocation.deadline_ms,
            invocation.event
        );
        stream.write_all(event.as_bytes()).await.ok()?;
        if let Some(process) = runtime_api.frozen.lock().unwrap().take() {
            signal("-CONT", &process);
        }
        return Some(());
    }
    let mut parts = path.strip_prefix("/2018-06-01/runtime/invocation/")?.split('/');
    let (request_id, kind) = (parts.next()?, parts.next()?);
    let (_, body) = request.split_once("\r\n\r\n")?;
    let result = match kind {
        "response" => serde_json::from_str(body).map_err(|e| e.to_string()),
        _ => Err(body.to_owned()),
    };
    // Answered twice would be a defect, and shows as a hang of whoever comes second.
    let _ = runtime_api.answers.lock().unwrap().remove(request_id)?.send(result);
    stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.ok()
}
