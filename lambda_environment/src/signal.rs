//! Signals to a process.

use std::io;

/// Sends a signal with the program `kill`.
pub(crate) fn signal(signal: &str, process: u32) -> io::Result<()> {
    let status = std::process::Command::new("kill").args([signal, &process.to_string()]).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("kill {signal}: {status}"))) }
}
