//! Two operators of one deployment, one of which passes off the other's answer as its own, or the other way round
//! (RFC 9700 §4.4). None of it is a verdict, and no code goes further than it must.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sandbox::{Leg, Scripted};
use serde_json::{Value, json};

use crate::support::app::{parameter, query};
use crate::support::several::{Several, client_id};
use crate::support::{AS_JSON, Answer, Browser, CALLBACK, Function, send};

const SPANISH: &str = "+34600000001";
const FRENCH: &str = "+33600000001";

async fn two() -> Several {
    Several::start(&[("es", &["+34"]), ("fr", &["+33"])]).await
}

/// Two operators whose issuers are known.
async fn two_with_issuers() -> Several {
    let mut several = two().await;
    for name in ["es", "fr"] {
        several.operators[name]["issuer"] = several.at(name).base_url().into();
    }
    several
}

/// The parameters of an address.
fn parameters(address: &str) -> Vec<(String, String)> {
    let (_, query) = address.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn value(address: &str, name: &str) -> String {
    parameter(&parameters(address), name).to_owned()
}

/// An address with another value of a parameter; without the parameter, if the value is empty.
fn with(address: &str, name: &str, value: &str) -> String {
    let (path, _) = address.split_once('?').unwrap();
    let parameters = parameters(address);
    let pairs = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    format!("{path}?{}", query(&pairs.chain([(name, value)]).collect::<Vec<_>>()))
}

/// `es` is the attacker: it sends the browser on to `fr`, with its own state.
#[tokio::test]
async fn state_of_one_operator_opens_nothing_at_the_callback_of_another() {
    let several = two().await;
    let function = several.function(&[]);
    let mut browser = Browser::default();
    let to_es = browser.start(&function, SPANISH).await;
    let to_fr = browser.start(&function, FRENCH).await;
    let mixed = function.at_operator(&with(&to_fr, "state", &value(&to_es, "state"))).await;
    assert!(mixed.starts_with(&format!("{CALLBACK}/fr?")), "{mixed}");

    let answer = browser.open_json(&function, &mixed).await;
    assert_eq!((answer.status, answer.outcome()), (400, "invalid_state"));
    assert!(answer.json().get("code").is_none(), "a page of the attacker's cannot read the code");
    assert!(several.calls().is_empty(), "{:?}", several.calls());

    let unspent = with(&mixed, "state", &value(&to_fr, "state"));
    assert_eq!(browser.open_json(&function, &unspent).await.outcome(), "verified", "the code of fr is unspent");
}

/// Without a registered address of its own, an operator could ask for a code at another's callback.
#[tokio::test]
async fn operator_sends_no_code_to_the_callback_of_another() {
    let several = two().await;
    let function = several.function(&[]);
    let to_es = Browser::default().start(&function, SPANISH).await;
    let to_fr = Browser::default().start(&function, FRENCH).await;
    let mixed = with(&to_fr, "redirect_uri", &value(&to_es, "redirect_uri"));
    let answer = send(http::Request::get(mixed).body(String::new()).unwrap()).await;
    assert_eq!((answer.status, answer.header("location")), (400, ""), "{}", answer.body);
}

#[tokio::test]
async fn code_of_one_operator_is_refused_by_the_other_and_stays_unspent() {
    let several = two().await;
    let function = several.function(&[]);
    let mut browser = Browser::default();
    let at_es = browser.callback_of(&function, SPANISH).await;
    let at_fr = browser.callback_of(&function, FRENCH).await;

    let mixed = with(&at_fr, "code", &value(&at_es, "code"));
    assert_eq!(browser.open_json(&function, &mixed).await.outcome(), "expired_code");
    assert_eq!(several.calls(), [("fr", 1, 0)], "es is not asked");
    for (callback, operator) in [(at_es, "es"), (at_fr, "fr")] {
        assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified", "the code of {operator}");
    }
}

#[tokio::test]
async fn iss_must_be_the_operators_own() {
    let several = two_with_issuers().await;
    let function = several.function(&[]);
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, FRENCH).await;
    assert_eq!(value(&callback, "iss"), several.at("fr").base_url());
    for (name, iss) in [("the other operator's", several.at("es").base_url()), ("none", String::new())] {
        let answer = browser.open_json(&function, &with(&callback, "iss", &iss)).await;
        assert_eq!((answer.status, answer.outcome()), (400, "invalid_request"), "{name}");
        assert!(several.calls().is_empty(), "{name}");
    }
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
}

