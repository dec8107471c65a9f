//! Proofs of possession (RFC 9449): the operator's right and wrong answers, on real sockets. `installed_tools/demanding_operator.rs` has
//! the certified provider.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::app::{query, secret, shop_basic};
use crate::support::far_side::{FarSide, Fault};
use crate::support::{Browser, Function, PHONE_MODE, sample_callback, sandbox};

const NUMBER: &str = "+34600000001";
const TOKEN: &str = "POST /token";
const VERIFY: &str = "POST /number-verification/v0/verify";
const DEVICE_PHONE_NUMBER: &str = "GET /number-verification/v0/device-phone-number";

const TRUE: &str = r#"{"devicePhoneNumberVerified":true}"#;
const WANTS_NONCE: &str = r#"{"error":"use_dpop_nonce"}"#;
/// The body of an API's 401, which only the header explains.
const UNAUTHENTICATED: &str = r#"{"status":401,"code":"UNAUTHENTICATED","message":"…"}"#;
const API_WANTS_NONCE: &str =
    "www-authenticate: DPoP error=\"use_dpop_nonce\", algs=\"ES256\"\r\ndpop-nonce: api-1\r\n";
const NONCE: &str = "dpop-nonce: n-1\r\n";

/// An operator that answers with one of these for each request, the last of them again and again. It forwards the browser's
/// requests to the sandbox.
struct Operator {
    far_side: FarSide,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Operator {
    async fn answering(sandbox: &sandbox::Sandbox, token: &[&'static str], api: &[&'static str]) -> Self {
        let far_side = FarSide::of(sandbox).await;
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let answers = [(TOKEN, token.to_vec()), (VERIFY, api.to_vec()), (DEVICE_PHONE_NUMBER, api.to_vec())];
        let seen = Arc::clone(&requests);
        far_side.plan(move |request| {
            let mut seen = seen.lock().unwrap();
            let known = answers.iter().find(|(line, _)| request.starts_with(line));
            let Some((line, answers)) = known else { return Fault::None };
            let before = seen.iter().filter(|earlier| earlier.starts_with(line)).count();
            seen.push(request.to_owned());
            Fault::Answer(answers[before.min(answers.len() - 1)])
        });
        Self { far_side, requests }
    }

    /// The requests to one endpoint.
    fn requests(&self, line: &str) -> Vec<String> {
        self.requests.lock().unwrap().iter().filter(|request| request.starts_with(line)).cloned().collect()
    }
}

fn http(status: u16, headers: &str, body: &str) -> &'static str {
    format!("HTTP/1.1 {status} \r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).leak()
}

fn token(token_type: &str) -> &'static str {
    http(200, "", &json!({ "access_token": "abc", "token_type": token_type }).to_string())
}

/// A request's header.
fn header<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    head.lines()
        .find_map(|line| line.split_once(": ").filter(|(known, _)| known.eq_ignore_ascii_case(name)))
        .map(|h| h.1)
}

/// The claims of a request's proof.
fn proof(request: &str) -> Option<Value> {
    let claims = header(request, "dpop")?.split('.').nth(1).unwrap();
    Some(serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap())
}

fn function(operator: &Operator, sandbox: Arc<sandbox::Sandbox>, dpop: &str) -> Function {
    let variables = [PHONE_MODE, &[("OPERATOR_BASE_URL", operator.far_side.url.as_str()), ("DPOP", dpop)]].concat();
    Function::with_sandbox(sandbox, &variables)
}

/// A row: its name, `DPOP`, the answers of both endpoints, the outcome, and the number of requests to each endpoint.
type Row = (&'static str, &'static str, Vec<&'static str>, Vec<&'static str>, &'static str, [usize; 2]);

async fn expect(rows: Vec<Row>) {
    for (name, dpop, token_answers, verify_answers, outcome, asked) in rows {
        let sandbox = Arc::new(sandbox().await);
        let operator = Operator::answering(&sandbox, &token_answers, &verify_answers).await;
        let function = function(&operator, sandbox, dpop);
        let answer = function.get_json(&sample_callback(NUMBER)).await;
        assert_eq!(answer.outcome(), outcome, "{name}: {}", answer.body);
        assert_eq!([TOKEN, VERIFY].map(|line| operator.requests(line).len()), asked, "{name}");
    }
}

fn verified() -> Vec<&'static str> {
    vec![http(200, "", TRUE)]
}

