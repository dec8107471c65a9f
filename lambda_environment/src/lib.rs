//! A Lambda execution environment on this machine: a program, and the Runtime API from which it gets its events. The
//! integration tests and `make bench` run the product in it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

#![forbid(unsafe_code)]

mod environment;
mod message;
mod runtime_api;
mod signal;

pub use environment::Environment;
pub use message::{find, read_message};
pub use runtime_api::{Answer, RuntimeApi};
