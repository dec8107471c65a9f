//! `OPERATORS`: which operator serves a number, and the callback of each.

use serde_json::{Value, json};

use crate::event_sources::rest_api_event;
use crate::support::app::{SHOP_URI, parameter, query, sent_back, shop_basic, shop_request};
use crate::support::several::{Several, client_id, redirect_uri};
use crate::support::{AS_JSON, Answer, Browser, CALLBACK, Function, REDIRECT_URI};

const SPANISH: &str = "+34600000001";
const FRENCH: &str = "+33600000001";
const GERMAN: &str = "+4915112345671";

async fn in_spain_and_france() -> Several {
    Several::start(&[("es", &["+34"]), ("fr", &["+33", "+590"])]).await
}

/// A parameter of an address.
fn query_parameter(address: &str, name: &str) -> String {
    let (_, query) = address.split_once('?').unwrap();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name} in {address}")).1.into_owned()
}

#[tokio::test]
async fn number_goes_to_the_operator_that_serves_it() {
    let mut several =
        Several::start(&[("es", &["+34"]), ("es-new", &["+34"]), ("es-virtual", &["+3466"]), ("fr", &["+33", "+590"])])
            .await;
    several.operators["es"]["default"] = true.into();
    let function = several.function(&[]);
    for (name, number, operator, expected) in [
        ("the default of two", SPANISH, "", Some("es")),
        ("the longer of two prefixes", "+34660000001", "", Some("es-virtual")),
        ("the first prefix of a list", FRENCH, "", Some("fr")),
        ("the second prefix of a list", "+590690000001", "", Some("fr")),
        ("by name", SPANISH, "es-new", Some("es-new")),
        ("by name, with the shorter prefix", "+34660000001", "es-new", Some("es-new")),
        ("nobody", GERMAN, "", None),
        ("by the name of one that does not serve it", SPANISH, "fr", None),
        ("by the name of one whose longer prefix does not fit", SPANISH, "es-virtual", None),
        ("by an unknown name", SPANISH, "it", None),
    ] {
        let body = query(&[("phone", number), ("operator", operator)]);
        let answer = Browser::default().post(&function, "/start", &body).await;
        let Some(expected) = expected else {
            assert_eq!(answer.status, 422, "{name}");
            continue;
        };
        assert_eq!(answer.status, 303, "{name}: {}", answer.body);
        let location = answer.header("location");
        assert_eq!(several.operator_of(location), expected, "{name}");
        assert_eq!(query_parameter(location, "redirect_uri"), redirect_uri(expected), "{name}");
        assert_eq!(query_parameter(location, "client_id"), client_id(expected), "{name}");
    }
}

#[tokio::test]
async fn each_operator_answers_for_its_own_numbers() {
    let several = in_spain_and_france().await;
    let function = several.function(&[]);
    for (number, operator, outcome) in
        [(SPANISH, "es", "verified"), (FRENCH, "fr", "verified"), ("+33600000002", "fr", "not_verified")]
    {
        for sandbox in ["es", "fr"].map(|name| several.at(name)) {
            sandbox.clear_requests();
        }
        let mut browser = Browser::default();
        let callback = browser.callback_of(&function, number).await;
        assert!(callback.starts_with(&format!("{CALLBACK}/{operator}?")), "{callback}");
        let answer = browser.open_json(&function, &callback).await;
        assert_eq!((answer.status, answer.outcome()), (200, outcome));
        // The sandbox refuses another client, another secret and another redirect URI.
        assert_eq!(several.calls(), [(operator, 1, 1)]);
        let reloaded = browser.open_json(&function, &callback).await;
        assert_eq!(reloaded.outcome(), outcome, "a reload");
        assert_eq!(several.calls(), [(operator, 1, 1)], "a reload");
    }
    let others = several.vault.requests().into_iter().filter(|served| served.path != "/").count();
    assert_eq!(others, 0, "nothing but the secret is asked for at Secrets Manager");
}