#[tokio::test]
async fn right_answers_are_a_verdict() {
    let (good, wants_nonce) = (token("DPoP"), http(400, NONCE, WANTS_NONCE));
    let api_wants_nonce = http(401, API_WANTS_NONCE, UNAUTHENTICATED);
    expect(vec![
        ("bound", "on", vec![good], verified(), "verified", [1, 1]),
        ("a nonce for the token", "on", vec![wants_nonce, good], verified(), "verified", [2, 1]),
        ("a nonce for verify", "on", vec![good], [vec![api_wants_nonce], verified()].concat(), "verified", [1, 2]),
        ("a nonce after 415", "on", vec![http(415, "", ""), wants_nonce, good], verified(), "verified", [3, 1]),
        ("not bound, which will do", "preferred", vec![token("Bearer")], verified(), "verified", [1, 1]),
    ])
    .await;
}

#[tokio::test]
async fn nonce_that_is_demanded_again_and_again_makes_no_loop() {
    let good = token("DPoP");
    let api_wants_nonce = vec![http(401, API_WANTS_NONCE, UNAUTHENTICATED)];
    let demand = |status, headers| vec![http(status, headers, WANTS_NONCE)];
    let spaced = "dpop-nonce: n 1\r\n";
    expect(vec![
        ("for the token", "on", demand(400, NONCE), verified(), "operator_error", [2, 0]),
        ("for the token, with 401", "on", demand(401, NONCE), verified(), "misconfigured", [2, 0]),
        ("for verify", "on", vec![good], api_wants_nonce.clone(), "operator_error", [1, 2]),
        ("without a nonce", "on", demand(400, ""), verified(), "operator_error", [1, 0]),
        ("with what cannot be one", "on", demand(400, spaced), verified(), "operator_error", [1, 0]),
        ("although there was no proof", "off", demand(400, NONCE), verified(), "operator_error", [1, 0]),
        ("the same at verify", "off", vec![token("Bearer")], api_wants_nonce, "operator_error", [1, 1]),
    ])
    .await;
}

