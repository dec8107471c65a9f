//! The secret changes while verifications are under way: which versions of it open a state, and when it is read again.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sandbox::{Leg, Sandbox, Settings};
use serde_json::json;
use tokio::time::timeout;

use crate::support::far_side::{FarSide, Fault};
use crate::support::{Browser, CALLBACK, Function, PHONE_MODE, sample_callback};

fn secret(state_key: &str) -> String {
    json!({ "client_id": "my-app-id", "client_secret": "my-app-secret", "state_key": state_key }).to_string()
}

async fn sandbox() -> Arc<Sandbox> {
    let sandbox = Sandbox::start(Settings::default()).await.unwrap();
    sandbox.set_secret_string(secret("the first state key"));
    Arc::new(sandbox)
}

/// Advances this process's timers. The time of day stays.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// A new browser that is at the operator, and its callback. The environment that started it has just read the secret.
async fn started(sandbox: &Arc<Sandbox>) -> (Browser, String) {
    let mut browser = Browser::default();
    let callback = browser.callback_of(&Function::with_sandbox(Arc::clone(sandbox), &[]), "+34600000001").await;
    (browser, callback)
}

async fn outcome(browser: &mut Browser, function: &Function, callback: &str) -> &'static str {
    browser.open_json(function, callback).await.outcome()
}

/// Sends a state that has the length of a genuine one.
async fn send_forged_state(function: &Function, number: usize) {
    let callback = format!("{CALLBACK}?code=a&state={number:0>115}");
    assert_eq!(outcome(&mut Browser::default(), function, &callback).await, "invalid_state");
}

/// Verifies a number with all calls, but without a start.
async fn verify(function: &Function) -> &'static str {
    function.get_json(&sample_callback("+34600000001")).await.outcome()
}

#[tokio::test]
async fn verification_started_with_the_previous_key_completes() {
    let sandbox = sandbox().await;
    let (mut browser, callback) = started(&sandbox).await;
    sandbox.set_secret_string(secret("the second state key"));
    let new_environment = Function::with_sandbox(sandbox.clone(), &[]);
    for reload in [false, true] {
        assert_eq!(outcome(&mut browser, &new_environment, &callback).await, "verified", "reload: {reload}");
    }
    assert_eq!(sandbox.count(Leg::Verify), 1);
}

#[tokio::test]
async fn environment_with_the_old_key_completes_a_verification_started_with_the_new_one() {
    let sandbox = sandbox().await;
    let old_environment = Function::with_sandbox(sandbox.clone(), &[]);
    Browser::default().verify(&old_environment, "+34600000002").await;
    pass(Duration::from_secs(5)).await;
    sandbox.set_secret_string(secret("the second state key"));
    let (mut browser, callback) = started(&sandbox).await;
    assert_eq!(outcome(&mut browser, &old_environment, &callback).await, "verified");
}

/// A forged state makes the function look for a newer key, but only once a second. It must still find a key that was
/// stored since.
#[tokio::test]
async fn state_sealed_with_a_newer_key_opens_a_second_after_a_forged_one() {
    let sandbox = sandbox().await;
    let old_environment = Function::with_sandbox(sandbox.clone(), &[]);
    send_forged_state(&old_environment, 1).await;
    sandbox.set_secret_string(secret("the second state key"));
    let (mut browser, callback) = started(&sandbox).await;
    pass(Duration::from_secs(1)).await;
    assert_eq!(outcome(&mut browser, &old_environment, &callback).await, "verified");
}

#[tokio::test]
async fn state_sealed_with_a_key_before_the_previous_one_is_refused() {
    let sandbox = sandbox().await;
    let (mut browser, callback) = started(&sandbox).await;
    sandbox.set_secret_string(secret("the second state key"));
    sandbox.set_secret_string(secret("the third state key"));
    let function = Function::with_sandbox(sandbox.clone(), &[]);
    assert_eq!(outcome(&mut browser, &function, &callback).await, "invalid_state");
    assert_eq!(sandbox.count(Leg::Token), 0);
}

