//! The reasons the program is fast: it avoids work, or starts it before it is needed. These tests count calls and
//! handshakes; only `make bench` measures time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sandbox::{Handshakes, Leg, Sandbox, Scripted};
use serde_json::json;

use crate::support::far_side::{self, End, FarSide};
use crate::support::{Function, PHONE_MODE, sample_callback, sandbox, sandbox_behind_tls};

/// The real program with a sandbox behind TLS.
async fn behind_tls(scripts: &[(Leg, Scripted)], variables: &[(&str, &str)]) -> Function {
    let (sandbox, ca) = sandbox_behind_tls().await;
    for (leg, scripted) in scripts {
        sandbox.script(*leg, Some(scripted.clone()));
    }
    let trusted = [("OPERATOR_CA_FILE", &*ca), ("AWS_CA_BUNDLE", &ca)];
    Function::deployed(sandbox, &[PHONE_MODE, &trusted, variables].concat()).await
}

async fn verify(function: &Function) {
    assert_eq!(function.get_json(&sample_callback("+34600000001")).await.outcome(), "verified");
}

/// The number of requests to a sandbox: for secrets, tokens, verifications.
fn asked(sandbox: &Sandbox) -> [usize; 3] {
    [Leg::Secret, Leg::Token, Leg::Verify].map(|leg| sandbox.count(leg))
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let waited = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.expect(what);
}

#[tokio::test]
async fn first_verification_takes_two_handshakes_and_one_secret_read_and_later_ones_take_none() {
    let function = behind_tls(&[], &[]).await;
    verify(&function).await;
    assert_eq!(asked(&function.sandbox), [1, 1, 1]);
    let two = Handshakes { full: 2, resumed: 0 };
    assert_eq!(function.sandbox.handshakes(), two, "Secrets Manager's and the operator's");
    for _ in 0..3 {
        verify(&function).await;
    }
    assert_eq!(asked(&function.sandbox), [1, 4, 4]);
    assert_eq!(function.sandbox.handshakes(), two);
    assert_eq!(function.sandbox.connections(), 2);
}

#[tokio::test]
async fn secret_read_and_handshakes_start_before_the_first_event() {
    let function = behind_tls(&[], &[]).await;
    let sandbox = &function.sandbox;
    until("secret and handshakes", || asked(sandbox) == [1, 0, 0] && sandbox.handshakes().full == 2).await;
}

#[tokio::test]
async fn operator_handshake_overlaps_the_secret_read() {
    let function = behind_tls(&[(Leg::Secret, Scripted::late(Duration::from_secs(1)))], &[]).await;
    let overlaps = async {
        until("both handshakes", || function.sandbox.handshakes().full == 2).await;
        let requests = function.sandbox.requests();
        assert!(requests.iter().all(|request| request.status.is_none()), "the secret has not been answered yet");
    };
    tokio::join!(verify(&function), overlaps);
    assert_eq!(function.sandbox.handshakes().full, 2);
}

/// `localhost` and `127.0.0.1` are one sandbox, but two hosts to a client.
#[tokio::test]
async fn verify_host_handshake_overlaps_the_token_request() {
    let (sandbox, ca) = sandbox_behind_tls().await;
    sandbox.script(Leg::Token, Some(Scripted::late(Duration::from_secs(1)).times(1)));
    let endpoint = sandbox.base_url().replace("127.0.0.1", "localhost") + "/number-verification/v0/verify";
    let variables = [("OPERATOR_CA_FILE", &*ca), ("AWS_CA_BUNDLE", &ca), ("VERIFY_ENDPOINT", &endpoint)];
    let function = Function::deployed(sandbox, &[PHONE_MODE, &variables].concat()).await;
    let sandbox = Arc::clone(&function.sandbox);
    let overlaps = async {
        until("three handshakes", || sandbox.handshakes().full == 3).await;
        let requests = sandbox.requests();
        let last = requests.last().unwrap();
        assert_eq!((last.leg, last.status), (Some(Leg::Token), None), "the token request has not been answered yet");
    };
    tokio::join!(verify(&function), overlaps);
    verify(&function).await;
    assert_eq!(sandbox.handshakes().full, 3, "the verify call and the second verification used the open connection");
    let connection = |leg| sandbox.requests().iter().find(|request| request.leg == Some(leg)).unwrap().connection;
    assert_ne!(connection(Leg::Token), connection(Leg::Verify));
}

