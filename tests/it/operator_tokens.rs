//! `POST /verify`: a phone on Wi-Fi, verified with an operator token (TS.43).

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use sandbox::{Leg, SAMPLE_OPERATOR_TOKEN, Sandbox, Scripted};
use serde_json::{Value, json};

use crate::support::app::{SHOP_SECRET, query, secret, shop_basic};
use crate::support::{Answer, Function, PHONE_MODE, sandbox};

/// A function whose secret has the key that the operator knows.
async fn with_key() -> Function {
    let function = Function::start(&[]).await;
    set_key(&function.sandbox);
    function
}

fn set_key(sandbox: &Sandbox) {
    let mut secret = secret();
    secret["private_key"] = sandbox.private_key_pem().into();
    sandbox.set_secret_string(secret.to_string());
}

fn question(number: &str) -> Value {
    json!({ "phoneNumber": number, "operatorToken": SAMPLE_OPERATOR_TOKEN })
}

async fn ask(function: &Function, authorization: Option<&str>, body: &Value) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.map(|authorization| ("authorization", authorization)));
    function.post("/verify", &body.to_string(), &headers).await
}

async fn shop_asks(function: &Function, body: &Value) -> Answer {
    ask(function, Some(&shop_basic()), body).await
}

#[tokio::test]
async fn operator_token_verifies_a_number_without_mobile_data() {
    let function = with_key().await;
    for (number, outcome) in [("+34600000001", "verified"), ("+34600000002", "not_verified")] {
        let answer = shop_asks(&function, &question(number)).await;
        assert_eq!((answer.status, answer.outcome()), (200, outcome), "{}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json");
    }
    // SHA-256 of +34600000001.
    let hash = "eb491b384e4fda4281634daa211e6e54a4cf7f82baa33a9f35980329e4ad95f3";
    let hashed = json!({ "hashedPhoneNumber": hash, "operatorToken": SAMPLE_OPERATOR_TOKEN });
    let answer = shop_asks(&function, &hashed).await;
    assert_eq!(answer.outcome(), "verified");
    assert!(answer.json().get("phone_number").is_none(), "a hash cannot be masked");

    let form = query(&[
        ("client_id", "shop"),
        ("client_secret", SHOP_SECRET),
        ("phoneNumber", "+34600000001"),
        ("operatorToken", SAMPLE_OPERATOR_TOKEN),
    ]);
    assert_eq!(function.post("/verify", &form, &[]).await.outcome(), "verified", "as a form");
}

