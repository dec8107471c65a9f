//! Many verifications at once in one environment that has one CPU, as on Lambda Managed Instances. Everything else, the
//! operator included, has the other CPUs.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::interval;

use crate::cpus;
use crate::environment::{Environment, Place, checked};
use crate::figures::{milliseconds, p99};
use crate::program::Program;
use crate::wire::{self, Arrival, Handshake};

/// The speed of one environment that serves many events at once.
pub struct Throughput {
    /// Answers a second.
    pub rate: f64,
    /// Milliseconds from an event to its answer, exceeded by a hundredth of them.
    pub p99: f64,
    /// CPU milliseconds of the function for one answer.
    pub cpu: f64,
    /// Its peak, in MB.
    pub memory: f64,
}

/// The time to the operator and back.
pub const ROUND_TRIP: Duration = Duration::from_millis(100);

const CONCURRENCY: &str = "400";
/// Events come at this pace, whether answers do or not: 640 a second.
const PACE: Duration = Duration::from_nanos(1_562_500);
/// The connections are opened during these two, the first with twice the time between its events. A handshake costs the
/// operator more than a verification.
const FIRST: u32 = 640;
const WARM_UP: u32 = 1920;
const COUNTED: u32 = 3200;

pub async fn measure(function: &Program, operator: SocketAddr) -> io::Result<Throughput> {
    cpus::apart(run(function, operator)).await
}

async fn run(function: &Program, operator: SocketAddr) -> io::Result<Throughput> {
    let operator = wire::lay(operator, ROUND_TRIP, Handshake::AtOnce, Arrival::Late)?;
    let mut function = function.below("taskset", ["-c".into(), cpus::measured().into()]);
    function.variables.push(("AWS_LAMBDA_MAX_CONCURRENCY", CONCURRENCY.into()));
    let place = Place { operator: &format!("https://{operator}"), quota: None };
    let (mut environment, _) = Environment::start(&function, place).await?;

    let mut invocations = JoinSet::new();
    let mut begin = async |environment: &mut Environment, pace, count| {
        let mut pace = interval(pace);
        for _ in 0..count {
            pace.tick().await;
            let (started, answer) = (Instant::now(), environment.begin());
            invocations.spawn(async move { (started, answer.await) });
        }
    };
    begin(&mut environment, 2 * PACE, FIRST).await;
    begin(&mut environment, PACE, WARM_UP).await;
    let (counted_from, cpu) = (Instant::now(), environment.cpu()?);
    begin(&mut environment, PACE, COUNTED).await;
    let (counted_to, cpu) = (Instant::now(), environment.cpu()?.saturating_sub(cpu));
    let (mut answers, mut times) = (0_u32, Vec::new());
    while let Some(invocation) = invocations.join_next().await {
        let (started, answer) = invocation?;
        let answered = checked(&function, answer?)?;
        answers += u32::from((counted_from..counted_to).contains(&answered));
        if started >= counted_from {
            times.push(milliseconds(answered - started));
        }
    }
    let memory = environment.peak_memory()?;
    environment.end().await?;
    let rate = f64::from(answers) / (counted_to - counted_from).as_secs_f64();
    Ok(Throughput { rate, p99: p99(&times), cpu: milliseconds(cpu) / f64::from(answers), memory })
}
