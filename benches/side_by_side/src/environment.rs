//! A program in a Lambda environment, timed from its start to its end.

use std::fs;
use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use lambda_environment::{Answer, RuntimeApi};
use serde_json::Value;
use tokio::process::Command;

use crate::cpus;
use crate::program::Program;
use crate::quota::Quota;

/// The time that an invocation may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The surroundings in which a program runs.
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
    /// From the process's start to its first request for an event.
    pub init: Duration,
    /// From the process's start to its first answer.
    pub total: Duration,
}

pub struct Environment<'a> {
    program: &'a Program,
    lambda: lambda_environment::Environment,
    /// The number of invocations after the first.
    invocations: usize,
}

impl<'a> Environment<'a> {
    /// Starts a program with one event already waiting, as Lambda does.
    pub async fn start(program: &'a Program, place: Place<'_>) -> io::Result<(Self, Cold)> {
        let quota = place.quota.cloned();
        place.quota.map(Quota::lift).transpose()?;
        let runtime_api = RuntimeApi::start(move || quota.as_ref().map_or(Ok(()), Quota::limit)).await?;
        let first = runtime_api.invoke(program.event(0), TIMEOUT);

        let mut command = Command::new(&program.executable);
        command
            .args(&program.arguments)
            .env_clear()
            .envs(program.variables.iter().map(|(name, value)| (name, value)))
            .env("OPERATOR_BASE_URL", place.operator)
            .stdout(Stdio::null());
        let started = Instant::now();
        let environment = lambda_environment::Environment::start(command, runtime_api)?;
        place.quota.map(|quota| quota.take(environment.process())).transpose()?;

        let answered = checked(program, first.await?)?;
        let initialized = environment.runtime_api().initialized()?;
        let cold = Cold { init: initialized - started, total: answered - started };
        Ok((Self { program, lambda: environment, invocations: 0 }, cold))
    }

    /// Moves the program to the CPU of measured programs.
    pub async fn pin(&self) -> io::Result<()> {
        cpus::pin(self.lambda.process(), &cpus::measured()).await
    }

    /// Invokes the program again, and returns the time until its answer.
    pub async fn invoke(&mut self) -> io::Result<Duration> {
        let started = Instant::now();
        self.invocations += 1;
        let answer = self.lambda.invoke(self.program.event(self.invocations), TIMEOUT).await?;
        Ok(checked(self.program, answer)? - started)
    }

    /// Invokes the program again, at once; the answer is awaited later and not checked yet.
    pub fn begin(&mut self) -> impl Future<Output = io::Result<Answer>> + use<> {
        self.invocations += 1;
        self.lambda.runtime_api().invoke(self.program.event(self.invocations), TIMEOUT)
    }

    /// Invokes the program with any event.
    pub async fn answer(&self, event: &str) -> io::Result<Value> {
        self.lambda.invoke(event, TIMEOUT).await?.result.map_err(io::Error::other)
    }

    /// The CPU time of all its threads so far.
    pub fn cpu(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.lambda.process()))? {
            let statistics = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += statistics.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory it had at any time, in MB.
    pub fn peak_memory(&self) -> io::Result<f64> {
        let kibibytes = u32::try_from(self.lambda.memory("VmHWM")?).map_err(io::Error::other)?;
        Ok(f64::from(kibibytes) * 1024.0 / 1e6)
    }

    /// Ends the program, and waits until it has ended.
    pub async fn end(self) -> io::Result<()> {
        self.lambda.kill().await
    }

    /// Ends the program with SIGTERM, so that it can write its output first.
    pub async fn terminate(self) -> io::Result<()> {
        self.lambda.terminate().await
    }
}

/// The time at which the answer arrived; an error if it is wrong.
pub fn checked(program: &Program, answer: Answer) -> io::Result<Instant> {
    let answered = answer.result.map_err(|error| io::Error::other(format!("{}: {error}", program.kind.name())))?;
    program.check(&answered)?;
    Ok(answer.at)
}
