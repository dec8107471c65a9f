//! The outcomes of the operator's answers: tables of real answers on real sockets.

use sandbox::{Leg, Scripted, Settings};
use serde_json::{Value, json};

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

/// The answers of operators that do not accept the client.
fn client_refusals() -> [(&'static str, Scripted); 8] {
    [
        ("401 without a body", Scripted::answer(401, "")),
        ("401 with HTML", Scripted::answer(401, "<html>").header("content-type", "text/html")),
        ("401 of a gateway", Scripted::json(401, &json!({ "message": "Unauthorized" }))),
        ("401 unauthorized_client", oauth(401, "unauthorized_client")),
        ("401 in capitals", oauth(401, "INVALID_CLIENT")),
        ("401 invalid_client", oauth(401, "invalid_client")),
        ("400 in capitals", oauth(400, "INVALID_CLIENT")),
        ("400 invalid_client", oauth(400, "invalid_client")),
    ]
}

#[tokio::test]
async fn each_refusal_of_the_client_is_misconfigured() {
    let rows = client_refusals().map(|(name, answer)| row(name, answer, "misconfigured", 500));
    expect(Leg::Token, rows.into()).await;
}

/// The secret was rotated, and the operator does not accept the one that the function has read.
#[tokio::test]
async fn each_refusal_of_the_client_is_retried_once_with_a_changed_secret() {
    for (name, answer) in client_refusals() {
        let function = Function::start(PHONE_MODE).await;
        assert_eq!(function.get_json(&sample_callback(NUMBER)).await.outcome(), "verified", "{name}: before");
        function.sandbox.set_client_secret("a new one");
        let state_key = Settings::default().state_key;
        let secret = json!({ "client_id": "my-app-id", "client_secret": "a new one", "state_key": state_key });
        function.sandbox.set_secret_string(secret.to_string());
        function.sandbox.clear_requests();
        function.sandbox.script(Leg::Token, Some(answer.times(1)));
        assert_eq!(function.get_json(&sample_callback(NUMBER)).await.outcome(), "verified", "{name}");
        let calls = [Leg::Secret, Leg::Token, Leg::Verify].map(|leg| function.sandbox.count(leg));
        assert_eq!(calls, [1, 2, 1], "{name}");
    }
}

#[tokio::test]
async fn each_answer_of_the_token_endpoint_has_its_outcome() {
    let misconfigured = |name, answer| row(name, answer, "misconfigured", 500);
    expect(
        Leg::Token,
        vec![
            misconfigured("400 unauthorized_client", oauth(400, "unauthorized_client")),
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
async fn each_answer_of_verify_has_its_outcome() {
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
                "another scope, according to the header",
                Scripted::answer(403, "").header(SCHEME, r#"Bearer error="insufficient_scope""#),
            ),
            misconfigured(
                "another scope, in one of several challenges",
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
            row("a bad TS.43 token", camara(403, "NUMBER_VERIFICATION.INVALID_TS43_TOKEN"), "expired_code", 400),
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

/// A redirect is a URL that anyone can write, with a state that anyone can obtain. So it is never an outage, and only
/// codes of the specifications are logged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_error_in_a_redirect_has_its_outcome_and_raises_no_alarm() {
    let function = Function::deployed(sandbox().await, &[]).await;
    for (error, outcome, code) in [
        ("login_required", "not_on_mobile_network", "login_required"),
        ("interaction_required", "not_on_mobile_network", "interaction_required"),
        ("access_denied", "access_denied", "access_denied"),
        ("consent_required", "access_denied", "consent_required"),
        ("invalid_scope", "operator_refused", "invalid_scope"),
        ("INVALID_SCOPE", "operator_refused", "invalid_scope"),
        ("invalid_client", "operator_refused", "invalid_client"),
        ("unauthorized_client", "operator_refused", "unauthorized_client"),
        ("server_error", "operator_refused", "server_error"),
        ("temporarily_unavailable", "operator_refused", "temporarily_unavailable"),
        ("unmet_authentication_requirements", "operator_refused", "unmet_authentication_requirements"),
        ("PERMISSION_DENIED", "operator_refused", "PERMISSION_DENIED"),
        ("TIMEOUT", "operator_refused", "TIMEOUT"),
        ("something_new", "operator_refused", "unknown"),
        ("%2B34600000001", "operator_refused", "unknown"),
        ("call%20%2B34%20600%20000%20001%0Anow", "operator_refused", "unknown"),
    ] {
        let mut browser = Browser::default();
        let callback = browser.refused_callback_of(&function, NUMBER, error).await;
        let answer = browser.open_json(&function, &callback).await;
        assert_eq!((answer.outcome(), answer.status), (outcome, 403), "{error}");

        let line = function.logged(answer.header("x-correlator")).await;
        assert_eq!((&line["outcome"], &line["error_code"]), (&outcome.into(), &code.into()), "{error}: {line}");
        assert_eq!(line["level"], "INFO", "{error}");
        assert_eq!(line["OperatorRefused"], u8::from(outcome == "operator_refused"), "{error}");
        assert_eq!(line["CouldNotBeChecked"], Value::Null, "{error}");
    }
    assert_eq!(function.sandbox.count(Leg::Token), 0, "the operator was not asked");
    let log = format!("{:?}", function.log());
    assert!(!log.contains("34600000001") && !log.contains("600 000 001"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cause_is_always_logged_but_only_known_codes_are() {
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
    let log = format!("{:?}", function.log());
    assert!(!log.contains("34600000001"), "{log}");
}

/// Changes that a gateway in front of an operator makes to a good answer.
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
async fn space_in_the_authorization_request_is_percent_20() {
    let scope = "openid dpv:FraudPreventionAndDetection number-verification:verify";
    let function = Function::start(&[("SCOPE", scope)]).await;
    let url = Browser::default().start(&function, NUMBER).await;
    let expected = "scope=openid%20dpv%3AFraudPreventionAndDetection%20number-verification%3Averify&";
    assert!(url.contains(expected) && !url.contains('+'), "{url}");
}

/// Otherwise the token of one operator would go to the other's `verify`.
#[tokio::test]
async fn endpoints_of_two_operators_stop_the_program() {
    const AUTHORIZATION: (&str, &str) = ("AUTHORIZATION_ENDPOINT", "https://operator.example/authorize");
    const TOKEN: (&str, &str) = ("TOKEN_ENDPOINT", "https://operator.example/token");
    const VERIFY: (&str, &str) = ("VERIFY_ENDPOINT", "https://operator.example/verify");
    const PRESET: (&str, &str) = ("OPERATOR", "telefonica-sandbox");
    for (name, variables, fault) in [
        ("verify of a preset", [PRESET, AUTHORIZATION, TOKEN], "set VERIFY_ENDPOINT too"),
        ("token of a preset", [PRESET, AUTHORIZATION, VERIFY], "set TOKEN_ENDPOINT too"),
        ("authorization of a preset", [PRESET, TOKEN, VERIFY], "set AUTHORIZATION_ENDPOINT too"),
    ] {
        let line = Function::fault_at_start(&variables).await;
        assert!(line.contains(fault) && line.contains("another operator"), "{name}: {line}");
    }
}
