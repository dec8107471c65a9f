//! What is logged: one JSON line per verification with its CloudWatch metrics in it, and a line for what an owner
//! should know besides. No type here can hold a phone number, code, state, token, secret, cookie or query.

use std::io::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime as Rfc3339};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::call_log::Call;
use crate::correlator::Correlator;
use crate::outcome::Outcome;

/// The namespace of the metrics in CloudWatch. `template.yaml` has it too, in the alarms and the dashboard;
/// `tests/telemetry.rs` holds the two together.
const NAMESPACE: &str = "NumberVerification";

/// The dimension that keeps two stacks in one account apart.
const FUNCTION_NAME: &str = "FunctionName";

/// `AWS_LAMBDA_FUNCTION_NAME`. It belongs to the process, as the log does, and is known before anything can fail.
static FUNCTION: OnceLock<String> = OnceLock::new();

/// What happened on the way to an outcome.
#[derive(Debug, Default)]
pub struct Trace {
    /// Reading the secret.
    pub secret: Call,
    /// The token request.
    pub token: Call,
    /// The verify call.
    pub verify: Call,
    /// What was expected, what came, what to do.
    pub says: Option<String>,
    /// The operator's error code.
    pub error_code: Option<&'static str>,
    /// Whether this was a reload, answered without the operator.
    pub reloaded: bool,
}

/// Where a verification ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It never began: a start that is refused by our own fault is an outage like any other, and counted as one.
    Start,
    /// In the callback.
    Callback,
}

/// The line of one verification.
#[derive(Debug)]
pub struct Verification<'a> {
    /// Where it ended.
    pub step: Step,
    /// What it came to.
    pub outcome: Outcome,
    /// The reference on the page.
    pub correlator: &'a Correlator,
    /// Whether it was the first of its environment.
    pub cold_start: bool,
    /// The operator's host.
    pub operator: &'a str,
    /// From the event to the answer.
    pub time: Duration,
    /// What happened on the way.
    pub trace: &'a Trace,
}

impl Verification<'_> {
    /// Writes the line, whatever the log level and format: CloudWatch finds metrics only in JSON, and a metric that
    /// went missing with its line would hide an outage.
    pub fn log(&self) {
        // Everything in it has a form in JSON.
        let Ok(mut line) = serde_json::to_vec(self) else { return };
        line.push(b'\n');
        // Nobody can be told where standard output is gone.
        let _ = std::io::stdout().lock().write_all(&line);
    }

    fn count<M: SerializeMap>(&self, line: &mut M, mut metrics: Vec<Metric>) -> Result<(), M::Error> {
        if !matches!(self.outcome, Outcome::InvalidRequest | Outcome::InvalidState) {
            // Left out of what is never a verification: the URL is public, and a scanner's rubbish is no outage.
            let could_not_be_checked = self.outcome.device_phone_number_verified().is_none();
            line.serialize_entry("CouldNotBeChecked", &u8::from(could_not_be_checked))?;
            metrics.push(Metric::count("CouldNotBeChecked"));
        }
        metrics.push(Metric::count("ColdStarts"));
        line.serialize_entry(FUNCTION_NAME, FUNCTION.get().map_or("local", String::as_str))?;
        line.serialize_entry("Verifications", &1)?;
        line.serialize_entry("ColdStarts", &u8::from(self.cold_start))?;
        let milliseconds = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
        let verifications = Directive {
            namespace: NAMESPACE,
            dimensions: &[&[FUNCTION_NAME], &[FUNCTION_NAME, "outcome"]],
            metrics: vec![Metric::count("Verifications")],
        };
        let others = Directive { namespace: NAMESPACE, dimensions: &[&[FUNCTION_NAME]], metrics };
        line.serialize_entry(
            "_aws",
            &EmbeddedMetrics {
                timestamp: u64::try_from(milliseconds).unwrap_or_default(),
                cloud_watch_metrics: [verifications, others],
            },
        )
    }

    /// How much the owner should mind.
    fn level(&self) -> &'static str {
        match self.outcome {
            Outcome::Misconfigured => "ERROR",
            Outcome::OperatorError | Outcome::OperatorBusy | Outcome::OperatorTimeout => "WARN",
            Outcome::Verified
            | Outcome::NotVerified
            | Outcome::InvalidRequest
            | Outcome::InvalidState
            | Outcome::WrongBrowser
            | Outcome::ExpiredCode
            | Outcome::AccessDenied
            | Outcome::NotOnMobileNetwork
            | Outcome::NotCovered
            | Outcome::OperatorRefused => "INFO",
        }
    }
}

impl Serialize for Verification<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("timestamp", &timestamp())?;
        line.serialize_entry("level", self.level())?;
        let message = match self.step {
            Step::Start => "a verification could not be started",
            Step::Callback => "verification",
        };
        line.serialize_entry("message", message)?;
        line.serialize_entry("outcome", self.outcome.name())?;
        line.serialize_entry("correlator", self.correlator.as_str())?;
        line.serialize_entry("cold_start", &self.cold_start)?;
        line.serialize_entry("operator", self.operator)?;
        line.serialize_entry("DurationMs", &millis(self.time))?;
        let mut times = vec![Metric::milliseconds("DurationMs")];
        for (metric, status, retried, leg) in [
            ("SecretMs", "secret_status", "secret_retried", &self.trace.secret),
            ("TokenMs", "token_status", "token_retried", &self.trace.token),
            ("VerifyMs", "verify_status", "verify_retried", &self.trace.verify),
        ] {
            if let Some(time) = leg.time {
                line.serialize_entry(metric, &millis(time))?;
                times.push(Metric::milliseconds(metric));
            }
            if let Some(came) = leg.status {
                line.serialize_entry(status, &came)?;
            }
            if leg.retried {
                line.serialize_entry(retried, &true)?;
            }
        }
        if let Some(code) = &self.trace.error_code {
            line.serialize_entry("error_code", code)?;
        }
        if let Some(says) = &self.trace.says {
            line.serialize_entry("reason", says)?;
        }
        if self.trace.reloaded {
            // Counted already, when the operator answered.
            line.serialize_entry("reloaded", &true)?;
        } else {
            self.count(&mut line, times)?;
        }
        line.end()
    }
}

