//! Only the browser that started a verification can finish it, even with several tabs and after a reload.

use std::collections::BTreeMap;

use sandbox::{Leg, Scenario};

use crate::support::{AS_JSON, Browser, CALLBACK, Function, PHONE_MODE, REDIRECT_URI, http_api_event, sandbox};

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
    let (name, _) = pair.split_once('=').unwrap();
    assert_eq!(name.strip_prefix("__Host-nv-").map(str::len), Some(12), "{name}");
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
    // Each tab has its own result.
    assert_eq!(browser.open_json(&function, &first).await.outcome(), "verified");
    assert_eq!(function.sandbox.count(Leg::Token), 2);
}

/// Two forms are sent before either answer arrives, so neither request has a cookie.
#[tokio::test]
async fn two_first_starts_at_once_can_both_finish() {
    let function = Function::start(&[]).await;
    let (mut one, mut other) = (Browser::default(), Browser::default());
    let first = one.callback_of(&function, "+34600000001").await;
    let second = other.callback_of(&function, "+34600000002").await;
    // The browser keeps what both answers set.
    let cookies = [one.cookies(), other.cookies()].concat().join("; ");
    for (callback, outcome) in [(first, "verified"), (second, "not_verified")] {
        let answer = function.get(&callback, &[("cookie", &cookies), AS_JSON]).await;
        assert_eq!(answer.outcome(), outcome);
    }
}

#[tokio::test]
async fn cookies_of_one_browser_stay_small_and_the_oldest_makes_room() {
    let function = Function::start(&[]).await;
    let mut cookies: Vec<String> = Vec::new();
    let mut first_callback = None;
    for _ in 0..60 {
        let line = cookies.join("; ");
        let headers = [("cookie", line.as_str()), ("sec-fetch-site", "same-origin")];
        let answer = function.post("/start", "phone=%2B34600000001", &headers).await;
        if first_callback.is_none() {
            first_callback = Some(function.at_operator(answer.header("location")).await);
        }
        for line in answer.headers.get_all("set-cookie") {
            let (pair, attributes) = line.to_str().unwrap().split_once("; ").unwrap();
            let name = pair.split('=').next().unwrap();
            if attributes.ends_with("Max-Age=0") {
                assert_eq!(cookies.first().and_then(|oldest| oldest.split('=').next()), Some(name));
                cookies.remove(0);
            } else {
                cookies.push(pair.to_owned());
            }
        }
        let total: usize = cookies.iter().map(|cookie| cookie.len() + "; ".len()).sum();
        assert!(total <= 5000, "{total} bytes");
    }
    assert!(cookies.len() > 20, "{}", cookies.len());
    let line = cookies.join("; ");
    let answer = function.get(&first_callback.unwrap(), &[("cookie", &line), AS_JSON]).await;
    assert_eq!(answer.outcome(), "wrong_browser", "the first verification made room");
}

