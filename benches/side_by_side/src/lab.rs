//! Measures each program in each setting, in turn.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sandbox::{Sandbox, Settings};

use crate::checkout;
use crate::cpus;
use crate::demanding::{self, Demanding};
use crate::environment::{Cold, Environment, Place};
use crate::figures::milliseconds;
use crate::hand_off::{self, Algorithm, HandOff};
use crate::instructions::{self, Instructions};
use crate::program::{Kind, Program};
use crate::programs;
use crate::quota::Quota;
use crate::throughput::{self, Throughput};
use crate::wire::{self, Arrival, Handshake};

/// The distance to the operator, and the share of a CPU after the init phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    NextDoor,
    /// Without the time of TCP's handshake, because the rows with a target count round trips of TLS and HTTP.
    FarAway,
    /// The latency that a user sees.
    FarAwayWithTcp,
    Small,
    /// The time that is billed.
    SmallFartherAwayWithTcp,
}

impl Setting {
    pub fn name(self) -> &'static str {
        match self {
            Self::NextDoor => "full CPU, 0 ms",
            Self::FarAway => "full CPU, 50 ms",
            Self::FarAwayWithTcp => "full CPU, 50 ms for TCP's handshake too",
            Self::Small => "128 MB, 0 ms",
            Self::SmallFartherAwayWithTcp => "128 MB, 150 ms for TCP's handshake too",
        }
    }

    fn is_small(self) -> bool {
        matches!(self, Self::Small | Self::SmallFartherAwayWithTcp)
    }

    /// The time to the operator and back; `None` if it is next door.
    fn round_trip(self) -> Option<(Duration, Handshake)> {
        match self {
            Self::NextDoor | Self::Small => None,
            Self::FarAway => Some((Duration::from_millis(50), Handshake::AtOnce)),
            Self::FarAwayWithTcp => Some((Duration::from_millis(50), Handshake::TakesARoundTrip)),
            Self::SmallFartherAwayWithTcp => Some((Duration::from_millis(150), Handshake::TakesARoundTrip)),
        }
    }
}

/// The number of measurements.
struct Plan {
    setting: Setting,
    /// The number of starts of each program.
    starts: usize,
    /// The number of starts, the last ones, after which warm invocations are measured.
    stays: usize,
    /// The number of warm invocations in each of the [`ROUNDS`] after each of those starts.
    round: u32,
}

const PLANS: [Plan; 5] = [
    Plan { setting: Setting::NextDoor, starts: 25, stays: 9, round: 50 },
    Plan { setting: Setting::FarAway, starts: 9, stays: 3, round: 5 },
    Plan { setting: Setting::FarAwayWithTcp, starts: 5, stays: 0, round: 0 },
    Plan { setting: Setting::Small, starts: 9, stays: 0, round: 0 },
    Plan { setting: Setting::SmallFartherAwayWithTcp, starts: 5, stays: 1, round: 5 },
];

/// The rounds of warm invocations: the machine's speed drifts, so the programs take turns.
const ROUNDS: u32 = 2;

/// Invocations before the measured ones, because programs with a just-in-time compiler get faster for a while.
const WARM_UP: u32 = 30;

/// The measurements of one program in one setting.
#[derive(Debug)]
pub struct Measured {
    pub setting: Setting,
    pub kind: Kind,
    /// The cold times of each start.
    pub cold: Vec<Cold>,
    /// Milliseconds of each warm invocation.
    pub warm: Vec<f64>,
    /// CPU milliseconds for a warm invocation, by round.
    pub cpu: Vec<f64>,
    /// The number of warm invocations, and of TLS handshakes at the operator during them.
    pub invocations: u32,
    pub handshakes: u32,
    /// In MB.
    pub peak_memory: f64,
}

/// Everything that outlives the measured programs.
pub struct Lab {
    sandbox: Sandbox,
    /// The folder for files that programs read, and for callgrind's output.
    files: PathBuf,
    pub programs: Vec<Program>,
    /// The function with three operators.
    several: Program,
    /// The operator's base URL for each plan.
    operators: Vec<String>,
    /// The quota, or why there is none.
    pub quota: Result<Quota, String>,
}

impl Lab {
    pub async fn new() -> io::Result<Self> {
        let secret_members = [("operators".to_owned(), programs::clients())].into_iter().collect();
        let sandbox = Sandbox::start(Settings { tls: true, secret_members, ..Settings::default() }).await?;
        let files = checkout().join("target/bench");
        fs::create_dir_all(&files)?;
        let programs = programs::all(&sandbox, &files).await?;
        let several = programs::several(program(&programs, Kind::Function)?, &sandbox).await?;
        let next_door = sandbox.base_url();
        let address = address(&sandbox)?;
        let operator = |plan: &Plan| match plan.setting.round_trip() {
            None => Ok(next_door.clone()),
            Some((time, handshake)) => Ok(format!("https://{}", wire::lay(address, time, handshake, Arrival::OnTime)?)),
        };
        let operators = PLANS.iter().map(operator).collect::<io::Result<_>>()?;
        Ok(Self { sandbox, files, programs, several, operators, quota: Quota::new() })
    }

    /// Measures every program in every setting that this machine supports.
    pub async fn measure(&self) -> io::Result<Vec<Measured>> {
        let mut measured = Vec::new();
        for (plan, operator) in PLANS.iter().zip(&self.operators) {
            let quota = self.quota.as_ref().ok().filter(|_| plan.setting.is_small());
            if quota.is_some() || !plan.setting.is_small() {
                eprintln!("measuring: {}", plan.setting.name());
                let programs: Vec<_> = self.programs.iter().collect();
                measured.extend(self.carry_out(plan, &programs, Place { operator, quota }).await?);
            }
        }
        Ok(measured)
    }

