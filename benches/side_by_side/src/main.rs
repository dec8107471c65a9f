//! `make bench`: runs the function, a hello world and, if they are installed, the published samples in Python and Node,
//! in turn, in the same Lambda environment and with the same operator. Then it prints the table of targets.
//!
//! `lab` measures each of the `programs` in an `environment`, behind a `wire`, below a `quota` and on one of the `cpus`;
//! `instructions` are counted too, `hand_off` adds an app, `demanding` an operator that demands everything, and
//! `throughput` has many events at once; `targets` judges the `figures`.

#![forbid(unsafe_code)]

mod cpus;
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
mod throughput;
mod wire;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lab::Lab;
use targets::Results;

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
    let results = Results {
        measured: lab.measure().await?,
        hand_off: lab.hand_off().await?,
        demanding: lab.demanding().await?,
        several: lab.several().await?,
        throughput: lab.throughput().await?,
        counted: lab.count_instructions().await.map_err(|error| error.to_string()),
        zip: std::fs::metadata(built("number-verification/bootstrap.zip"))?.len(),
    };
    Ok(targets::report(&lab, &results))
}

/// The path of a file that `cargo lambda build` creates.
fn built(file: &str) -> PathBuf {
    checkout().join("target/lambda").join(file)
}

fn checkout() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
