//! What the operator answers, and what it means: tables of real answers on real sockets.

use sandbox::{Leg, Scripted};
use serde_json::json;

use crate::support::far_side::{FarSide, Fault};
use crate::support::{Browser, Function, PHONE_MODE, sample_callback, sandbox};

const NUMBER: &str = "+34600000001";

/// An answer of one leg, with its name.
struct Row {
    name: &'static str,
    answer: Scripted,
    outcome: &'static str,
    status: u16,
}

fn row(name: &'static str, answer: Scripted, outcome: &'static str, status: u16) -> Row {
    Row { name, answer, outcome, status }
}

fn oauth(status: u16, error: &str) -> Scripted {
    Scripted::json(status, &json!({ "error": error }))
}

fn camara(status: u16, code: &str) -> Scripted {
    Scripted::json(status, &json!({ "status": status, "code": code, "message": "…" }))
}

async fn expect(leg: Leg, rows: Vec<Row>) {
    let function = Function::start(&[]).await;
    for Row { name, answer, outcome, status } in rows {
        function.sandbox.script(leg, Some(answer));
        let answer = Browser::default().verify(&function, NUMBER).await;
        assert_eq!((answer.outcome(), answer.status), (outcome, status), "{name}");
        function.sandbox.script(leg, None);
    }
}

#[tokio::test]
async fn token_endpoint() {
    let misconfigured = |name, answer| row(name, answer, "misconfigured", 500);
    expect(
        Leg::Token,
        vec![
            misconfigured("401 without a body", Scripted::answer(401, "")),
            misconfigured("401 with HTML", Scripted::answer(401, "<html>").header("content-type", "text/html")),
            misconfigured("401 of a gateway", Scripted::json(401, &json!({ "message": "Unauthorized" }))),
            misconfigured("401 unauthorized_client", oauth(401, "unauthorized_client")),
            misconfigured("401 in capitals", oauth(401, "INVALID_CLIENT")),
            misconfigured("401 invalid_client", oauth(401, "invalid_client")),
            misconfigured("400 invalid_client", oauth(400, "invalid_client")),
            misconfigured("400 invalid_scope", oauth(400, "invalid_scope")),
            row("400 invalid_grant", oauth(400, "invalid_grant"), "expired_code", 400),
            row("400 invalid_grant in capitals", oauth(400, "INVALID_GRANT"), "expired_code", 400),
            row("400 without a code", Scripted::answer(400, ""), "operator_error", 502),
            row("400 temporarily_unavailable", oauth(400, "temporarily_unavailable"), "operator_busy", 503),
            row("429", Scripted::answer(429, ""), "operator_busy", 503),
            row("503", Scripted::answer(503, "<html>"), "operator_busy", 503),
            row("504", Scripted::answer(504, ""), "operator_timeout", 504),
            row("a redirect", Scripted::answer(302, "").header("location", "/login"), "operator_error", 502),
        ],
    )
    .await;
}

