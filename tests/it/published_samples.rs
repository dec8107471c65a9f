//! The front ends that Telefónica publishes as samples for this API. Their HTML form and JavaScript build the
//! authorization request themselves, with the phone number as `state`; the callback completes it in `phone` mode.

use std::time::{Duration, Instant};

use sandbox::{Leg, Sandbox, Settings};

use crate::support::{AS_JSON, Answer, Browser, Function, PHONE_MODE, REDIRECT_URI, sample_callback};

const SCOPE: &str = "dpv:FraudPreventionAndDetection#number-verification-verify-read";

/// Sends the samples' parameters in their order, and follows the operator's redirect to the callback.
async fn run(redirect_uri: &str, phone: &str) -> Answer {
    let settings = Settings { registered_redirect_uris: vec![REDIRECT_URI.to_owned()], ..Settings::default() };
    let function = Function::with_sandbox(Sandbox::start(settings).await.unwrap(), PHONE_MODE);
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", "my-app-id"),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("redirect_uri", redirect_uri),
            ("state", phone),
        ])
        .finish();
    let callback = function.at_operator(&format!("{}/authorize?{query}", function.sandbox.base_url())).await;
    let answer = function.get_json(&callback).await;
    assert_eq!(function.sandbox.count(Leg::Verify), 1);
    answer
}

#[tokio::test]
async fn parameters_of_the_javascript_sample_are_accepted() {
    assert_eq!(run(REDIRECT_URI, "+34600000001").await.outcome(), "verified");
    assert_eq!(run(REDIRECT_URI, "+34600000002").await.outcome(), "not_verified");
}

/// The form's `redirect_uri` is only a path; the sandbox resolves it to the registered one.
#[tokio::test]
async fn parameters_of_the_html_form_sample_are_accepted() {
    assert_eq!(run("/numberverification-callback", "+34600000001").await.outcome(), "verified");
}

/// The sample calls the callback with `fetch` from a page of another origin.
#[tokio::test]
async fn other_origins_can_fetch_the_answer_only_in_phone_mode() {
    let callback = sample_callback("+34600000001");
    let headers = [("origin", "https://www.shop.example"), AS_JSON];
    let answer = Function::start(PHONE_MODE).await.get(&callback, &headers).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    let answer = Function::start(&[]).await.get(&callback, &headers).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

/// The cookie with the result is as old as a verification may become.
#[tokio::test]
async fn reload_in_phone_mode_shows_the_first_result_until_it_expires() {
    let function = Function::start(&[PHONE_MODE, &[("STATE_TTL_SECONDS", "2")]].concat()).await;
    let (mut browser, callback) = (Browser::default(), sample_callback("+34600000001"));
    for _ in 0..2 {
        assert_eq!(browser.open_json(&function, &callback).await.outcome(), "verified");
    }
    assert_eq!(function.sandbox.count(Leg::Token), 1);
    // The browser of this test keeps every cookie.
    let give_up = Instant::now() + Duration::from_secs(10);
    while function.sandbox.count(Leg::Token) == 1 {
        assert!(Instant::now() < give_up, "the result does not expire");
        tokio::time::sleep(Duration::from_millis(50)).await;
        browser.open_json(&function, &callback).await;
    }
}