#[tokio::test]
async fn failed_prefetch_of_the_secret_is_repeated_when_it_is_needed() {
    let refused = Scripted::json(400, &json!({ "__type": "AccessDeniedException", "message": "" })).times(1);
    let function = behind_tls(&[(Leg::Secret, refused)], &[]).await;
    until("the refusal", || function.sandbox.requests().first().is_some_and(|read| read.status == Some(400))).await;
    verify(&function).await;
    assert_eq!(asked(&function.sandbox), [2, 1, 1]);
}

#[tokio::test]
async fn slow_prefetch_of_the_secret_is_awaited_and_not_repeated() {
    let function = behind_tls(&[(Leg::Secret, Scripted::late(Duration::from_millis(2500)))], &[]).await;
    verify(&function).await;
    assert_eq!(asked(&function.sandbox), [1, 1, 1]);
}

/// An answer that was on its way during a freeze may never arrive.
#[tokio::test]
async fn secret_read_interrupted_by_a_freeze_is_repeated() {
    let never = Scripted::late(Duration::from_mins(10)).times(1);
    let function = behind_tls(&[(Leg::Secret, never)], &[]).await.with_time_left(Duration::from_secs(3));
    until("the first read", || function.sandbox.count(Leg::Secret) == 1).await;
    function.freeze().await;
    // The function recognises a freeze by the time that has passed.
    tokio::time::sleep(Duration::from_millis(1300)).await;
    verify(&function).await;
    assert_eq!(asked(&function.sandbox), [2, 1, 1]);
}

#[tokio::test]
async fn operator_unreachable_at_start_is_reported_by_the_verification() {
    let (untrusted, _) = sandbox_behind_tls().await;
    let (_refuses, refusing) = far_side::refusing();
    let (_accepts_nobody, unaccepting) = far_side::unaccepting().await;
    for (name, operator, outcome) in [
        ("refuses", refusing.as_str(), "operator_error"),
        ("is not trusted", &untrusted.base_url(), "operator_error"),
        ("does not take the connection", &unaccepting, "operator_timeout"),
    ] {
        let function = behind_tls(&[], &[("OPERATOR_BASE_URL", operator), ("OPERATOR_CA_FILE", "")]).await;
        let function = function.with_time_left(Duration::from_secs(3));
        until("the secret", || function.sandbox.count(Leg::Secret) == 1).await;
        let answer = function.get_json(&sample_callback("+34600000001")).await;
        assert_eq!(answer.outcome(), outcome, "{name}");
        assert_eq!(asked(&function.sandbox), [1, 0, 0], "{name}");
    }
}

/// The environment is frozen before its first event, and the operator closes the unused connection.
#[tokio::test]
async fn connection_opened_ahead_and_closed_during_a_freeze_is_not_used() {
    for end in [End::Close, End::Reset, End::RequestTimeout] {
        let sandbox = sandbox().await;
        let operator = FarSide::of(&sandbox).await;
        let variables = [PHONE_MODE, &[("OPERATOR_BASE_URL", operator.url.as_str())]].concat();
        let function = Function::deployed(sandbox, &variables).await;
        until("a connection and the secret", || {
            operator.connections() == 1 && function.sandbox.count(Leg::Secret) == 1
        })
        .await;
        function.freeze().await;
        operator.end_idle(end).await;
        verify(&function).await;
        assert_eq!((operator.connections(), operator.requests()), (2, 2), "{end:?}");
        assert_eq!(asked(&function.sandbox), [1, 1, 1], "{end:?}");
    }
}

/// Opening a pipe without a writer blocks, so a program that read certificates from it would never answer.
#[tokio::test]
async fn system_certificates_are_not_read() {
    let pipe = Path::new(env!("CARGO_TARGET_TMPDIR")).join("certificates.pipe");
    // A previous run may have left the pipe.
    let _ = std::fs::remove_file(&pipe);
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.to_str().unwrap();
    verify(&behind_tls(&[], &[("SSL_CERT_FILE", pipe), ("SSL_CERT_DIR", pipe)]).await).await;
}
