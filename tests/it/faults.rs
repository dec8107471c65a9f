//! Whatever an upstream service does, the user gets a true and clear answer in time. These tests inject every fault
//! into every upstream call, on real sockets.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::{Leg, Sandbox, Scripted, Settings};
use tokio::task::JoinSet;

use crate::support::far_side::{self, FarSide, Fault};
use crate::support::{Answer, Function, Outcome, PHONE_MODE, sample_callback, sandbox};

/// A callback that makes all three upstream calls.
fn callback() -> String {
    sample_callback("+34600000001")
}

/// The variable with the URL of a leg, and the path below the sandbox's URL.
fn endpoint(leg: Leg) -> (&'static str, &'static str) {
    match leg {
        Leg::Secret => ("AWS_ENDPOINT_URL_SECRETS_MANAGER", ""),
        Leg::Token => ("TOKEN_ENDPOINT", "/token"),
        Leg::Verify => ("VERIFY_ENDPOINT", "/number-verification/v0/verify"),
        Leg::DevicePhoneNumber => ("DEVICE_PHONE_NUMBER_ENDPOINT", "/number-verification/v0/device-phone-number"),
        Leg::Authorize => unreachable!("the browser goes there, not the function"),
    }
}

/// A function that uses `url` for one leg.
fn function(sandbox: Arc<Sandbox>, leg: Leg, url: &str) -> Function {
    let (variable, path) = endpoint(leg);
    let address = format!("{url}{path}");
    Function::with_sandbox(sandbox, &[("STATE_MODE", "phone"), (variable, &address)])
}

const TIME_LEFT: Duration = Duration::from_secs(3);

/// Opens the callback, and checks that the answer is consistent and arrives before the invocation's deadline.
async fn outcome(function: Function) -> String {
    let function = function.with_time_left(TIME_LEFT);
    let start = Instant::now();
    let answer = function.get_json(&callback()).await;
    assert!(start.elapsed() < TIME_LEFT, "answered after the deadline");
    let outcome = shown_outcome(&answer);
    assert_eq!(answer.status, outcome.status());
    outcome.name().to_owned()
}

fn shown_outcome(answer: &Answer) -> Outcome {
    let json = answer.json();
    let outcome = Outcome::from_name(json["outcome"].as_str().unwrap()).unwrap();
    let verdict = json.get("devicePhoneNumberVerified").map(|verdict| verdict.as_bool().unwrap());
    assert_eq!(verdict, outcome.device_phone_number_verified());
    outcome
}

