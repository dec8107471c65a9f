//! The client's own key: the public half that operators read, the request objects it signs, and its rotation.
//! `installed_tools/demanding_operator.rs` rotates it with the certified provider as the operator.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};

use crate::retrieve::ON;
use crate::support::far_side::{FarSide, Fault};
use crate::support::{Browser, Function, PHONE_MODE, http_api_event, sandbox};

const PATH: &str = "/.well-known/client-jwks.json";
const NUMBER: &str = "+34600000001";
const SIGNED: (&str, &str) = ("REQUEST_OBJECT", "signed");

/// The private key of RFC 7515 appendix A.3, and another P-256 key.
const ONE: [&str; 3] = [
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
];
/// The key of RFC 7517 appendix A.2.
const TWO: [&str; 3] = [
    "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
];

fn jwk([x, y, d]: [&str; 3], kid: &str) -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "d": d, "kid": kid })
}

/// A version of the secret with this key, or without one.
fn secret(private_key: Option<Value>) -> String {
    let mut secret = json!({ "client_id": "my-app-id", "client_secret": "my-app-secret", "state_key": Settings::default().state_key });
    if let Some(private_key) = private_key {
        secret["private_key"] = private_key;
    }
    secret.to_string()
}

async fn with_versions(versions: &[Option<Value>]) -> Arc<Sandbox> {
    let sandbox = Arc::new(sandbox().await);
    for version in versions {
        sandbox.set_secret_string(secret(version.clone()));
    }
    sandbox
}

/// The `kid` of each published key.
async fn published(function: &Function) -> Vec<Value> {
    let keys = function.get(PATH, &[]).await.json();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}

/// The request object of a start.
async fn request_object(function: &Function) -> String {
    let url = url::Url::parse(&Browser::default().start(function, NUMBER).await).unwrap();
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["response_type", "scope", "client_id", "redirect_uri", "request"]);
    url.query_pairs().last().unwrap().1.into_owned()
}

