//! Faults of Secrets Manager, and replacement of the secret: the user's page, the owner's log line and the delays. The
//! function recovers without a new environment.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sandbox::{Leg, Sandbox, Scripted, Settings};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::far_side::{FarSide, Fault};
use crate::support::{AS_JSON, Browser, CALLBACK, Function, PHONE_MODE, http_api_event, sample_callback};

/// Verifies a number with all calls, but without a start.
async fn verify(function: &Function) -> &'static str {
    function.get_json(&sample_callback("+34600000001")).await.outcome()
}

fn refuses(code: &str) -> Scripted {
    refuses_with_message(code, "quoting +34600000001")
}

fn refuses_with_message(code: &str, message: &str) -> Scripted {
    Scripted::json(400, &json!({ "__type": code, "message": message }))
}

/// Secrets Manager's message for a secret that is scheduled for deletion.
const DELETED: &str = "You can't perform this operation on the secret because it was marked for deletion.";
/// Secrets Manager's messages for a secret that does not exist, and for one that was created without a value.
const NO_SECRET: &str = "Secrets Manager can't find the specified secret.";
const NO_VALUE: &str = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";

fn secret_is(secret: &str) -> Scripted {
    Scripted::json(200, &json!({ "Name": "number-verification", "SecretString": secret }))
}

