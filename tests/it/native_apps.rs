//! A verification without a cookie: `/start` gives the program a `binding`, and `/complete` finishes it.

use sandbox::{Leg, Scenario};
use serde_json::{Value, json};

use crate::support::app::{
    SHOP_URI, altered, parameter, provider, query, sent_back, shop_request, shop_tokens, verified_claims,
};
use crate::support::{AS_JSON, Answer, Browser, CALLBACK, Function, PHONE_MODE, http_api_event};

/// The values that an app has after the operator's redirect.
struct Held {
    code: String,
    state: String,
    binding: String,
}

impl Held {
    /// Starts a verification as a program, and follows the redirects over mobile data up to the callback.
    async fn start(function: &Function, fields: &str) -> Self {
        let answer = function.post("/start", fields, &[AS_JSON]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(!answer.headers.contains_key("set-cookie"));
        let json = answer.json();
        let text = |member: &str| json[member].as_str().unwrap().to_owned();
        let callback = function.at_operator(&text("authorization_url")).await;
        let (_, query) = callback.split_once('?').unwrap();
        let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let (code, state) = (parameter(&parameters, "code").to_owned(), parameter(&parameters, "state").to_owned());
        Self { code, state, binding: text("binding") }
    }

    fn callback(&self) -> String {
        format!("{CALLBACK}?{}", query(&[("code", &self.code), ("state", &self.state)]))
    }

    fn json(&self) -> Value {
        json!({ "code": self.code, "state": self.state, "binding": self.binding })
    }
}

const NUMBER: &str = "phone=%2B34600000001";

async fn complete(function: &Function, body: &Value) -> Answer {
    function.post("/complete", &body.to_string(), &[("content-type", "application/json")]).await
}

#[tokio::test]
async fn program_finishes_without_a_cookie() {
    let function = Function::start(&[]).await;
    for (phone, outcome, status) in [
        ("phone=%2B34600000001", "verified", 200),
        ("phone=%2B34600000002", "not_verified", 200),
        ("phone=%2B34600000003", "not_on_mobile_network", 403),
    ] {
        let held = Held::start(&function, phone).await;
        let answer = complete(&function, &held.json()).await;
        assert_eq!((answer.outcome(), answer.status), (outcome, status));
        assert!(!answer.headers.contains_key("set-cookie"), "{outcome}");
        assert!(answer.json().get("code").is_none(), "{outcome}: no app asked");
    }
    let held = Held::start(&function, NUMBER).await;
    let form = query(&[("code", &held.code), ("state", &held.state), ("binding", &held.binding)]);
    assert_eq!(function.post("/complete", &form, &[("accept", "text/html")]).await.outcome(), "verified", "as a form");
}

#[tokio::test]
async fn lost_answer_is_repeated_without_asking_the_operator_again() {
    let function = Function::start(&[]).await;
    let held = Held::start(&function, NUMBER).await;
    for _ in 0..3 {
        assert_eq!(complete(&function, &held.json()).await.outcome(), "verified");
    }
    assert_eq!((function.sandbox.count(Leg::Token), function.sandbox.count(Leg::Verify)), (1, 1));
    let elsewhere = Function::with_sandbox(function.sandbox.clone(), &[]);
    assert_eq!(complete(&elsewhere, &held.json()).await.outcome(), "expired_code", "another environment knows nothing");
}

#[tokio::test]
async fn nobody_finishes_without_the_binding() {
    let function = Function::start(&[]).await;
    let (held, other) = (Held::start(&function, NUMBER).await, Held::start(&function, NUMBER).await);
    for (name, binding) in [
        ("none", json!(null)),
        ("an empty one", json!("")),
        ("rubbish", json!("rubbish")),
        ("another verification's", json!(other.binding)),
        ("the state", json!(held.state)),
    ] {
        let body = json!({ "code": held.code, "state": held.state, "binding": binding });
        assert_eq!(complete(&function, &body).await.outcome(), "wrong_browser", "{name}");
    }
    let altered = json!({ "code": held.code, "state": altered(&held.state), "binding": held.binding });
    assert_eq!(complete(&function, &altered).await.outcome(), "invalid_state");
    assert_eq!(function.sandbox.count(Leg::Token), 0);
    let wrong_code = json!({ "code": "made-up", "state": held.state, "binding": held.binding });
    assert_eq!(complete(&function, &wrong_code).await.outcome(), "expired_code");
    assert_eq!(complete(&function, &held.json()).await.outcome(), "verified", "the genuine code is still good");
}

/// An SDK that forces a request over mobile data follows the operator's redirect to the end.
#[tokio::test]
async fn callback_that_an_sdk_followed_spends_nothing_and_complete_still_works() {
    let function = Function::start(&[]).await;
    let held = Held::start(&function, NUMBER).await;
    let cookie = format!("__Host-nv-x={}", held.binding);
    for headers in [&[AS_JSON][..], &[AS_JSON, ("cookie", &cookie)]] {
        let answer = function.get(&held.callback(), headers).await;
        assert_eq!(answer.outcome(), "wrong_browser");
        let json = answer.json();
        assert_eq!((&json["code"], &json["state"]), (&json!(held.code), &json!(held.state)));
    }
    assert_eq!(function.sandbox.count(Leg::Token), 0);
    assert_eq!(complete(&function, &held.json()).await.outcome(), "verified");
}

/// The state says which way it was made for.
#[tokio::test]
async fn the_two_ways_never_finish_each_others_verifications() {
    let function = Function::start(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    let (_, sent) = callback.split_once('?').unwrap();
    let parameters: Vec<(String, String)> = form_urlencoded::parse(sent.as_bytes()).into_owned().collect();
    let cookie = browser.cookies().remove(0);
    let (name, text) = cookie.split_once('=').unwrap();
    let body =
        json!({ "code": parameter(&parameters, "code"), "state": parameter(&parameters, "state"), "binding": text });
    assert_eq!(complete(&function, &body).await.outcome(), "wrong_browser", "a cookie as the binding");

    let held = Held::start(&function, NUMBER).await;
    let renamed = format!("{}{}={}", "__Host-nv-", handle(&held.state), held.binding);
    assert_ne!(renamed.split('=').next(), Some(name));
    let answer = function.get(&held.callback(), &[AS_JSON, ("cookie", &renamed)]).await;
    assert_eq!(answer.outcome(), "wrong_browser", "the binding as a cookie");
    assert_eq!(function.sandbox.count(Leg::Token), 0);
}

/// The name under which a browser would keep the text: 12 characters of the state's SHA-256.
fn handle(state: &str) -> String {
    use base64::Engine as _;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, state.as_bytes());
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(hash)[..12].to_owned()
}

#[tokio::test]
async fn link_sent_to_a_victim_verifies_nobody() {
    let function = Function::start(&[]).await;
    let attacker = Held::start(&function, NUMBER).await;
    // The victim's phone opens the operator's link and lands on the callback.
    let headers = [("accept", "text/html"), ("sec-fetch-dest", "document")];
    let landed = Browser::default().open_with(&function, &attacker.callback(), &headers).await;
    assert_eq!(landed.status, 303);
    assert!(!landed.header("location").contains(&attacker.code), "the code does not stay in the address bar");
    let without_code = json!({ "state": attacker.state, "binding": attacker.binding });
    assert_eq!(complete(&function, &without_code).await.outcome(), "invalid_request", "the attacker has no code");
}

#[tokio::test]
async fn operators_error_has_its_outcome() {
    let function = Function::start(&[]).await;
    let held = Held::start(&function, NUMBER).await;
    let body = json!({ "error": "access_denied", "state": held.state, "binding": held.binding });
    assert_eq!(complete(&function, &body).await.outcome(), "access_denied");
    let unbound = json!({ "error": "access_denied", "state": held.state });
    assert_eq!(complete(&function, &unbound).await.outcome(), "wrong_browser");
}

#[tokio::test]
async fn apps_back_end_gets_a_code_only_for_verified() {
    let function = provider(&[]).await;
    let request = shop_request(&[]);
    let fields = |phone: &str| format!("{}&phone=%2B{phone}", request.strip_prefix("/authorize?").unwrap());
    let held = Held::start(&function, &fields("34600000001")).await;
    let answer = complete(&function, &held.json()).await;
    assert_eq!(answer.outcome(), "verified");
    let json = answer.json();
    assert_eq!((&json["state"], &json["iss"]), (&json!("s-1"), &json!(crate::support::app::ISSUER)));
    let code = json["code"].as_str().unwrap().to_owned();
    assert_eq!(complete(&function, &held.json()).await.json()["code"], code.as_str(), "the same one again");
    let tokens = shop_tokens(&function, &code).await.json();
    let (_, claims) = verified_claims(&function, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!((&claims["nonce"], &claims["phone_number"]), (&json!("n-1"), &json!("+34600000001")));

    let held = Held::start(&function, &fields("34600000002")).await;
    let answer = complete(&function, &held.json()).await;
    assert_eq!(answer.outcome(), "not_verified");
    assert!(answer.json().get("code").is_none() && !answer.body.contains("shop.example"), "{}", answer.body);

    // The app's request comes from the binding alone.
    let held = Held::start(&function, NUMBER).await;
    let mut body = held.json();
    body["client_id"] = "shop".into();
    body["redirect_uri"] = SHOP_URI.into();
    let answer = complete(&function, &body).await;
    assert_eq!(answer.outcome(), "verified");
    assert!(answer.json().get("code").is_none());

    let json = json!({
        "phone": "+34600000001", "client_id": "shop", "redirect_uri": SHOP_URI, "response_type": "code",
        "scope": "openid", "state": "s-1",
    });
    let headers = [AS_JSON, ("content-type", "application/json")];
    let answer = function.post("/start", &json.to_string(), &headers).await;
    assert!(answer.json()["binding"].is_string(), "the request as JSON: {}", answer.body);
    let mut wrong = json.clone();
    wrong["scope"] = "phone".into();
    let back = sent_back(&function.post("/start", &wrong.to_string(), &headers).await, SHOP_URI);
    assert_eq!(parameter(&back, "error"), "invalid_scope");
}

#[tokio::test]
async fn unusable_bodies_are_refused() {
    let function = Function::start(&[]).await;
    let held = Held::start(&function, NUMBER).await;
    let json = [("content-type", "application/json")];
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let good = query(&[("code", &held.code), ("state", &held.state), ("binding", &held.binding)]);
    let (long, large) = ("x".repeat(5000), format!("{good}&x={}", "x".repeat(20_000)));
    for (name, body, headers) in [
        ("not JSON", "{".to_owned(), &json),
        ("an array", "[]".to_owned(), &json),
        ("a number as code", json!({"code": 1, "state": held.state, "binding": held.binding}).to_string(), &json),
        ("two codes", format!("{good}&code=x"), &form),
        ("two bindings", format!("{good}&binding=x"), &form),
        ("no state", query(&[("code", &held.code), ("binding", &held.binding)]), &form),
        ("a long code", query(&[("code", &long), ("state", &held.state), ("binding", &held.binding)]), &form),
        ("a large body", large, &form),
        ("two members of one name", format!(r#"{{"code":"a","code":"b","state":"{}"}}"#, held.state), &json),
        ("empty", String::new(), &form),
    ] {
        let answer = function.post("/complete", &body, headers).await;
        assert_eq!((answer.status, answer.outcome()), (400, "invalid_request"), "{name}");
    }
    let xml = function.post("/complete", "<code/>", &[("content-type", "application/xml")]).await;
    assert_eq!((xml.status, xml.outcome()), (415, "invalid_request"));
    assert_eq!(function.sandbox.count(Leg::Token), 0);
    assert_eq!(complete(&function, &held.json()).await.outcome(), "verified", "none of it used anything up");
}

#[tokio::test]
async fn complete_is_a_post_for_programs_only() {
    let function = Function::start(&[("ALLOWED_ORIGINS", "https://www.shop.example")]).await;
    let get = function.get("/complete", &[]).await;
    assert_eq!((get.status, get.header("allow")), (405, "POST"));
    let held = Held::start(&function, NUMBER).await;
    for origin in ["https://www.shop.example", "https://evil.example"] {
        let headers = [("content-type", "application/json"), ("origin", origin)];
        let answer = function.post("/complete", &held.json().to_string(), &headers).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
    }
    let preflight = http_api_event("OPTIONS", "/complete", &[("origin", "https://x.example")], "");
    assert_eq!(function.invoke(&preflight).await.status, 405);
    let phone_mode = Function::start(PHONE_MODE).await;
    assert_eq!(complete(&phone_mode, &held.json()).await.status, 404);
}

/// A program knows its own way back to its app, so it is never redirected there.
#[tokio::test]
async fn start_that_fails_has_its_outcome_for_the_program() {
    // The secret has no key that could sign.
    let function = provider(&[("REQUEST_OBJECT", "signed")]).await;
    for prompt in ["none", "login"] {
        let request = shop_request(&[("prompt", prompt)]);
        let fields = format!("{}&{NUMBER}", request.strip_prefix("/authorize?").unwrap());
        let answer = function.post("/start", &fields, &[AS_JSON]).await;
        assert_eq!((answer.status, answer.outcome()), (500, "misconfigured"), "{prompt}");
        assert!(!answer.headers.contains_key("location") && !answer.body.contains("shop.example"), "{prompt}");
    }
}

#[tokio::test]
async fn failure_of_the_operator_can_be_tried_again() {
    let function = Function::start(&[]).await;
    function.sandbox.set_scenario(Scenario::OperatorDown);
    let held = Held::start(&function, NUMBER).await;
    assert_eq!(complete(&function, &held.json()).await.outcome(), "operator_error");
    function.sandbox.set_scenario(Scenario::ByNumber);
    assert_eq!(complete(&function, &held.json()).await.outcome(), "verified");
}