    /// Measures the function with one operator and with three, in turn.
    pub async fn several(&self) -> io::Result<Vec<Measured>> {
        eprintln!("measuring: three operators");
        let plan = Plan { setting: Setting::NextDoor, starts: 9, stays: 9, round: 50 };
        let programs = [program(&self.programs, Kind::Function)?, &self.several];
        self.carry_out(&plan, &programs, Place { operator: &self.sandbox.base_url(), quota: None }).await
    }

    /// Measures the CPU time of an app's sign-in, with each of the algorithms.
    pub async fn hand_off(&self) -> io::Result<[HandOff; 2]> {
        eprintln!("measuring: an app's sign-in");
        let (floor, function) = (program(&self.programs, Kind::Floor)?, program(&self.programs, Kind::Function)?);
        let measure = async |algorithm| cpus::apart(hand_off::measure(floor, function, &self.files, algorithm)).await;
        Ok([measure(Algorithm::Rs256).await?, measure(Algorithm::Es256).await?])
    }

    /// Measures the CPU time of a verification without and with everything that an operator can demand.
    pub async fn demanding(&self) -> io::Result<[Demanding; 2]> {
        eprintln!("measuring: a demanding operator");
        let function = program(&self.programs, Kind::Function)?;
        let plain = cpus::apart(demanding::measure(function, &self.files, false)).await?;
        Ok([plain, cpus::apart(demanding::measure(function, &self.files, true)).await?])
    }

    /// Measures many verifications at once.
    pub async fn throughput(&self) -> io::Result<Throughput> {
        eprintln!("measuring: many verifications at once");
        throughput::measure(program(&self.programs, Kind::Function)?, address(&self.sandbox)?).await
    }

    /// The instructions of the function, with one operator and with three, and of the hello world.
    pub async fn count_instructions(&self) -> io::Result<Vec<Instructions>> {
        if !instructions::can_be_counted().await {
            return Err(io::Error::other("valgrind is not installed"));
        }
        eprintln!("counting instructions");
        let operator = self.sandbox.base_url();
        let mut counted = Vec::new();
        let programs = self.programs.iter().filter(|program| matches!(program.kind, Kind::Floor | Kind::Function));
        for program in programs.chain([&self.several]) {
            counted.push(instructions::count(program, Place { operator: &operator, quota: None }, &self.files).await?);
        }
        Ok(counted)
    }

    /// Runs the programs in turn, repeatedly, so that a machine that slows down affects all of them.
    async fn carry_out(&self, plan: &Plan, programs: &[&Program], place: Place<'_>) -> io::Result<Vec<Measured>> {
        let mut measured: Vec<_> = programs.iter().map(|program| Measured::new(plan.setting, program.kind)).collect();
        for start in 0..plan.starts {
            let stays = start + plan.stays >= plan.starts;
            let mut environments = Vec::new();
            for (program, measured) in programs.iter().zip(&mut measured) {
                let (environment, cold) = Environment::start(program, place).await?;
                measured.cold.push(cold);
                if stays {
                    environments.push(environment);
                } else {
                    environment.end().await?;
                }
            }
            if stays {
                cpus::apart(self.stay(&mut environments, &mut measured, plan.round)).await?;
            }
            for (environment, measured) in environments.into_iter().zip(&mut measured) {
                measured.peak_memory = measured.peak_memory.max(environment.peak_memory()?);
                environment.end().await?;
            }
        }
        Ok(measured)
    }

    async fn stay(
        &self,
        environments: &mut [Environment<'_>],
        measured: &mut [Measured],
        round: u32,
    ) -> io::Result<()> {
        for environment in &mut *environments {
            environment.pin().await?;
            for _ in 0..WARM_UP {
                environment.invoke().await?;
            }
        }
        for _ in 0..ROUNDS {
            for (environment, measured) in environments.iter_mut().zip(&mut *measured) {
                // Wakes the program from its pause: connections may have to be opened, and caches filled.
                environment.invoke().await?;
                let (handshakes, cpu) = (self.handshakes(), environment.cpu()?);
                for _ in 0..round {
                    measured.warm.push(milliseconds(environment.invoke().await?));
                }
                measured.cpu.push(milliseconds(environment.cpu()?.saturating_sub(cpu)) / f64::from(round));
                measured.handshakes += u32::try_from(self.handshakes() - handshakes).unwrap_or(u32::MAX);
                measured.invocations += round;
            }
        }
        Ok(())
    }

    fn handshakes(&self) -> usize {
        let handshakes = self.sandbox.handshakes();
        handshakes.full + handshakes.resumed
    }
}

fn program(programs: &[Program], kind: Kind) -> io::Result<&Program> {
    let program = programs.iter().find(|program| program.kind == kind);
    program.ok_or_else(|| io::Error::other(format!("{} is not among the programs", kind.name())))
}

/// The address at which the operator listens.
fn address(sandbox: &Sandbox) -> io::Result<SocketAddr> {
    sandbox.base_url().trim_start_matches("https://").parse().map_err(io::Error::other)
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Ok(quota) = &self.quota {
            quota.remove();
        }
    }
}

impl Measured {
    fn new(setting: Setting, kind: Kind) -> Self {
        let (cold, warm, cpu) = Default::default();
        Self { setting, kind, cold, warm, cpu, invocations: 0, handshakes: 0, peak_memory: 0.0 }
    }

    pub fn init(&self) -> Vec<f64> {
        self.cold.iter().map(|cold| milliseconds(cold.init)).collect()
    }

    pub fn total(&self) -> Vec<f64> {
        self.cold.iter().map(|cold| milliseconds(cold.total)).collect()
    }
}
