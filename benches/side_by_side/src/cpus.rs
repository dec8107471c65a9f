//! The CPU time of an event depends on who else uses the caches, so the measured programs have one CPU, and everything else,
//! the operator included, has the others.

use std::fs;
use std::io;
use std::process::{self, Stdio};
use std::sync::LazyLock;

use tokio::process::Command;

/// The CPUs that this process had at its start.
static ALL: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    cpus_in(list.trim())
});

/// Does some work while this process is kept off the CPU of the measured programs.
pub async fn apart<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let others = match ALL.as_slice() {
        [_, others @ ..] if !others.is_empty() => others,
        all => all,
    };
    pin(process::id(), &list(others)).await?;
    let done = work.await;
    let moved_back = pin(process::id(), &list(&ALL)).await;
    let done = done?;
    moved_back.map(|()| done)
}

/// The CPU of the measured programs, in the form of `taskset`.
pub fn measured() -> String {
    list(ALL.get(..1).unwrap_or_default())
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
    Err(io::Error::other(format!("taskset cannot move process {process} to the CPUs {cpus}")))
}

/// The numbers in a list such as `0-2,5`.
fn cpus_in(list: &str) -> Vec<u32> {
    let ranges = list.split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}

fn list(cpus: &[u32]) -> String {
    cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus_are_read() {
        for (list, cpus) in [("0-1", &[0, 1][..]), ("3", &[3]), ("0-2,5,7-8", &[0, 1, 2, 5, 7, 8]), ("", &[])] {
            assert_eq!(cpus_in(list), cpus, "{list}");
        }
    }
}
