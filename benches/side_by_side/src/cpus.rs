//! The CPU time of an event depends on who else uses the caches, so a measured program can have a CPU of its own.

use std::io;
use std::process::{self, Stdio};
use std::thread;

use tokio::process::Command;

/// The CPU of the measured programs.
pub const MEASURED: &str = "0";

/// Does some work while everything else, the operator included, has the other CPUs.
pub async fn apart<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let last = thread::available_parallelism()?.get() - 1;
    pin(process::id(), &format!("{}-{last}", last.min(1))).await?;
    let done = work.await;
    pin(process::id(), &format!("0-{last}")).await?;
    done
}

/// Moves all threads of a process to some CPUs. Threads and programs that it starts later inherit them.
pub async fn pin(process: u32, cpus: &str) -> io::Result<()> {
    // It fails if a thread ends meanwhile, as those of closed connections do.
    for _ in 0..10 {
        let mut taskset = Command::new("taskset");
        taskset.args(["-a", "-c", "-p", cpus, &process.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        if taskset.status().await?.success() {
            return Ok(());
        }
    }
    Err(io::Error::other(format!("taskset cannot move process {process} to CPU {cpus}")))
}
