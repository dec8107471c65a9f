//! Of several operators in one environment, some are down or slow. The others verify as if nothing had happened.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::{Leg, SAMPLE_CODE, Settings};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::app::{parameter, query};
use crate::support::far_side::{self, FarSide, Fault};
use crate::support::several::{Several, client_id, redirect_uri};
use crate::support::{AS_JSON, Answer, Browser, CALLBACK, Function};

const SPANISH: &str = "+34600000001";
const FRENCH: &str = "+33600000001";
const TIME_LEFT: Duration = Duration::from_secs(3);
/// More than the connections that one operator's clients open at once.
const HANGING: u32 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operator_that_is_down_or_slow_does_not_affect_the_others() {
    let mut several =
        Several::start(&[("es", &["+34"]), ("hangs", &["+49"]), ("errs", &["+33"]), ("refuses", &["+351"])]).await;
    let (hangs, errs) = (FarSide::of(several.at("hangs")).await, FarSide::of(several.at("errs")).await);
    errs.always(Fault::Answer("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"));
    let arrived = Arc::new(Semaphore::new(0));
    let arrival = Arc::clone(&arrived);
    hangs.plan(move |_| {
        arrival.add_permits(1);
        Fault::Hang
    });
    let (_refuses, refusing) = far_side::refusing();
    for (name, url) in [("hangs", &hangs.url), ("errs", &errs.url), ("refuses", &refusing)] {
        several.move_token_endpoint(name, url);
    }
    let function = several.deployed(&[("AWS_LAMBDA_MAX_CONCURRENCY", "10")]).await.with_time_left(TIME_LEFT);
    let function = Arc::new(function);

    let mut waiting = JoinSet::new();
    for _ in 0..HANGING {
        let function = Arc::clone(&function);
        waiting.spawn(async move { Browser::default().verify(&function, "+4915112345671").await.outcome() });
    }
    let _ = timeout(TIME_LEFT, arrived.acquire_many(HANGING)).await.expect("the requests arrive").unwrap();
    for _ in 0..10 {
        for (number, outcome) in [
            (SPANISH, "verified"),
            (FRENCH, "operator_error"),
            (SPANISH, "verified"),
            ("+351600000001", "operator_error"),
        ] {
            assert_eq!(Browser::default().verify(&function, number).await.outcome(), outcome, "{number}");
        }
    }
    assert!(waiting.try_join_next().is_none(), "all that happened before the first of them gave up");
    assert_eq!(waiting.join_all().await, ["operator_timeout"; HANGING as usize]);
    assert_eq!(several.calls(), [("es", 20, 20)]);
}

/// Operators behind one gateway have its address in common, and must not queue behind each other.
#[tokio::test]
async fn operators_at_one_address_share_no_connection() {
    let mut several = Several::start(&[("es", &["+34"]), ("fr", &["+33"])]).await;
    let gateway = FarSide::of(several.at("es")).await;
    several.move_token_endpoint("es", &gateway.url);
    several.operators["fr"] = several.operators["es"].clone();
    several.operators["fr"]["prefixes"] = json!(["+33"]);
    several.secret["operators"]["fr"] = several.secret["operators"]["es"].clone();
    let function = several.function(&[]);
    for number in [SPANISH, FRENCH, SPANISH, FRENCH] {
        let started = start(&function, number).await;
        function.get(&sample_callback_of(&started), &[AS_JSON, ("cookie", cookie_of(&started))]).await;
    }
    assert_eq!((gateway.requests(), gateway.connections()), (4, 2));
}

/// `POST /start` with a number.
async fn start(function: &Function, number: &str) -> Answer {
    function.post("/start", &query(&[("phone", number)]), &[AS_JSON, ("sec-fetch-site", "same-origin")]).await
}

