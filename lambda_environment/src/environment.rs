use std::io;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::runtime_api::{Answer, RuntimeApi};
use crate::signal::signal;

/// The longest time until a line is in the log.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running program and its Runtime API. Dropping it ends both.
#[derive(Debug)]
pub struct Environment {
    child: Child,
    process: u32,
    runtime_api: RuntimeApi,
    log: watch::Receiver<Vec<String>>,
}

impl Environment {
    /// Starts a program with Lambda's own variables and those of `command`. Its log consists of standard output and
    /// error, as far as the command pipes them.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(mut command: Command, runtime_api: RuntimeApi) -> io::Result<Self> {
        let mut child = command
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", "number-verification")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/number-verification")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/31/[$LATEST]0123456789abcdef0123456789abcdef")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let process = child.id().ok_or_else(|| io::Error::other("the program ended at once"))?;
        let (sender, log) = watch::channel(Vec::new());
        if let Some(output) = child.stdout.take() {
            collect_lines(output, sender.clone());
        }
        if let Some(output) = child.stderr.take() {
            collect_lines(output, sender);
        }
        Ok(Self { child, process, runtime_api, log })
    }

    /// The process's ID.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process
    }

    #[must_use]
    pub fn runtime_api(&self) -> &RuntimeApi {
        &self.runtime_api
    }

    /// Invokes the program; see [`RuntimeApi::invoke`].
    ///
    /// # Errors
    /// There is no answer within 20 seconds after the deadline.
    pub async fn invoke(&self, event: &str, time_left: Duration) -> io::Result<Answer> {
        self.runtime_api.invoke(event, time_left).await
    }

    /// Stops the program as soon as it waits for an event, until there is one, as Lambda does between invocations.
    ///
    /// # Errors
    /// The program has ended.
    pub async fn freeze(&self) -> io::Result<()> {
        self.runtime_api.freeze(self.process).await
    }

    /// The lines written so far. A line that is not JSON is a string.
    #[must_use]
    pub fn log(&self) -> Vec<Value> {
        let parse = |line: &String| serde_json::from_str(line).unwrap_or_else(|_| line.as_str().into());
        self.log.borrow().iter().map(parse).collect()
    }

    /// Waits until a line contains this text, and returns the first such line.
    ///
    /// # Errors
    /// There is no such line within 20 seconds, or before the program ends.
    pub async fn logged(&self, text: &str) -> io::Result<Value> {
        let mut log = self.log.clone();
        let found = log.wait_for(|log| log.iter().any(|line| line.contains(text)));
        let absent = || io::Error::other(format!("{text} was not logged: {:?}", self.log.borrow()));
        let in_time = tokio::time::timeout(PATIENCE, found).await.map_err(|_| absent())?;
        let lines = in_time.map_err(|_| absent())?;
        let line = lines.iter().find(|line| line.contains(text)).ok_or_else(absent)?;
        Ok(serde_json::from_str(line).unwrap_or_else(|_| line.as_str().into()))
    }

    /// A value of `/proc/{process}/status` in KiB, such as `VmRSS`, the memory in use, or `VmHWM`, its peak.
    ///
    /// # Errors
    /// There is no such value: the program has ended, or this is not Linux.
    pub fn memory(&self, name: &str) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process))?;
        let value =
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().strip_suffix(" kB"));
        value.and_then(|value| value.parse().ok()).ok_or_else(|| io::Error::other(format!("no {name} in /proc")))
    }

    /// Kills the program, and waits until it has ended.
    ///
    /// # Errors
    /// The program cannot be killed.
    pub async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Asks the program to end, and waits until it has ended.
    ///
    /// # Errors
    /// The program has already ended.
    pub async fn terminate(mut self) -> io::Result<()> {
        signal("-TERM", self.process)?;
        self.child.wait().await.map(drop)
    }
}

fn collect_lines(output: impl AsyncRead + Send + Unpin + 'static, log: watch::Sender<Vec<String>>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            log.send_modify(|log| log.push(line));
        }
    });
}
