//! Writing the log lines of verifications.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::event::{Event, Function};
use super::line::{Line, Result};
use crate::failure::Failure;

/// Writes the lines of one environment.
#[derive(Debug)]
pub struct Telemetry {
    function: Function,
    /// True until the first line has been written.
    cold: AtomicBool,
}

impl Telemetry {
    /// Creates the telemetry of this function.
    #[must_use]
    pub fn new(function: Function) -> Self {
        Self { function, cold: AtomicBool::new(true) }
    }

    /// Writes the line of a started verification.
    pub fn started(&self, event: &Event) {
        self.write(event, Result::Started);
    }

    /// Writes the line of a verification that has ended. A start that failed through our own fault is counted as an
    /// outage too.
    pub fn concluded(&self, event: &Event, result: &std::result::Result<bool, Failure>) {
        self.write(event, Result::of(result));
    }

    /// The line of a verification that has ended.
    #[must_use]
    pub fn line(&self, event: &Event, result: &std::result::Result<bool, Failure>) -> Vec<u8> {
        self.render(event, Result::of(result))
    }

    /// Writes the line whatever the log level and format. CloudWatch finds metrics only in JSON, and without the line
    /// its metrics would be missing and could hide an outage.
    fn write(&self, event: &Event, result: Result) {
        // If standard output is closed there is nowhere to report it.
        let _ = std::io::stdout().lock().write_all(&self.render(event, result));
    }

    fn render(&self, event: &Event, result: Result) -> Vec<u8> {
        let cold_start = self.cold.swap(false, Ordering::Relaxed);
        let line = Line { event, result, cold_start, function: &self.function };
        // Every value in the line can be written as JSON.
        let mut line = serde_json::to_vec(&line).unwrap_or_default();
        line.push(b'\n');
        line
    }
}
