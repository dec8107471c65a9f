//! `make bench`: runs the function, a hello world and, if they are installed, the published samples in Python and Node,
//! in turn, in the same Lambda environment and with the same operator. Then it prints the table of targets.
//!
//! `lab` measures each of the `programs` in an `environment`, behind a `wire` and below a `quota`; `instructions` are
//! counted too, `hand_off` adds an app, and `demanding` an operator that demands everything; `targets` judges the `figures`.

#![forbid(unsafe_code)]

mod demanding;
mod environment;
mod figures;
mod hand_off;
mod instructions;
mod lab;
mod program;
mod programs;
mod quota;
mod targets;
mod wire;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lab::Lab;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run().await {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("side-by-side: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> io::Result<String> {
    let lab = Lab::new().await?;
    let measured = lab.measure().await?;
    let hand_off = lab.hand_off().await?;
    let demanding = lab.demanding().await?;
    let several = lab.several().await?;
    let counted = lab.count_instructions().await.map_err(|error| error.to_string());
    let zip = std::fs::metadata(built("number-verification/bootstrap.zip"))?.len();
    Ok(targets::report(&lab, &measured, &several, &hand_off, &demanding, counted.as_deref(), zip))
}

/// The path of a file that `cargo lambda build` creates.
fn built(file: &str) -> PathBuf {
    checkout().join("target/lambda").join(file)
}

fn checkout() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
