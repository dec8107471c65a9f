//! The JWT bearer grant with an operator token: CAMARA Security and Interoperability Profile, RFC 7523 §3.

use std::time::SystemTime;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use sandbox::SAMPLE_OPERATOR_TOKEN;
use serde_json::{Value, json};

use crate::support::{Fixture, SCOPE_V1, SIM, json as body_of, send, status_and_json, string};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Signs claims with a PKCS #8 key in PEM.
fn signed(pem: &str, header: &Value, claims: &Value) -> String {
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64_STANDARD.decode(der).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap();
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let text = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// Valid claims, with these changes; `null` removes one.
fn claims(fixture: &Fixture, jti: &str, changes: &Value) -> Value {
    let mut claims = json!({
        "iss": "my-app-id",
        "sub": format!("operatortoken:{SAMPLE_OPERATOR_TOKEN}"),
        "aud": fixture.url("/token"),
        "iat": now(),
        "exp": now() + 300,
        "jti": jti,
        "scope": SCOPE_V1,
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

async fn grant(fixture: &Fixture, assertion: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let form = [&[("grant_type", GRANT), ("assertion", assertion)][..], more].concat();
    status_and_json(send(fixture.post("/token").form(&form)).await).await
}

#[tokio::test]
async fn valid_assertion_gets_a_token_that_verifies() {
    let fixture = Fixture::new().await;
    let assertion =
        signed(&fixture.sandbox.private_key_pem(), &json!({"alg": "ES256"}), &claims(&fixture, "1", &json!({})));
    let (status, body) = grant(&fixture, &assertion, &[]).await;
    assert_eq!((status, &body["scope"]), (200, &json!(SCOPE_V1)), "{body}");
    let verify = fixture.post("/number-verification/v1/verify").bearer_auth(string(&body, "access_token"));
    let verified = body_of(send(verify.json(&json!({ "phoneNumber": SIM }))).await).await;
    assert_eq!(verified["devicePhoneNumberVerified"], true);
    assert_eq!(fixture.sandbox.requests()[0].to_string(), "POST /token 200  operator token");
}

#[tokio::test]
async fn each_wrong_assertion_is_refused() {
    let (fixture, other) = (Fixture::new().await, Fixture::new().await);
    let key = fixture.sandbox.private_key_pem();
    for (number, (name, changes, error)) in [
        ("another client", json!({"iss": "other"}), "invalid_client"),
        ("no iss", json!({"iss": null}), "invalid_grant"),
        ("another token endpoint", json!({"aud": "https://other.example/token"}), "invalid_grant"),
        ("the issuer as aud", json!({"aud": fixture.url("")}), "invalid_grant"),
        ("expired", json!({"iat": now() - 300, "exp": now() - 1}), "invalid_grant"),
        ("issued in the future", json!({"iat": now() + 60}), "invalid_grant"),
        ("valid too long", json!({"exp": now() + 301}), "invalid_grant"),
        ("no exp", json!({"exp": null}), "invalid_grant"),
        ("no jti", json!({"jti": null}), "invalid_grant"),
        ("an empty jti", json!({"jti": ""}), "invalid_grant"),
        ("a number without an operator token", json!({"sub": format!("tel:{SIM}")}), "invalid_grant"),
        ("an unknown operator token", json!({"sub": "operatortoken:other"}), "invalid_grant"),
        ("no scope", json!({"scope": null}), "invalid_grant"),
        ("a scope without a purpose", json!({"scope": "number-verification:verify"}), "invalid_scope"),
    ]
    .into_iter()
    .enumerate()
    {
        let assertion = signed(&key, &json!({"alg": "ES256"}), &claims(&fixture, &number.to_string(), &changes));
        let (status, body) = grant(&fixture, &assertion, &[]).await;
        assert_eq!(body["error"], error, "{name}: {body}");
        assert_eq!(status, if error == "invalid_client" { 401 } else { 400 }, "{name}");
    }
    let good = claims(&fixture, "good", &json!({}));
    let altered = signed(&key, &json!({"alg": "ES256"}), &good).replacen("ey", "eY", 1);
    for (name, assertion, error) in [
        ("another key", signed(&other.sandbox.private_key_pem(), &json!({"alg": "ES256"}), &good), "invalid_client"),
        ("alg none", signed(&key, &json!({"alg": "none"}), &good), "invalid_client"),
        ("altered", altered, "invalid_grant"),
        ("rubbish", "rubbish".to_owned(), "invalid_grant"),
    ] {
        assert_eq!(grant(&fixture, &assertion, &[]).await.1["error"], error, "{name}");
    }
}

#[tokio::test]
async fn assertion_is_valid_once_and_alone() {
    let fixture = Fixture::new().await;
    let assertion =
        signed(&fixture.sandbox.private_key_pem(), &json!({"alg": "ES256"}), &claims(&fixture, "1", &json!({})));
    for more in [("scope", SCOPE_V1), ("client_secret", "my-app-secret"), ("client_assertion", "x")] {
        let (_, body) = grant(&fixture, &assertion, &[more]).await;
        assert_eq!(body["error"], "invalid_request", "{more:?}");
    }
    let form = [("grant_type", GRANT), ("assertion", &*assertion)];
    let basic = send(fixture.post("/token").basic_auth("my-app-id", Some("my-app-secret")).form(&form)).await;
    assert_eq!(body_of(basic).await["error"], "invalid_request", "with Basic");
    assert_eq!(grant(&fixture, &assertion, &[]).await.0, 200, "none of it used the assertion up");
    assert_eq!(grant(&fixture, &assertion, &[]).await.1["error"], "invalid_grant", "again");
}
