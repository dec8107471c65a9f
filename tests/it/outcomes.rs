//! One test for each row of the table of outcomes: what the operator does, what the user and a program get.

use std::time::Duration;

use sandbox::{Leg, Scenario, Scripted};
use serde_json::json;

use crate::support::{AS_JSON, Browser, CALLBACK, Function, PHONE_MODE};

/// Verifies a number twice, as a person and as a program, and compares both answers with the table.
async fn expect(function: &Function, phone: &str, outcome: &str, status: u16, page_says: &str) {
    let mut person = Browser::default();
    let callback = person.callback_of(function, phone).await;
    let page = person.open(function, &callback).await;
    assert_eq!(page.status, status, "{}", page.body);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.body.contains(page_says), "{page_says} is not in {}", page.body);

    let answer = Browser::default().verify(function, phone).await;
    assert_eq!(answer.status, status);
    let json = answer.json();
    assert_eq!(json["outcome"], outcome);
    let verdict = match outcome {
        "verified" => json!(true),
        "not_verified" => json!(false),
        _ => json!(null),
    };
    assert_eq!(json["devicePhoneNumberVerified"], verdict);
    assert_eq!(json["correlator"], answer.header("x-correlator"));
    let content_type = if verdict.is_null() { "application/problem+json" } else { "application/json" };
    assert_eq!(answer.header("content-type"), content_type);
}

#[tokio::test]
async fn verified() {
    let function = Function::start(&[]).await;
    expect(&function, "+34600000001", "verified", 200, "Phone number verified").await;
}

#[tokio::test]
async fn not_verified() {
    let function = Function::start(&[]).await;
    expect(&function, "+34600000002", "not_verified", 200, "does not match mobile line").await;
}

#[tokio::test]
async fn invalid_request() {
    let function = Function::start(PHONE_MODE).await;
    let too_long = "x".repeat(5000);
    for (name, query) in [
        ("nothing", String::new()),
        ("no state", "code=abc".to_owned()),
        ("no code", "state=%2B34600000001".to_owned()),
        ("an empty code", "code=&state=%2B34600000001".to_owned()),
        ("a state that is not a number", "code=abc&state=hello".to_owned()),
        ("a number without its country", "code=abc&state=600000001".to_owned()),
        ("code twice", "code=abc&code=abc&state=%2B34600000001".to_owned()),
        ("state twice", "code=abc&state=%2B34600000001&state=%2B34600000002".to_owned()),
        ("a code too long", format!("code={too_long}&state=%2B34600000001")),
    ] {
        let answer = function.get_json(&format!("{CALLBACK}?{query}")).await;
        assert_eq!((answer.status, answer.outcome()), (400, "invalid_request"), "{name}");
    }
    assert_eq!(function.sandbox.count(Leg::Token), 0, "the operator was not asked");
}

