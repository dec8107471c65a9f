//! The function under `cargo lambda watch`, invoked as docs/operations.md describes.

use serde_json::Value;
use tokio::process::Command;

use super::tools;
use crate::support::sandbox;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sample_events_work_under_cargo_lambda() {
    let sandbox = sandbox().await;
    let port = tools::free_port().to_string();
    let mut watch = tools::spawn(
        Command::new(tools::tool("cargo-lambda"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["lambda", "watch", "--package", "number-verification", "--ignore-changes", "--disable-cors"])
            .args(["--invoke-address", "127.0.0.1", "--invoke-port", &port])
            .env("AWS_ACCESS_KEY_ID", "sandbox")
            .env("AWS_SECRET_ACCESS_KEY", "sandbox")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", sandbox.base_url())
            .env("CLIENT_SECRET_ID", "number-verification")
            .env("OPERATOR_BASE_URL", sandbox.base_url())
            .env("STATE_MODE", "phone"),
    );
    tools::listening(&mut watch, port.parse().unwrap()).await;
    for (event, status, contains) in [
        ("start-page", 200, "<form"),
        ("callback-phone-verified", 200, "Phone number verified"),
        ("callback-phone-not-verified", 200, "does not match mobile line"),
    ] {
        let invoked = Command::new(tools::tool("cargo-lambda"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["lambda", "invoke", "--invoke-address", "127.0.0.1", "--invoke-port", &port])
            .args(["--data-file", &format!("events/{event}.json")])
            .output()
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&invoked.stdout).into_owned();
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{event}: {e}: {text}{invoked:?}"));
        assert_eq!(answer["statusCode"], status, "{event}");
        assert!(answer["body"].as_str().unwrap().contains(contains), "{event}: {answer}");
    }
}