/// The outcome, and the number of requests.
type Expected = (&'static str, usize);

/// A request on a new connection is not sent twice, because the operator may have acted on it. The SDK sends
/// `GetSecretValue`, which changes nothing, up to three times.
#[rustfmt::skip]
const ON_A_NEW_CONNECTION: [(Fault, Expected, Expected); 13] = [
    //                       of Secrets Manager       of the operator, on either leg
    (Fault::None,            ("verified", 1),         ("verified", 1)),
    (Fault::ResetUnserved,   ("misconfigured", 3),    ("operator_error", 1)),
    (Fault::CloseUnserved,   ("misconfigured", 3),    ("operator_error", 1)),
    (Fault::ResetServed,     ("misconfigured", 3),    ("operator_error", 1)),
    (Fault::CloseInHead,     ("misconfigured", 3),    ("operator_error", 1)),
    (Fault::ResetInHead,     ("misconfigured", 3),    ("operator_error", 1)),
    (Fault::ResetBehindHead, ("misconfigured", 3),    ("operator_error", 1)),
    (Fault::TruncateBody,    ("misconfigured", 3),    ("operator_error", 1)),
    (Fault::Hang,            ("operator_timeout", 1), ("operator_timeout", 1)),
    (Fault::Drip,            ("operator_timeout", 1), ("operator_timeout", 1)),
    (Fault::Http10,          ("verified", 1),         ("verified", 1)),
    (Fault::CloseBehind,     ("verified", 1),         ("verified", 1)),
    (Fault::Answer("not HTTP at all\r\n\r\n"), ("misconfigured", 3), ("operator_error", 1)),
];

#[tokio::test]
async fn each_fault_on_a_new_connection_has_a_clear_outcome() {
    let mut rows = JoinSet::new();
    for (fault, of_secret, of_operator) in ON_A_NEW_CONNECTION {
        for (leg, expected) in [(Leg::Secret, of_secret), (Leg::Token, of_operator), (Leg::Verify, of_operator)] {
            rows.spawn(async move {
                let sandbox = Arc::new(sandbox().await);
                let far_side = FarSide::of(&sandbox).await;
                far_side.always(fault);
                let outcome = outcome(function(sandbox, leg, &far_side.url)).await;
                assert_eq!((outcome.as_str(), far_side.requests()), expected, "{fault:?} on {leg:?}");
            });
        }
    }
    rows.join_all().await;
}

#[tokio::test]
async fn each_connect_failure_has_a_clear_outcome() {
    let mut rows = JoinSet::new();
    for (leg, unreachable) in
        [(Leg::Secret, "misconfigured"), (Leg::Token, "operator_error"), (Leg::Verify, "operator_error")]
    {
        rows.spawn(async move {
            let sandbox = Arc::new(sandbox().await);
            let (_refuses, url) = far_side::refusing();
            assert_eq!(outcome(function(sandbox.clone(), leg, &url)).await, unreachable, "{leg:?}: refused");

            let (_accepts_nobody, url) = far_side::unaccepting().await;
            assert_eq!(outcome(function(sandbox.clone(), leg, &url)).await, "operator_timeout", "{leg:?}: hangs");

            let no_tls = sandbox.base_url().replace("http:", "https:");
            assert_eq!(outcome(function(sandbox.clone(), leg, &no_tls)).await, unreachable, "{leg:?}: no TLS");

            let untrusted = Sandbox::start(Settings { tls: true, ..Settings::default() }).await.unwrap();
            let function = function(sandbox, leg, &untrusted.base_url());
            assert_eq!(outcome(function).await, unreachable, "{leg:?}: not trusted");
            assert_eq!(untrusted.handshakes().full, 0, "{leg:?}");
            // The SDK tries three times. If `verify` is on another host, a connection to it is also opened ahead.
            let tries = if leg == Leg::Secret { 3 } else { 1 } + usize::from(leg == Leg::Verify);
            assert_eq!(untrusted.connections(), tries, "{leg:?}: another try would meet the same certificate");
        });
    }
    rows.join_all().await;
}

/// Answers that the protocol does not define, and their outcomes.
#[tokio::test]
async fn answers_outside_the_protocol_are_not_verdicts() {
    let json = [("content-type", "application/json")];
    let html = [("content-type", "text/html")];
    let elsewhere = [("location", "/elsewhere")];
    let good = r#"{"access_token":"a","token_type":"Bearer","devicePhoneNumberVerified":true}"#;
    let long = format!("{good}{}", " ".repeat(64 * 1024));
    for (name, status, headers, body, expected) in [
        ("HTML", 200, &html[..], "<html>true</html>", "operator_error"),
        ("nothing", 200, &json, "", "operator_error"),
        ("another 2xx", 201, &json, good, "operator_error"),
        ("no content", 204, &[], "", "operator_error"),
        ("a redirect", 302, &elsewhere, "", "operator_error"),
        ("a redirect that keeps the method", 307, &elsewhere, good, "operator_error"),
        ("JSON cut off", 200, &json, &good[..good.len() - 1], "operator_error"),
        ("JSON of another shape", 200, &json, "[true]", "operator_error"),
        ("over 64 KiB", 200, &json, &long, "operator_error"),
        ("over 64 KiB, an error", 400, &json, &long, "operator_error"),
        ("an error as HTML", 400, &html, "<html>invalid_grant</html>", "operator_error"),
        ("unauthorized without a code", 401, &json, "{}", "operator_error"),
        ("forbidden by a firewall", 403, &html, "<html>", "operator_error"),
        ("not found", 404, &html, "<html>", "operator_error"),
        ("too many requests", 429, &[], "", "operator_busy"),
        ("a server's error", 500, &html, "<html>", "operator_error"),
        ("a gateway's error", 502, &html, "<html>", "operator_error"),
        ("unavailable", 503, &html, "<html>", "operator_busy"),
        ("a gateway's timeout", 504, &html, "<html>", "operator_timeout"),
    ] {
        for leg in [Leg::Token, Leg::Verify] {
            let function = Function::start(PHONE_MODE).await;
            let sandbox = function.sandbox.clone();
            let scripted = headers
                .iter()
                .fold(Scripted::answer(status, body), |scripted, (name, value)| scripted.header(*name, *value));
            sandbox.script(leg, Some(scripted));
            // A 401 of the token endpoint refuses the client, whatever its body.
            let expected = if (leg, status) == (Leg::Token, 401) { "misconfigured" } else { expected };
            assert_eq!(outcome(function).await, expected, "{name} on {leg:?}");
            assert_eq!(sandbox.count(leg), 1, "{name} on {leg:?}: sent once");
            assert!(sandbox.requests().iter().all(|served| served.path != "/elsewhere"), "{name} on {leg:?}");
        }
    }
}

/// Answers that are almost right: some deviations are accepted, others are not.
#[tokio::test]
async fn answers_close_to_the_protocol_are_judged_field_by_field() {
    #[rustfmt::skip]
    let rows = [
        ("a string", Leg::Verify, "application/json", r#"{"devicePhoneNumberVerified":"true"}"#, "operator_error"),
        ("nothing", Leg::Verify, "application/json", "{}", "operator_error"),
        ("null", Leg::Verify, "application/json", r#"{"devicePhoneNumberVerified":null}"#, "operator_error"),
        ("a number", Leg::Verify, "application/json", r#"{"devicePhoneNumberVerified":0}"#, "operator_error"),
        ("twice", Leg::Verify, "application/json", r#"{"devicePhoneNumberVerified":true,"devicePhoneNumberVerified":true}"#, "operator_error"),
        ("called HTML", Leg::Verify, "text/html", r#"{"devicePhoneNumberVerified":true}"#, "verified"),
        ("of no type", Leg::Verify, "", r#"{"devicePhoneNumberVerified":false}"#, "not_verified"),
        ("of type MAC", Leg::Token, "application/json", r#"{"access_token":"a","token_type":"mac"}"#, "operator_error"),
        ("of type DPoP", Leg::Token, "application/json", r#"{"access_token":"a","token_type":"DPoP"}"#, "operator_error"),
        ("without a type", Leg::Token, "application/json", r#"{"access_token":"a"}"#, "operator_error"),
        ("an error in a 200", Leg::Token, "application/json", r#"{"error":"invalid_grant"}"#, "operator_error"),
    ];
    for (name, leg, content_type, body, expected) in rows {
        let function = Function::start(PHONE_MODE).await;
        let scripted = Scripted::answer(200, body);
        let typed = if content_type.is_empty() { scripted } else { scripted.header("content-type", content_type) };
        function.sandbox.script(leg, Some(typed));
        assert_eq!(outcome(function).await, expected, "{name}");
    }
}

/// 415 is the only answer after which a request is sent again, as in Telefónica's own SDK.
#[tokio::test]
async fn request_is_not_repeated_after_a_second_415() {
    let function = Function::start(PHONE_MODE).await;
    let sandbox = function.sandbox.clone();
    sandbox.script(Leg::Token, Some(Scripted::answer(415, "")));
    assert_eq!(outcome(function).await, "operator_error");
    let sent: Vec<_> = sandbox.requests().into_iter().filter_map(|served| served.content_type).skip(1).collect();
    assert_eq!(sent, ["application/x-www-form-urlencoded", "application/json"]);
}

/// A kept connection has either just answered or been idle for more than a second. Only an idle one may have closed for
/// a reason other than the request. (On an idle one, the first half of an answer's head counts as no answer.)
const A_MOMENT_AGO: Duration = Duration::ZERO;
const IDLE: Duration = Duration::from_millis(1100);
const BUSY: Fault = Fault::Answer("HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n");

#[rustfmt::skip]
const ON_A_KEPT_CONNECTION: [(Fault, Duration, Expected); 14] = [
    (Fault::CloseUnserved,   A_MOMENT_AGO, ("operator_error", 1)),
    (Fault::ResetUnserved,   A_MOMENT_AGO, ("operator_error", 1)),
    (Fault::ResetServed,     A_MOMENT_AGO, ("operator_error", 1)),
    (Fault::CloseInHead,     A_MOMENT_AGO, ("operator_error", 1)),
    (Fault::ResetInHead,     A_MOMENT_AGO, ("operator_error", 1)),
    (Fault::ResetBehindHead, A_MOMENT_AGO, ("operator_error", 1)),
    (Fault::TruncateBody,    A_MOMENT_AGO, ("operator_error", 1)),
    (Fault::Hang,            A_MOMENT_AGO, ("operator_timeout", 1)),
    (Fault::CloseUnserved,   IDLE,         ("verified", 2)),
    (Fault::ResetUnserved,   IDLE,         ("verified", 2)),
    (Fault::ResetBehindHead, IDLE,         ("operator_error", 1)),
    (Fault::TruncateBody,    IDLE,         ("operator_error", 1)),
    (Fault::Hang,            IDLE,         ("operator_timeout", 1)),
    (BUSY,                   IDLE,         ("operator_busy", 1)),
];

#[tokio::test]
async fn request_on_a_kept_connection_is_resent_only_if_nothing_came_back() {
    let mut rows = JoinSet::new();
    for (fault, idle_for, expected) in ON_A_KEPT_CONNECTION {
        for leg in [Leg::Token, Leg::Verify] {
            rows.spawn(async move {
                let name = format!("{fault:?} on {leg:?} after {idle_for:?}");
                let sandbox = Arc::new(sandbox().await);
                let far_side = FarSide::of(&sandbox).await;
                let function = function(sandbox, leg, &far_side.url).with_time_left(TIME_LEFT);
                assert_eq!(shown_outcome(&function.get_json(&callback()).await), Outcome::Verified);
                assert_eq!((far_side.requests(), far_side.connections()), (1, 1));
                // Only time makes a connection idle, so there is no condition to wait for.
                tokio::time::sleep(idle_for).await;
                far_side.once(fault);
                let start = Instant::now();
                let outcome = shown_outcome(&function.get_json(&callback()).await).name();
                assert!(start.elapsed() < TIME_LEFT, "{name}: answered after the deadline");
                assert_eq!((outcome, far_side.requests() - 1), expected, "{name}");
            });
        }
    }
    rows.join_all().await;
}

/// A proxy from the environment would be another party that sees codes and tokens.
#[tokio::test]
async fn proxy_variables_are_ignored() {
    let (_refuses, refusing) = far_side::refusing();
    let proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let variables = proxies.map(|name| (name, refusing.as_str()));
    let sandbox = Sandbox::start(Settings::default()).await.unwrap();
    let function = Function::deployed(sandbox, &[&variables[..], &[("STATE_MODE", "phone")]].concat()).await;
    assert_eq!(outcome(function).await, "verified");
}
