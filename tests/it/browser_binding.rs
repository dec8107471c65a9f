//! Only the browser that started a verification can finish it, also with several tabs and after a reload.

use std::collections::BTreeMap;

use sandbox::{Leg, Scenario};

use crate::support::{AS_JSON, Browser, CALLBACK, Function, PHONE_MODE, REDIRECT_URI, sandbox};

fn parameters(url: &str) -> BTreeMap<String, String> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn authorization_request_has_a_sealed_state_and_a_challenge() {
    let function = Function::start(&[]).await;
    let sent = parameters(&Browser::default().start(&function, "+34 600 000 001").await);
    assert_eq!(sent["client_id"], "my-app-id");
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["scope"], "dpv:FraudPreventionAndDetection#number-verification-verify-read");
    assert_eq!(sent["redirect_uri"], REDIRECT_URI);
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["code_challenge"].len(), 43);
    assert!(sent["state"].len() <= 512);
    assert!(!sent.values().any(|value| value.contains("600000001")), "the number is not in the URL");
    assert_eq!(sent.len(), 7);
}

#[tokio::test]
async fn prompt_and_login_hint_are_sent_if_configured() {
    let function = Function::start(&[("PROMPT", "none"), ("LOGIN_HINT", "tel"), ("PKCE", "off")]).await;
    let mut browser = Browser::default();
    let authorization_url = browser.start(&function, "+34600000001").await;
    let sent = parameters(&authorization_url);
    assert_eq!(sent["prompt"], "none");
    assert_eq!(sent["login_hint"], "tel:+34600000001");
    assert!(!sent.contains_key("code_challenge"));
    let callback = function.at_operator(&authorization_url).await;
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
}

#[tokio::test]
async fn cookie_is_bound_to_this_host_and_hidden_from_scripts() {
    let function = Function::start(&[("STATE_TTL_SECONDS", "90")]).await;
    let answer = function.post("/start", "phone=%2B34600000001", &[]).await;
    let cookie = answer.header("set-cookie");
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(pair.strip_prefix("__Host-nv=").map(str::len), Some(22), "16 bytes in base64url");
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=90");
}

#[tokio::test]
async fn two_tabs_of_one_browser_can_both_finish() {
    let function = Function::start(&[]).await;
    let mut browser = Browser::default();
    let first = browser.callback_of(&function, "+34600000001").await;
    let second = browser.callback_of(&function, "+34600000002").await;
    assert_eq!(browser.open_json(&function, &first).await.outcome(), "verified");
    assert_eq!(browser.open_json(&function, &second).await.outcome(), "not_verified");
}

#[tokio::test]
async fn reload_shows_the_same_result_without_asking_the_operator_again() {
    let function = Function::start(&[]).await;
    for (phone, outcome) in [("+34600000001", "verified"), ("+34600000002", "not_verified")] {
        function.sandbox.clear_requests();
        let mut browser = Browser::default();
        let callback = browser.callback_of(&function, phone).await;
        for _ in 0..3 {
            assert_eq!(browser.open_json(&function, &callback).await.outcome(), outcome);
        }
        assert_eq!(function.sandbox.count(Leg::Token), 1, "{outcome}");
        assert_eq!(function.sandbox.count(Leg::Verify), 1, "{outcome}");
    }
}

#[tokio::test]
async fn result_cookie_is_useless_in_another_browser_or_for_another_number() {
    let function = Function::start(&[]).await;
    let mut honest = Browser::default();
    honest.verify(&function, "+34600000001").await;
    let result = honest.cookie("__Host-nv-result").unwrap().to_owned();
    let mut thief = Browser::default();
    let callback = thief.callback_of(&function, "+34600000002").await;
    let mark = thief.cookie("__Host-nv").unwrap();
    let cookies = format!("{mark}; {result}");
    let answer = function.get(&callback, &[("cookie", &cookies), AS_JSON]).await;
    assert_eq!(answer.outcome(), "not_verified");
}

#[tokio::test]
async fn reload_retries_a_code_that_was_not_spent() {
    let function = Function::start(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    function.sandbox.set_scenario(Scenario::OperatorDown);
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "operator_error");
    function.sandbox.set_scenario(Scenario::ByNumber);
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
}

#[tokio::test]
async fn expired_state_is_refused() {
    let function = Function::start(&[("STATE_TTL_SECONDS", "1")]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    let outcome = loop {
        let outcome = browser.open_json(&function, &callback).await.outcome();
        if outcome != "verified" {
            break outcome;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(outcome, "invalid_state");
}

/// The attack that the published samples allow: the attacker starts a verification of the victim's number and sends the
/// link to the victim. The operator sees the victim's SIM, and the attacker's session would be "verified".
#[tokio::test]
async fn link_sent_to_a_victim_verifies_nobody() {
    let function = Function::start(&[]).await;
    let mut attacker = Browser::default();
    let link = attacker.start(&function, "+34600000001").await;

    let callback = function.at_operator(&link).await;
    let victim = Browser::default().open_json(&function, &callback).await;
    assert_eq!(victim.outcome(), "wrong_browser");
    assert_eq!(function.sandbox.count(Leg::Token), 0, "nothing was asked of the operator");
}

/// In `phone` mode the same attack works, which is why `sealed` is the default.
#[tokio::test]
async fn phone_mode_lets_anyone_finish_what_another_started() {
    let function = Function::start(PHONE_MODE).await;
    let link = Browser::default().start(&function, "+34600000001").await;
    let callback = function.at_operator(&link).await;
    let victim = Browser::default().open_json(&function, &callback).await;
    assert_eq!(victim.outcome(), "verified");
}

#[tokio::test]
async fn invalid_callbacks_make_no_operator_call() {
    let function = Function::start(&[]).await;
    for query in
        ["", "code=a", "state=a", "code=a&state=b", "code=a&state=%2B34600000001", "code=%00&state=%ff%fe", "&&&=&"]
    {
        let answer = function.get(&format!("{CALLBACK}?{query}"), &[]).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    assert_eq!(function.sandbox.count(Leg::Token) + function.sandbox.count(Leg::Verify), 0);
}

/// Anyone can send one, so it must not be counted as an outage.
#[tokio::test]
async fn error_without_a_state_is_an_invalid_request() {
    let function = Function::start(&[]).await;
    for error in ["access_denied", "invalid_scope", "server_error"] {
        let answer = function.get_json(&format!("{CALLBACK}?error={error}")).await;
        assert_eq!(answer.outcome(), "invalid_request", "{error}");
    }
}

#[tokio::test]
async fn issuer_is_checked_if_it_is_known() {
    let sandbox = sandbox().await;
    let issuer = sandbox.base_url();
    let function = Function::beside(sandbox, &[("ISSUER", &issuer)]);
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    let (without_iss, _) = callback.split_once("&iss=").expect("the sandbox sends iss");
    for other in [without_iss.to_owned(), format!("{without_iss}&iss=https%3A%2F%2Fevil.example")] {
        let answer = browser.open_json(&function, &other).await;
        assert_eq!(answer.outcome(), "invalid_request", "{other}");
    }
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
}