/// Operators of which `fr` has a discovery document, on a far side, and the answer with the document.
async fn discovered() -> (Several, FarSide, Fault, String) {
    let mut several = Several::start(&[("es", &["+34"])]).await;
    let settings = Settings {
        client_id: client_id("fr"),
        registered_redirect_uris: vec![redirect_uri("fr")],
        // A document may only name https endpoints.
        tls: true,
        ..Settings::default()
    };
    several.add("fr", &["+33"], settings).await;
    let base_url = several.at("fr").base_url();
    let ca = format!("{}/ca-of-several-{}.pem", env!("CARGO_TARGET_TMPDIR"), base_url.rsplit(':').next().unwrap());
    std::fs::write(&ca, several.at("fr").ca_pem().unwrap()).unwrap();
    let far_side = FarSide::of(&several.vault).await;
    several.operators["fr"] = json!({
        "prefixes": ["+33"],
        "discovery_url": format!("{}/document", far_side.url),
        "verify_endpoint": format!("{base_url}/number-verification/v0/verify"),
    });
    let document = json!({
        "issuer": base_url,
        "authorization_endpoint": format!("{base_url}/authorize"),
        "token_endpoint": format!("{base_url}/token"),
    })
    .to_string();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{document}", document.len());
    (several, far_side, Fault::Answer(answer.leak()), ca)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn document_that_cannot_be_read_at_start_up_is_read_when_it_is_needed() {
    let (several, far_side, document, ca) = discovered().await;
    far_side.always(Fault::Answer("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"));
    let function = several.deployed(&[("OPERATOR_CA_FILE", &ca)]).await;
    let line = function.logged("an operator cannot be used yet").await;
    let reason = line["reason"].as_str().unwrap();
    assert!(
        reason.contains("OPERATORS: fr.discovery_url: the document cannot be read: expected 200, got 503"),
        "{reason}"
    );
    assert_eq!(far_side.requests(), 1);

    assert_eq!(Browser::default().verify(&function, SPANISH).await.outcome(), "verified");
    assert_eq!(far_side.requests(), 1, "the other operator does not need the document");
    let failed = start(&function, FRENCH).await;
    assert_eq!((failed.status, failed.outcome()), (502, "operator_error"));
    assert_eq!(far_side.requests(), 1, "a failure is remembered for a moment");
    let line = function.logged("could not be started").await;
    assert_eq!((&line["operator"], &line["CouldNotBeChecked"]), (&json!("fr"), &json!(1)), "{line}");

    far_side.always(document);
    let give_up = Instant::now() + Duration::from_secs(20);
    while start(&function, FRENCH).await.status != 200 {
        assert!(Instant::now() < give_up, "the document is not read again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for _ in 0..2 {
        assert_eq!(verify_over_tls(&function, &several).await, "verified");
    }
    assert_eq!(far_side.requests(), 2, "a document that was read stays");
}

/// An operator can publish anything, at any time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn document_that_does_not_fit_the_settings_stops_only_its_operator() {
    let (mut several, far_side, document, ca) = discovered().await;
    let fr = several.operators["fr"].as_object_mut().unwrap();
    fr.remove("verify_endpoint");
    fr.insert("operator".to_owned(), json!("konera"));
    far_side.always(document);
    let function = several.deployed(&[("OPERATOR_CA_FILE", &ca)]).await;
    let reason = function.logged("an operator cannot be used yet").await["reason"].to_string();
    assert!(reason.contains("OPERATORS: fr.verify_endpoint: not set"), "{reason}");
    let failed = start(&function, FRENCH).await;
    assert_eq!((failed.status, failed.outcome()), (500, "misconfigured"));
    assert_eq!(Browser::default().verify(&function, SPANISH).await.outcome(), "verified");
}

/// The callback of a started verification with the sample code, which needs no visit to the operator.
fn sample_callback_of(started: &Answer) -> String {
    assert_eq!(started.status, 200, "{}", started.body);
    let json = started.json();
    let (_, request) = json["authorization_url"].as_str().unwrap().split_once('?').unwrap();
    let parameters: Vec<_> = form_urlencoded::parse(request.as_bytes()).into_owned().collect();
    let (_, operator) = parameter(&parameters, "redirect_uri").rsplit_once('/').unwrap();
    let answer = query(&[("code", SAMPLE_CODE), ("state", parameter(&parameters, "state"))]);
    format!("{CALLBACK}/{operator}?{answer}")
}

fn cookie_of(started: &Answer) -> &str {
    started.header("set-cookie").split(';').next().unwrap()
}

/// A verification at `fr`, whose sandbox this test's HTTP client would not trust: the code is the sample one.
async fn verify_over_tls(function: &Function, several: &Several) -> &'static str {
    let started = start(function, FRENCH).await;
    assert_eq!(several.operator_of(started.json()["authorization_url"].as_str().unwrap()), "fr");
    let outcome =
        function.get(&sample_callback_of(&started), &[AS_JSON, ("cookie", cookie_of(&started))]).await.outcome();
    assert_eq!(several.at("fr").count(Leg::Verify), several.at("fr").count(Leg::Token));
    outcome
}

/// Neither the start nor the others wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn document_that_does_not_come_holds_nobody_up() {
    let (several, far_side, _, ca) = discovered().await;
    far_side.always(Fault::Hang);
    let began = Instant::now();
    let function = several.deployed(&[("OPERATOR_CA_FILE", &ca)]).await.with_time_left(TIME_LEFT);
    assert_eq!(Browser::default().verify(&function, SPANISH).await.outcome(), "verified");
    // The only operator's document may take 5 s.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let late = start(&function, FRENCH).await;
    assert_eq!((late.status, late.outcome()), (504, "operator_timeout"));
}

/// `src/config/operators.rs` has a table of what can be wrong.
#[tokio::test]
async fn faulty_operators_stop_the_program_with_one_line() {
    const ES: &str = r#"{"es": {"prefixes": ["+34"], "token_endpoint": "https://hush.example/token"}}"#;
    for (name, variables, fault) in [
        ("not JSON", &[("OPERATORS", "hush")][..], "OPERATORS: not usable at line 1, column 1; expected a JSON object"),
        ("two hosts", &[("OPERATORS", ES)], "OPERATORS: es.token_endpoint: is on a different host"),
        ("phone mode", &[("OPERATORS", ES), ("STATE_MODE", "phone")], "STATE_MODE: cannot be phone beside OPERATORS"),
    ] {
        let line = Function::fault_at_start(variables).await;
        assert!(line.contains(fault) && !line.contains("hush"), "{name}: {line}");
    }
}
