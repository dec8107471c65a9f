//! Configuration from environment variables.

mod aws;
mod variables;

pub use aws::aws_settings;
pub(crate) use variables::secure_url;
pub use variables::*;
