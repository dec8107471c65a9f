//! Our client at each of several operators: what the secret says about it, its rotation, the headers of a gateway, and
//! the operator's name in the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sandbox::Leg;
use serde_json::{Value, json};

use crate::support::app::query;
use crate::support::far_side::{FarSide, Fault};
use crate::support::several::{Several, client_id};
use crate::support::{AS_JSON, Browser, Function, sandbox};

const SPANISH: &str = "+34600000001";
const FRENCH: &str = "+33600000001";

async fn two() -> Several {
    Several::start(&[("es", &["+34"]), ("fr", &["+33"])]).await
}

async fn start(function: &Function, number: &str) -> &'static str {
    function.post("/start", &query(&[("phone", number)]), &[AS_JSON]).await.outcome()
}

fn lines<'l>(log: &'l [Value], message: &str) -> Vec<&'l Value> {
    log.iter().filter(|line| line["message"] == message).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faulty_entry_stops_its_own_operator_alone() {
    let good = json!({ "client_id": "client-of-fr", "client_secret": "hush" });
    let with = |name: &str, value: Value| {
        let mut entry = good.clone();
        entry[name] = value;
        Some(entry)
    };
    for (name, entry, fault) in [
        ("missing", None, "operators.fr that is missing"),
        ("a text", Some(json!("hush")), "operators.fr that has another shape"),
        ("no client_id", Some(json!({ "client_secret": "hush" })), "operators.fr that has no client_id"),
        ("no client_secret", Some(json!({ "client_id": "hush" })), "operators.fr that has no client_secret"),
        ("a number", with("client_secret", json!(1)), "operators.fr that has another shape"),
        (
            "a line break",
            with("client_secret", json!("hush\n")),
            "operators.fr that has a client_secret with a character",
        ),
        (
            "a header of ours",
            with("headers", json!({ "Host": "hush" })),
            "operators.fr that has headers that name Host",
        ),
    ] {
        let mut several = two().await;
        let entries = several.secret["operators"].as_object_mut().unwrap();
        entries.remove("fr");
        entries.extend(entry.map(|entry| ("fr".to_owned(), entry)));
        let function = several.deployed(&[]).await;
        assert_eq!(Browser::default().verify(&function, SPANISH).await.outcome(), "verified", "{name}");
        for _ in 0..2 {
            assert_eq!(start(&function, FRENCH).await, "misconfigured", "{name}");
        }
        let line = function.logged("could not be started").await;
        assert_eq!(line["operator"], "fr", "{name}: {line}");
        let log = function.log();
        let [read] = lines(&log, "an operator cannot be called")[..] else { panic!("{name}: one line in {log:?}") };
        assert!(read["level"] == "ERROR" && read["reason"].to_string().contains(fault), "{name}: {read}");
        assert!(!log.iter().any(|line| line.to_string().contains("hush")), "{name}: {log:?}");
        assert_eq!(several.calls(), [("es", 1, 1)], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secret_must_have_the_parts_that_operators_need() {
    for (name, member, named) in [
        ("no state_key", "state_key", ["state_key", "OPERATORS"]),
        ("no entry at all", "operators", ["operators", "OPERATORS"]),
    ] {
        let mut several = two().await;
        several.secret.as_object_mut().unwrap().remove(member);
        let function = several.deployed(&[]).await;
        assert_eq!(start(&function, SPANISH).await, "misconfigured", "{name}");
        let reason = function.logged("could not be started").await["reason"].to_string();
        assert!(named.iter().all(|part| reason.contains(part)), "{name}: {reason}");
    }
}

#[tokio::test]
async fn one_operators_secret_is_rotated_while_verifications_are_under_way() {
    let mut several = two().await;
    let function = several.function(&[]);
    let mut browser = Browser::default();
    let callbacks = [browser.callback_of(&function, FRENCH).await, browser.callback_of(&function, SPANISH).await];

    several.at("fr").set_client_secret("the new secret at fr");
    several.secret["operators"]["fr"]["client_secret"] = "the new secret at fr".into();
    several.store_secret();
    let reads = several.vault.count(Leg::Secret);
    for (callback, name) in callbacks.iter().zip(["fr", "es"]) {
        assert_eq!(browser.open_json(&function, callback).await.outcome(), "verified", "{name}");
    }
    // The first request to fr has the old secret, and is refused with 401.
    assert_eq!(several.calls(), [("es", 1, 1), ("fr", 2, 1)]);
    assert_eq!(several.vault.count(Leg::Secret), reads + 1, "the secret is read once again");

    for number in [FRENCH, SPANISH] {
        assert_eq!(browser.verify(&function, number).await.outcome(), "verified", "{number}");
    }
    assert_eq!(several.calls(), [("es", 2, 2), ("fr", 3, 2)]);
}

/// The headers of the requests that passed, by path.
type Seen = Arc<Mutex<Vec<(String, BTreeMap<String, String>)>>>;

fn watch(far_side: &FarSide, seen: &Seen) {
    let seen = Arc::clone(seen);
    far_side.plan(move |request| {
        let (head, _) = request.split_once("\r\n\r\n").unwrap();
        let (line, headers) = head.split_once("\r\n").unwrap();
        let path = line.split(' ').nth(1).unwrap().split('?').next().unwrap();
        let headers = headers.lines().map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        seen.lock().unwrap().push((path.to_owned(), headers));
        Fault::None
    });
}

/// Checks that these headers came with the token request and with verify, and with no other request.
fn assert_sent_to_the_api_alone(seen: &Seen, expected: &[(&str, &str)], name: &str) {
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let paths: Vec<_> = seen.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/authorize", "/token", "/number-verification/v0/verify"], "{name}");
    for (path, headers) in &seen {
        let own: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| name.starts_with("x-") && *name != "x-correlator")
            .collect();
        assert_eq!(own, if path == "/authorize" { &[] } else { expected }, "{name}: {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_of_a_gateway_go_to_its_own_operators_api_and_nowhere_else() {
    let mut several = two().await;
    several.secret["operators"]["es"]["headers"] = json!({ "X-Api-Key": "hush of es", "x-api-host": "es.example" });
    several.secret["operators"]["fr"]["headers"] = json!({ "X-Api-Key": "hush of fr" });
    // With several operators, a client of the only one means nothing.
    several.secret["headers"] = json!({ "x-top-level": "hush" });
    let mut seen = BTreeMap::new();
    let mut far_sides = Vec::new();
    for name in ["es", "fr"] {
        let far_side = FarSide::of(several.at(name)).await;
        let requests = Seen::default();
        watch(&far_side, &requests);
        several.operators[name]["base_url"] = far_side.url.clone().into();
        seen.insert(name, requests);
        far_sides.push(far_side);
    }
    let function = several.deployed(&[]).await;
    for (number, name, headers) in [
        (SPANISH, "es", &[("x-api-host", "es.example"), ("x-api-key", "hush of es")][..]),
        (FRENCH, "fr", &[("x-api-key", "hush of fr")]),
    ] {
        assert_eq!(Browser::default().verify(&function, number).await.outcome(), "verified");
        assert_sent_to_the_api_alone(&seen[name], headers, name);
    }
    // A refusal is logged with its cause, which is not the request.
    several.at("es").set_client_secret("another");
    assert_eq!(Browser::default().verify(&function, SPANISH).await.outcome(), "misconfigured");
    function.logged("misconfigured").await;
    assert!(!function.log().iter().any(|line| line.to_string().contains("hush")));
}

#[tokio::test]
async fn only_operator_can_have_headers_too() {
    let sandbox = sandbox().await;
    let (far_side, seen) = (FarSide::of(&sandbox).await, Seen::default());
    watch(&far_side, &seen);
    let secret = json!({ "client_id": "my-app-id", "client_secret": "my-app-secret", "headers": { "X-Api-Key": "k" } });
    sandbox.set_secret_string(secret.to_string());
    let function = Function::with_sandbox(sandbox, &[("OPERATOR_BASE_URL", &far_side.url)]);
    assert_eq!(Browser::default().verify(&function, SPANISH).await.outcome(), "verified");
    assert_sent_to_the_api_alone(&seen, &[("x-api-key", "k")], "the only operator");
}

/// The sets of dimensions in which a metric of a line is counted.
fn dimensions(line: &Value, metric: &str) -> Vec<Value> {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap().iter();
    let counted = directives.filter(|directive| directive["Metrics"].to_string().contains(&format!("\"{metric}\"")));
    counted.flat_map(|directive| directive["Dimensions"].as_array().unwrap().clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_and_metrics_name_the_operator() {
    let by_operator = json!(["FunctionName", "operator"]);
    let several = two().await;
    let function = several.deployed(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, SPANISH).await;
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
    let (started, ended) = (function.logged("started").await, function.logged("verified").await);
    assert_eq!((&started["operator"], &ended["operator"]), (&json!("es"), &json!("es")));
    assert!(dimensions(&started, "Started").contains(&by_operator), "{started}");
    for metric in ["Verifications", "CouldNotBeChecked", "TokenMs", "VerifyMs"] {
        assert!(dimensions(&ended, metric).contains(&by_operator), "{metric}: {ended}");
    }

    let elsewhere = Browser::default().open_json(&function, &callback).await;
    assert_eq!(elsewhere.outcome(), "wrong_browser");
    assert_eq!(function.logged("wrong_browser").await["operator"], "es", "the callback's path names it");

    let nobody = function.post("/start", &query(&[("phone", "+4915112345671")]), &[AS_JSON]).await;
    assert_eq!(nobody.outcome(), "not_covered");
    let line = function.logged("not_covered").await;
    assert!(line.get("operator").is_none() && line.get("CouldNotBeChecked").is_none(), "{line}");
    assert!(!dimensions(&line, "Verifications").contains(&by_operator), "{line}");
    assert!(!function.log().iter().any(|line| line.to_string().contains(&client_id("es"))));

    let one = Function::deployed(sandbox().await, &[]).await;
    assert_eq!(Browser::default().verify(&one, SPANISH).await.outcome(), "verified");
    for line in [one.logged("started").await, one.logged("verified").await] {
        assert_eq!(line["operator"], "127.0.0.1", "the host of the only one");
        assert!(!line["_aws"].to_string().contains("operator\""), "{line}");
    }
}