#[tokio::test]
async fn id_token_must_be_the_operators_own() {
    let mut several = two_with_issuers().await;
    several.operators["fr"]["scope"] = "openid dpv:FraudPreventionAndDetection#number-verification-verify-read".into();
    let function = several.function(&[]);
    let (es, fr) = (several.at("es").base_url(), several.at("fr").base_url());
    // Nothing else is wrong, as the last row shows.
    for (name, iss, aud, asked) in [
        ("the issuer is the other operator", &es, client_id("fr"), 0),
        ("it is for our client at the other operator", &fr, client_id("es"), 0),
        ("both", &es, client_id("es"), 0),
        ("neither", &fr, client_id("fr"), 1),
    ] {
        several.at("fr").clear_requests();
        let mut browser = Browser::default();
        let to_fr = browser.start(&function, FRENCH).await;
        let claims = json!({ "iss": iss, "aud": aud, "exp": 4_102_444_800_u64, "nonce": value(&to_fr, "nonce") });
        let id_token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
        let token = json!({ "access_token": "token", "token_type": "Bearer", "id_token": id_token });
        several.at("fr").script(Leg::Token, Some(Scripted::json(200, &token)));
        let verdict = json!({ "devicePhoneNumberVerified": true });
        several.at("fr").script(Leg::Verify, Some(Scripted::json(200, &verdict)));
        let callback = function.at_operator(&to_fr).await;
        let answer = browser.open_json(&function, &callback).await;
        assert_eq!(answer.outcome(), if asked == 0 { "operator_error" } else { "verified" }, "{name}");
        assert_eq!(several.calls(), [("fr", 1, asked)], "{name}");
    }
}

/// A program's verification: the callback at which the operator's redirects ended, and its `binding`.
async fn started_by_program(function: &Function, phone: &str) -> (String, Value) {
    let started = function.post("/start", &query(&[("phone", phone)]), &[AS_JSON]).await.json();
    let callback = function.at_operator(started["authorization_url"].as_str().unwrap()).await;
    (callback, started["binding"].clone())
}

async fn complete(function: &Function, callback: &str, binding: &Value) -> Answer {
    let mut body: Value = parameters(callback).into_iter().collect();
    body["binding"] = binding.clone();
    function.post("/complete", &body.to_string(), &[("content-type", "application/json")]).await
}

/// A program does not say at which callback it arrived: the state does.
#[tokio::test]
async fn program_completes_only_with_the_operator_of_its_state() {
    for (issuers, several) in [(false, two().await), (true, two_with_issuers().await)] {
        let function = several.function(&[]);
        let (at_es, es_binding) = started_by_program(&function, SPANISH).await;
        let (at_fr, fr_binding) = started_by_program(&function, FRENCH).await;

        let answer = complete(&function, &at_fr, &es_binding).await;
        assert_eq!(answer.outcome(), "wrong_browser", "the binding of the other operator's verification");
        assert!(several.calls().is_empty());

        // The parameters of a redirect from `es`, with the state for `fr`.
        let mixed = with(&at_es, "state", &value(&at_fr, "state"));
        let outcome = complete(&function, &mixed, &fr_binding).await.outcome();
        if issuers {
            assert_eq!(outcome, "invalid_request", "iss is the other operator's");
            assert!(several.calls().is_empty());
        } else {
            assert_eq!(outcome, "expired_code");
            assert_eq!(several.calls(), [("fr", 1, 0)], "es is not asked");
        }
        for (callback, binding) in [(at_es, es_binding), (at_fr, fr_binding)] {
            assert_eq!(complete(&function, &callback, &binding).await.outcome(), "verified", "each code is unspent");
        }
    }
}