#[tokio::test]
async fn wrong_token_and_rejected_proof_are_no_verdict() {
    let good = token("DPoP");
    let rejected = vec![http(400, NONCE, r#"{"error":"invalid_dpop_proof"}"#)];
    let challenge = |error| {
        let header = format!("www-authenticate: DPoP error=\"{error}\"\r\n");
        vec![http(401, &header, UNAUTHENTICATED)]
    };
    expect(vec![
        ("DPoP when none was requested", "off", vec![good], verified(), "operator_error", [1, 0]),
        ("Bearer with DPOP=on", "on", vec![token("Bearer")], verified(), "misconfigured", [1, 0]),
        ("another type", "preferred", vec![token("mac")], verified(), "operator_error", [1, 0]),
        ("rejected", "on", rejected.clone(), verified(), "misconfigured", [1, 0]),
        ("missing, in CAMARA's profile", "off", rejected.clone(), verified(), "misconfigured", [1, 0]),
        ("rejected at verify", "on", vec![good], rejected, "misconfigured", [1, 1]),
        ("rejected at verify, 401", "on", vec![good], challenge("invalid_dpop_proof"), "misconfigured", [1, 1]),
        ("bound to another key", "on", vec![good], challenge("invalid_token"), "operator_error", [1, 1]),
    ])
    .await;
}

#[tokio::test]
async fn newest_nonce_is_sent_at_once_in_the_next_verification() {
    let sandbox = Arc::new(sandbox().await);
    let bound = json!({ "access_token": "abc", "token_type": "DPoP" }).to_string();
    let token = [http(400, NONCE, WANTS_NONCE), http(200, "dpop-nonce: n-2\r\n", &bound)];
    let verify = [http(401, API_WANTS_NONCE, UNAUTHENTICATED), http(200, "", TRUE)];
    let operator = Operator::answering(&sandbox, &token, &verify).await;
    let function = function(&operator, sandbox, "on");
    for _ in 0..2 {
        assert_eq!(function.get_json(&sample_callback(NUMBER)).await.outcome(), "verified");
    }
    let nonces = |line| operator.requests(line).iter().map(|r| proof(r).unwrap()["nonce"].clone()).collect::<Vec<_>>();
    assert_eq!(nonces(TOKEN), [Value::Null, json!("n-1"), json!("n-2")]);
    assert_eq!(nonces(VERIFY), [Value::Null, json!("api-1"), json!("api-1")]);
}

#[tokio::test]
async fn each_request_has_a_proof_of_its_own_for_its_address() {
    let sandbox = Arc::new(sandbox().await);
    let operator = Operator::answering(&sandbox, &[token("DPoP")], &[http(200, "", TRUE)]).await;
    let function = function(&operator, sandbox, "on");
    assert_eq!(function.get_json(&sample_callback(NUMBER)).await.outcome(), "verified");
    let ([token], [verify]) = (&operator.requests(TOKEN)[..], &operator.requests(VERIFY)[..]) else {
        panic!("one each")
    };
    assert_eq!(header(verify, "authorization"), Some("DPoP abc"));
    let [of_token, of_verify] = [token, verify].map(|request| proof(request).unwrap());
    assert_eq!(of_token["htu"], format!("{}/token", operator.far_side.url));
    assert_eq!(of_verify["htu"], format!("{}/number-verification/v0/verify", operator.far_side.url));
    assert_eq!((&of_token["ath"], &of_token["htm"], &of_verify["htm"]), (&Value::Null, &json!("POST"), &json!("POST")));
    assert_ne!(of_token["jti"], of_verify["jti"]);
    let key = |request| header(request, "dpop").unwrap().split('.').next().unwrap().to_owned();
    assert_eq!(key(token), key(verify), "one key");
}

/// The other call that uses a token: without a body, and with a query in its address.
#[tokio::test]
async fn number_is_retrieved_with_proofs_too() {
    let sandbox = Arc::new(sandbox().await);
    let named = http(200, "", &json!({ "devicePhoneNumber": NUMBER }).to_string());
    let api = [http(401, API_WANTS_NONCE, UNAUTHENTICATED), named];
    let operator = Operator::answering(&sandbox, &[token("DPoP")], &api).await;
    let address = format!("{}/number-verification/v0/device-phone-number", operator.far_side.url);
    let variables = [
        ("OPERATOR_BASE_URL", operator.far_side.url.as_str()),
        ("RETRIEVE_NUMBER", "on"),
        ("DEVICE_PHONE_NUMBER_ENDPOINT", &format!("{address}?tenant=a")),
        ("DPOP", "on"),
    ];
    let function = Function::with_sandbox(sandbox, &variables);
    let mut browser = Browser::default();
    let started = browser.post(&function, "/start", "retrieve=true").await;
    let callback = function.at_operator(started.header("location")).await;
    let answer = browser.open_json(&function, &callback).await;
    assert_eq!(answer.outcome(), "verified", "{}", answer.body);
    let requests = operator.requests(DEVICE_PHONE_NUMBER);
    let proofs: Vec<_> = requests.iter().map(|request| proof(request).unwrap()).collect();
    assert_eq!(proofs.iter().map(|claims| claims["nonce"].clone()).collect::<Vec<_>>(), [Value::Null, json!("api-1")]);
    assert!(proofs.iter().all(|claims| claims["htm"] == "GET" && claims["htu"] == address.as_str()), "{proofs:?}");
}

/// A token that is bound to nothing has no proof at verify, and a Bearer token is asked for without one.
#[tokio::test]
async fn bearer_tokens_are_sent_without_a_proof() {
    for (dpop, at_token) in [("preferred", true), ("off", false)] {
        let sandbox = Arc::new(sandbox().await);
        let operator = Operator::answering(&sandbox, &[token("Bearer")], &[http(200, "", TRUE)]).await;
        let function = function(&operator, sandbox, dpop);
        assert_eq!(function.get_json(&sample_callback(NUMBER)).await.outcome(), "verified", "{dpop}");
        let [token, verify] = [TOKEN, VERIFY].map(|line| operator.requests(line).remove(0));
        assert_eq!((proof(&token).is_some(), proof(&verify)), (at_token, None), "{dpop}");
        assert_eq!(header(&verify, "authorization"), Some("Bearer abc"));
    }
}

#[tokio::test]
async fn operator_token_is_exchanged_with_a_proof_and_a_new_assertion_for_each_request() {
    let sandbox = Arc::new(sandbox().await);
    let mut secret = secret();
    secret["private_key"] = sandbox.private_key_pem().into();
    sandbox.set_secret_string(secret.to_string());
    let answers = [http(400, NONCE, WANTS_NONCE), token("DPoP")];
    let operator = Operator::answering(&sandbox, &answers, &[http(200, "", TRUE)]).await;
    let variables = [("OPERATOR_BASE_URL", operator.far_side.url.as_str()), ("DPOP", "on")];
    let function = Function::with_sandbox(sandbox, &variables);
    let body = query(&[("phoneNumber", NUMBER), ("operatorToken", "a.b.c")]);
    let answer = function.post("/verify", &body, &[("authorization", &shop_basic())]).await;
    assert_eq!(answer.outcome(), "verified", "{}", answer.body);
    let [first, second] = &operator.requests(TOKEN)[..] else { panic!("two token requests") };
    assert_eq!([first, second].map(|request| proof(request).unwrap()["nonce"].clone()), [Value::Null, json!("n-1")]);
    let assertion = |request: &str| request.split("&assertion=").nth(1).unwrap().to_owned();
    assert_ne!(assertion(first), assertion(second));
}
