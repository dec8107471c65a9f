//! `OPERATOR_DISCOVERY_URL`: the real program reads the operator's document when it starts, and only then.

use std::process::Stdio;

use sandbox::Sandbox;
use tokio::process::Command;

use crate::support::{Browser, Function, PHONE_MODE, sample_callback, sandbox, sandbox_behind_tls};

const NUMBER: &str = "+34600000001";
const DOCUMENT: &str = "/.well-known/openid-configuration";

fn reads(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.path == DOCUMENT).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoints_come_from_the_document_which_is_read_once() {
    let (sandbox, ca) = sandbox_behind_tls().await;
    let base_url = sandbox.base_url();
    let variables = [
        ("OPERATOR_BASE_URL", ""),
        ("OPERATOR_DISCOVERY_URL", &format!("{base_url}{DOCUMENT}")),
        ("VERIFY_ENDPOINT", &format!("{base_url}/number-verification/v0/verify")),
        ("OPERATOR_CA_FILE", &ca),
        ("AWS_CA_BUNDLE", &ca),
    ];
    let function = Function::deployed(sandbox, &[PHONE_MODE, &variables].concat()).await;
    let callback = sample_callback(NUMBER);
    for _ in 0..2 {
        let with_iss = format!("{callback}&iss={base_url}");
        assert_eq!(function.get_json(&with_iss).await.outcome(), "verified");
    }
    assert_eq!(reads(&function.sandbox), 1);

    // The document says that callbacks have an `iss` (RFC 9207), so a callback without one is not this operator's.
    assert_eq!(function.get_json(&callback).await.outcome(), "invalid_request");
    let reason = function.logged("parameter iss").await["reason"].to_string();
    assert!(reason.contains("the discovery document"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn document_is_not_read_without_the_variable() {
    let function = Function::deployed(sandbox().await, &[]).await;
    assert_eq!(Browser::default().verify(&function, NUMBER).await.outcome(), "verified");
    assert_eq!(reads(&function.sandbox), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_failure_stops_the_program_with_one_line() {
    let sandbox = sandbox().await;
    let base_url = sandbox.base_url();
    let verify = format!("{base_url}/number-verification/v0/verify");
    let (behind_tls, ca) = sandbox_behind_tls().await;
    let secure = behind_tls.base_url();
    for (discovery, verify, reason) in [
        (format!("{base_url}/nowhere{DOCUMENT}"), &*verify, "expected 200, got 404"),
        (base_url.replace("127.0.0.1", "localhost") + DOCUMENT, &verify, "RFC 8414 §3.3"),
        ("http://127.0.0.1:1".to_owned() + DOCUMENT, &verify, "OPERATOR_DISCOVERY_URL: the document cannot be read"),
        (
            "http://operator.example".to_owned() + DOCUMENT,
            &verify,
            "OPERATOR_DISCOVERY_URL: http is only for localhost",
        ),
        // The document's endpoints use plain http, which is not allowed in a document.
        (format!("{base_url}{DOCUMENT}"), &verify, "authorization_endpoint is unusable: not an https URL"),
        (format!("{secure}{DOCUMENT}"), "", "VERIFY_ENDPOINT: not set"),
    ] {
        let ended = Command::new(env!("CARGO_BIN_EXE_number-verification"))
            .env_clear()
            .env("CLIENT_SECRET_ID", "number-verification")
            .env("OPERATOR_DISCOVERY_URL", discovery)
            .env("VERIFY_ENDPOINT", verify)
            .env("OPERATOR_CA_FILE", &ca)
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .stderr(Stdio::inherit())
            .output()
            .await
            .unwrap();
        let log = String::from_utf8(ended.stdout).unwrap();
        let faults: Vec<_> = log.lines().filter(|line| line.contains("cannot start")).collect();
        assert!(!ended.status.success(), "{reason}: {log}");
        assert!(matches!(faults[..], [line] if line.contains(reason)), "{reason}: {log}");
    }
}
