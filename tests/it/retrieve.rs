//! The number from the operator (`RETRIEVE_NUMBER`): in a browser, for programs, and with several operators.

use sandbox::{Leg, Sandbox, Scenario, Served, Settings};
use serde_json::{Value, json};

use crate::logs::{ALL_LEVELS, assert_clean, query_values};
use crate::support::{AS_JSON, Answer, Browser, CALLBACK, Function, sandbox};

pub const ON: (&str, &str) = ("RETRIEVE_NUMBER", "on");
/// The number of the sandbox's SIM.
const SIM: &str = "+34600000001";

impl Browser {
    /// Taps "use this phone's number", and returns the operator's URL.
    pub async fn tap(&mut self, function: &Function, more: &str) -> String {
        let answer = self.post(function, "/start", &format!("retrieve=true{more}")).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.header("location").to_owned()
    }

    /// The same, up to the callback.
    pub async fn retrieving_callback(&mut self, function: &Function) -> String {
        let url = self.tap(function, "").await;
        function.at_operator(&url).await
    }

    /// A whole retrieval, with the callback as JSON.
    pub async fn retrieve(&mut self, function: &Function) -> Answer {
        let callback = self.retrieving_callback(function).await;
        self.open_json(function, &callback).await
    }
}

/// The number of requests for a token, of questions about a number, and of requests for the number.
pub fn calls(function: &Function) -> [usize; 3] {
    [Leg::Token, Leg::Verify, Leg::DevicePhoneNumber].map(|leg| function.sandbox.count(leg))
}

fn verified() -> Value {
    json!({
        "outcome": "verified",
        "devicePhoneNumberVerified": true,
        "phone_number": "+34 ••• ••• 001",
        "correlator": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    })
}

/// A function with two operators, which are the same sandbox.
pub async fn two_operators() -> Function {
    let client = json!({ "client_id": "my-app-id", "client_secret": "my-app-secret" });
    let members = json!({ "operators": { "es": client, "fr": client } });
    let secret_members = members.as_object().unwrap().clone();
    let sandbox = Sandbox::start(Settings { secret_members, ..Settings::default() }).await.unwrap();
    let base_url = sandbox.base_url();
    let operator = |prefixes: &[&str]| json!({ "prefixes": prefixes, "base_url": base_url });
    let operators = json!({ "es": operator(&["+34"]), "fr": operator(&["+33", "+590"]) }).to_string();
    Function::with_sandbox(sandbox, &[ON, ("OPERATORS", &operators)])
}

#[tokio::test]
async fn browser_is_shown_the_number_that_the_operator_names() {
    let function = Function::start(&[ON, ("LOGIN_HINT", "tel")]).await;
    let mut browser = Browser::default();
    let page = browser.open(&function, "/").await;
    assert!(page.body.contains("Use this phone’s number"), "{}", page.body);
    let callback = browser.retrieving_callback(&function).await;
    let page = browser.open(&function, &callback).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Phone number verified") && page.body.contains("+34 ••• ••• 001"), "{}", page.body);
    assert!(!page.body.contains("600000001"), "{}", page.body);
    for _ in 0..2 {
        let mut again = browser.open_json(&function, &callback).await.json();
        assert!(again["correlator"].is_string());
        again["correlator"] = verified()["correlator"].clone();
        assert_eq!(again, verified(), "a reload shows the same");
    }
    assert_eq!(calls(&function), [1, 0, 1]);
    let Served { method, path, x_correlator, fields, .. } = function.last_request(Leg::DevicePhoneNumber);
    assert_eq!((method.as_str(), path.as_str()), ("GET", "/number-verification/v0/device-phone-number"));
    assert!(x_correlator.is_some() && fields.is_empty());
    assert_eq!(Browser::default().open_json(&function, &callback).await.outcome(), "wrong_browser");
}

