//! `POST /number-verification/…/verify`: CAMARA Number Verification.

use std::time::Duration;

use sandbox::{Leg, Settings};
use serde_json::{Value, json};

use crate::support::{self, Fixture, SIM, camara, header, json, send, status_and_json, string};

/// SHA-256 of [`SIM`].
const SIM_HASH: &str = "eb491b384e4fda4281634daa211e6e54a4cf7f82baa33a9f35980329e4ad95f3";
const NOT_ON_MOBILE_NETWORK: &str = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK";

#[tokio::test]
async fn last_digit_of_the_number_decides_the_answer() {
    let sim = "+34600000007".to_owned();
    let fixture = Fixture::with(Settings { sim, ..Settings::default() }).await;
    for (number, expected) in [
        ("+34600000001", Ok(true)),
        ("+34600000002", Ok(false)),
        ("+34600000003", Err(NOT_ON_MOBILE_NETWORK)),
        ("+34600000004", Ok(false)),
        ("+34600000007", Ok(true)),
        ("+34600000017", Ok(false)),
        ("+12341", Ok(true)),
        ("+123456789012341", Ok(true)),
    ] {
        let (status, body) = status_and_json(fixture.verify(&json!({ "phoneNumber": number })).await).await;
        match expected {
            Ok(answer) => {
                assert_eq!((status, body), (200, json!({ "devicePhoneNumberVerified": answer })), "{number}");
            }
            Err(code) => {
                assert_eq!((status, string(&body, "code").as_str()), (403, code), "{number}");
                assert_eq!(body["status"], 403, "{number}");
                assert!(!string(&body, "message").is_empty(), "{number}");
            }
        }
        let served = fixture.sandbox.requests().pop().expect("a request");
        assert_eq!(served.leg, Some(Leg::Verify), "{number}");
        assert_eq!((served.asked.as_deref(), served.answer), (Some(number), expected.ok()), "{number}");
    }
}

#[tokio::test]
async fn hashed_number_is_compared_with_the_sim() {
    let fixture = Fixture::new().await;
    for (name, hash, expected) in [
        ("the SIM's", SIM_HASH.to_owned(), true),
        ("in upper case", SIM_HASH.to_uppercase(), true),
        ("another", SIM_HASH.replace('e', "f"), false),
    ] {
        let body = json(fixture.verify(&json!({ "hashedPhoneNumber": hash })).await).await;
        assert_eq!(body, json!({ "devicePhoneNumberVerified": expected }), "{name}");
        let served = fixture.sandbox.requests().pop().expect("a request");
        assert_eq!((served.asked, served.answer), (Some(hash), Some(expected)), "{name}");
    }
}

#[tokio::test]
async fn all_three_versions_are_served_and_no_other() {
    let fixture = Fixture::new().await;
    for (version, expected) in [("v0", 200), ("v1", 200), ("v2", 200), ("v3", 404), ("vwip", 404)] {
        let token = fixture.access_token().await;
        let path = format!("/number-verification/{version}/verify");
        let response = send(fixture.post(&path).bearer_auth(token).json(&json!({ "phoneNumber": SIM }))).await;
        assert_eq!(response.status(), expected, "{version}");
    }
}

#[tokio::test]
async fn invalid_bodies_are_refused() {
    let fixture = Fixture::new().await;
    let cases = [
        ("no number", json!({})),
        ("both", json!({ "phoneNumber": SIM, "hashedPhoneNumber": SIM_HASH })),
        ("another member too", json!({ "phoneNumber": SIM, "device": "d" })),
        ("something else", json!({ "number": SIM })),
        ("not a string", json!({ "phoneNumber": 34_600_000_001_u64 })),
        ("null", json!({ "phoneNumber": null })),
        ("not an object", json!([SIM])),
        ("a string", json!("phoneNumber")),
        ("no plus", json!({ "phoneNumber": "34600000001" })),
        ("leading zero", json!({ "phoneNumber": "+04600000001" })),
        ("too short", json!({ "phoneNumber": "+1234" })),
        ("too long", json!({ "phoneNumber": "+1234567890123456" })),
        ("spaces", json!({ "phoneNumber": "+34 600 000 001" })),
        ("other digits", json!({ "phoneNumber": "+3460000000١" })),
        ("a short hash", json!({ "hashedPhoneNumber": SIM_HASH[1..] })),
        ("not hexadecimal", json!({ "hashedPhoneNumber": SIM_HASH.replace('e', "g") })),
    ];
    for (name, body) in cases {
        let (status, body) = status_and_json(fixture.verify(&body).await).await;
        assert_eq!(camara(status, &body), (400, 400, "INVALID_ARGUMENT"), "{name}");
    }
}

