//! One execution environment: a program under the emulator, from its start to its end.

use std::fs;
use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::emulator::Emulator;
use crate::programs::Program;
use crate::quota::Quota;

/// Where a program is run.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The operator's base URL.
    pub operator: &'a str,
    /// The limit on its CPU once the init phase is over.
    pub quota: Option<&'a Quota>,
}

/// The start of an environment.
#[derive(Debug, Clone, Copy)]
pub struct Cold {
    /// From the process's start to its first `/next`.
    pub init: Duration,
    /// From the process's start to its first answer.
    pub total: Duration,
}

pub struct Environment<'a> {
    program: &'a Program,
    child: Child,
    pid: u32,
    emulator: Emulator,
}

impl<'a> Environment<'a> {
    /// Starts a program with one event already waiting, as it is when Lambda starts one.
    pub async fn start(program: &'a Program, place: Place<'_>) -> io::Result<(Self, Cold)> {
        let quota = place.quota.cloned();
        let on_init = move || quota.as_ref().map_or(Ok(()), Quota::limit);
        place.quota.map(Quota::lift).transpose()?;
        let mut emulator = Emulator::start(Box::new(on_init)).await?;
        emulator.queue(&program.event);

        let mut command = Command::new(&program.executable);
        command
            .args(&program.arguments)
            .env_clear()
            .envs(program.variables.iter().map(|(name, value)| (name, value)))
            .env("OPERATOR_BASE_URL", place.operator)
            .env("AWS_LAMBDA_RUNTIME_API", emulator.address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn()?;
        let pid = child.id().ok_or_else(|| io::Error::other("the program ended at once"))?;
        place.quota.map(|quota| quota.take(pid)).transpose()?;

        let (answered, answer) = emulator.answer().await?;
        program.check(&answer)?;
        let initialized = emulator.initialized()?;
        let cold = Cold { init: initialized - started, total: answered - started };
        Ok((Self { program, child, pid, emulator }, cold))
    }

    /// One more invocation, and how long its answer took.
    pub async fn invoke(&mut self) -> io::Result<Duration> {
        let program = self.program;
        let started = Instant::now();
        let (answered, answer) = self.ask(&program.event).await?;
        program.check(&answer)?;
        Ok(answered - started)
    }

    /// An invocation with any event; when its answer came, and what it is.
    pub async fn ask(&mut self, event: &Bytes) -> io::Result<(Instant, Value)> {
        self.emulator.queue(event);
        self.emulator.answer().await
    }

    /// The CPU time of all its threads so far.
    pub fn cpu(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            let statistics = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += statistics.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory it had at any time, in MB.
    pub fn peak_memory(&self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        // It says kB, and means 1024 bytes.
        let kibibytes: Option<f64> = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kibibytes.map(|kibibytes| kibibytes * 1024.0 / 1e6).ok_or_else(|| io::Error::other("no VmHWM in /proc"))
    }

    /// Ends it, and waits until it has ended.
    pub async fn end(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// The same, and lets it write down first what it has to.
    pub async fn terminate(mut self) -> io::Result<()> {
        Command::new("sh").args(["-c", &format!("kill {}", self.pid)]).status().await?;
        self.child.wait().await.map(drop)
    }
}