#[tokio::test]
async fn scope_is_the_one_for_the_number() {
    const V1: &str = "openid dpv:FraudPreventionAndDetection number-verification:verify";
    const V1_RETRIEVE: &str = "dpv:FraudPreventionAndDetection number-verification:device-phone-number:read";
    for (name, variables, scope) in [
        ("version 0", vec![ON], "dpv:FraudPreventionAndDetection#number-verification-share-read"),
        ("version 1", vec![ON, ("SCOPE", &V1["openid ".len()..])], V1_RETRIEVE),
        ("its own", vec![ON, ("RETRIEVE_SCOPE", V1_RETRIEVE)], V1_RETRIEVE),
        ("its own without openid", vec![ON, ("SCOPE", V1), ("RETRIEVE_SCOPE", V1_RETRIEVE)], V1_RETRIEVE),
    ] {
        let function = Function::start(&variables).await;
        let answer = Browser::default().retrieve(&function).await;
        assert_eq!(answer.outcome(), "verified", "{name}");
        let Served { fields, .. } = function.last_request(Leg::Authorize);
        assert_eq!(fields["scope"], scope, "{name}");
        assert!(fields.contains_key("code_challenge") && !fields.contains_key("login_hint"), "{name}");
        assert!(!fields.contains_key("nonce"), "{name}");
    }
    let function = Function::start(&[ON, ("SCOPE", V1)]).await;
    let url = Browser::default().tap(&function, "").await;
    assert!(url.contains("scope=openid%20dpv%3A") && url.contains("&nonce="), "{url}");
}

/// Starts as a program, follows the redirect, and returns the body for `/complete`.
pub async fn start_as_a_program(function: &Function, body: &str, content_type: &str) -> Value {
    let headers = [AS_JSON, ("content-type", content_type)];
    let answer = function.post("/start", body, &headers).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let callback = function.at_operator(answer.json()["authorization_url"].as_str().unwrap()).await;
    let (_, query) = callback.split_once('?').unwrap();
    let held = form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into()));
    let mut held: serde_json::Map<String, Value> = held.collect();
    held.insert("binding".to_owned(), answer.json()["binding"].clone());
    held.into()
}

pub async fn complete(function: &Function, held: &Value) -> Answer {
    function.post("/complete", &held.to_string(), &[("content-type", "application/json")]).await
}