#[tokio::test]
async fn reload_shows_the_same_result_without_asking_the_operator_again() {
    let function = Function::start(&[]).await;
    for (phone, outcome) in
        [("+34600000001", "verified"), ("+34600000002", "not_verified"), ("+34600000003", "not_on_mobile_network")]
    {
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

/// A cookie with a result belongs to one verification, even if it is renamed.
#[tokio::test]
async fn result_cookie_is_useless_in_another_browser_or_for_another_number() {
    let function = Function::start(&[]).await;
    let mut honest = Browser::default();
    honest.verify(&function, "+34600000001").await;
    let cookie = honest.cookies().remove(0);
    let (_, result) = cookie.split_once('=').unwrap();
    let mut thief = Browser::default();
    let callback = thief.callback_of(&function, "+34600000002").await;
    let own = thief.cookies().remove(0);
    let (name, _) = own.split_once('=').unwrap();
    for (cookies, outcome) in
        [(format!("{cookie}; {own}"), "not_verified"), (format!("{name}={result}"), "wrong_browser")]
    {
        let answer = function.get(&callback, &[("cookie", &cookies), AS_JSON]).await;
        assert_eq!(answer.outcome(), outcome, "{cookies}");
    }
}

/// A phone may load a callback twice at once. The slower answer must not replace the verdict.
#[tokio::test]
async fn expired_code_never_replaces_a_verdict() {
    let function = Function::start(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    let before = browser.cookies().join("; ");
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
    let twin = function.get(&callback, &[("cookie", &before), AS_JSON]).await;
    assert_eq!(twin.outcome(), "expired_code", "the code is spent");
    assert!(!twin.headers.contains_key("set-cookie"));
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
}

/// The authorization URL is opened twice: two codes with one state, and the operator fails for the second.
#[tokio::test]
async fn failure_never_replaces_a_verdict() {
    let function = Function::start(&[]).await;
    let mut browser = Browser::default();
    let authorization_url = browser.start(&function, "+34600000001").await;
    let first = function.at_operator(&authorization_url).await;
    let second = function.at_operator(&authorization_url).await;
    assert_eq!(browser.open_json(&function, &first).await.outcome(), "verified");
    function.sandbox.script(Leg::Verify, Some(sandbox::Scripted::answer(503, "")));
    assert_eq!(browser.open_json(&function, &second).await.outcome(), "operator_busy");
    assert_eq!(browser.open_json(&function, &first).await.outcome(), "verified");
}

#[tokio::test]
async fn prefetch_and_head_spend_nothing() {
    let function = Function::start(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("sec-purpose", "Prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let answer = browser.open_with(&function, &callback, &[(name, value)]).await;
        assert_eq!((answer.status, &*answer.body), (204, ""), "{name}: {value}");
    }
    let cookies = browser.cookies().join("; ");
    let head = function.invoke(&http_api_event("HEAD", &callback, &[("cookie", &cookies)], "")).await;
    assert_eq!((head.status, &*head.body), (204, ""));
    assert_eq!(function.sandbox.count(Leg::Token), 0);
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
}

#[tokio::test]
async fn one_state_allows_five_token_requests() {
    let function = Function::start(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    let (before, after) = callback.split_once("code=").unwrap();
    let (_, rest) = after.split_once('&').unwrap();
    let mut outcomes = Vec::new();
    for number in 0..20 {
        let callback = format!("{before}code=made-up-{number}&{rest}");
        outcomes.push(browser.open_json(&function, &callback).await.outcome());
    }
    assert_eq!(function.sandbox.count(Leg::Token), 5);
    assert_eq!(outcomes[..5], ["expired_code"; 5]);
    assert_eq!(outcomes[5..], ["invalid_state"; 15]);
    // Another verification has its own five requests.
    assert_eq!(Browser::default().verify(&function, "+34600000001").await.outcome(), "verified");
}

/// The code may still be good, so it must not stay in the address bar.
#[tokio::test]
async fn wrong_browser_is_sent_to_a_page_without_the_code() {
    let function = Function::start(&[]).await;
    let callback = Browser::default().callback_of(&function, "+34600000001").await;
    let mut other = Browser::default();
    let answer = other.open_with(&function, &callback, &[("sec-fetch-dest", "document")]).await;
    assert_eq!(answer.status, 303);
    let location = answer.header("location");
    assert!(location.starts_with('/') && !location.contains(['?', '#']), "{location}");
    let page = other.open(&function, location).await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("another browser"), "{}", page.body);
    assert_eq!(function.sandbox.count(Leg::Token), 0);
}

/// A library that follows redirects gives its app the last answer, not the last address.
#[tokio::test]
async fn wrong_browser_in_json_repeats_code_and_state() {
    let function = Function::start(&[]).await;
    let callback = Browser::default().callback_of(&function, "+34600000001").await;
    let answer = function.get_json(&callback).await;
    assert_eq!(answer.outcome(), "wrong_browser");
    let query: BTreeMap<_, _> =
        form_urlencoded::parse(callback.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
    assert_eq!(answer.json()["code"], query["code"]);
    assert_eq!(answer.json()["state"], query["state"]);
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
    assert_eq!(function.sandbox.count(Leg::Token), 0, "the operator was not called");
}

/// In `phone` mode the same attack works, which is why `sealed` is the default.
#[tokio::test]
async fn phone_mode_lets_anyone_finish_a_verification() {
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

/// Anyone can send such a callback, so it must not be counted as an outage.
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
    let function = Function::with_sandbox(sandbox, &[("ISSUER", &issuer)]);
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    let (without_iss, _) = callback.split_once("&iss=").expect("the sandbox sends iss");
    for other in [without_iss.to_owned(), format!("{without_iss}&iss=https%3A%2F%2Fevil.example")] {
        let answer = browser.open_json(&function, &other).await;
        assert_eq!(answer.outcome(), "invalid_request", "{other}");
    }
    assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
}
