//! The program under AWS's own Runtime Interface Emulator, as `sam local invoke` runs it, with its secret in moto and
//! the sandbox as operator: every sample event with its expected answer.

use std::path::Path;

use serde_json::json;

use super::tools;
use crate::support::{sandbox, send};

/// The file, the status and a part of the body.
const EVENTS: [(&str, u64, &str); 21] = [
    ("callback-alb", 200, "Phone number verified"),
    ("callback-expired-code", 400, "could not be checked"),
    ("callback-function-url", 200, "Phone number verified"),
    ("callback-http-api-stage", 200, "Phone number verified"),
    ("callback-json", 200, r#""devicePhoneNumberVerified":true"#),
    ("callback-missing-code", 400, "could not be checked"),
    ("callback-missing-state", 400, "could not be checked"),
    ("callback-not-on-mobile-network", 403, "Turn off Wi\u{2011}Fi"),
    ("callback-operator-error", 403, "refused"),
    ("callback-phone-not-verified", 200, "does not match mobile line"),
    ("callback-phone-plus-as-space", 200, "Phone number verified"),
    ("callback-phone-verified", 200, "Phone number verified"),
    ("callback-repeated-parameter", 400, "could not be checked"),
    ("callback-rest-api", 200, "Phone number verified"),
    ("method-not-allowed", 405, "middle of a verification"),
    ("not-found", 404, "Page not found"),
    ("start", 303, ""),
    ("start-bad-number", 400, r#"role="alert""#),
    ("start-json", 200, "authorization_url"),
    ("start-page", 200, "<form"),
    ("start-page-rest-api", 200, r#"action="/prod/start""#),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_event_works_under_the_runtime_interface_emulator() {
    let mut listed: Vec<_> = EVENTS.iter().map(|(name, ..)| format!("{name}.json")).collect();
    listed.sort();
    let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/events"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "env.json")
        .collect();
    files.sort();
    assert_eq!(files, listed, "every file in events/ is in the table");

    let sandbox = sandbox().await;
    let (_moto, moto_url) = tools::moto().await;
    store_secret(&moto_url).await;
    let (_emulator, invocations) = tools::emulator(
        Path::new(env!("CARGO_BIN_EXE_number-verification")),
        &[
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &moto_url),
            ("CLIENT_SECRET_ID", "number-verification"),
            ("OPERATOR_BASE_URL", &sandbox.base_url()),
            ("REDIRECT_URI", "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/numberverification-callback"),
            ("STATE_MODE", "phone"),
        ],
    )
    .await;

    for (name, status, contains) in EVENTS {
        let event = std::fs::read_to_string(format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let answer = send(http::Request::post(&invocations).body(event).unwrap()).await.json();
        assert_eq!(answer["statusCode"], status, "{name}: {answer}");
        let body = answer["body"].as_str().unwrap_or_default();
        assert!(body.contains(contains), "{name}: {contains} is not in {body}");
        assert_eq!(answer["isBase64Encoded"], false, "{name}");
    }
}

/// Stores the secret as an owner would.
async fn store_secret(moto_url: &str) {
    let secret = json!({ "client_id": "my-app-id", "client_secret": "my-app-secret" });
    let request = http::Request::post(moto_url)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "secretsmanager.CreateSecret")
        // moto takes the region from this header, and does not check the signature.
        .header("authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/secretsmanager/aws4_request")
        .body(json!({ "Name": "number-verification", "SecretString": secret.to_string() }).to_string());
    let stored = send(request.unwrap()).await;
    assert_eq!(stored.status, 200, "{}", stored.body);
}
