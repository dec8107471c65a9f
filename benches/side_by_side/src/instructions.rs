//! Instruction counts, which do not depend on the machine's load. Valgrind's callgrind counts them, if it is installed.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::environment::{Environment, Place};
use crate::program::{Kind, Program};

/// The instructions of one program.
#[derive(Debug)]
pub struct Instructions {
    pub kind: Kind,
    /// From the process's start to its end, with one event in between.
    pub cold: f64,
    /// For each further event.
    pub warm: f64,
}

const WARM: u32 = 100;

pub async fn can_be_counted() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    version.is_ok_and(|status| status.success())
}

/// Counts the instructions, and leaves callgrind's output in `files` for `callgrind_annotate`.
pub async fn count(program: &Program, place: Place<'_>, files: &Path) -> io::Result<Instructions> {
    let cold = total(program, place, 0, &files.join(format!("callgrind.{:?}.cold", program.kind))).await?;
    let both = total(program, place, WARM, &files.join(format!("callgrind.{:?}.warm", program.kind))).await?;
    Ok(Instructions { kind: program.kind, cold, warm: (both - cold) / f64::from(WARM) })
}

async fn total(program: &Program, place: Place<'_>, warm: u32, file: &Path) -> io::Result<f64> {
    let arguments = ["-q".into(), "--tool=callgrind".into(), format!("--callgrind-out-file={}", file.display()).into()];
    let counted = program.below("valgrind", arguments);
    let (mut environment, _) = Environment::start(&counted, place).await?;
    for _ in 0..warm {
        environment.invoke().await?;
    }
    environment.terminate().await?;
    let counts = fs::read_to_string(file)?;
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.ok_or_else(|| io::Error::other(format!("callgrind wrote no totals into {}", file.display())))
}
