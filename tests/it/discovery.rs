//! `OPERATOR_DISCOVERY_URL`: the real program reads the operator's document when it starts, and only then.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sandbox::{Leg, Sandbox, Scripted};
use serde_json::json;

use crate::support::{Browser, Function, PHONE_MODE, sample_callback, sandbox, sandbox_behind_tls};

const NUMBER: &str = "+34600000001";
const DOCUMENT: &str = "/.well-known/openid-configuration";

fn reads(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.path == DOCUMENT).count()
}

/// The real program, with its sandbox's discovery document and these variables.
async fn discovered(variables: &[(&str, &str)]) -> Function {
    let (sandbox, ca) = sandbox_behind_tls().await;
    let base_url = sandbox.base_url();
    let discovery = [
        ("OPERATOR_BASE_URL", ""),
        ("OPERATOR_DISCOVERY_URL", &format!("{base_url}{DOCUMENT}")),
        ("VERIFY_ENDPOINT", &format!("{base_url}/number-verification/v0/verify")),
        ("OPERATOR_CA_FILE", &ca),
        ("AWS_CA_BUNDLE", &ca),
    ];
    Function::deployed(sandbox, &[PHONE_MODE, &discovery, variables].concat()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoints_come_from_the_document_which_is_read_once() {
    let function = discovered(&[]).await;
    let base_url = function.sandbox.base_url();
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

/// The owner corrects the issuer where it came from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_issuer_is_logged_with_the_source_of_the_right_one() {
    const OPENID: (&str, &str) = ("SCOPE", "openid dpv:FraudPreventionAndDetection number-verification:verify");
    let claims = json!({ "iss": "https://other.example", "aud": "my-app-id", "exp": 4_102_444_800_u64 });
    let id_token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    let token = json!({ "access_token": "token", "token_type": "Bearer", "id_token": id_token });
    let configured = [PHONE_MODE, &[OPENID, ("ISSUER", "https://operator.example")]].concat();
    let configured = Function::deployed(sandbox().await, &configured).await;
    let discovered = discovered(&[OPENID]).await;
    let discovered_issuer = discovered.sandbox.base_url();
    for (function, issuer, source) in [
        (configured, "https://operator.example", "the issuer given by ISSUER"),
        (discovered, &discovered_issuer, "the issuer given by the discovery document (OPERATOR_DISCOVERY_URL)"),
    ] {
        function.sandbox.script(Leg::Token, Some(Scripted::json(200, &token)));
        let callback = sample_callback(NUMBER);
        for (iss, outcome, fault) in [
            ("https://other.example", "invalid_request", "parameter iss is not"),
            (issuer, "operator_error", "the iss of its id_token is not"),
        ] {
            assert_eq!(function.get_json(&format!("{callback}&iss={iss}")).await.outcome(), outcome, "{source}");
            let reason = function.logged(fault).await["reason"].to_string();
            assert!(reason.contains(&format!("{fault} {source}")) && !reason.contains("other.example"), "{reason}");
        }
    }
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
        let variables =
            [("OPERATOR_DISCOVERY_URL", &*discovery), ("VERIFY_ENDPOINT", verify), ("OPERATOR_CA_FILE", &ca)];
        let line = Function::fault_at_start(&variables).await;
        assert!(line.contains(reason), "{reason}: {line}");
    }
}