#[tokio::test]
async fn body_must_be_json() {
    let fixture = Fixture::new().await;
    for (name, content_type, body, expected) in [
        ("JSON", "application/json", r#"{"phoneNumber":"+34600000001"}"#, (200, Value::Null)),
        ("charset", "Application/JSON; charset=utf-8", r#"{"phoneNumber":"+34600000001"}"#, (200, Value::Null)),
        ("a form", "application/x-www-form-urlencoded", "phoneNumber=1", (415, json!("UNSUPPORTED_MEDIA_TYPE"))),
        ("cut off", "application/json", r#"{"phoneNumber":"#, (400, json!("INVALID_ARGUMENT"))),
        (
            "twice",
            "application/json",
            r#"{"phoneNumber":"+11111","phoneNumber":"+11111"}"#,
            (400, json!("INVALID_ARGUMENT")),
        ),
    ] {
        let token = fixture.access_token().await;
        let request = fixture.post("/number-verification/v0/verify").bearer_auth(token);
        let (status, mut body) =
            status_and_json(send(request.header("content-type", content_type).body(body)).await).await;
        assert_eq!((status, body["code"].take()), expected, "{name}");
    }
}

#[tokio::test]
async fn access_token_is_required_and_works_once() {
    let fixture = Fixture::new().await;
    let request = || fixture.post("/number-verification/v2/verify").json(&json!({ "phoneNumber": SIM }));
    let used = fixture.access_token().await;
    assert_eq!(send(request().bearer_auth(&used)).await.status(), 200);
    for (name, request) in [
        ("none", request()),
        ("made up", request().bearer_auth("made-up")),
        ("used", request().bearer_auth(used)),
        ("another scheme", request().basic_auth("my-app-id", Some("my-app-secret"))),
    ] {
        let response = send(request).await;
        assert_eq!(header(&response, "www-authenticate").as_deref(), Some("Bearer"), "{name}");
        let (status, body) = status_and_json(response).await;
        assert_eq!(camara(status, &body), (401, 401, "UNAUTHENTICATED"), "{name}");
    }
}

#[tokio::test]
async fn access_token_expires() {
    let token_lifetime = Duration::from_millis(50);
    let fixture = Fixture::with(Settings { token_lifetime, ..Settings::default() }).await;
    let token = fixture.access_token().await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let request = fixture.post("/number-verification/v2/verify").bearer_auth(token);
    assert_eq!(send(request.json(&json!({ "phoneNumber": SIM }))).await.status(), 401);
}

#[tokio::test]
async fn scope_must_allow_verify() {
    let fixture = Fixture::new().await;
    for scope in [
        "dpv:FraudPreventionAndDetection number-verification:device-phone-number:read",
        "dpv:FraudPreventionAndDetection#number-verification-share-read",
    ] {
        let token = fixture.access_token_for(scope).await;
        let request = fixture.post("/number-verification/v0/verify").bearer_auth(token);
        let (status, body) = status_and_json(send(request.json(&json!({ "phoneNumber": SIM }))).await).await;
        assert_eq!(camara(status, &body), (403, 403, "PERMISSION_DENIED"), "{scope}");
    }
    let token = fixture.access_token_for(support::SCOPE_V0).await;
    let request = fixture.post("/number-verification/v0/verify").bearer_auth(token);
    assert_eq!(send(request.json(&json!({ "phoneNumber": SIM }))).await.status(), 200);
}

#[tokio::test]
async fn correlator_is_returned_unchanged() {
    let fixture = Fixture::new().await;
    for (name, correlator, valid) in [
        ("a UUID", "b4333c46-49c0-4f62-80d7-f0ef930f1c46".to_owned(), true),
        ("every kind of character", "aZ09-_:;./<>{}".to_owned(), true),
        ("the longest", "x".repeat(256), true),
        ("empty", String::new(), true),
        ("too long", "x".repeat(257), false),
        ("a space", "a b".to_owned(), false),
        ("a dollar", "a$b".to_owned(), false),
        ("not ASCII", "ñ".to_owned(), false),
    ] {
        // The request has no token, because errors have the correlator too.
        let request = fixture.post("/number-verification/v0/verify").header("x-correlator", &correlator);
        let response = send(request).await;
        assert_eq!(header(&response, "x-correlator"), valid.then(|| correlator.clone()), "{name}");
        let status = response.status().as_u16();
        let expected = if valid { (401, 401, "UNAUTHENTICATED") } else { (400, 400, "INVALID_ARGUMENT") };
        assert_eq!(camara(status, &json(response).await), expected, "{name}");
        if correlator.is_ascii() {
            assert_eq!(
                fixture.sandbox.requests().pop().and_then(|served| served.x_correlator),
                Some(correlator),
                "{name}"
            );
        }
    }
    let response = send(fixture.post("/number-verification/v0/verify")).await;
    assert_eq!(header(&response, "x-correlator"), None, "none was sent");
}