/// A leaked key can forge states, so it must stop working soon after it is replaced, without a second rotation.
#[tokio::test]
async fn previous_key_opens_only_while_the_current_one_is_recent() {
    for (name, ttl, age, expected) in [
        ("10 minutes and 15, just before", "600", Duration::from_mins(24), "verified"),
        ("10 minutes and 15, just after", "600", Duration::from_mins(26), "invalid_state"),
        ("an hour and 15 minutes, just before", "3600", Duration::from_mins(74), "verified"),
        ("an hour and 15 minutes, just after", "3600", Duration::from_mins(76), "invalid_state"),
    ] {
        let sandbox = sandbox().await;
        let (mut browser, callback) = started(&sandbox).await;
        sandbox.set_secret_string(secret("the second state key"));
        sandbox.age_secret(age);
        sandbox.clear_requests();
        let function = Function::with_sandbox(sandbox.clone(), &[("STATE_TTL_SECONDS", ttl)]);
        assert_eq!(outcome(&mut browser, &function, &callback).await, expected, "{name}");
        assert_eq!(sandbox.count(Leg::Secret), 1 + usize::from(expected == "verified"), "{name}");
        assert_eq!(sandbox.count(Leg::Token), usize::from(expected == "verified"), "{name}");
    }
}

#[tokio::test]
async fn previous_key_opens_nothing_if_the_age_of_the_current_one_is_unknown() {
    let sandbox = sandbox().await;
    let (mut browser, callback) = started(&sandbox).await;
    sandbox.set_secret_string(secret("the second state key"));
    let secrets_manager = FarSide::of(&sandbox).await;
    let body = json!({ "Name": "number-verification", "SecretString": secret("the second state key") }).to_string();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let answer: &str = answer.leak();
    secrets_manager.plan(|request| if request.contains("AWSPREVIOUS") { Fault::None } else { Fault::Answer(answer) });
    let function = Function::with_sandbox(sandbox, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets_manager.url)]);
    assert_eq!(outcome(&mut browser, &function, &callback).await, "invalid_state");
}

/// Stored twice, the new value is in both of the versions that the function reads, and the first key is in neither.
#[tokio::test]
async fn storing_the_new_value_twice_ends_the_first_key_at_the_next_refresh() {
    let sandbox = sandbox().await;
    let (mut one, mut another) = (started(&sandbox).await, started(&sandbox).await);
    let function = Function::with_sandbox(sandbox.clone(), &[]);
    sandbox.set_secret_string(secret("the second state key"));
    assert_eq!(outcome(&mut one.0, &function, &one.1).await, "verified");
    sandbox.set_secret_string(secret("the second state key"));
    pass(Duration::from_mins(15)).await;
    assert_eq!(outcome(&mut another.0, &function, &another.1).await, "invalid_state");
}

/// A code belongs to the client that asked for it.
#[tokio::test]
async fn state_of_another_client_is_refused() {
    let sandbox = sandbox().await;
    let (mut browser, callback) = started(&sandbox).await;
    sandbox.set_secret_string(secret("the first state key").replace("my-app-id", "another-app"));
    let function = Function::with_sandbox(sandbox.clone(), &[]);
    assert_eq!(outcome(&mut browser, &function, &callback).await, "invalid_state");
    assert_eq!(sandbox.count(Leg::Token), 0);
}

#[tokio::test]
async fn previous_key_that_could_not_be_read_is_read_again_two_seconds_later() {
    let sandbox = sandbox().await;
    let (mut browser, callback) = started(&sandbox).await;
    sandbox.set_secret_string(secret("the second state key"));
    let secrets_manager = FarSide::of(&sandbox).await;
    let mut refusal =
        Some("HTTP/1.1 400 Bad Request\r\ncontent-length: 36\r\n\r\n{\"__type\":\"AccessDeniedException\"}  ");
    secrets_manager.plan(move |request| match refusal.take_if(|_| request.contains("AWSPREVIOUS")) {
        Some(refusal) => Fault::Answer(refusal),
        None => Fault::None,
    });
    let function = Function::with_sandbox(sandbox, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets_manager.url)]);
    assert_eq!(outcome(&mut browser, &function, &callback).await, "invalid_state");
    assert_eq!(secrets_manager.requests(), 2);
    assert_eq!(outcome(&mut browser, &function, &callback).await, "invalid_state");
    assert_eq!(secrets_manager.requests(), 2, "the failure is remembered");
    pass(Duration::from_secs(2)).await;
    assert_eq!(outcome(&mut browser, &function, &callback).await, "verified");
}

#[tokio::test]
async fn missing_previous_version_is_not_looked_up_again() {
    let sandbox = Arc::new(Sandbox::start(Settings::default()).await.unwrap());
    let function = Function::with_sandbox(sandbox.clone(), &[]);
    for number in 0..5 {
        send_forged_state(&function, number).await;
    }
    assert_eq!(sandbox.count(Leg::Secret), 2);
}

