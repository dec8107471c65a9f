//! The log line of a step, with its CloudWatch metrics.

use std::time::{Duration, SystemTime};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime as Rfc3339};

use super::event::{Event, Function};
use super::metrics::{Directive, EmbeddedMetrics, Metric};
use super::report::Report;
use crate::call_log::CallLog;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// The namespace of the metrics in CloudWatch. The alarms and the dashboard in `template.yaml` name it too; a test
/// checks that they agree.
const NAMESPACE: &str = "NumberVerification";

/// The dimension that distinguishes two stacks in one account.
const FUNCTION_NAME: &str = "FunctionName";

/// The dimension that distinguishes a new version of the function from the one before, for the alarms of a canary
/// deployment.
const EXECUTED_VERSION: &str = "ExecutedVersion";

/// The dimension that distinguishes the apps. Only those that the owner registered have a name here.
const CLIENT: &str = "client";

/// The dimension that distinguishes the operators in `OPERATORS`. Only those that the owner named have one.
const OPERATOR: &str = "operator";

pub(super) struct Line<'a> {
    pub event: &'a Event<'a>,
    pub report: Report<'a>,
    pub cold_start: bool,
    pub function: &'a Function,
}

impl Line<'_> {
    /// Returns whether the outcome counts as a verification that could not be checked. `None` if a request to the
    /// public URL alone can cause the outcome, so that outsiders cannot trigger an alarm.
    fn could_not_be_checked(&self, outcome: Outcome) -> Option<bool> {
        match outcome {
            Outcome::Verified | Outcome::NotVerified => Some(false),
            Outcome::InvalidRequest | Outcome::InvalidState | Outcome::WrongBrowser | Outcome::OperatorRefused => None,
            // Both a URL alone and the back channel can cause these.
            Outcome::AccessDenied | Outcome::NotOnMobileNetwork | Outcome::NotCovered => {
                self.event.calls.token.time.map(|_| true)
            }
            Outcome::ExpiredCode
            | Outcome::Misconfigured
            | Outcome::OperatorError
            | Outcome::OperatorBusy
            | Outcome::OperatorTimeout => Some(true),
        }
    }

    fn metrics<M: SerializeMap>(&self, line: &mut M, mut metrics: Vec<Metric>) -> Result<(), M::Error> {
        let mut count = |line: &mut M, name, value: bool| {
            metrics.push(Metric::count(name));
            line.serialize_entry(name, &u8::from(value))
        };
        let mut directives = Vec::with_capacity(5);
        // The same counts and times for each operator.
        let mut by_operator = Vec::new();
        // The same counts for each app, which together show how far its users get.
        let mut by_client = Vec::new();
        match self.report {
            Report::Started => {
                count(line, "Started", true)?;
                by_client.push("Started");
                by_operator.push(Metric::count("Started"));
            }
            Report::Redeemed => {
                count(line, "Redeemed", true)?;
                by_client.push("Redeemed");
            }
            Report::NotRedeemed(_) => count(line, "NotRedeemed", true)?,
            Report::Refused(..) => {}
            Report::NotStarted(&Failure { outcome, .. }) | Report::Ended(outcome, _) => {
                if let Some(value) = self.could_not_be_checked(outcome) {
                    line.serialize_entry("CouldNotBeChecked", &u8::from(value))?;
                    directives.push(Directive {
                        namespace: NAMESPACE,
                        dimensions: &[&[FUNCTION_NAME], &[FUNCTION_NAME, EXECUTED_VERSION]],
                        metrics: vec![Metric::count("CouldNotBeChecked")],
                    });
                    by_operator.push(Metric::count("CouldNotBeChecked"));
                }
                count(line, "OperatorRefused", outcome == Outcome::OperatorRefused)?;
                line.serialize_entry("Verifications", &1)?;
                by_operator.push(Metric::count("Verifications"));
                directives.push(Directive {
                    namespace: NAMESPACE,
                    dimensions: &[&[FUNCTION_NAME], &[FUNCTION_NAME, "outcome"]],
                    metrics: vec![Metric::count("Verifications")],
                });
                if self.event.client.is_some() && matches!(self.report, Report::Ended(..)) {
                    line.serialize_entry("Returned", &1)?;
                    line.serialize_entry("Verified", &u8::from(outcome == Outcome::Verified))?;
                    by_client.extend(["Returned", "Verified"]);
                }
            }
        }
        if self.event.client.is_some() && !by_client.is_empty() {
            directives.push(Directive {
                namespace: NAMESPACE,
                dimensions: &[&[FUNCTION_NAME, CLIENT]],
                metrics: by_client.into_iter().map(Metric::count).collect(),
            });
        }
        if self.event.is_one_of_several && !by_operator.is_empty() {
            by_operator.extend(metrics_of_operator(&self.event.calls));
            directives.push(Directive {
                namespace: NAMESPACE,
                dimensions: &[&[FUNCTION_NAME, OPERATOR]],
                metrics: by_operator,
            });
        }
        count(line, "ColdStarts", self.cold_start)?;
        line.serialize_entry(FUNCTION_NAME, &self.function.name)?;
        line.serialize_entry(EXECUTED_VERSION, &self.function.version)?;
        let milliseconds = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
        directives.push(Directive { namespace: NAMESPACE, dimensions: &[&[FUNCTION_NAME]], metrics });
        line.serialize_entry(
            "_aws",
            &EmbeddedMetrics {
                timestamp: u64::try_from(milliseconds).unwrap_or_default(),
                cloud_watch_metrics: directives,
            },
        )
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.event;
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("timestamp", &timestamp())?;
        line.serialize_entry("level", self.report.level())?;
        line.serialize_entry("message", self.report.message())?;
        if let Some(outcome) = self.report.outcome() {
            line.serialize_entry("outcome", outcome.name())?;
        }
        if let Some(client) = event.client {
            line.serialize_entry(CLIENT, client)?;
        }
        line.serialize_entry("correlator", event.correlator.as_str())?;
        line.serialize_entry("cold_start", &self.cold_start)?;
        if let Some(operator) = event.operator {
            line.serialize_entry(OPERATOR, operator)?;
        }
        line.serialize_entry("DurationMs", &millis(event.time))?;
        // A token request is not a verification, and would make verifications look fast.
        let is_verification = matches!(self.report, Report::Started | Report::NotStarted(_) | Report::Ended(..));
        let mut times = if is_verification { vec![Metric::milliseconds("DurationMs")] } else { Vec::new() };
        for (metric, status, retried, call) in [
            ("SecretMs", "secret_status", "secret_retried", &event.calls.secret),
            ("TokenMs", "token_status", "token_retried", &event.calls.token),
            ("VerifyMs", "verify_status", "verify_retried", &event.calls.verify),
        ] {
            if let Some(time) = call.time {
                line.serialize_entry(metric, &millis(time))?;
                times.push(Metric::milliseconds(metric));
            }
            if let Some(came) = call.status {
                line.serialize_entry(status, &came)?;
            }
            if call.retried {
                line.serialize_entry(retried, &true)?;
            }
        }
        let (code, reason) = self.report.reason();
        if let Some(code) = code {
            line.serialize_entry("error_code", code)?;
        }
        if let Some(reason) = reason {
            line.serialize_entry("reason", reason)?;
        }
        if event.reloaded {
            // The verification was counted when the operator answered.
            line.serialize_entry("reloaded", &true)?;
        } else {
            self.metrics(&mut line, times)?;
        }
        line.end()
    }
}

