//! The log lines and metrics of the real program.

use serde_json::Value;

use crate::support::{Browser, Function, sandbox};

const NUMBER: &str = "+34600000001";

/// A start that fails through our own fault is counted itself, because it has no callback that could be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_start_is_counted() {
    let sandbox = sandbox().await;
    let function = Function::deployed(sandbox, &[("CLIENT_SECRET_ID", "not-there")]).await;
    assert_eq!(function.post("/start", "phone=%2B34600000001", &[]).await.status, 500);
    let line = function.logged("could not be started").await;
    assert_eq!((&line["outcome"], &line["Verifications"]), (&"misconfigured".into(), &1.into()), "{line}");
    assert_eq!(line["level"], "ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_has_the_format_and_level_that_lambda_sets() {
    const RETRIED: &str = "the request was not accepted";
    for (format, level, warning) in [
        (None, None, Some("json")),
        (Some("JSON"), Some("INFO"), Some("json")),
        (Some("JSON"), Some("WARN"), Some("json")),
        (Some("JSON"), Some("ERROR"), None),
        (Some("JSON"), Some("FATAL"), None),
        (Some("Text"), Some("INFO"), Some("text")),
        (Some("text"), None, Some("text")),
        (Some("Text"), Some("ERROR"), None),
    ] {
        let case = format!("{format:?} {level:?}");
        let variables: Vec<_> = [("AWS_LAMBDA_LOG_FORMAT", format), ("AWS_LAMBDA_LOG_LEVEL", level)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            // Nothing listens there, so every attempt logs a warning.
            .chain([("TOKEN_ENDPOINT", "http://127.0.0.1:1/token")])
            .collect();
        let function = Function::deployed(sandbox().await, &variables).await;
        let answer = Browser::default().verify(&function, NUMBER).await;
        assert_eq!(answer.outcome(), "operator_error", "{case}");

        let verification = function.logged(r#""message":"verification""#).await;
        assert!(verification["_aws"].is_object(), "{case}: the metrics do not depend on the settings");
        let log = function.log();
        let line = log.iter().find(|line| line.to_string().contains(RETRIED));
        let seen = line.map(|line| if line.is_object() { "json" } else { "text" });
        assert_eq!(seen, warning, "{case}: {log:?}");
        match line {
            Some(Value::String(line)) => {
                assert!(line.trim_start().starts_with("WARN "), "{line}");
                assert!(!line.contains('\u{1b}'), "no colours: {line}");
            }
            Some(line) => assert_eq!(line["level"], "WARN"),
            None => {}
        }
    }
}