fn part(jwt: &str, number: usize) -> Value {
    let part = jwt.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn public_half_is_served_to_operators() {
    let function = Function::with_sandbox(with_versions(&[Some(jwk(ONE, "key-1"))]).await, &[]);
    let answer = function.get(PATH, &[]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let expected =
        json!({ "kty": "EC", "crv": "P-256", "x": ONE[0], "y": ONE[1], "use": "sig", "alg": "ES256", "kid": "key-1" });
    assert_eq!(answer.json(), json!({ "keys": [expected] }), "and nothing private");

    let head = function.invoke(&http_api_event("HEAD", PATH, &[], "")).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let post = function.post(PATH, "", &[]).await;
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
    let phone = Function::with_sandbox(function.sandbox.clone(), PHONE_MODE);
    assert_eq!(published(&phone).await, ["key-1"], "whatever the mode");
}

#[tokio::test]
async fn key_without_a_kid_is_named_by_its_thumbprint() {
    let function = Function::start(&[]).await;
    let members = json!({ "client_id": "a", "client_secret": "b", "private_key": function.sandbox.private_key_pem() });
    function.sandbox.set_secret_string(members.to_string());
    let [kid] = &published(&function).await[..] else { panic!("one key") };
    assert_eq!(kid.as_str().map(str::len), Some(43), "{kid}");
}

#[tokio::test]
async fn without_a_usable_key_there_is_no_such_document() {
    for private_key in [None, Some(json!("not a key"))] {
        let function = Function::with_sandbox(with_versions(std::slice::from_ref(&private_key)).await, &[]);
        for method in ["GET", "HEAD", "POST"] {
            let answer = function.invoke(&http_api_event(method, PATH, &[], "")).await;
            assert_eq!(answer.status, 404, "{private_key:?} {method}");
        }
    }
}

/// An operator that got half of the keys would keep them for five minutes.
#[tokio::test]
async fn keys_that_cannot_all_be_read_are_not_published() {
    let sandbox = with_versions(&[Some(jwk(ONE, "one")), Some(jwk(TWO, "two"))]).await;
    let secrets_manager = FarSide::of(&sandbox).await;
    let refusal = "HTTP/1.1 400 Bad Request\r\ncontent-length: 36\r\n\r\n{\"__type\":\"AccessDeniedException\"}  ";
    secrets_manager.plan(|request| if request.contains("AWSPREVIOUS") { Fault::Answer(refusal) } else { Fault::None });
    let variables = [("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_manager.url.as_str()), SIGNED];
    let function = Function::with_sandbox(sandbox, &variables);
    let answer = function.get(PATH, &[]).await;
    assert_eq!((answer.status, answer.header("cache-control")), (503, "no-store"));
    // A verification does without, and signs with the key that it has.
    assert_eq!(part(&request_object(&function).await, 0)["kid"], "two");
}

#[tokio::test]
async fn previous_key_signs_for_20_minutes_and_is_published_for_30() {
    let sandbox = with_versions(&[Some(jwk(ONE, "one")), Some(jwk(TWO, "two"))]).await;
    for (minutes_more, signs, published) in [
        (0, "one", &["two", "one"][..]),
        (19, "one", &["two", "one"]),
        (2, "two", &["two", "one"]),
        (10, "two", &["two"]),
    ] {
        sandbox.age_secret(Duration::from_mins(minutes_more));
        let function = Function::with_sandbox(sandbox.clone(), &[SIGNED]);
        assert_eq!(part(&request_object(&function).await, 0)["kid"], signs, "{minutes_more} minutes later");
        assert_eq!(self::published(&function).await, published, "{minutes_more} minutes later");
    }
}

#[tokio::test]
async fn previous_key_signs_only_for_the_same_client_and_while_there_is_a_current_one() {
    let other_client = secret(Some(jwk(ONE, "one"))).replace("my-app-id", "another-app");
    for (name, previous, signs) in [
        ("no key before", secret(None), "two"),
        ("another client's", other_client, "two"),
        ("the client's", secret(Some(jwk(ONE, "one"))), "one"),
    ] {
        let sandbox = Arc::new(sandbox().await);
        sandbox.set_secret_string(previous);
        sandbox.set_secret_string(secret(Some(jwk(TWO, "two"))));
        let function = Function::with_sandbox(sandbox, &[SIGNED]);
        assert_eq!(part(&request_object(&function).await, 0)["kid"], signs, "{name}");
    }
}

/// Each operator finds its own by `kid`.
#[tokio::test]
async fn keys_of_all_operators_are_published_and_each_signs_for_its_own() {
    let sandbox = Arc::new(sandbox().await);
    let client = |key| json!({ "client_id": "my-app-id", "client_secret": "my-app-secret", "private_key": key });
    let secret = json!({
        "state_key": "a state key of at least 32 characters",
        "operators": { "es": client(jwk(ONE, "one")), "fr": client(jwk(TWO, "two")), "pt": client(json!("not a key")) },
    });
    sandbox.set_secret_string(secret.to_string());
    let operator = |prefix: &str, request_object: &str| json!({ "prefixes": [prefix], "base_url": sandbox.base_url(), "request_object": request_object });
    let operators =
        json!({ "es": operator("+34", "signed"), "fr": operator("+33", "signed"), "pt": operator("+351", "off") });
    let variables = [("OPERATORS", &*operators.to_string()), ("OPERATOR_BASE_URL", "")];
    let function = Function::with_sandbox(Arc::clone(&sandbox), &variables);
    assert_eq!(published(&function).await, ["one", "two"]);
    for (number, kid) in [("+34600000001", "one"), ("+33600000001", "two")] {
        let url = url::Url::parse(&Browser::default().start(&function, number).await).unwrap();
        let object = url.query_pairs().find(|(name, _)| name == "request").unwrap().1.into_owned();
        assert_eq!(part(&object, 0)["kid"], kid);
    }
    let unsigned = Browser::default().start(&function, "+351910000001").await;
    assert!(!unsigned.contains("request=") && unsigned.contains("state="), "{unsigned}");
}

/// After a leak, the runbook stores the new key twice.
#[tokio::test]
async fn key_that_was_stored_twice_signs_at_once_and_is_published_alone() {
    let sandbox = with_versions(&[Some(jwk(ONE, "one")), Some(jwk(TWO, "two")), Some(jwk(TWO, "two"))]).await;
    let function = Function::with_sandbox(sandbox, &[SIGNED]);
    assert_eq!(part(&request_object(&function).await, 0)["kid"], "two");
    assert_eq!(published(&function).await, ["two"]);
}

#[tokio::test]
async fn request_object_is_signed_in_both_state_modes_and_hides_the_state() {
    for variables in [&[SIGNED][..], &[SIGNED, PHONE_MODE[0]]] {
        let function = Function::with_sandbox(with_versions(&[Some(jwk(ONE, "key-1"))]).await, variables);
        let object = request_object(&function).await;
        let (signed, signature) = object.rsplit_once('.').unwrap();
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let point = [&[4][..], &decode(ONE[0]), &decode(ONE[1])].concat();
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap();
        assert!(key.verify_sig(signed.as_bytes(), &decode(signature)).is_ok(), "{variables:?}");
        let claims = part(&object, 1);
        assert_eq!(claims["aud"], format!("{}/authorize", function.sandbox.base_url()));
        assert!(claims["state"].as_str().is_some_and(|state| !state.is_empty()), "{claims}");
    }
}

/// Operators ignore the scope beside the object (RFC 9101 §6.3).
#[tokio::test]
async fn request_object_for_a_number_has_the_scope_for_it() {
    let function = Function::with_sandbox(with_versions(&[Some(jwk(ONE, "key-1"))]).await, &[SIGNED, ON]);
    let url = url::Url::parse(&Browser::default().tap(&function, "").await).unwrap();
    let (_, object) = url.query_pairs().find(|(name, _)| name == "request").unwrap();
    assert_eq!(part(&object, 1)["scope"], "dpv:FraudPreventionAndDetection#number-verification-share-read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_key_starts_nothing_and_is_named_in_the_log() {
    let function = Function::deployed(with_versions(&[None]).await, &[SIGNED]).await;
    let answer = function.post("/start", "phone=%2B34600000001", &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(answer.status, 500, "{}", answer.body);
    let line = function.logged("has no private_key").await;
    assert_eq!(line["outcome"], "misconfigured", "{line}");
    assert!(line["reason"].as_str().unwrap().contains("REQUEST_OBJECT"), "{line}");
}