/// CloudWatch's embedded metric format: `_aws` says which members of its line are metrics. Each name with each set of
/// dimensions is a metric to pay for, so only the count is split by outcome; operators' error codes have no bounds and
/// are no dimension at all.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EmbeddedMetrics {
    /// Milliseconds since the epoch.
    timestamp: u64,
    cloud_watch_metrics: [Directive; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: &'static [&'static [&'static str]],
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

impl Metric {
    fn count(name: &'static str) -> Self {
        Self { name, unit: "Count" }
    }

    fn milliseconds(name: &'static str) -> Self {
        Self { name, unit: "Milliseconds" }
    }
}

/// The time as the other lines have it. Lambda gives a line without one its own, and takes the line's level for INFO.
fn timestamp() -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = Rfc3339.format_time(&mut Writer::new(&mut text));
    text
}

/// Milliseconds with a tenth, as a metric.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Sets up logging for this process, as Lambda's logging settings say: lines on standard output at
/// `AWS_LAMBDA_LOG_LEVEL` (default `INFO`), JSON unless `AWS_LAMBDA_LOG_FORMAT` is `Text`.
///
/// Only this crate's own lines are let through at every level. The libraries below it log what they send and receive
/// once the level is low enough, so of them only warnings and errors of the Lambda runtime are, which hold no data.
pub fn init(lookup: impl Fn(&str) -> Option<String>) {
    if let Some(name) = lookup("AWS_LAMBDA_FUNCTION_NAME").filter(|name| !name.is_empty()) {
        // Set already in a second call, in a test.
        let _ = FUNCTION.set(name);
    }
    let level = lookup("AWS_LAMBDA_LOG_LEVEL")
        .and_then(|level| match level.to_ascii_uppercase().as_str() {
            // Lambda's own name for it; `tracing` has no such level.
            "FATAL" => Some(LevelFilter::ERROR),
            level => level.parse().ok(),
        })
        .unwrap_or(LevelFilter::INFO);
    let ours = Targets::new()
        .with_target("number_verification", level)
        .with_target("lambda_runtime", level.min(LevelFilter::WARN));
    let text = lookup("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("text"));
    let lines = tracing_subscriber::fmt::layer();
    let lines = if text {
        // CloudWatch stamps each line with its time, and shows escape codes as they are.
        lines.with_ansi(false).without_time().boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    };
    // A second call, in a test, leaves the first in place.
    let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();

    // The default hook prints the panic's message, which may quote what it could not handle.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panic: please report this location as a defect");
    }));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line(outcome: Outcome, trace: &Trace) -> Value {
        let correlator = Correlator::from_header(None, "request-id");
        let time = Duration::from_millis(20);
        let verification = Verification {
            step: Step::Callback,
            outcome,
            correlator: &correlator,
            cold_start: true,
            operator: "operator.example",
            time,
            trace,
        };
        serde_json::to_value(verification).unwrap()
    }

    #[test]
    fn a_verification_is_one_line_with_its_metrics() {
        let mut trace = Trace::default();
        trace.token.time = Some(Duration::from_micros(12_340));
        trace.token.status = Some(400);
        trace.error_code = Some("invalid_grant");
        let line = line(Outcome::ExpiredCode, &trace);
        assert_eq!(line["outcome"], "expired_code");
        assert_eq!(line["TokenMs"], 12.3);
        assert_eq!(line["token_status"], 400);
        assert_eq!(line["error_code"], "invalid_grant");
        assert_eq!(line["CouldNotBeChecked"], 1);
        assert_eq!(line["ColdStarts"], 1);
        assert!(line.get("VerifyMs").is_none());
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], "NumberVerification");
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                assert!(line[name].is_number(), "{name} is declared and has a value");
            }
            for dimension in directive["Dimensions"].as_array().unwrap().iter().flat_map(|set| set.as_array().unwrap())
            {
                let name = dimension.as_str().unwrap();
                assert!(line[name].is_string(), "{name} is declared and has a value");
            }
        }
    }

    #[test]
    fn only_the_operators_answer_counts_as_checked() {
        for outcome in Outcome::ALL {
            let counted = match outcome {
                Outcome::Verified | Outcome::NotVerified => json!(0),
                Outcome::InvalidRequest | Outcome::InvalidState => Value::Null,
                _ => json!(1),
            };
            assert_eq!(line(outcome, &Trace::default())["CouldNotBeChecked"], counted, "{outcome:?}");
        }
    }

    #[test]
    fn a_reload_is_logged_and_not_counted_again() {
        let line = line(Outcome::Verified, &Trace { reloaded: true, ..Trace::default() });
        assert_eq!(line["reloaded"], true);
        assert!(line.get("_aws").is_none(), "{line}");
    }

    #[test]
    fn the_line_has_the_time_and_level_that_lambda_looks_for() {
        for (outcome, level) in
            [(Outcome::Verified, "INFO"), (Outcome::OperatorTimeout, "WARN"), (Outcome::Misconfigured, "ERROR")]
        {
            let line = line(outcome, &Trace::default());
            assert_eq!(line["level"], level);
            let timestamp = line["timestamp"].as_str().unwrap();
            assert!(timestamp.len() == 27 && timestamp.ends_with('Z'), "RFC 3339: {timestamp}");
        }
    }
}
