//! Log lines and metrics. No type here can contain a phone number, code, state, token, secret, cookie or query.

mod event;
mod line;
mod metrics;
mod report;
mod verification;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use event::{Event, Function};
pub use verification::Telemetry;

/// Lambda's logging settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `AWS_LAMBDA_LOG_LEVEL`: lines below this level are not written.
    pub level: LevelFilter,
    /// `AWS_LAMBDA_LOG_FORMAT`: plain text instead of JSON.
    pub text: bool,
}

/// Sets up logging for this process: lines on standard output.
///
/// This crate's own lines are at INFO or above. Its libraries log the data that they send and receive at low levels, so
/// from them only warnings and errors of the Lambda runtime are logged, which contain no data.
pub fn init(settings: Settings) {
    let level = settings.level;
    let ours = Targets::new()
        .with_target("number_verification", level)
        .with_target("lambda_runtime", level.min(LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer();
    let lines = if settings.text {
        // CloudWatch adds the time to each line, and does not interpret escape codes.
        lines.with_ansi(false).without_time().boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    };
    // If a test calls this twice, the first call stays in effect.
    let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();

    // The default hook prints the panic's message, which may quote input.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panic: please report this location as a defect");
    }));
}
