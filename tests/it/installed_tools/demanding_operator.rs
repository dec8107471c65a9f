//! The certified OpenID Provider of `openid_provider.rs` as an operator that demands signed request objects and proofs of
//! possession.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Request;
use lambda_environment::read_message;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::openid_provider::{OTHER_NUMBER, Provider, SUBSCRIBER, jwt_header, start, verify};
use crate::support::{Browser, Function};

const SIGNED: (&str, &str) = ("REQUEST_OBJECT", "signed");
const DPOP: (&str, &str) = ("DPOP", "on");
const ES256: &str = "ES256 from a JWK, one of two keys";

/// The errors of the token requests so far; `null` for those that were granted.
async fn errors(provider: &Provider) -> Vec<Value> {
    provider.token_requests().await.iter().map(|request| request["error"].clone()).collect()
}

#[tokio::test]
async fn everything_that_is_demanded_is_sent_with_every_kind_of_key() {
    for (demands, variables) in [
        (&["request_object"][..], &[SIGNED][..]),
        (&["dpop"], &[DPOP]),
        (&["dpop", "nonce"], &[DPOP]),
        (&["request_object", "dpop"], &[SIGNED, DPOP]),
        (&["request_object", "dpop", "nonce"], &[SIGNED, DPOP]),
    ] {
        let provider = Provider::demanding(demands).await;
        let needs_key = variables.contains(&SIGNED);
        for client in provider.clients.iter().filter(|client| !needs_key || client.secret.get("private_key").is_some())
        {
            let function = provider.function(client, &client.secret, variables).await;
            for (phone, outcome) in [(SUBSCRIBER, "verified"), (OTHER_NUMBER, "not_verified")] {
                assert_eq!(verify(&provider, &function, phone).await, outcome, "{demands:?}: {}", client.id);
            }
        }
    }
}

/// The runbook's rows for these outcomes name the setting to check.
#[tokio::test]
async fn anything_that_is_left_out_is_refused_and_never_a_verdict() {
    let demanding = Provider::demanding(&["request_object", "dpop", "nonce"]).await;
    let client = demanding.client(ES256);
    for (name, variables, outcome, asked) in [
        ("all", &[SIGNED, DPOP][..], "verified", &[json!("use_dpop_nonce"), Value::Null][..]),
        ("no request object", &[DPOP], "operator_refused", &[]),
        ("no proof", &[SIGNED], "expired_code", &[json!("invalid_grant")]),
        ("neither", &[], "operator_refused", &[]),
    ] {
        let before = errors(&demanding).await.len();
        let function = demanding.function(client, &client.secret, variables).await;
        assert_eq!(verify(&demanding, &function, SUBSCRIBER).await, outcome, "{name}");
        assert_eq!(errors(&demanding).await[before..], *asked, "{name}");
    }
}

#[tokio::test]
async fn request_object_of_another_key_is_refused_and_never_a_verdict() {
    let provider = Provider::demanding(&["request_object"]).await;
    let client = provider.client(ES256);
    let mut secret = client.secret.clone();
    secret["private_key"] = provider.client("RS256 from a JWK").secret["private_key"].clone();
    let function = provider.function(client, &secret, &[SIGNED]).await;
    assert_eq!(verify(&provider, &function, SUBSCRIBER).await, "operator_refused");
}

/// The state is in the request object alone, so nobody on the way can exchange it or read it from the address.
#[tokio::test]
async fn parameters_added_outside_of_the_request_object_count_for_nothing() {
    let provider = Provider::start().await;
    let client = provider.client(ES256);
    let function = provider.function(client, &client.secret, &[SIGNED]).await;
    let mut browser = Browser::default();
    let mut authorization_url = start(&mut browser, &function, SUBSCRIBER).await;
    assert!(authorization_url.query_pairs().all(|(name, _)| !["state", "nonce", "code_challenge"].contains(&&*name)));
    authorization_url.query_pairs_mut().append_pair("state", "forged");
    let callback = provider.authorize(authorization_url).await;
    assert_eq!(callback.get("error").as_deref(), Some("invalid_request_object"), "CAMARA's profile");
}

