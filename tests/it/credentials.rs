//! The requests to the operator (client authentication, number formats, scopes), and the ID tokens that are accepted.

use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sandbox::{ClientAuth, Leg, Scripted};
use serde_json::{Value, json};

use crate::support::{Browser, Function, REDIRECT_URI, sandbox};

#[tokio::test]
async fn token_request_follows_rfc_6749() {
    for (method, expected) in
        [("client_secret_basic", ClientAuth::ClientSecretBasic), ("client_secret_post", ClientAuth::ClientSecretPost)]
    {
        let function = Function::start(&[("TOKEN_ENDPOINT_AUTH_METHOD", method)]).await;
        assert_eq!(Browser::default().verify(&function, "+34600000001").await.outcome(), "verified");
        let request = function.last_request(Leg::Token);
        assert_eq!(request.client_auth, Some(expected));
        assert_eq!(request.content_type.as_deref(), Some("application/x-www-form-urlencoded"));
        assert_eq!(request.fields["grant_type"], "authorization_code");
        assert_eq!(request.fields["redirect_uri"], REDIRECT_URI);
        assert_eq!(request.fields["code_verifier"].len(), 43);
    }
}

#[tokio::test]
async fn bare_client_secret_is_used_with_client_id() {
    let function = Function::start(&[("CLIENT_ID", "my-app-id")]).await;
    function.sandbox.set_secret_string("my-app-secret\n");
    assert_eq!(Browser::default().verify(&function, "+34600000001").await.outcome(), "verified");
}

#[tokio::test]
async fn token_request_refused_with_415_is_repeated_as_json() {
    let function = Function::start(&[]).await;
    let unsupported = Scripted::answer(415, "").times(1);
    function.sandbox.script(Leg::Token, Some(unsupported));
    // The sandbox only accepts forms, as RFC 6749 says, and answers 415 to the JSON.
    assert_eq!(Browser::default().verify(&function, "+34600000001").await.outcome(), "operator_error");
    assert_eq!(function.sandbox.count(Leg::Token), 2);
    let second = function.last_request(Leg::Token);
    assert_eq!(second.content_type.as_deref(), Some("application/json"));
    assert_eq!(second.fields["grant_type"], "authorization_code");
}

#[tokio::test]
async fn number_is_sent_plain_or_hashed() {
    for (format, field, length) in [("plain", "phoneNumber", "+34600000001".len()), ("hashed", "hashedPhoneNumber", 64)]
    {
        let function = Function::start(&[("PHONE_NUMBER_FORMAT", format)]).await;
        assert_eq!(Browser::default().verify(&function, "+34600000001").await.outcome(), "verified");
        let request = function.last_request(Leg::Verify);
        assert_eq!(request.fields.len(), 1, "exactly one of the two: {:?}", request.fields);
        assert_eq!(request.fields[field].len(), length);
    }
}

#[tokio::test]
async fn scopes_of_all_api_versions_work() {
    for (version, scope) in [
        ("v0", "dpv:FraudPreventionAndDetection#number-verification-verify-read"),
        ("v1", "dpv:FraudPreventionAndDetection number-verification:verify"),
        ("v2", "dpv:FraudPreventionAndDetection number-verification:verify"),
    ] {
        let sandbox = sandbox().await;
        let verify_endpoint = format!("{}/number-verification/{version}/verify", sandbox.base_url());
        let function = Function::with_sandbox(sandbox, &[("SCOPE", scope), ("VERIFY_ENDPOINT", &verify_endpoint)]);
        assert_eq!(Browser::default().verify(&function, "+34600000001").await.outcome(), "verified", "{version}");
    }
}

/// A token answer with an ID token. Its signature is not valid, because it is not checked: the answer comes directly
/// from the token endpoint (OpenID Connect Core §3.1.3.7).
fn token_answer(claims: &Value) -> Scripted {
    let id_token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    Scripted::json(200, &json!({ "access_token": "token", "token_type": "Bearer", "id_token": id_token }))
}

#[tokio::test]
async fn id_token_of_another_client_or_flow_is_refused() {
    let scope = "openid dpv:FraudPreventionAndDetection number-verification:verify";
    let function = Function::start(&[("SCOPE", scope), ("ISSUER", "https://operator.example")]).await;
    function.sandbox.script(Leg::Verify, Some(Scripted::json(200, &json!({ "devicePhoneNumberVerified": true }))));
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let nonce_of = |authorization_url: &str| {
        let sent = url::Url::parse(authorization_url).unwrap();
        sent.query_pairs().find(|(name, _)| name == "nonce").expect("openid sends a nonce").1.into_owned()
    };
    let other = nonce_of(&Browser::default().start(&function, "+34600000001").await);
    for (name, change, outcome) in [
        ("valid", json!({}), "verified"),
        ("another verification's nonce", json!({ "nonce": other }), "operator_error"),
        ("another issuer", json!({ "iss": "https://evil.example" }), "operator_error"),
        ("another client", json!({ "aud": "other" }), "operator_error"),
        ("expired", json!({ "exp": now - 3600 }), "operator_error"),
    ] {
        let mut browser = Browser::default();
        let authorization_url = browser.start(&function, "+34600000001").await;
        let nonce = nonce_of(&authorization_url);
        let mut claims =
            json!({ "iss": "https://operator.example", "aud": "my-app-id", "exp": now + 60, "nonce": nonce });
        for (claim, value) in change.as_object().unwrap() {
            claims[claim] = value.clone();
        }
        function.sandbox.script(Leg::Token, Some(token_answer(&claims)));
        let callback = function.at_operator(&authorization_url).await.replace(
            &form_urlencoded::byte_serialize(function.sandbox.base_url().as_bytes()).collect::<String>(),
            "https%3A%2F%2Foperator.example",
        );
        let answer = browser.open_json(&function, &callback).await;
        assert_eq!(answer.outcome(), outcome, "{name}");
    }
    function.sandbox.script(Leg::Token, None);
}
