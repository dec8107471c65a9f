//! The upstream calls of one verification, with their durations.

use std::future::Future;
use std::time::{Duration, Instant};

/// The upstream calls of one request. Each call writes its own entry.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallLog {
    /// The read of the secret.
    pub secret: Call,
    /// The token request.
    pub token: Call,
    /// The verify call.
    pub verify: Call,
}

/// One upstream call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call {
    /// Its duration, all attempts together; `None` if it was not made.
    pub time: Option<Duration>,
    /// The HTTP status of its answer.
    pub status: Option<u16>,
    /// True if the request was sent more than once.
    pub retried: bool,
}

impl Call {
    /// Waits for `call` and adds its duration.
    pub async fn measure<F: Future>(&mut self, call: F) -> F::Output {
        let start = Instant::now();
        let output = call.await;
        *self.time.get_or_insert_default() += start.elapsed();
        output
    }
}