/// The first verification of an environment pays a round trip for each nonce, and later ones pay nothing.
#[tokio::test]
async fn nonces_are_kept_for_the_next_verification() {
    let provider = Provider::demanding(&["dpop", "nonce"]).await;
    let client = provider.client(ES256);
    let function = provider.function(client, &client.secret, &[DPOP]).await;
    for _ in 0..3 {
        assert_eq!(verify(&provider, &function, SUBSCRIBER).await, "verified");
    }
    let granted = Value::Null;
    assert_eq!(errors(&provider).await, [json!("use_dpop_nonce"), granted.clone(), granted.clone(), granted]);
    let requests = provider.token_requests().await;
    assert_ne!(requests[0]["form"]["client_assertion"], requests[1]["form"]["client_assertion"], "a new assertion");
}

#[tokio::test]
async fn claims_that_discovery_demands_are_in_the_proofs() {
    let provider = Provider::demanding(&["dpop", "nonce", "camara"]).await;
    let client = provider.client(ES256);
    let discovery = provider.endpoint("/.well-known/openid-configuration");
    let verify_endpoint = provider.endpoint("/number-verification/v1/verify?tenant=a%20b");
    let sandbox = crate::support::sandbox().await;
    sandbox.set_secret_string(client.secret.to_string());
    let variables = [
        ("OPERATOR_BASE_URL", ""),
        ("OPERATOR_DISCOVERY_URL", &discovery),
        ("VERIFY_ENDPOINT", &verify_endpoint),
        ("SCOPE", "openid dpv:FraudPreventionAndDetection number-verification:verify"),
        ("OPERATOR_CA_FILE", &provider.ca),
        ("TOKEN_ENDPOINT_AUTH_METHOD", "private_key_jwt"),
        DPOP,
    ];
    let function = Function::deployed(sandbox, &variables).await;
    for (phone, outcome) in [(SUBSCRIBER, "verified"), (OTHER_NUMBER, "not_verified")] {
        assert_eq!(verify(&provider, &function, phone).await, outcome);
    }
    // The same operator, whose document was not read.
    let function = provider.function(client, &client.secret, &[DPOP]).await;
    assert_eq!(verify(&provider, &function, SUBSCRIBER).await, "misconfigured");
}

/// The function's address at which the operator reads the client's keys.
struct KeysAddress {
    url: String,
    serving: Arc<Mutex<Arc<Function>>>,
}

impl KeysAddress {
    async fn of(function: &Arc<Function>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/.well-known/client-jwks.json", listener.local_addr().unwrap());
        let serving = Arc::new(Mutex::new(Arc::clone(function)));
        let current = Arc::clone(&serving);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = String::from_utf8(read_message(&mut stream).await.unwrap()).unwrap();
                let function = Arc::clone(&current.lock().unwrap());
                let answer = function.get(request.split(' ').nth(1).unwrap(), &[]).await;
                let (status, cached, body) = (answer.status, answer.header("cache-control"), &answer.body);
                let head = format!("HTTP/1.1 {status} \r\nconnection: close\r\ncache-control: {cached}\r\n");
                let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, serving }
    }

    /// From now on, another environment of the function answers.
    fn served_by(&self, function: &Arc<Function>) {
        *self.serving.lock().unwrap() = Arc::clone(function);
    }
}