#[tokio::test]
async fn number_that_nobody_serves_is_not_covered_at_once() {
    let several = in_spain_and_france().await;
    let function = several.function(&[("FALLBACK_URL", "https://shop.example/sms")]);
    let body = query(&[("phone", GERMAN)]);
    let mut browser = Browser::default();
    let page = browser.post(&function, "/start", &body).await;
    assert_eq!(page.status, 422);
    let at = |text: &str| page.body.find(text).unwrap_or_else(|| panic!("no {text} in {}", page.body));
    assert!(at(r#"href="https://shop.example/sms""#) < at(r#"href="/""#), "the other way comes first");

    let json = function.post("/start", &body, &[AS_JSON]).await;
    assert_eq!((json.status, json.outcome()), (422, "not_covered"));
    assert_eq!(json.header("content-type"), "application/problem+json");
    assert_eq!(json.json()["fallback_url"], "https://shop.example/sms");
    for answer in [page, json] {
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("location"));
    }
    assert!(several.calls().is_empty() && several.vault.requests().is_empty(), "nobody is asked");
}

#[tokio::test]
async fn app_is_told_that_nobody_serves_the_number() {
    let several = in_spain_and_france().await;
    let function = several.function(&[]);
    let issuer = REDIRECT_URI.strip_suffix(CALLBACK).unwrap();
    let told = [
        ("error", "unmet_authentication_requirements"),
        ("error_description", "not_covered"),
        ("state", "s-1"),
        ("iss", issuer),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    for (name, changes) in [
        ("nobody", &[("login_hint", "tel:+4915112345671")][..]),
        ("another than the chosen one", &[("operator", "fr")]),
        ("an unknown name", &[("operator", "it")]),
    ] {
        let page = Browser::default().open(&function, &shop_request(changes)).await;
        assert_eq!(page.status, 422, "{name}");
        let back = page.body.split('"').find(|part| part.starts_with(SHOP_URI)).unwrap().replace("&#38;", "&");
        let (_, back) = back.split_once('?').unwrap();
        assert_eq!(form_urlencoded::parse(back.as_bytes()).into_owned().collect::<Vec<_>>(), told, "{name}");

        let silent = [changes, &[("prompt", "none")]].concat();
        let answer = Browser::default().open(&function, &shop_request(&silent)).await;
        assert_eq!(sent_back(&answer, SHOP_URI), told, "{name}");
    }
    assert!(several.calls().is_empty());
}

/// The hidden fields of the form on a start page.
fn hidden_fields(page: &Answer) -> Vec<(String, String)> {
    let inputs = page.body.split("<input type=\"hidden\" name=\"").skip(1);
    inputs
        .map(|input| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            let (value, _) = rest.split_once('"').unwrap();
            (name.to_owned(), value.replace("&#38;", "&"))
        })
        .collect()
}

#[tokio::test]
async fn chosen_operator_is_kept_until_the_number_can_be_sent() {
    let mut several = Several::start(&[("es", &["+34"]), ("es-new", &["+34"])]).await;
    several.operators["es"]["default"] = true.into();
    let function = several.function(&[]);
    let mut browser = Browser::default();

    let request = shop_request(&[("operator", "es-new"), ("login_hint", "")]);
    let mut page = browser.open(&function, &request).await;
    for typed in ["not a number", "+34 600 000 003"] {
        let mut fields = hidden_fields(&page);
        assert_eq!(parameter(&fields, "operator"), "es-new", "{typed}");
        fields.push(("phone".to_owned(), typed.to_owned()));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        page = browser.post(&function, "/start", &body).await;
    }
    assert_eq!(several.operator_of(page.header("location")), "es-new");

    // The number ends in 3: it is not on the mobile network, so the page offers to try again.
    let callback = function.at_operator(page.header("location")).await;
    let failed = browser.open(&function, &callback).await;
    let again = failed.body.split('"').find(|part| part.starts_with("/authorize?")).unwrap().replace("&#38;", "&");
    assert_eq!(query_parameter(&again, "operator"), "es-new");

    let without_app = [("phone", "600"), ("operator", "es-new")];
    let page = browser.post(&function, "/start", &query(&without_app)).await;
    assert_eq!(hidden_fields(&page), [("operator".to_owned(), "es-new".to_owned())], "{}", page.body);
}

#[tokio::test]
async fn operator_is_chosen_once() {
    let several = in_spain_and_france().await;
    let function = several.function(&[]);
    let answer = function.post("/start", "phone=%2B34600000001&operator=es&operator=es", &[AS_JSON]).await;
    assert_eq!((answer.status, answer.outcome()), (400, "invalid_request"));
    let request = shop_request(&[("operator", "es")]) + "&operator=es";
    let back = sent_back(&Browser::default().open(&function, &request).await, SHOP_URI);
    assert_eq!(parameter(&back, "error"), "invalid_request");
}

#[tokio::test]
async fn program_is_sent_to_the_operator_too() {
    let several = in_spain_and_france().await;
    let function = several.function(&[]);
    let body = json!({ "phone": FRENCH, "operator": "fr" }).to_string();
    let headers = [AS_JSON, ("content-type", "application/json")];
    let started = function.post("/start", &body, &headers).await.json();
    let authorization_url = started["authorization_url"].as_str().unwrap();
    assert_eq!(several.operator_of(authorization_url), "fr");
    let callback = function.at_operator(authorization_url).await;
    let [code, state] = ["code", "state"].map(|name| query_parameter(&callback, name));
    let held = json!({ "code": code, "state": state, "binding": started["binding"] }).to_string();
    assert_eq!(function.post("/complete", &held, &headers).await.outcome(), "verified");
    assert_eq!(several.calls(), [("fr", 1, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callback_without_a_name_says_what_to_register() {
    let several = in_spain_and_france().await;
    let function = several.deployed(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, SPANISH).await;
    let answer = browser.open_json(&function, &callback.replacen("/es?", "?", 1)).await;
    assert_eq!((answer.status, answer.outcome()), (400, "invalid_state"));
    assert!(several.calls().is_empty());
    let line = function.logged("each operator has its own callback, which ends in its name; register that one").await;
    assert_eq!(line["outcome"], "invalid_state", "{line}");
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified", "at its own callback");
}

#[tokio::test]
async fn callbacks_exist_for_the_operators_and_nobody_else() {
    let several = in_spain_and_france().await;
    let one = Function::start(&[]).await;
    let several = several.function(&[]);
    for (name, function, path, status) in [
        ("an operator", &several, "/es", 400),
        ("an unknown name", &several, "/it", 404),
        ("a name below a name", &several, "/es/fr", 404),
        ("another case", &several, "/ES", 404),
        ("an empty name", &several, "/", 404),
        ("only one operator", &one, "/es", 404),
        ("only one operator, its callback", &one, "", 400),
    ] {
        assert_eq!(function.get(&format!("{CALLBACK}{path}"), &[]).await.status, status, "{name}");
    }
    assert_eq!(several.post(&format!("{CALLBACK}/es"), "", &[]).await.status, 405);
    assert_eq!(several.post(&format!("{CALLBACK}/it"), "", &[]).await.status, 404);
}

/// A REST API has the stage in its public path and not in the event's.
#[tokio::test]
async fn callback_of_an_operator_works_below_a_stage() {
    let mut several = in_spain_and_france().await;
    let staged = redirect_uri("de").replacen(CALLBACK, &format!("/prod{CALLBACK}"), 1);
    let settings = sandbox::Settings { registered_redirect_uris: vec![staged], ..Default::default() };
    several.add("de", &["+49"], settings).await;
    let function = several.function(&[]);
    let body = query(&[("phone", GERMAN)]);
    let started = function.invoke(&rest_api_event("POST", "/prod/start", &[], &body)).await;
    let cookie = started.header("set-cookie").split(';').next().unwrap().to_owned();
    let callback = function.at_operator(started.header("location")).await;
    assert!(callback.starts_with(&format!("/prod{CALLBACK}/de?")), "{callback}");
    let headers = [("cookie", cookie.as_str()), AS_JSON];
    let answer = function.invoke(&rest_api_event("GET", &callback, &headers, "")).await;
    assert_eq!(answer.outcome(), "verified");
}

#[tokio::test]
async fn operator_token_goes_to_the_operator_of_the_number_or_to_the_named_one() {
    let mut several = in_spain_and_france().await;
    for name in ["es", "fr"] {
        several.secret["operators"][name]["private_key"] = several.at(name).private_key_pem().into();
    }
    let function = several.function(&[]);
    // SHA-256 of +34600000001, the number of each sandbox's SIM.
    let hash = "eb491b384e4fda4281634daa211e6e54a4cf7f82baa33a9f35980329e4ad95f3";
    let (plain, hashed) = (|number: &str| json!({ "phoneNumber": number }), json!({ "hashedPhoneNumber": hash }));
    for (name, number, operator, status, outcome, calls) in [
        ("by the number", plain(SPANISH), "", 200, "verified", &[("es", 1, 1)][..]),
        ("by the number, not verified", plain("+33600000002"), "", 200, "not_verified", &[("fr", 1, 1)]),
        ("by name", plain(SPANISH), "es", 200, "verified", &[("es", 1, 1)]),
        ("a hash by name", hashed.clone(), "fr", 200, "verified", &[("fr", 1, 1)]),
        ("a hash without a name", hashed.clone(), "", 400, "invalid_request", &[]),
        ("a hash with an unknown name", hashed, "it", 422, "not_covered", &[]),
        ("a number that nobody serves", plain(GERMAN), "", 422, "not_covered", &[]),
        ("another operator than the number's", plain(SPANISH), "fr", 422, "not_covered", &[]),
    ] {
        for sandbox in ["es", "fr"].map(|name| several.at(name)) {
            sandbox.clear_requests();
        }
        let mut body: Value = number;
        body["operatorToken"] = sandbox::SAMPLE_OPERATOR_TOKEN.into();
        body["operator"] = operator.into();
        let headers = [("content-type", "application/json"), ("authorization", &shop_basic())];
        let answer = function.post("/verify", &body.to_string(), &headers).await;
        assert_eq!((answer.status, answer.outcome()), (status, outcome), "{name}");
        assert_eq!(several.calls(), calls, "{name}");
    }
}