#[tokio::test]
async fn program_gets_the_number_masked_and_the_same_again() {
    let function = Function::start(&[ON]).await;
    for (name, body, content_type) in [
        ("a form", "retrieve=true", "application/x-www-form-urlencoded"),
        ("a JSON boolean", r#"{"retrieve": true}"#, "application/json"),
        ("JSON text", r#"{"retrieve": "true", "phone": null}"#, "application/json"),
    ] {
        function.sandbox.clear_requests();
        let held = start_as_a_program(&function, body, content_type).await;
        let answer = complete(&function, &held).await;
        let mut expected = verified();
        expected["correlator"] = answer.header("x-correlator").into();
        assert_eq!((answer.status, answer.json()), (200, expected), "{name}");
        let again = complete(&function, &held).await;
        assert_eq!((again.outcome(), &again.json()["phone_number"]), ("verified", &json!("+34 ••• ••• 001")), "{name}");
        assert_eq!(calls(&function), [1, 0, 1], "{name}");
    }
}

#[tokio::test]
async fn start_with_anything_unclear_is_invalid() {
    let function = Function::start(&[ON]).await;
    for (name, body) in [
        ("a number too", "retrieve=true&phone=%2B34600000001"),
        ("an empty number", "retrieve=true&phone="),
        ("a number as login_hint", "retrieve=true&login_hint=%2B34600000001"),
        ("twice", "retrieve=true&retrieve=true"),
        ("in capitals", "retrieve=TRUE"),
        ("a 1", "retrieve=1"),
        ("another word, and a number", "retrieve=yes&phone=%2B34600000001"),
        ("two operators", "retrieve=true&operator=es&operator=fr"),
        ("a JSON number", r#"{"retrieve": 1}"#),
        ("an object", r#"{"retrieve": {"phone": true}}"#),
    ] {
        let content_type = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let answer = function.post("/start", body, &[AS_JSON, ("content-type", content_type)]).await;
        assert_eq!((answer.status, answer.outcome()), (400, "invalid_request"), "{name}");
        assert!(!answer.body.contains("600"), "{name}: not the form's words: {}", answer.body);
    }
    for (name, body) in [("false", "retrieve=false&phone=%2B34600000001"), ("empty", "retrieve=&phone=%2B34600000001")]
    {
        let url = function.post("/start", body, &[]).await.header("location").to_owned();
        assert!(url.contains("number-verification-verify-read"), "{name}: {url}");
    }
    let empty = function.post("/start", "retrieve=false", &[]).await;
    assert!(empty.status == 400 && empty.body.contains("Enter your phone number."), "{}", empty.body);
}

#[tokio::test]
async fn without_the_setting_there_is_only_the_form() {
    let function = Function::start(&[]).await;
    assert!(!function.get("/", &[]).await.body.contains("Use this phone’s number"));
    let form = function.post("/start", "retrieve=true", &[]).await;
    assert!(form.status == 400 && form.body.contains("Enter your phone number."), "{}", form.body);
    let url = function.post("/start", "retrieve=true&phone=%2B34600000001", &[]).await.header("location").to_owned();
    assert!(url.contains("number-verification-verify-read"), "{url}");
}

#[tokio::test]
async fn one_of_several_operators_is_chosen_and_vouches_for_its_prefixes() {
    let function = two_operators().await;
    let page = function.get("/", &[]).await;
    for name in ["es", "fr"] {
        assert!(page.body.contains(&format!(r#"name="operator" value="{name}">{name}</button>"#)), "{}", page.body);
    }
    for (operator, outcome, status) in
        [("", "invalid_request", 400), ("&operator=", "invalid_request", 400), ("&operator=de", "not_covered", 422)]
    {
        let answer = function.post("/start", &format!("retrieve=true{operator}"), &[AS_JSON]).await;
        assert_eq!((answer.outcome(), answer.status), (outcome, status), "{operator}");
    }
    for (operator, outcome) in [("es", "verified"), ("fr", "operator_error")] {
        let mut browser = Browser::default();
        let url = browser.tap(&function, &format!("&operator={operator}")).await;
        let callback = function.at_operator(&url).await;
        assert!(callback.starts_with(&format!("{CALLBACK}/{operator}?")), "{callback}");
        for _ in 0..2 {
            let answer = browser.open_json(&function, &callback).await;
            assert_eq!(answer.outcome(), outcome, "{operator}");
            assert_eq!(answer.json().get("phone_number").is_some(), outcome == "verified", "{operator}");
        }
    }
    assert_eq!(calls(&function), [2, 0, 2]);
    let held = start_as_a_program(&function, r#"{"retrieve": true, "operator": "es"}"#, "application/json").await;
    assert_eq!(complete(&function, &held).await.outcome(), "verified");
}

/// The number is in no address, and in no line at the finest level.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn number_from_the_operator_is_in_no_log_line_and_no_address() {
    let function = Function::deployed(sandbox().await, &[&ALL_LEVELS[..], &[ON]].concat()).await;
    let mut forbidden = vec![SIM.to_owned(), SIM[1..].to_owned(), "600 000 001".to_owned()];
    for scenario in [Scenario::ByNumber, Scenario::OnWifi, Scenario::Rubbish, Scenario::RateLimited] {
        function.sandbox.set_scenario(scenario);
        let mut browser = Browser::default();
        let url = browser.tap(&function, "").await;
        let callback = function.at_operator(&url).await;
        assert!(!url.contains("600000001") && !callback.contains("600000001"), "{url} {callback}");
        let answer = browser.open_json(&function, &callback).await;
        function.logged(answer.header("x-correlator")).await;
        browser.open(&function, &callback).await;
        forbidden.extend(query_values(&callback));
        forbidden.extend(browser.cookies().iter().filter_map(|pair| Some(pair.split_once('=')?.1.to_owned())));
    }
    let log = function.log();
    let outcomes: Vec<_> = log.iter().filter_map(|line| line["outcome"].as_str()).collect();
    for outcome in ["verified", "not_on_mobile_network", "operator_error", "operator_busy"] {
        assert!(outcomes.contains(&outcome), "{outcome} is not in {outcomes:?}");
    }
    assert_clean(&log, &forbidden);
}
