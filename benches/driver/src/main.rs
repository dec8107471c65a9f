//! `make bench`: the function, a hello world and, where they are installed, the seed's samples in Python and Node, in
//! turn under the same emulator and towards the same operator; then the table of targets.

#![forbid(unsafe_code)]

mod emulator;
mod environment;
mod figures;
mod programs;
mod quota;
mod targets;
mod wire;

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use sandbox::{Sandbox, Settings};

use environment::{Cold, Environment, Place, Program};
use figures::milliseconds;
use quota::Quota;

/// To the operator and back, where it is not next door.
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// The settings: the share of a CPU after the init phase, and how far the operator is.
const NEXT_DOOR: &str = "full CPU, 0 ms";
const FAR_AWAY: &str = "full CPU, 50 ms";
const WITH_TCP: &str = "full CPU, 50 ms for TCP too";
const SMALL: &str = "128 MB, 0 ms";
const SMALL_FAR_AWAY: &str = "128 MB, 50 ms for TCP too";

/// Where the parts are; `make bench` says.
struct Arguments {
    function: PathBuf,
    floor: PathBuf,
    zip: PathBuf,
    peers: PathBuf,
    scratch: PathBuf,
}

/// One way to run all programs.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    /// By program, in its order: each start.
    pub cold: Vec<Vec<Cold>>,
    /// By program: what came after the starts.
    pub warm: Vec<Warm>,
}

/// Warm invocations of one program.
#[derive(Debug, Default)]
pub struct Warm {
    pub milliseconds: Vec<f64>,
    /// CPU milliseconds for each, by block of invocations.
    pub cpu: Vec<f64>,
    pub handshakes: usize,
    pub invocations: usize,
    pub peak_memory: f64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run().await {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("driver: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> io::Result<String> {
    let arguments = arguments().ok_or_else(|| io::Error::other("see `make bench` for the arguments"))?;
    std::fs::create_dir_all(&arguments.scratch)?;
    let sandbox = Sandbox::start(Settings { tls: true, ..Settings::default() }).await?;
    let programs = programs::all(&arguments, &sandbox).await?;

    let next_door = sandbox.base_url();
    let address: SocketAddr = next_door.trim_start_matches("https://").parse().map_err(io::Error::other)?;
    let far_away = format!("https://{}", wire::lay(address, ROUND_TRIP, false)?);
    let with_tcp = format!("https://{}", wire::lay(address, ROUND_TRIP, true)?);
    let quota = Quota::new();

    let lab = Lab { sandbox: &sandbox, programs: &programs };
    let mut settings = vec![
        lab.measure(NEXT_DOOR, &Place { operator: &next_door, quota: None }, 15, 5, 100).await?,
        lab.measure(FAR_AWAY, &Place { operator: &far_away, quota: None }, 7, 1, 10).await?,
        lab.measure(WITH_TCP, &Place { operator: &with_tcp, quota: None }, 5, 0, 0).await?,
    ];
    if let Ok(quota) = &quota {
        let small = |operator| Place { operator, quota: Some(quota) };
        settings.push(lab.measure(SMALL, &small(&next_door), 9, 1, 10).await?);
        settings.push(lab.measure(SMALL_FAR_AWAY, &small(&with_tcp), 5, 1, 5).await?);
        quota.remove();
    }

    let mut report = String::new();
    let zip = std::fs::metadata(&arguments.zip)?.len();
    let _ = writeln!(report, "\n{}", figures::table(&targets::table(&programs, &settings, zip)));
    let _ = write!(report, "{}", figures::table(&targets::details(&programs, &settings)));
    if let Err(reason) = &quota {
        let _ = writeln!(report, "\n128 MB is not measured: {reason}");
    }
    if programs.len() < 4 {
        let _ = writeln!(report, "\nNot compared with Python and Node: `make bench-peers` installs what they need.");
    }
    Ok(report)
}

struct Lab<'a> {
    sandbox: &'a Sandbox,
    programs: &'a [Program],
}

impl Lab<'_> {
    /// Starts each program `rounds` times, one after the other, and invokes each of the last `blocks` times
    /// `invocations` times more.
    async fn measure(
        &self,
        name: &'static str,
        place: &Place<'_>,
        rounds: usize,
        blocks: usize,
        invocations: usize,
    ) -> io::Result<Setting> {
        eprintln!("measuring: {name}");
        let mut cold = vec![Vec::new(); self.programs.len()];
        let mut warm: Vec<_> = self.programs.iter().map(|_| Warm::default()).collect();
        for round in 0..rounds {
            for (index, program) in self.programs.iter().enumerate() {
                let (mut environment, start) = Environment::start(program, place).await?;
                cold[index].push(start);
                if round + blocks >= rounds {
                    self.stay(&mut environment, &mut warm[index], invocations).await?;
                }
                environment.end().await?;
            }
        }
        Ok(Setting { name, cold, warm })
    }

    async fn stay(&self, environment: &mut Environment<'_>, warm: &mut Warm, invocations: usize) -> io::Result<()> {
        for _ in 0..invocations.div_ceil(10) {
            environment.invoke().await?;
        }
        let (handshakes, cpu) = (self.handshakes(), environment.cpu()?);
        for _ in 0..invocations {
            warm.milliseconds.push(milliseconds(environment.invoke().await?));
        }
        #[allow(clippy::cast_precision_loss, reason = "some hundreds")]
        warm.cpu.push(milliseconds(environment.cpu()?.saturating_sub(cpu)) / invocations as f64);
        warm.handshakes += self.handshakes() - handshakes;
        warm.invocations += invocations;
        warm.peak_memory = warm.peak_memory.max(environment.peak_memory()?);
        Ok(())
    }

    fn handshakes(&self) -> usize {
        let handshakes = self.sandbox.handshakes();
        handshakes.full + handshakes.resumed
    }
}

fn arguments() -> Option<Arguments> {
    let mut given = std::env::args_os().skip(1).map(PathBuf::from);
    let mut next = || given.next();
    Some(Arguments { function: next()?, floor: next()?, zip: next()?, peers: next()?, scratch: next()? })
}
