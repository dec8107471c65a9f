//! Hostile input in requests: none of it reaches a page, a header or the operator.

use sandbox::Leg;
use serde_json::json;

use crate::support::{Browser, CALLBACK, Function, PHONE_MODE};

const MARKUP: &str = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";

#[tokio::test]
async fn query_values_never_appear_on_a_page() {
    for variables in [&[][..], PHONE_MODE] {
        let function = Function::start(variables).await;
        for query in [
            format!("error={MARKUP}&state=a"),
            format!("error=access_denied&error_description={MARKUP}&error_uri={MARKUP}"),
            format!("code={MARKUP}&state={MARKUP}"),
            format!("code=a&state=%2B34600000001{MARKUP}"),
            format!("code={MARKUP}&state=%2B34600000001"),
            format!("{MARKUP}={MARKUP}"),
        ] {
            let page = function.get(&format!("{CALLBACK}?{query}"), &[]).await;
            assert!(!page.body.contains("alert(1)") && !page.body.contains("<script"), "{query}: {}", page.body);
            let answer = function.get_json(&format!("{CALLBACK}?{query}")).await;
            assert!(!answer.body.contains("alert(1)"), "{query}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn request_values_cannot_split_or_add_a_header() {
    let function = Function::start(&[]).await;
    let hostile = "a\tb";
    for header in ["x-correlator", "origin", "cookie", "accept", "accept-language"] {
        let answer = function.get("/", &[(header, hostile)]).await;
        for (name, value) in &answer.headers {
            assert!(!value.as_bytes().windows(3).any(|window| window == hostile.as_bytes()), "{header} is in {name}");
        }
    }
    let body = "phone=%2B34600000001%0d%0aset-cookie:%20a=b";
    let answer = function.post("/start", body, &[]).await;
    assert_eq!(answer.status, 400, "line breaks are separators, letters are not");
    assert!(!answer.headers.contains_key("set-cookie"));
}

/// The only redirect goes to the configured operator, whatever a request says.
#[tokio::test]
async fn no_request_can_choose_the_redirect_target() {
    let function = Function::start(&[]).await;
    let elsewhere = "https%3A%2F%2Fevil.example";
    let parameters = format!("redirect_uri={elsewhere}&url={elsewhere}&next={elsewhere}&client_id=evil");
    let answer =
        function.post(&format!("/start?{parameters}"), &format!("phone=%2B34600000001&{parameters}"), &[]).await;
    assert!(answer.header("location").starts_with(&format!("{}/authorize?", function.sandbox.base_url())));
    assert!(!answer.header("location").contains("evil"));
    let callback = function.get(&format!("{CALLBACK}?{parameters}&iss={elsewhere}&code=a&state=b"), &[]).await;
    assert!(!callback.headers.contains_key("location") && !callback.body.contains("evil.example"));
}

/// The verifier for a code from another flow cannot be computed.
#[tokio::test]
async fn stolen_code_cannot_be_used_in_another_flow() {
    let function = Function::start(&[]).await;
    let stolen = Browser::default().callback_of(&function, "+34600000001").await;
    let mut thief = Browser::default();
    let own = thief.callback_of(&function, "+34600000001").await;
    let part = |url: &str, name: &str| {
        let (_, query) = url.split_once('?').unwrap();
        form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).unwrap().1.into_owned()
    };
    let injected = format!("{CALLBACK}?code={}&state={}", part(&stolen, "code"), part(&own, "state"));
    let answer = thief.open_json(&function, &injected).await;
    assert_eq!(answer.outcome(), "expired_code", "the operator refuses the code with another verifier");
    assert_eq!(function.sandbox.count(Leg::Verify), 0);
}

#[tokio::test]
async fn oversized_input_is_refused_without_an_upstream_call() {
    let function = Function::start(&[]).await;
    let long = "a".repeat(50_000);
    for (name, answer) in [
        ("code", function.get(&format!("{CALLBACK}?code={long}&state=b"), &[]).await),
        ("state", function.get(&format!("{CALLBACK}?code=a&state={long}"), &[]).await),
        ("body", function.post("/start", &format!("phone={long}"), &[]).await),
        (
            "cookie",
            function.get(&format!("{CALLBACK}?code=a&state=b"), &[("cookie", &format!("__Host-nv-x={long}"))]).await,
        ),
        ("path", function.get(&format!("/{long}"), &[]).await),
    ] {
        assert!((400..500).contains(&answer.status), "{name}: {}", answer.status);
        assert!(answer.body.len() < 8000, "{name}");
    }
    assert_eq!(function.sandbox.count(Leg::Token) + function.sandbox.count(Leg::Verify), 0);
}

/// Only known error codes are logged, and no part of an error answer is shown.
#[tokio::test]
async fn operator_error_texts_never_appear_on_a_page() {
    let function = Function::start(&[]).await;
    let error =
        json!({ "error": "<b>invalid_grant</b>", "error_description": "<script>alert(1)</script>", "code": "x<y" });
    function.sandbox.script(Leg::Token, Some(sandbox::Scripted::json(400, &error)));
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    let page = browser.open(&function, &callback).await;
    assert_eq!(page.status, 502);
    for part in ["invalid_grant", "alert(1)", "x<y"] {
        assert!(!page.body.contains(part), "{part}");
    }
}