#[tokio::test]
async fn verify() {
    const SCHEME: &str = "www-authenticate";
    let not_on_mobile_network = |name, answer| row(name, answer, "not_on_mobile_network", 403);
    let misconfigured = |name, answer| row(name, answer, "misconfigured", 500);
    let by_mobile_network = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK";
    let by_supported_method = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_SUPPORTED_METHOD";
    expect(
        Leg::Verify,
        vec![
            not_on_mobile_network("CAMARA", camara(403, by_mobile_network)),
            not_on_mobile_network("Telefónica v2", camara(403, by_supported_method)),
            not_on_mobile_network("lower case", camara(403, &by_supported_method.to_ascii_lowercase())),
            not_on_mobile_network("no prefix", camara(403, "USER_NOT_AUTHENTICATED_BY_SUPPORTED_METHOD")),
            row("another operator's number", camara(422, "SERVICE_NOT_APPLICABLE"), "not_covered", 422),
            row("an unknown number", camara(404, "IDENTIFIER_NOT_FOUND"), "not_covered", 422),
            row("an unknown path", Scripted::answer(404, ""), "operator_error", 502),
            misconfigured("another scope", camara(403, "PERMISSION_DENIED")),
            misconfigured(
                "another scope, said in the header",
                Scripted::answer(403, "").header(SCHEME, r#"Bearer error="insufficient_scope""#),
            ),
            misconfigured(
                "another scope, said among other challenges",
                Scripted::answer(403, "<html>")
                    .header(SCHEME, r#"Basic realm="a, b""#)
                    .header(SCHEME, r#"Negotiate abc==, bearer realm="c", Error=insufficient_scope"#),
            ),
            row(
                "an invalid token",
                Scripted::answer(401, "").header(SCHEME, r#"Bearer error="invalid_token""#),
                "operator_error",
                502,
            ),
            row("a bad TS.43 token", camara(403, "NUMBER_VERIFICATION.INVALID_TS43_TOKEN"), "operator_error", 502),
            row("403 without a code", Scripted::answer(403, ""), "operator_error", 502),
            row("429", camara(429, "TOO_MANY_REQUESTS"), "operator_busy", 503),
            row("503", camara(503, "UNAVAILABLE"), "operator_busy", 503),
            row("504", camara(504, "TIMEOUT"), "operator_timeout", 504),
        ],
    )
    .await;
}

#[tokio::test]
async fn retry_after_is_passed_on_and_capped() {
    let function = Function::start(&[]).await;
    for (leg, status) in [(Leg::Token, 429), (Leg::Verify, 503)] {
        for (given, passed_on) in [("30", "30"), ("86400", "300"), ("soon", "")] {
            function.sandbox.script(leg, Some(Scripted::answer(status, "").header("retry-after", given)));
            let answer = Browser::default().verify(&function, NUMBER).await;
            assert_eq!(answer.outcome(), "operator_busy");
            assert_eq!(answer.header("retry-after"), passed_on, "{leg:?} {given}");
        }
        function.sandbox.script(leg, None);
    }
}

/// A redirect is a URL that anyone can write, with a state that anyone can obtain.
#[tokio::test]
async fn redirects_with_an_error() {
    let function = Function::start(&[]).await;
    for (error, outcome, status) in [
        ("login_required", "not_on_mobile_network", 403),
        ("interaction_required", "not_on_mobile_network", 403),
        ("access_denied", "access_denied", 403),
        ("consent_required", "access_denied", 403),
        ("invalid_scope", "operator_refused", 403),
        ("invalid_client", "operator_refused", 403),
        ("unauthorized_client", "operator_refused", 403),
        ("server_error", "operator_refused", 403),
        ("temporarily_unavailable", "operator_refused", 403),
        ("PERMISSION_DENIED", "operator_refused", 403),
        ("TIMEOUT", "operator_refused", 403),
        ("unmet_authentication_requirements", "operator_refused", 403),
        ("%2B34600000001", "operator_refused", 403),
    ] {
        let mut browser = Browser::default();
        let callback = browser.callback_of(&function, NUMBER).await;
        let rest = callback.split_once('&').unwrap().1;
        assert!(callback.contains("?code=") && rest.contains("state="), "{callback}");
        let (path, _) = callback.split_once('?').unwrap();
        let answer = browser.open_json(&function, &format!("{path}?error={error}&{rest}")).await;
        assert_eq!((answer.outcome(), answer.status), (outcome, status), "{error}");
    }
    assert_eq!(function.sandbox.count(Leg::Token), 0, "the operator was not asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_known_codes_are_logged_and_a_cause_always() {
    let function = Function::deployed(sandbox().await, PHONE_MODE).await;
    let gzip = Scripted::answer(200, b"\x1f\x8b\x08".to_vec()).header("content-encoding", "gzip");
    let unknown = json!({ "error": "call +34600000001", "error_description": "+34600000001" });
    for (leg, answer, code, reason) in [
        (Leg::Token, Scripted::json(400, &unknown), Some("unknown"), "got 400 with code unknown"),
        (Leg::Token, Scripted::answer(401, ""), None, "got 401 without a code: the body is empty"),
        (
            Leg::Token,
            oauth(401, "INVALID_CLIENT"),
            Some("invalid_client"),
            "got 401 with code invalid_client; the operator",
        ),
        (Leg::Verify, gzip, None, "the body is compressed although identity was asked for"),
        (Leg::Verify, Scripted::answer(200, "<html>"), None, "the body is HTML or XML"),
        (Leg::Verify, camara(422, "service_not_applicable"), Some("SERVICE_NOT_APPLICABLE"), "got 422 with code"),
    ] {
        function.sandbox.script(leg, Some(answer));
        function.get_json(&sample_callback(NUMBER)).await;
        let line = function.logged(reason).await;
        assert_eq!(line["error_code"].as_str(), code, "{reason}");
        function.sandbox.script(leg, None);
    }
    let redirect = sample_callback(NUMBER).replace("code=", "error=%2B34600000001&code=");
    assert_eq!(function.get_json(&redirect).await.outcome(), "operator_refused");
    let line = function.logged("the operator redirected with the error unknown").await;
    assert_eq!(line["error_code"], "unknown");
    let log = format!("{:?}", function.log());
    assert!(!log.contains("34600000001"), "{log}");
}

/// What a gateway in front of an operator does to a good answer.
#[tokio::test]
async fn odd_but_good_answers_are_accepted() {
    const MATCH: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 34\r\n";
    const BODY: &str = r#"{"devicePhoneNumberVerified":true}"#;
    let byte_order_mark = format!("\u{feff}{BODY}");
    let function = Function::start(PHONE_MODE).await;
    function.sandbox.script(Leg::Verify, Some(Scripted::answer(200, byte_order_mark)));
    assert_eq!(function.get_json(&sample_callback(NUMBER)).await.outcome(), "verified", "a byte order mark");

    let sandbox = std::sync::Arc::new(sandbox().await);
    let far_side = FarSide::of(&sandbox).await;
    let folded = format!("{MATCH}x-note: one\r\n two\r\n\r\n{BODY}");
    far_side.always(Fault::Answer(folded.leak()));
    let address = format!("{}/number-verification/v0/verify", far_side.url);
    let function = Function::with_sandbox(sandbox, &[PHONE_MODE, &[("VERIFY_ENDPOINT", &*address)]].concat());
    assert_eq!(function.get_json(&sample_callback(NUMBER)).await.outcome(), "verified", "a folded header");
}

#[tokio::test]
async fn a_space_in_the_authorization_request_is_percent_20() {
    let scope = "openid dpv:FraudPreventionAndDetection number-verification:verify";
    let function = Function::start(&[("SCOPE", scope)]).await;
    let url = Browser::default().start(&function, NUMBER).await;
    let expected = "scope=openid%20dpv%3AFraudPreventionAndDetection%20number-verification%3Averify&";
    assert!(url.contains(expected) && !url.contains('+'), "{url}");
}