#[tokio::test]
async fn each_fault_has_an_outcome_and_a_logged_fix_and_is_recovered_from() {
    let mut rows = JoinSet::new();
    for (name, scripted, outcome, line) in [
        ("throttled", refuses("ThrottlingException"), "operator_busy", "limits how often it is read"),
        ("unavailable", Scripted::answer(503, "<html>"), "operator_busy", "is temporarily unavailable"),
        ("failing", Scripted::answer(500, "{}"), "operator_busy", "is temporarily unavailable"),
        ("slow", Scripted::late(Duration::from_mins(1)), "operator_timeout", "gave no answer before the deadline"),
        ("denied", refuses("AccessDeniedException"), "misconfigured", "allow secretsmanager:GetSecretValue"),
        ("its key denied", refuses("DecryptionFailure"), "misconfigured", "allow kms:Decrypt"),
        (
            "missing",
            refuses_with_message("ResourceNotFoundException", NO_SECRET),
            "misconfigured",
            "does not exist in this account and region; create it, or correct CLIENT_SECRET_ID",
        ),
        (
            "scheduled for deletion",
            refuses_with_message("InvalidRequestException", DELETED),
            "misconfigured",
            "keep it with `aws secretsmanager restore-secret --secret-id number-verification`",
        ),
        (
            "created without a value",
            refuses_with_message("ResourceNotFoundException", NO_VALUE),
            "misconfigured",
            "has no value; store one with `aws secretsmanager put-secret-value",
        ),
        ("another request refused", refuses("InvalidRequestException"), "misconfigured", "InvalidRequestException"),
        ("another refusal", refuses("ExpiredTokenException"), "misconfigured", "refused with ExpiredTokenException"),
        ("an unknown refusal", refuses("Husky600000001"), "misconfigured", "an error unknown to this program"),
        ("rubbish", Scripted::answer(200, "<html>"), "misconfigured", "cannot be understood"),
        ("an answer without a value", Scripted::answer(200, "{}"), "misconfigured", "contains no text"),
        ("bytes", Scripted::json(200, &json!({ "SecretBinary": "//5odXM=" })), "misconfigured", "not UTF-8"),
        ("an empty secret", secret_is(""), "misconfigured", "expected JSON"),
        ("a secret of another shape", secret_is(r#"{"password":"hush"}"#), "misconfigured", "expected JSON"),
        (
            "a secret cut off",
            secret_is(r#"{"client_id":"my-app-id","client_secret":"hus"#),
            "misconfigured",
            "expected JSON",
        ),
    ] {
        rows.spawn(async move {
            let sandbox = Sandbox::start(Settings::default()).await.unwrap();
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
            wait_until_verified(&function).await;
        });
    }
    rows.join_all().await;
}

/// A failed read is remembered for two seconds.
async fn wait_until_verified(function: &Function) {
    let verified = async {
        while verify(function).await != "verified" {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), verified).await.expect("the function recovers");
}

/// Such a value could be the client secret itself, but more probably a shell or an editor has altered the secret or the
/// JSON.
#[tokio::test]
async fn value_that_looks_like_broken_json_is_not_sent_to_the_operator() {
    for (name, value, fix) in [
        ("JSON in quotes", r#"'{"client_id":"my-app-id","client_secret":"hush"}'"#, "store it without"),
        ("a JSON array", r#"["hush"]"#, "is JSON but not an object"),
        ("a number in a JSON array", "[1]", "is JSON but not an object"),
        ("a JSON string", r#""hush""#, "store it without"),
        ("an unfinished object", "{", "is not JSON of the expected shape"),
        ("a line of a settings file", "CLIENT_SECRET=hush", "names client_secret but is not JSON"),
        ("two lines", "my-app-id\nhush", "has a line break"),
    ] {
        let sandbox = Sandbox::start(Settings::default()).await.unwrap();
        sandbox.set_secret_string(value);
        let function = Function::deployed(sandbox, &[("STATE_MODE", "phone"), ("CLIENT_ID", "my-app-id")]).await;
        assert_eq!(verify(&function).await, "misconfigured", "{name}");
        assert_eq!(function.sandbox.count(Leg::Token), 0, "{name}");
        let logged = function.logged(r#""reason""#).await;
        assert!(logged["reason"].as_str().unwrap().contains(fix), "{name}: {logged}");
        assert!(!format!("{:?}", function.log()).contains("hush"), "{name}");
    }
}

#[tokio::test]
async fn byte_order_mark_before_the_secret_is_ignored() {
    for (name, value) in [("JSON", secret("my-app-secret")), ("bare", "my-app-secret".to_owned())] {
        let function = Function::start(&[("STATE_MODE", "phone"), ("CLIENT_ID", "my-app-id")]).await;
        function.sandbox.set_secret_string(format!("\u{feff}{value}\r\n"));
        assert_eq!(verify(&function).await, "verified", "{name}");
    }
}

/// Scanners and attackers send requests too, and the owner pays for each read.
#[tokio::test]
async fn broken_secret_is_read_at_most_every_two_seconds() {
    let function = Function::start(PHONE_MODE).await;
    function.sandbox.script(Leg::Secret, Some(refuses("AccessDeniedException")));
    for _ in 0..20 {
        assert_eq!(verify(&function).await, "misconfigured");
    }
    assert_eq!(function.sandbox.count(Leg::Secret), 1);
    let sealed = Function::with_sandbox(Arc::clone(&function.sandbox), &[]);
    let callback = format!("{CALLBACK}?code=a&state=rubbish");
    let answer = sealed.get_json(&callback).await;
    assert_eq!(answer.outcome(), "invalid_state", "a text that cannot be a state needs no secret");
    assert_eq!(function.sandbox.count(Leg::Secret), 1);

    function.sandbox.script(Leg::Secret, None);
    let fixed = Instant::now();
    wait_until_verified(&function).await;
    assert!(fixed.elapsed() > Duration::from_secs(1), "the failure was remembered");
}

/// An environment that answers many requests at once, with a cached secret and a Secrets Manager that hangs.
#[tokio::test]
async fn forged_state_delays_no_other_request_while_secrets_manager_hangs() {
    let sandbox = Sandbox::start(Settings::default()).await.unwrap();
    let secrets_manager = FarSide::of(&sandbox).await;
    let variables =
        [("AWS_LAMBDA_MAX_CONCURRENCY", "10"), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_manager.url.as_str())];
    let function = Function::deployed(sandbox, &variables).await;
    assert_eq!(Browser::default().verify(&function, "+34600000001").await.outcome(), "verified");
    secrets_manager.always(Fault::Hang);
    // A lookup of a newer version is due.
    tokio::time::sleep(Duration::from_secs(1)).await;

    let forged_ends = async {
        let start = Instant::now();
        let callback = format!("{CALLBACK}?code=a&state={}", "A".repeat(115));
        let answer = function.get_json(&callback).await;
        assert_eq!(answer.outcome(), "invalid_state");
        start.elapsed()
    };
    let genuine_end = async {
        while secrets_manager.requests() < 2 {
            tokio::task::yield_now().await;
        }
        let start = Instant::now();
        for _ in 0..10 {
            let mut browser = Browser::default();
            assert_eq!(browser.verify(&function, "+34600000001").await.outcome(), "verified");
        }
        start.elapsed()
    };
    let (forged, genuine) = tokio::join!(forged_ends, genuine_end);
    assert!(genuine < Duration::from_secs(1), "{genuine:?}");
    assert!(forged >= genuine && forged < Duration::from_secs(4), "{forged:?}");
}

/// The request that started the read times out before the answer. Another one, which has more time, waits for it.
#[tokio::test]
async fn read_continues_after_its_request_runs_out_of_time() {
    let sandbox = Sandbox::start(Settings::default()).await.unwrap();
    sandbox.script(Leg::Secret, Some(refuses("AccessDeniedException").times(1)));
    let function = Function::deployed(sandbox, &[("STATE_MODE", "phone"), ("AWS_LAMBDA_MAX_CONCURRENCY", "10")]).await;
    let has_failed = || function.sandbox.requests().first().is_some_and(|read| read.status == Some(400));
    while !has_failed() {
        tokio::task::yield_now().await;
    }
    function.sandbox.script(Leg::Secret, Some(Scripted::late(Duration::from_millis(1500))));
    let event = http_api_event("GET", &sample_callback("+34600000001"), &[AS_JSON], "");
    let outcome_within = async |time_left| {
        let answer = function.invoke_within(&event, time_left).await.unwrap();
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        body["outcome"].as_str().unwrap().to_owned()
    };
    let impatient = outcome_within(Duration::from_secs(1));
    let patient = async {
        while function.sandbox.count(Leg::Secret) < 2 {
            tokio::task::yield_now().await;
        }
        outcome_within(Duration::from_secs(10)).await
    };
    let outcomes = tokio::join!(impatient, patient);
    assert_eq!(outcomes, ("operator_timeout".to_owned(), "verified".to_owned()));
    assert_eq!(function.sandbox.count(Leg::Secret), 2, "one read ahead, and one for both requests");
}

fn secret(client_secret: &str) -> String {
    let state_key = Settings::default().state_key;
    json!({ "client_id": "my-app-id", "client_secret": client_secret, "state_key": state_key }).to_string()
}

/// The client secret changes while verifications are at every stage.
#[tokio::test]
async fn rotating_the_secret_under_load_loses_no_verification() {
    const AT_ONCE: usize = 20;
    let sandbox = Sandbox::start(Settings::default()).await.unwrap();
    let function = Arc::new(Function::deployed(sandbox, &[("AWS_LAMBDA_MAX_CONCURRENCY", "20")]).await);
    // Long enough for all of them to have been sent when the secret changes.
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
    function.sandbox.set_secret_string(secret("of the afternoon"));
    function.sandbox.set_client_secret("of the afternoon");
    for outcomes in browsers.join_all().await {
        assert_eq!(outcomes, ["verified", "not_verified", "verified", "not_verified"]);
    }
    let served = function.sandbox.requests();
    assert!(served.iter().any(is_invalid_client), "some requests had the old secret");
    let reads = function.sandbox.count(Leg::Secret);
    assert_eq!(reads, 2, "all requests share one read");
}

/// The operator has a new secret that Secrets Manager does not have yet: the secret is read again, but no second token
/// request is sent.
#[tokio::test]
async fn unchanged_secret_is_read_again_once_and_not_sent_again() {
    let function = Function::start(PHONE_MODE).await;
    assert_eq!(verify(&function).await, "verified");
    function.sandbox.set_client_secret("another");
    function.sandbox.clear_requests();
    assert_eq!(verify(&function).await, "misconfigured");
    assert_eq!((function.sandbox.count(Leg::Token), function.sandbox.count(Leg::Secret)), (1, 1));

    function.sandbox.set_secret_string(secret("another"));
    assert_eq!(verify(&function).await, "verified", "once Secrets Manager has it too");
}

/// Long-lived environments get their credentials from an address instead of variables.
#[tokio::test]
async fn container_credentials_are_renewed_before_they_expire() {
    for (name, valid_for, asked) in [("long", 3600, 1), ("hardly", 2, 2)] {
        let sandbox = Arc::new(Sandbox::start(Settings::default()).await.unwrap());
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
        let function = Function::with_sandbox(sandbox, &variables);
        assert_eq!(verify(&function).await, "verified", "{name}");
        // After the operator's refusal the function reads the secret again.
        function.sandbox.set_client_secret("another");
        assert_eq!(verify(&function).await, "misconfigured", "{name}");
        assert_eq!(function.sandbox.count(Leg::Secret), 2, "{name}");
        assert_eq!(credentials.requests(), asked, "{name}");
    }
}