/// As docs/operations.md describes it. The operator keeps the keys that it has read for as long as `max-age` says, and
/// meanwhile refuses a key that it does not know.
#[tokio::test]
async fn rotating_the_clients_key_loses_nothing_at_an_operator_that_keeps_the_old_keys() {
    let sandbox = Arc::new(crate::support::sandbox().await);
    let first = Arc::new(Function::with_sandbox(Arc::clone(&sandbox), &[]));
    let keys = KeysAddress::of(&first).await;
    let provider = Provider::demanding(&["request_object", "dpop", "nonce", &keys.url]).await;
    let client = provider.client("keys at an address");
    let [old, new, third] = ["old", "new", "third"].map(|kid| {
        let mut secret = client.secret.clone();
        secret["private_key"] = new_key(kid);
        secret.to_string()
    });
    let environment = || Arc::new(provider.function_of(client, Arc::clone(&sandbox), &[SIGNED, DPOP]));
    let stale = async || {
        let request = Request::get(provider.endpoint("/keys-are-stale")).body(String::new());
        assert_eq!(provider.send(request.unwrap()).await.status, 200);
    };

    sandbox.set_secret_string(old);
    let one = environment();
    keys.served_by(&one);
    assert_eq!(verify(&provider, &one, SUBSCRIBER).await, "verified", "before");

    let mut browser = Browser::default();
    let callback = provider.authorize(start(&mut browser, &one, SUBSCRIBER).await).await;
    sandbox.set_secret_string(new.clone());
    let two = environment();
    keys.served_by(&two);
    assert_eq!(callback.open(&mut browser, &two).await, "verified", "started before, finished after");
    assert_eq!(verify(&provider, &two, SUBSCRIBER).await, "verified", "the operator knows only the old key");
    assert_eq!(verify(&provider, &one, SUBSCRIBER).await, "verified", "an environment that has not read the new one");

    stale().await;
    assert_eq!(verify(&provider, &two, SUBSCRIBER).await, "verified", "the operator reads both keys");
    sandbox.age_secret(Duration::from_mins(21));
    let three = environment();
    keys.served_by(&three);
    assert_eq!(verify(&provider, &three, SUBSCRIBER).await, "verified", "the new key signs");
    sandbox.age_secret(Duration::from_mins(10));
    let four = environment();
    keys.served_by(&four);
    stale().await;
    assert_eq!(verify(&provider, &four, SUBSCRIBER).await, "verified", "the old key is gone");

    let refused = Value::from("use_dpop_nonce");
    let requests = provider.token_requests().await;
    assert!(requests.iter().all(|request| request["error"].is_null() || request["error"] == refused), "{requests:?}");
    let granted = requests.iter().filter(|request| request["error"].is_null());
    let kids: Vec<_> = granted.map(|request| jwt_header(&request["form"]["client_assertion"])["kid"].clone()).collect();
    assert_eq!(kids, ["old", "old", "old", "old", "old", "new", "new"]);

    // The operator does keep them: a key that signs at once, because it was stored twice, is unknown to it.
    sandbox.set_secret_string(third.clone());
    sandbox.set_secret_string(third);
    assert_eq!(verify(&provider, &environment(), SUBSCRIBER).await, "operator_refused");
}

/// The operator dropped the old key too early, which a second key for the same request makes good.
#[tokio::test]
async fn old_key_that_is_refused_gives_way_to_the_new_one() {
    let provider = Provider::start().await;
    let client = provider.client(ES256);
    let mut old = client.secret.clone();
    old["private_key"] = new_key("unknown to the operator");
    let sandbox = Arc::new(crate::support::sandbox().await);
    sandbox.set_secret_string(old.to_string());
    sandbox.set_secret_string(client.secret.to_string());
    let function = provider.function_of(client, Arc::clone(&sandbox), &[]);
    assert_eq!(verify(&provider, &function, SUBSCRIBER).await, "verified");
    assert_eq!(errors(&provider).await, [json!("invalid_client"), Value::Null]);
}

/// A private P-256 key as a JWK.
fn new_key(kid: &str) -> Value {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let private: EcPrivateKeyBin<'_> = key.private_key().as_be_bytes().unwrap();
    json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "d": encode(private.as_ref()), "kid": kid })
}
