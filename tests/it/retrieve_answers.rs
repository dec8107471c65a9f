//! Whatever the operator answers in place of the number, nothing is verified; and a state made for the one question never
//! leads to the other.

use std::sync::Arc;
use std::time::Duration;

use sandbox::{Leg, Scenario, Scripted};
use serde_json::{Value, json};

use crate::retrieve::{ON, calls};
use crate::support::far_side::{FarSide, Fault};
use crate::support::{Browser, Function, sandbox};

fn number(number: &str) -> Scripted {
    Scripted::json(200, &json!({ "devicePhoneNumber": number }))
}

fn camara(status: u16, code: &str) -> Scripted {
    Scripted::json(status, &json!({ "status": status, "code": code, "message": "…" }))
}

/// Each with its outcome and status.
fn bad_answers() -> Vec<(&'static str, Scripted, &'static str, u16)> {
    let malformed = |name, answer| (name, answer, "operator_error", 502);
    let text = |status, body: &str| Scripted::answer(status, body);
    let challenge = r#"Bearer error="insufficient_scope""#;
    let by_mobile_network = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK";
    vec![
        malformed("spaces", number("+34 600 000 001")),
        malformed("no plus", number("34600000001")),
        malformed("two zeros for the plus", number("0034600000001")),
        malformed("a tel URI", number("tel:+34600000001")),
        malformed("a zero in the middle", number("+4407700900123")),
        malformed("too short", number("+3460")),
        malformed("too long", number("+3460000000000001")),
        malformed("other digits", number("+3460000000\u{661}")),
        malformed("a masked number", number("+34*****0001")),
        malformed("a line break", number("+34600000001\n")),
        malformed("empty", number("")),
        malformed("a JSON number", Scripted::json(200, &json!({ "devicePhoneNumber": 34_600_000_001_u64 }))),
        malformed("null", Scripted::json(200, &json!({ "devicePhoneNumber": null }))),
        malformed("a list", Scripted::json(200, &json!({ "devicePhoneNumber": ["+34600000001"] }))),
        malformed("another member", Scripted::json(200, &json!({ "phoneNumber": "+34600000001" }))),
        malformed("verify's true", Scripted::json(200, &json!({ "devicePhoneNumberVerified": true }))),
        malformed("verify's false", Scripted::json(200, &json!({ "devicePhoneNumberVerified": false }))),
        malformed("twice", text(200, r#"{"devicePhoneNumber":"+34600000001","devicePhoneNumber":"+34600000002"}"#)),
        malformed("bare", text(200, r#""+34600000001""#)),
        malformed("cut off", text(200, r#"{"devicePhoneNumber":"+34600000001""#)),
        malformed("HTML", text(200, "<html>+34600000001</html>")),
        malformed("nothing", text(200, "")),
        malformed("204", text(204, "")),
        malformed("203", Scripted::json(203, &json!({ "devicePhoneNumber": "+34600000001" }))),
        malformed("302", text(302, "").header("location", "/login")),
        malformed("400", camara(400, "INVALID_ARGUMENT")),
        malformed("401", camara(401, "UNAUTHENTICATED")),
        malformed("401 invalid_token", text(401, "").header("www-authenticate", r#"Bearer error="invalid_token""#)),
        ("403 PERMISSION_DENIED", camara(403, "PERMISSION_DENIED"), "misconfigured", 500),
        ("403 insufficient_scope", text(403, "").header("www-authenticate", challenge), "misconfigured", 500),
        ("403 on Wi-Fi", camara(403, by_mobile_network), "not_on_mobile_network", 403),
        malformed("403 without a code", text(403, "")),
        ("404 IDENTIFIER_NOT_FOUND", camara(404, "IDENTIFIER_NOT_FOUND"), "not_covered", 422),
        malformed("404", text(404, "")),
        ("422 SERVICE_NOT_APPLICABLE", camara(422, "SERVICE_NOT_APPLICABLE"), "not_covered", 422),
        ("429", camara(429, "TOO_MANY_REQUESTS"), "operator_busy", 503),
        malformed("500", camara(500, "INTERNAL")),
        malformed("500 with a number", Scripted::json(500, &json!({ "devicePhoneNumber": "+34600000001" }))),
        malformed("501", camara(501, "NOT_IMPLEMENTED")),
        ("503", camara(503, "UNAVAILABLE"), "operator_busy", 503),
        ("504", camara(504, "TIMEOUT"), "operator_timeout", 504),
    ]
}

/// Neither kind of verdict, and no number.
fn assert_no_verdict(json: &Value, name: &str) {
    assert!(json.get("devicePhoneNumberVerified").is_none() && json.get("phone_number").is_none(), "{name}: {json}");
}

#[tokio::test]
async fn each_bad_answer_has_its_outcome_and_verifies_nothing() {
    let function = Function::start(&[ON]).await;
    for (name, answer, outcome, status) in bad_answers() {
        function.sandbox.script(Leg::DevicePhoneNumber, Some(answer));
        function.sandbox.clear_requests();
        let mut browser = Browser::default();
        let callback = browser.retrieving_callback(&function).await;
        for _ in 0..2 {
            let answer = browser.open_json(&function, &callback).await;
            assert_eq!((answer.outcome(), answer.status), (outcome, status), "{name}");
            assert_no_verdict(&answer.json(), name);
        }
        assert_eq!(calls(&function), [1, 0, 1], "{name}: asked once");
        function.sandbox.script(Leg::DevicePhoneNumber, None);
    }
    assert_eq!(Browser::default().retrieve(&function).await.outcome(), "verified", "without a script");
}

#[tokio::test]
async fn each_fault_of_the_connection_has_its_outcome_and_verifies_nothing() {
    let sandbox = Arc::new(sandbox().await);
    let far_side = FarSide::of(&sandbox).await;
    let address = format!("{}/number-verification/v0/verify", far_side.url);
    let function = Function::with_sandbox(sandbox, &[ON, ("VERIFY_ENDPOINT", &*address)]);
    let function = function.with_time_left(Duration::from_secs(2));
    for (fault, outcome, status) in [
        (Fault::Hang, "operator_timeout", 504),
        (Fault::ResetUnserved, "operator_error", 502),
        (Fault::CloseUnserved, "operator_error", 502),
        (Fault::ResetServed, "operator_error", 502),
        (Fault::CloseInHead, "operator_error", 502),
        (Fault::ResetBehindHead, "operator_error", 502),
        (Fault::TruncateBody, "operator_error", 502),
        (Fault::Answer("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\0\0\0\0\0"), "operator_error", 502),
    ] {
        far_side.always(fault);
        let answer = Browser::default().retrieve(&function).await;
        assert_eq!((answer.outcome(), answer.status), (outcome, status), "{fault:?}");
        assert_no_verdict(&answer.json(), &format!("{fault:?}"));
    }
    far_side.always(Fault::None);
    assert_eq!(Browser::default().retrieve(&function).await.outcome(), "verified");
}

#[tokio::test]
async fn each_failure_before_the_question_has_its_outcome() {
    let function = Function::start(&[ON]).await;
    for (scenario, outcome) in [
        (Scenario::ConsentRefused, "access_denied"),
        (Scenario::CodeExpired, "expired_code"),
        (Scenario::OperatorDown, "operator_error"),
    ] {
        function.sandbox.set_scenario(scenario);
        let answer = Browser::default().retrieve(&function).await;
        assert_eq!(answer.outcome(), outcome);
        assert_no_verdict(&answer.json(), outcome);
    }
    assert_eq!(function.sandbox.count(Leg::DevicePhoneNumber), 0);
}

/// The operator's token is for one of the two calls, and so is the state.
#[tokio::test]
async fn state_made_for_one_question_never_asks_the_other() {
    let sandbox = Arc::new(sandbox().await);
    let on = Function::with_sandbox(sandbox.clone(), &[ON]);
    let off = Function::with_sandbox(sandbox.clone(), &[]);
    for (name, start, finish) in [("on", &on, &on), ("switched on", &off, &on), ("switched off", &on, &off)] {
        sandbox.clear_requests();
        let mut browser = Browser::default();
        let callback = browser.callback_of(start, "+34600000002").await;
        assert_eq!(browser.open_json(finish, &callback).await.outcome(), "not_verified", "{name}");
        assert_eq!(calls(&on), [1, 1, 0], "{name}");
    }

    sandbox.clear_requests();
    let mut browser = Browser::default();
    let callback = browser.retrieving_callback(&on).await;
    let answer = browser.open_json(&off, &callback).await;
    assert_eq!((answer.outcome(), answer.status), ("invalid_state", 400), "switched off");
    assert_no_verdict(&answer.json(), "switched off");
    assert_eq!(calls(&on), [0, 0, 0], "the code was not spent");
    assert_eq!(browser.open_json(&on, &callback).await.outcome(), "verified", "switched on again");
    assert_eq!(calls(&on), [1, 0, 1]);
    assert_eq!(browser.open_json(&off, &callback).await.outcome(), "invalid_state", "also with a result");
}

/// An operator that takes one path for the other, and tokens for the wrong scope.
#[tokio::test]
async fn answer_to_the_other_question_is_no_answer() {
    let function = Function::start(&[ON]).await;
    function.sandbox.script(Leg::Verify, Some(number("+34600000001")));
    let answer = Browser::default().verify(&function, "+34600000001").await;
    assert_eq!((answer.outcome(), answer.json().get("devicePhoneNumberVerified")), ("operator_error", None));
    function.sandbox.script(Leg::Verify, None);

    let verify = "dpv:FraudPreventionAndDetection#number-verification-verify-read";
    let share = "dpv:FraudPreventionAndDetection#number-verification-share-read";
    let wrong = Function::with_sandbox(function.sandbox.clone(), &[ON, ("RETRIEVE_SCOPE", verify)]);
    assert_eq!(Browser::default().retrieve(&wrong).await.outcome(), "misconfigured");
    let wrong = Function::with_sandbox(function.sandbox.clone(), &[ON, ("SCOPE", share), ("RETRIEVE_SCOPE", share)]);
    assert_eq!(Browser::default().verify(&wrong, "+34600000001").await.outcome(), "misconfigured");
}
