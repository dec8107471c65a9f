//! Configuration from environment variables.

mod variables;

pub use variables::*;
