//! Writing the log lines of verifications.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::event::{Event, Function};
use super::line::Line;
use super::report::Report;
use crate::failure::Failure;

/// In bytes. A longer line is written too.
const TYPICAL_LENGTH: usize = 2048;

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
        self.write(event, Report::Started);
    }

    /// Writes the line of a verification that could not be started, through our own fault. It is counted as an outage.
    pub fn not_started(&self, event: &Event, failure: &Failure) {
        self.write(event, Report::NotStarted(failure));
    }

    /// Writes the line of a verification that has ended.
    pub fn ended(&self, event: &Event, result: &Result<bool, Failure>) {
        self.write(event, Report::of(result));
    }

    /// The line of a verification that has ended.
    #[must_use]
    pub fn line(&self, event: &Event, result: &Result<bool, Failure>) -> Vec<u8> {
        self.render(event, Report::of(result))
    }

    /// Writes the line of an app that got its tokens.
    pub fn redeemed(&self, event: &Event) {
        self.write(event, Report::Redeemed);
    }

    /// Writes the line of a token request that was refused, with our own error and reason.
    pub fn redemption_refused(&self, event: &Event, error: &'static str, reason: &'static str) {
        self.write(event, Report::Refused(error, reason));
    }

    /// Writes the line of a token request that failed.
    pub fn not_redeemed(&self, event: &Event, failure: &Failure) {
        self.write(event, Report::NotRedeemed(failure));
    }

    /// Writes the line whatever the log level and format. CloudWatch finds metrics only in JSON, and without the line
    /// its metrics would be missing and could hide an outage.
    fn write(&self, event: &Event, report: Report) {
        // If standard output is closed there is nowhere to report it.
        let _ = std::io::stdout().lock().write_all(&self.render(event, report));
    }

    fn render(&self, event: &Event, report: Report) -> Vec<u8> {
        let cold_start = self.cold.swap(false, Ordering::Relaxed);
        let line = Line { event, report, cold_start, function: &self.function };
        let mut text = Vec::with_capacity(TYPICAL_LENGTH);
        // Every value in the line can be written as JSON.
        let _ = serde_json::to_writer(&mut text, &line);
        text.push(b'\n');
        text
    }
}
