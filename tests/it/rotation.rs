//! The keys change during verifications.

use std::sync::Arc;

use sandbox::{Leg, Sandbox};

use crate::support::{Browser, CALLBACK, Function, sandbox};

fn secret(state_key: &str) -> String {
    format!(r#"{{"client_id":"my-app-id","client_secret":"my-app-secret","state_key":"{state_key}"}}"#)
}

async fn with_first_key() -> Arc<Sandbox> {
    let sandbox = sandbox().await;
    sandbox.set_secret_string(secret("the first state key"));
    Arc::new(sandbox)
}

#[tokio::test]
async fn verification_started_with_the_previous_key_completes() {
    let sandbox = with_first_key().await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&Function::beside(sandbox.clone(), &[]), "+34600000001").await;
    sandbox.set_secret_string(secret("the second state key"));
    let new_environment = Function::beside(sandbox.clone(), &[]);
    for reload in [false, true] {
        let answer = browser.open_json(&new_environment, &callback).await;
        assert_eq!(answer.outcome(), "verified", "reload: {reload}");
    }
    assert_eq!(sandbox.count(Leg::Verify), 1);
}

#[tokio::test]
async fn environment_with_the_old_key_completes_a_verification_started_with_the_new_one() {
    let sandbox = with_first_key().await;
    let old_environment = Function::beside(sandbox.clone(), &[]);
    Browser::default().verify(&old_environment, "+34600000002").await;
    sandbox.set_secret_string(secret("the second state key"));
    let mut browser = Browser::default();
    let callback = browser.callback_of(&Function::beside(sandbox.clone(), &[]), "+34600000001").await;
    let answer = browser.open_json(&old_environment, &callback).await;
    assert_eq!(answer.outcome(), "verified");
}

#[tokio::test]
async fn state_sealed_with_a_key_before_the_previous_one_is_refused() {
    let sandbox = with_first_key().await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&Function::beside(sandbox.clone(), &[]), "+34600000001").await;
    sandbox.set_secret_string(secret("the second state key"));
    sandbox.set_secret_string(secret("the third state key"));
    let answer = browser.open_json(&Function::beside(sandbox.clone(), &[]), &callback).await;
    assert_eq!(answer.outcome(), "invalid_state");
    assert_eq!(sandbox.count(Leg::Token), 0);
}

/// A code can only be used by the client that asked for it.
#[tokio::test]
async fn state_of_another_client_is_refused() {
    let sandbox = with_first_key().await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&Function::beside(sandbox.clone(), &[]), "+34600000001").await;
    sandbox.set_secret_string(secret("the first state key").replace("my-app-id", "another-app"));
    let answer = browser.open_json(&Function::beside(sandbox.clone(), &[]), &callback).await;
    assert_eq!(answer.outcome(), "invalid_state");
    assert_eq!(sandbox.count(Leg::Token), 0);
}

#[tokio::test]
async fn forged_states_do_not_cause_repeated_secret_reads() {
    let sandbox = with_first_key().await;
    let function = Function::beside(sandbox.clone(), &[]);
    for number in 0..20 {
        let state = format!("{number:0>114}");
        let callback = format!("{CALLBACK}?code=a&state={state}");
        assert_eq!(function.get_json(&callback).await.outcome(), "invalid_state");
    }
    assert!(sandbox.count(Leg::Secret) <= 3, "once for the secret, once for each version of it");
    assert_eq!(sandbox.count(Leg::Token), 0);
}