#[tokio::test]
async fn invalid_state() {
    let function = Function::start(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    let altered = callback.replace("state=A", "state=B");
    assert_ne!(callback, altered, "a state begins with its version");
    let answer = browser.open_json(&function, &altered).await;
    assert_eq!((answer.status, answer.outcome()), (400, "invalid_state"));
    assert_eq!(function.sandbox.count(Leg::Token), 0, "the operator was not asked");
}

#[tokio::test]
async fn wrong_browser() {
    let function = Function::start(&[]).await;
    let callback = Browser::default().callback_of(&function, "+34600000001").await;
    let mut with_a_cookie_of_its_own = Browser::default();
    with_a_cookie_of_its_own.start(&function, "+34600000001").await;
    for mut other in [Browser::default(), with_a_cookie_of_its_own] {
        let answer = other.open_json(&function, &callback).await;
        assert_eq!((answer.status, answer.outcome()), (403, "wrong_browser"));
    }
    assert_eq!(function.sandbox.count(Leg::Token), 0, "the operator was not asked");
}

#[tokio::test]
async fn expired_code() {
    let function = Function::start(&[]).await;
    function.sandbox.set_scenario(Scenario::CodeExpired);
    expect(&function, "+34600000001", "expired_code", 400, "could not be checked").await;
}

#[tokio::test]
async fn access_denied() {
    let function = Function::start(&[]).await;
    function.sandbox.set_scenario(Scenario::ConsentRefused);
    expect(&function, "+34600000001", "access_denied", 403, "refused").await;
    assert_eq!(function.sandbox.count(Leg::Token), 0, "the operator was not asked");
}

#[tokio::test]
async fn not_on_mobile_network() {
    let function = Function::start(&[]).await;
    function.sandbox.set_scenario(Scenario::OnWifi);
    expect(&function, "+34600000001", "not_on_mobile_network", 403, "Turn off Wi\u{2011}Fi").await;
}

#[tokio::test]
async fn not_covered() {
    let function = Function::start(&[]).await;
    let refused = json!({ "status": 422, "code": "SERVICE_NOT_APPLICABLE", "message": "" });
    function.sandbox.script(Leg::Verify, Some(Scripted::json(422, &refused)));
    expect(&function, "+34600000001", "not_covered", 422, "another way").await;
}

#[tokio::test]
async fn operator_refused() {
    let function = Function::start(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.refused_callback_of(&function, "+34600000001", "invalid_scope").await;
    let page = browser.open(&function, &callback).await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("Your mobile operator did not carry out the check."), "{}", page.body);
    let answer = browser.open_json(&function, &callback).await;
    assert_eq!((answer.status, answer.outcome()), (403, "operator_refused"));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(function.sandbox.count(Leg::Token), 0, "the operator was not asked");
}

#[tokio::test]
async fn misconfigured_if_the_operator_refuses_the_client() {
    let function = Function::start(&[]).await;
    function.sandbox.set_client_secret("another than in Secrets Manager");
    expect(&function, "+34600000001", "misconfigured", 500, "not your fault").await;
}

#[tokio::test]
async fn misconfigured_if_the_scope_is_refused() {
    let function = Function::start(&[]).await;
    let refused = json!({ "status": 403, "code": "PERMISSION_DENIED", "message": "" });
    function.sandbox.script(Leg::Verify, Some(Scripted::json(403, &refused)));
    expect(&function, "+34600000001", "misconfigured", 500, "not your fault").await;
}

#[tokio::test]
async fn misconfigured_if_there_is_no_secret() {
    let function = Function::start(&[("CLIENT_SECRET_ID", "no-such-secret")]).await;
    let answer = function.post("/start", "phone=%2B34600000001", &[AS_JSON]).await;
    assert_eq!((answer.status, answer.outcome()), (500, "misconfigured"));
    // A text of another length cannot be a state of ours, so the secret is not even read for it.
    for (state, expected) in [("a".repeat(115), (500, "misconfigured")), ("b".to_owned(), (400, "invalid_state"))] {
        let answer = function.get_json(&format!("{CALLBACK}?code=a&state={state}")).await;
        assert_eq!((answer.status, answer.outcome()), expected);
    }
}

#[tokio::test]
async fn operator_error() {
    let function = Function::start(&[]).await;
    function.sandbox.set_scenario(Scenario::Rubbish);
    expect(&function, "+34600000001", "operator_error", 502, "not your fault").await;
}

#[tokio::test]
async fn operator_error_if_the_operator_is_down() {
    let function = Function::start(&[]).await;
    function.sandbox.set_scenario(Scenario::OperatorDown);
    expect(&function, "+34600000001", "operator_error", 502, "not your fault").await;
}

#[tokio::test]
async fn operator_busy_forwards_retry_after() {
    let function = Function::start(&[]).await;
    function.sandbox.set_scenario(Scenario::RateLimited);
    expect(&function, "+34600000001", "operator_busy", 503, "temporarily unavailable").await;
    let answer = Browser::default().verify(&function, "+34600000001").await;
    assert_eq!(answer.header("retry-after"), "30");
}

#[tokio::test]
async fn operator_timeout() {
    let function = Function::start(&[]).await.with_time_left(Duration::from_secs(2));
    function.sandbox.set_scenario(Scenario::OperatorSlow);
    expect(&function, "+34600000001", "operator_timeout", 504, "too long").await;
}

/// The API's published samples print "does not match" for all of these.
#[tokio::test]
async fn failed_check_is_never_reported_as_a_mismatch() {
    let function = Function::start(&[]).await;
    for (status, body) in [(200, "{}"), (200, ""), (401, "{}"), (403, "{}"), (404, ""), (500, "<html>"), (204, "")] {
        for leg in [Leg::Token, Leg::Verify] {
            function.sandbox.script(leg, Some(Scripted::answer(status, body)));
            let page = Browser::default().verify(&function, "+34600000002").await;
            let expected = if (leg, status) == (Leg::Token, 401) { "misconfigured" } else { "operator_error" };
            assert_eq!(page.outcome(), expected, "{leg:?} answers {status} {body}");
            function.sandbox.script(leg, None);
        }
    }
}