#[tokio::test]
async fn assertion_is_what_camaras_profile_says() {
    let function = with_key().await;
    for _ in 0..2 {
        assert_eq!(shop_asks(&function, &question("+34600000001")).await.outcome(), "verified");
    }
    let requests: Vec<_> =
        function.sandbox.requests().into_iter().filter(|served| served.leg == Some(Leg::Token)).collect();
    let claims = |number: usize| -> Value {
        let claims = requests[number].fields["assertion"].split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    };
    assert_eq!(requests[0].fields["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(requests[0].fields.len(), 2, "no scope, and no other client authentication");
    let first = claims(0);
    assert_eq!(first["iss"], "my-app-id");
    assert_eq!(first["sub"], format!("operatortoken:{SAMPLE_OPERATOR_TOKEN}"));
    assert_eq!(first["aud"], format!("{}/token", function.sandbox.base_url()));
    assert_eq!(first["scope"], "dpv:FraudPreventionAndDetection#number-verification-verify-read");
    assert!(first["exp"].as_u64().unwrap() - first["iat"].as_u64().unwrap() <= 300);
    assert_ne!(first["jti"], claims(1)["jti"]);
}

#[tokio::test]
async fn only_a_confidential_app_may_ask() {
    let function = with_key().await;
    let wrong = format!("Basic {}", BASE64_STANDARD.encode("shop:wrong"));
    let public = format!("Basic {}", BASE64_STANDARD.encode("spa:"));
    let mut posted = question("+34600000001");
    posted["client_id"] = "spa".into();
    for (name, authorization, body) in [
        ("no credentials", None, question("+34600000001")),
        ("a wrong secret", Some(wrong.as_str()), question("+34600000001")),
        ("a public client", Some(&public), question("+34600000001")),
        ("a public client in the body", None, posted),
        ("rubbish", Some("Basic %%"), question("+34600000001")),
        ("no credentials and rubbish", None, json!({ "phoneNumber": 1 })),
    ] {
        let answer = ask(&function, authorization, &body).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.body);
        assert_eq!(answer.json()["error"], "invalid_client", "{name}");
        assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{name}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{name}");
    }
    assert_eq!((function.sandbox.count(Leg::Token), function.sandbox.count(Leg::Verify)), (0, 0));
}

#[tokio::test]
async fn malformed_questions_are_refused_without_an_operator_call() {
    let function = with_key().await;
    let hash = "e".repeat(64);
    let long = "x".repeat(9000);
    for (name, body) in [
        ("no number", json!({ "operatorToken": SAMPLE_OPERATOR_TOKEN })),
        ("no token", json!({ "phoneNumber": "+34600000001" })),
        ("an empty token", json!({ "phoneNumber": "+34600000001", "operatorToken": "" })),
        ("a token with a space", json!({ "phoneNumber": "+34600000001", "operatorToken": "a b" })),
        ("a long token", json!({ "phoneNumber": "+34600000001", "operatorToken": long })),
        ("a bad number", question("600000001")),
        ("a short hash", json!({ "hashedPhoneNumber": &hash[1..], "operatorToken": "x" })),
        ("number and hash", json!({ "phoneNumber": "+34600000001", "hashedPhoneNumber": hash, "operatorToken": "x" })),
        ("an array as number", json!({ "phoneNumber": ["+34600000001"], "operatorToken": "x" })),
    ] {
        let answer = shop_asks(&function, &body).await;
        assert_eq!((answer.status, answer.outcome()), (400, "invalid_request"), "{name}: {}", answer.body);
    }
    let headers = [("content-type", "application/json"), ("authorization", &*shop_basic())];
    let twice = r#"{"phoneNumber":"+34600000001","phoneNumber":"+34600000002","operatorToken":"x"}"#;
    assert_eq!(function.post("/verify", twice, &headers).await.outcome(), "invalid_request", "two numbers");
    assert_eq!(function.sandbox.count(Leg::Token), 0);
}

#[tokio::test]
async fn operators_refusals_have_their_outcomes() {
    let function = with_key().await;
    let unknown = json!({ "phoneNumber": "+34600000001", "operatorToken": "unknown" });
    assert_eq!(shop_asks(&function, &unknown).await.outcome(), "expired_code", "the operator does not know the token");
    for (name, leg, status, body, outcome) in [
        ("INVALID_TS43_TOKEN", Leg::Verify, 400, json!({ "code": "INVALID_TS43_TOKEN" }), "expired_code"),
        ("a 401", Leg::Token, 401, json!({}), "misconfigured"),
        ("unsupported_grant_type", Leg::Token, 400, json!({ "error": "unsupported_grant_type" }), "operator_error"),
        ("busy", Leg::Token, 429, json!({}), "operator_busy"),
        ("down", Leg::Verify, 502, json!({}), "operator_error"),
        ("no verdict", Leg::Verify, 200, json!({ "devicePhoneNumberVerified": "true" }), "operator_error"),
    ] {
        function.sandbox.script(leg, Some(Scripted::json(status, &body)));
        assert_eq!(shop_asks(&function, &question("+34600000001")).await.outcome(), outcome, "{name}");
        function.sandbox.script(leg, None);
    }
}

#[tokio::test]
async fn missing_private_key_is_named_in_the_log() {
    let sandbox = Arc::new(sandbox().await);
    sandbox.set_secret_string(secret().to_string());
    let function = Function::deployed(sandbox, &[]).await;
    let answer = shop_asks(&function, &question("+34600000001")).await;
    assert_eq!((answer.status, answer.outcome()), (500, "misconfigured"));
    let line = function.logged("has no private_key").await;
    assert_eq!((&line["outcome"], &line["client"]), (&json!("misconfigured"), &json!("shop")));
}

/// A key that was replaced at the operator and in the secret.
#[tokio::test]
async fn changed_key_is_read_again_when_the_operator_refuses_the_client() {
    let function = with_key().await;
    let mut stale = secret();
    stale["private_key"] = sandbox().await.private_key_pem().into();
    // Twice, because the key before it would sign for 20 more minutes.
    for _ in 0..2 {
        function.sandbox.set_secret_string(stale.to_string());
    }
    assert_eq!(shop_asks(&function, &question("+34600000001")).await.outcome(), "misconfigured", "another key");
    set_key(&function.sandbox);
    assert_eq!(shop_asks(&function, &question("+34600000001")).await.outcome(), "verified");
}

/// The operator exchanged the client's key for the new one, instead of knowing both.
#[tokio::test]
async fn current_key_signs_if_the_operator_refuses_what_the_previous_one_signed() {
    let once = |status, body| Some(Scripted { times: Some(1), ..Scripted::answer(status, body) });
    for (name, script, outcome, requests) in [
        ("401", None, "verified", 2),
        ("invalid_grant", once(400, r#"{"error":"invalid_grant"}"#), "verified", 2),
        ("another error", once(400, r#"{"error":"invalid_scope"}"#), "misconfigured", 1),
        ("busy", once(503, ""), "operator_busy", 1),
    ] {
        let function = with_key().await;
        let mut stale = secret();
        stale["private_key"] = sandbox().await.private_key_pem().into();
        function.sandbox.set_secret_string(stale.to_string());
        set_key(&function.sandbox);
        function.sandbox.script(Leg::Token, script);
        assert_eq!(shop_asks(&function, &question("+34600000001")).await.outcome(), outcome, "{name}");
        assert_eq!(function.sandbox.count(Leg::Token), requests, "{name}");
    }
}

#[tokio::test]
async fn without_apps_there_is_no_verify() {
    for variables in [&[][..], PHONE_MODE] {
        let function = Function::start(variables).await;
        if variables.is_empty() {
            let plain = json!({ "client_id": "my-app-id", "client_secret": "my-app-secret" });
            function.sandbox.set_secret_string(plain.to_string());
        } else {
            set_key(&function.sandbox);
        }
        assert_eq!(shop_asks(&function, &question("+34600000001")).await.status, 404);
        assert_eq!(function.post("/verify", "", &[]).await.status, 404);
        assert_eq!(function.post("/verify", "<x/>", &[("content-type", "application/xml")]).await.status, 404);
        assert_eq!(function.get("/verify", &[]).await.status, 404);
    }
    let function = with_key().await;
    let get = function.get("/verify", &[]).await;
    assert_eq!((get.status, get.header("allow")), (405, "POST"));
}