/// The times of the calls that an operator answered.
fn metrics_of_operator(calls: &CallLog) -> impl Iterator<Item = Metric> {
    let (token, verify) = (calls.token.time.map(|_| "TokenMs"), calls.verify.time.map(|_| "VerifyMs"));
    token.into_iter().chain(verify).map(Metric::milliseconds)
}

/// The time in the format of the other lines. Lambda adds its own time to a line without one, and treats the line as
/// INFO.
fn timestamp() -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = Rfc3339.format_time(&mut Writer::new(&mut text));
    text
}

/// A duration as a metric: milliseconds with one decimal.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::call_log::Call;
    use crate::correlator::Correlator;

    fn line(report: Report, calls: CallLog, reloaded: bool) -> Value {
        let correlator = Correlator::from_header(None, "request-id");
        let event = Event {
            time: Duration::from_millis(20),
            correlator: &correlator,
            operator: Some("operator.example"),
            is_one_of_several: false,
            calls,
            reloaded,
            client: None,
        };
        let function = Function { name: "f".to_owned(), version: "7".to_owned() };
        serde_json::to_value(Line { event: &event, report, cold_start: true, function: &function }).unwrap()
    }

    #[test]
    fn verification_is_one_line_with_its_metrics() {
        let token = Call { time: Some(Duration::from_micros(12_340)), status: Some(400), retried: false };
        let failure = Failure { code: Some("invalid_grant"), ..Failure::new(Outcome::ExpiredCode, "got 400") };
        let calls = CallLog { token, ..CallLog::default() };
        let line = line(Report::Ended(Outcome::ExpiredCode, Some(&failure)), calls, false);
        assert_eq!(line["outcome"], "expired_code");
        assert_eq!(line["TokenMs"], 12.3);
        assert_eq!(line["token_status"], 400);
        assert_eq!(line["error_code"], "invalid_grant");
        assert_eq!(line["reason"], "got 400");
        assert_eq!(line["CouldNotBeChecked"], 1);
        assert_eq!(line["ColdStarts"], 1);
        assert!(line.get("VerifyMs").is_none());
    }

    #[test]
    fn metrics_that_are_declared_have_values() {
        for report in [Report::Started, Report::Ended(Outcome::Verified, None)] {
            let line = line(report, CallLog::default(), false);
            for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
                assert_eq!(directive["Namespace"], "NumberVerification");
                for metric in directive["Metrics"].as_array().unwrap() {
                    let name = metric["Name"].as_str().unwrap();
                    assert!(line[name].is_number(), "{name}");
                }
                let dimensions = directive["Dimensions"].as_array().unwrap().iter();
                for dimension in dimensions.flat_map(|set| set.as_array().unwrap()) {
                    let name = dimension.as_str().unwrap();
                    assert!(line[name].is_string(), "{name}");
                }
            }
        }
    }

    #[test]
    fn only_back_channel_failures_count_as_not_checked() {
        let asked = CallLog { token: Call { time: Some(Duration::ZERO), ..Call::default() }, ..CallLog::default() };
        for outcome in Outcome::ALL {
            let (by_redirect, by_call) = match outcome {
                Outcome::Verified | Outcome::NotVerified => (json!(0), json!(0)),
                Outcome::InvalidRequest | Outcome::InvalidState | Outcome::WrongBrowser | Outcome::OperatorRefused => {
                    (Value::Null, Value::Null)
                }
                Outcome::AccessDenied | Outcome::NotOnMobileNetwork | Outcome::NotCovered => (Value::Null, json!(1)),
                _ => (json!(1), json!(1)),
            };
            for (calls, counted) in [(CallLog::default(), by_redirect), (asked, by_call)] {
                let line = line(Report::Ended(outcome, None), calls, false);
                assert_eq!(line["CouldNotBeChecked"], counted, "{outcome:?}");
                assert_eq!(line["OperatorRefused"], u8::from(outcome == Outcome::OperatorRefused), "{outcome:?}");
            }
        }
    }

    #[test]
    fn reload_is_logged_and_not_counted_again() {
        let line = line(Report::Ended(Outcome::Verified, None), CallLog::default(), true);
        assert_eq!(line["reloaded"], true);
        assert!(line.get("_aws").is_none(), "{line}");
    }

    #[test]
    fn line_has_the_time_and_level_that_lambda_looks_for() {
        for (outcome, level) in
            [(Outcome::Verified, "INFO"), (Outcome::OperatorTimeout, "WARN"), (Outcome::Misconfigured, "ERROR")]
        {
            let line = line(Report::Ended(outcome, None), CallLog::default(), false);
            assert_eq!(line["level"], level);
            let timestamp = line["timestamp"].as_str().unwrap();
            assert!(timestamp.len() == 27 && timestamp.ends_with('Z'), "RFC 3339: {timestamp}");
        }
    }
}