#[tokio::test]
async fn forged_states_cost_one_read_a_second() {
    let sandbox = sandbox().await;
    let function = Function::with_sandbox(sandbox.clone(), &[]);
    for second in 0..5 {
        for number in 0..10 {
            send_forged_state(&function, 10 * second + number).await;
        }
        let reads = sandbox.count(Leg::Secret);
        assert!(reads <= 2 + second, "both versions at first, then the current one every second: {reads}");
        pass(Duration::from_secs(1)).await;
    }
    assert_eq!(sandbox.count(Leg::Token), 0);
}

/// The lookup of a newer version hangs, and the known one was read a moment ago.
#[tokio::test]
async fn forged_state_delays_no_other_request_after_a_refresh() {
    let sandbox = sandbox().await;
    let secrets_manager = FarSide::of(&sandbox).await;
    let function = Function::with_sandbox(sandbox, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets_manager.url)]);
    let verify = async || Browser::default().verify(&function, "+34600000001").await.outcome();
    for time in [Duration::ZERO, Duration::from_mins(15), Duration::from_secs(1)] {
        pass(time).await;
        assert_eq!(verify().await, "verified");
    }
    assert_eq!(secrets_manager.requests(), 2);
    secrets_manager.always(Fault::Hang);
    let answered = Mutex::new(Vec::new());
    let forged = async {
        send_forged_state(&function, 1).await;
        answered.lock().unwrap().push("forged");
    };
    let genuine = async {
        while secrets_manager.requests() < 3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(verify().await, "verified");
        answered.lock().unwrap().push("genuine");
    };
    let both = Box::pin(async { tokio::join!(forged, genuine) });
    timeout(Duration::from_secs(30), both).await.expect("the lookup was not made");
    assert_eq!(*answered.lock().unwrap(), ["genuine", "forged"]);
}

#[tokio::test]
async fn secret_older_than_fifteen_minutes_is_read_again() {
    let sandbox = sandbox().await;
    let function = Function::with_sandbox(sandbox.clone(), PHONE_MODE);
    for (name, time, reads) in [
        ("first", Duration::ZERO, 1),
        ("14 minutes later", Duration::from_mins(14), 1),
        ("16 minutes later", Duration::from_mins(2), 2),
        ("at once", Duration::ZERO, 2),
        ("30 minutes later", Duration::from_mins(14), 2),
        ("32 minutes later", Duration::from_mins(2), 3),
    ] {
        pass(time).await;
        assert_eq!(verify(&function).await, "verified", "{name}");
        assert_eq!(sandbox.count(Leg::Secret), reads, "{name}");
    }
}

#[tokio::test]
async fn failed_refresh_keeps_the_old_secret_and_is_repeated_a_minute_later() {
    let sandbox = sandbox().await;
    let secrets_manager = FarSide::of(&sandbox).await;
    let variables = [PHONE_MODE, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_manager.url.as_str())]].concat();
    let function = Function::with_sandbox(sandbox, &variables);
    assert_eq!(verify(&function).await, "verified");
    secrets_manager.always(Fault::Answer("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"));
    for (name, time, reads) in [
        ("old", Duration::from_mins(15), 2),
        ("at once", Duration::ZERO, 2),
        ("59 seconds later", Duration::from_secs(59), 2),
        ("a minute later", Duration::from_secs(1), 3),
    ] {
        pass(time).await;
        assert_eq!(verify(&function).await, "verified", "{name}");
        assert_eq!(secrets_manager.requests(), reads, "{name}");
    }
}

#[tokio::test]
async fn hanging_refresh_delays_only_the_first_requests_by_two_seconds() {
    let sandbox = sandbox().await;
    let secrets_manager = FarSide::of(&sandbox).await;
    let variables = [PHONE_MODE, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_manager.url.as_str())]].concat();
    let function = Function::with_sandbox(sandbox, &variables);
    assert_eq!(verify(&function).await, "verified");
    secrets_manager.always(Fault::Hang);
    pass(Duration::from_mins(15)).await;
    let timed = async || {
        let start = Instant::now();
        assert_eq!(verify(&function).await, "verified");
        start.elapsed()
    };
    let (first, second) = tokio::join!(timed(), timed());
    for waited in [first, second] {
        assert!((1900..2900).contains(&waited.as_millis()), "{waited:?}");
    }
    let next = timed().await;
    assert!(next < Duration::from_millis(900), "{next:?}");
    assert_eq!(secrets_manager.requests(), 2, "one refresh for all");
}
