//! What is logged: one JSON line per verification with its CloudWatch metrics in it, and a line for what an owner
//! should know besides. No type here can hold a phone number, code, state, token, secret, cookie or query.

use std::future::Future;
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Map, Value, json};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::correlator::Correlator;
use crate::operator::ErrorCode;
use crate::outcome::Outcome;

/// The namespace of the metrics in CloudWatch.
const NAMESPACE: &str = "NumberVerification";

/// What happened on the way to an outcome.
#[derive(Debug, Default)]
pub struct Trace {
    /// Reading the secret.
    pub secret: Leg,
    /// The token request.
    pub token: Leg,
    /// The verify call.
    pub verify: Leg,
    /// What was expected, what came, what to do.
    pub says: Option<String>,
    /// The operator's error code.
    pub error_code: Option<ErrorCode>,
    /// Whether this was a reload, answered without the operator.
    pub reloaded: bool,
}

/// One upstream call.
#[derive(Debug, Default)]
pub struct Leg {
    /// How long it took, in all its tries.
    pub time: Option<Duration>,
    /// The HTTP status that came.
    pub status: Option<u16>,
    /// Whether the request was sent twice.
    pub retried: bool,
}

/// The line of one verification.
#[derive(Debug)]
pub struct Verification<'a> {
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

impl Leg {
    /// Waits for a call and adds its time to this leg's.
    pub async fn measure<F: Future>(&mut self, call: F) -> F::Output {
        let start = Instant::now();
        let output = call.await;
        *self.time.get_or_insert_default() += start.elapsed();
        output
    }
}

impl Verification<'_> {
    /// Writes the line. It is not subject to the log level: a metric that went missing with it would hide an outage.
    pub fn log(&self) {
        let mut line = self.to_json().to_string();
        line.push('\n');
        // Nobody can be told where standard output is gone.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }

    fn to_json(&self) -> Value {
        let mut line = Map::new();
        let mut metrics = vec![
            json!({ "Name": "Verifications", "Unit": "Count" }),
            json!({ "Name": "DurationMs", "Unit": "Milliseconds" }),
        ];
        line.insert("level".into(), "INFO".into());
        line.insert("message".into(), "verification".into());
        line.insert("outcome".into(), self.outcome.name().into());
        line.insert("correlator".into(), self.correlator.as_str().into());
        line.insert("cold_start".into(), self.cold_start.into());
        line.insert("operator".into(), self.operator.into());
        line.insert("Verifications".into(), 1.into());
        line.insert("DurationMs".into(), millis(self.time));
        for (name, metric, leg) in [
            ("secret", "SecretMs", &self.trace.secret),
            ("token", "TokenMs", &self.trace.token),
            ("verify", "VerifyMs", &self.trace.verify),
        ] {
            if let Some(time) = leg.time {
                line.insert(metric.into(), millis(time));
                metrics.push(json!({ "Name": metric, "Unit": "Milliseconds" }));
            }
            if let Some(status) = leg.status {
                line.insert(format!("{name}_status"), status.into());
            }
            if leg.retried {
                line.insert(format!("{name}_retried"), true.into());
            }
        }
        if let Some(code) = &self.trace.error_code {
            line.insert("error_code".into(), code.as_str().into());
        }
        if let Some(says) = &self.trace.says {
            line.insert("reason".into(), says.as_str().into());
        }
        if self.trace.reloaded {
            line.insert("reloaded".into(), true.into());
        }
        let timestamp = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
        line.insert(
            "_aws".into(),
            json!({
                "Timestamp": u64::try_from(timestamp).unwrap_or_default(),
                "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [["outcome"], []], "Metrics": metrics }],
            }),
        );
        Value::Object(line)
    }
}

/// Milliseconds with a tenth, as a metric.
fn millis(time: Duration) -> Value {
    ((time.as_secs_f64() * 10_000.0).round() / 10.0).into()
}

/// Sets up logging for this process: JSON lines on standard output at `AWS_LAMBDA_LOG_LEVEL` (default `INFO`).
///
/// Only this crate's own lines are let through at every level. The libraries below it log what they send and receive
/// once the level is low enough, so of them only warnings and errors of the Lambda runtime are, which hold no data.
pub fn init(lookup: impl Fn(&str) -> Option<String>) {
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
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
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
    use super::*;

    #[test]
    fn a_verification_is_one_line_with_its_metrics() {
        let correlator = Correlator::from_header(None, "request-id");
        let mut trace = Trace::default();
        trace.token.time = Some(Duration::from_micros(12_340));
        trace.token.status = Some(400);
        trace.error_code = ErrorCode::new("invalid_grant");
        let verification = Verification {
            outcome: Outcome::ExpiredCode,
            correlator: &correlator,
            cold_start: true,
            operator: "operator.example",
            time: Duration::from_millis(20),
            trace: &trace,
        };
        let line = verification.to_json();
        assert_eq!(line["outcome"], "expired_code");
        assert_eq!(line["TokenMs"], 12.3);
        assert_eq!(line["token_status"], 400);
        assert_eq!(line["error_code"], "invalid_grant");
        assert!(line.get("VerifyMs").is_none());
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Namespace"], "NumberVerification");
        for metric in metrics["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name} is declared and has a value");
        }
    }
}
