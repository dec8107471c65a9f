//! Configuration from environment variables.

mod variables;

pub(crate) use variables::secure_url;
pub use variables::*;
