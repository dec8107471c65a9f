//! Failures of Secrets Manager and rotation of the secret: what the user sees, what the owner reads in the log, and
//! that the function recovers without a new environment.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sandbox::{Leg, Scripted, Settings};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::far_side::{FarSide, Fault};
use crate::support::{Browser, Function, PHONE_MODE, sample_callback, sandbox};

/// The outcome of a callback that makes all three upstream calls.
async fn verify(function: &Function) -> &'static str {
    function.get_json(&sample_callback("+34600000001")).await.outcome()
}

fn refuses(code: &str) -> Scripted {
    Scripted::json(400, &json!({ "__type": code, "message": "quoting +34600000001" }))
}

fn holds(secret: &str) -> Scripted {
    Scripted::json(200, &json!({ "Name": "number-verification", "SecretString": secret }))
}

#[tokio::test]
async fn each_secrets_manager_failure_is_explained_in_the_log_and_recovers() {
    let mut rows = JoinSet::new();
    for (name, scripted, outcome, line) in [
        ("throttled", refuses("ThrottlingException"), "operator_busy", "limits how often it is read"),
        ("unavailable", Scripted::answer(503, "<html>"), "operator_busy", "is unavailable for now"),
        ("failing", Scripted::answer(500, "{}"), "operator_busy", "is unavailable for now"),
        ("slow", Scripted::late(Duration::from_mins(1)), "operator_timeout", "gave no answer before the deadline"),
        ("denied", refuses("AccessDeniedException"), "misconfigured", "allow secretsmanager:GetSecretValue"),
        ("its key denied", refuses("DecryptionFailure"), "misconfigured", "allow kms:Decrypt"),
        ("missing", refuses("ResourceNotFoundException"), "misconfigured", "does not exist in this account"),
        ("another refusal", refuses("ExpiredTokenException"), "misconfigured", "refused with ExpiredTokenException"),
        ("rubbish", Scripted::answer(200, "<html>"), "misconfigured", "cannot be understood"),
        ("no value", Scripted::answer(200, "{}"), "misconfigured", "holds no text"),
        ("an empty secret", holds(""), "misconfigured", "expected JSON"),
        ("a secret of another shape", holds(r#"{"password":"hush"}"#), "misconfigured", "expected JSON"),
        (
            "a secret cut off",
            holds(r#"{"client_id":"my-app-id","client_secret":"hus"#),
            "misconfigured",
            "expected JSON",
        ),
    ] {
        rows.spawn(async move {
            let sandbox = sandbox().await;
            let function = Function::deployed(sandbox, PHONE_MODE).await;
            let function = function.with_time_left(Duration::from_secs(4));
            function.sandbox.script(Leg::Secret, Some(scripted));
            let start = Instant::now();
            assert_eq!(verify(&function).await, outcome, "{name}");
            assert!(start.elapsed() < Duration::from_secs(4), "{name}: answered after the deadline");

            let logged = function.logged(r#""reason""#).await;
            let reason = logged["reason"].as_str().unwrap();
            assert!(reason.starts_with("secret number-verification: ") && reason.contains(line), "{name}: {reason}");
            let log = format!("{:?}", function.log());
            assert!(!log.contains("hus") && !log.contains("600000001"), "{name}: {log}");

            function.sandbox.script(Leg::Secret, None);
            assert_eq!(verify(&function).await, "verified", "{name}: recovered");
        });
    }
    rows.join_all().await;
}

fn secret(client_secret: &str) -> String {
    let state_key = Settings::default().state_key;
    json!({ "client_id": "my-app-id", "client_secret": client_secret, "state_key": state_key }).to_string()
}

/// The client secret changes while verifications are at every stage.
#[tokio::test]
async fn rotating_the_secret_under_load_loses_no_verification() {
    const AT_ONCE: usize = 20;
    let sandbox = sandbox().await;
    let function = Arc::new(Function::deployed(sandbox, &[("AWS_LAMBDA_MAX_CONCURRENCY", "20")]).await);
    // Long enough for all of them to be waiting when the secret changes.
    function.sandbox.script(Leg::Token, Some(Scripted::late(Duration::from_millis(20))));
    let mut browsers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let function = Arc::clone(&function);
        browsers.spawn(async move {
            let mut outcomes = Vec::new();
            for phone in ["+34600000001", "+34600000002", "+34600000001", "+34600000002"] {
                outcomes.push(Browser::default().verify(&function, phone).await.outcome());
            }
            outcomes
        });
    }
    let is_invalid_client = |served: &sandbox::Served| served.error.as_deref() == Some("invalid_client");
    while function.sandbox.count(Leg::Token) < AT_ONCE {
        tokio::task::yield_now().await;
    }
    function.sandbox.set_secret_string(secret("the new secret"));
    function.sandbox.set_client_secret("the new secret");
    for outcomes in browsers.join_all().await {
        assert_eq!(outcomes, ["verified", "not_verified", "verified", "not_verified"]);
    }
    let served = function.sandbox.requests();
    assert!(served.iter().any(is_invalid_client), "some requests had the old secret");
    let reads = function.sandbox.count(Leg::Secret);
    assert_eq!(reads, 2, "one read serves all that wait for it");
}

/// If only the operator has a new secret, the function reads the secret once more and does not resend the request.
#[tokio::test]
async fn rejected_secret_is_read_again_and_not_resent_if_unchanged() {
    let function = Function::start(PHONE_MODE).await;
    assert_eq!(verify(&function).await, "verified");
    function.sandbox.set_client_secret("another");
    function.sandbox.clear_requests();
    assert_eq!(verify(&function).await, "misconfigured");
    assert_eq!((function.sandbox.count(Leg::Token), function.sandbox.count(Leg::Secret)), (1, 1));

    function.sandbox.set_secret_string(secret("another"));
    assert_eq!(verify(&function).await, "verified", "it works once Secrets Manager has it too");
}

/// Long-lived environments get credentials from a URL instead of variables.
#[tokio::test]
async fn container_credentials_are_renewed_before_they_expire() {
    for (name, valid_for, asked) in [("long", 3600, 1), ("short", 2, 2)] {
        let sandbox = Arc::new(sandbox().await);
        let credentials = FarSide::of(&sandbox).await;
        let expires = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() + valid_for;
        let expires = aws_smithy_types::DateTime::from_secs(expires.try_into().unwrap()).to_string();
        let body =
            json!({ "AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c", "Expiration": expires }).to_string();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let answer: &str = answer.leak();
        credentials.plan(move |request| {
            assert!(request.starts_with("GET /credentials ") && request.contains("\r\nauthorization: let me in\r\n"));
            Fault::Answer(answer)
        });
        let uri = format!("{}/credentials", credentials.url);
        let variables = [
            ("STATE_MODE", "phone"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let me in"),
        ];
        let function = Function::beside(sandbox, &variables);
        assert_eq!(verify(&function).await, "verified", "{name}");
        // The operator's refusal makes the function read the secret again.
        function.sandbox.set_client_secret("another");
        assert_eq!(verify(&function).await, "misconfigured", "{name}");
        assert_eq!(function.sandbox.count(Leg::Secret), 2, "{name}");
        assert_eq!(credentials.requests(), asked, "{name}");
    }
}
