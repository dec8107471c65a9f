//! The whole log at the finest level, through every outcome, contains no phone number, code, state, token, secret or
//! cookie.

use std::sync::Arc;
use std::time::Duration;

use sandbox::{Leg, Sandbox, Scenario, Scripted, Settings};
use serde_json::{Value, json};

use crate::support::{Browser, Function};

/// The finest level, in every variable that the program and its libraries read.
pub const ALL_LEVELS: [(&str, &str); 3] =
    [("AWS_LAMBDA_LOG_LEVEL", "TRACE"), ("RUST_LOG", "trace"), ("AWS_LAMBDA_LOG_FORMAT", "JSON")];

const NUMBER: &str = "+34600000001";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_log_line_contains_personal_data_or_secrets() {
    let sandbox =
        Arc::new(Sandbox::start(Settings { slow_for: Duration::from_secs(3), ..Settings::default() }).await.unwrap());
    let function = Function::deployed(sandbox.clone(), &ALL_LEVELS).await.with_time_left(Duration::from_secs(2));
    let mut forbidden = vec![NUMBER.to_owned(), NUMBER[1..].to_owned(), "my-app-secret".to_owned()];
    let mut outcomes = Vec::new();
    for scenario in Scenario::ALL {
        sandbox.set_scenario(scenario);
        let mut browser = Browser::default();
        let callback = browser.callback_of(&function, NUMBER).await;
        outcomes.push(browser.open_json(&function, &callback).await.outcome());
        // The callback is reloaded, opened in another browser, and altered.
        browser.open(&function, &callback).await;
        Browser::default().open(&function, &callback).await;
        browser.open(&function, &format!("{callback}x")).await;
        browser.open(&function, &callback.replace("state=", "state=x")).await;
        forbidden.extend(query_values(&callback));
        forbidden.extend(
            browser.cookies().iter().filter_map(|cookie| cookie.split_once('=')).map(|(_, value)| value.to_owned()),
        );
    }
    sandbox.set_scenario(Scenario::ByNumber);

    // An operator that quotes the request in place of an error code.
    for leg in [Leg::Token, Leg::Verify] {
        let mut browser = Browser::default();
        let callback = browser.callback_of(&function, NUMBER).await;
        let quotes = query_values(&callback).into_iter().chain([NUMBER.to_owned(), "+34 600 000 001".to_owned()]);
        for quote in quotes {
            let quoting = json!({ "error": format!("no {quote}"), "code": quote, "message": quote });
            sandbox.script(leg, Some(Scripted::json(400, &quoting)));
            browser.open_json(&function, &callback).await;
            forbidden.push(quote);
        }
        sandbox.script(leg, None);
    }
    for wrong in ["{", r#"{"client_id":"my-app-id","client_secret":["my-app-secret"]}"#] {
        sandbox.set_secret_string(wrong);
        let broken = Function::deployed(sandbox.clone(), &ALL_LEVELS).await;
        broken.post("/start", "phone=%2B34600000001", &[]).await;
        let line = broken.logged("could not be started").await;
        assert_eq!(line["outcome"], "misconfigured");
        outcomes.push("misconfigured");
        assert_clean(&broken.log(), &forbidden);
    }
    function.post("/start", "phone=34600000001", &[("cookie", "__Host-nv-x=nonsense")]).await;

    for seen in [
        "verified",
        "access_denied",
        "expired_code",
        "not_on_mobile_network",
        "operator_busy",
        "operator_error",
        "operator_timeout",
        "misconfigured",
    ] {
        assert!(outcomes.contains(&seen), "{seen} was not seen in {outcomes:?}");
    }
    let codes = sandbox.requests().into_iter().filter_map(|served| served.fields.get("code_verifier").cloned());
    forbidden.extend(codes);
    function.logged("operator_timeout").await;
    let log = function.log();
    assert!(log.len() >= Scenario::ALL.len() * 5, "a line for each callback: {}", log.len());
    assert_clean(&log, &forbidden);
}

/// Checks that no line contains one of these texts.
pub fn assert_clean(log: &[Value], forbidden: &[String]) {
    for line in log {
        let line = line.to_string();
        for value in forbidden {
            assert!(!line.contains(value.as_str()), "{value} is in {line}");
        }
    }
}

/// The values of a callback's query that must not be logged.
pub fn query_values(path_and_query: &str) -> Vec<String> {
    let (_, query) = path_and_query.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "code" || name == "state")
        .map(|(_, value)| value.into_owned())
        .collect()
}
