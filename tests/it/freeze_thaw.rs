//! Lambda freezes the program between invocations, and the operator may close kept connections meanwhile.

use std::sync::Arc;
use std::time::Duration;

use sandbox::{Leg, Scripted};
use tokio::task::JoinSet;

use crate::support::far_side::{End, FarSide, Fault};
use crate::support::{Browser, Function, sandbox};

/// The time after which a connection counts as idle. Nothing but the passing of time makes it idle, so the tests sleep.
const IDLE: Duration = Duration::from_millis(1100);

/// The real program, with a raw socket in front of the token endpoint and of `verify`.
async fn deployed(variables: &[(&str, &str)]) -> (Function, FarSide, FarSide) {
    let sandbox = sandbox().await;
    let (token, verify) = (FarSide::of(&sandbox).await, FarSide::of(&sandbox).await);
    let token_endpoint = format!("{}/token", token.url);
    let verify_endpoint = format!("{}/number-verification/v0/verify", verify.url);
    let endpoints = [("TOKEN_ENDPOINT", token_endpoint.as_str()), ("VERIFY_ENDPOINT", &verify_endpoint)];
    (Function::deployed(sandbox, &[&endpoints, variables].concat()).await, token, verify)
}

#[tokio::test]
async fn connections_closed_during_a_freeze_are_replaced_unnoticed() {
    for end in [End::Close, End::Reset, End::RequestTimeout] {
        let (function, token, verify) = deployed(&[]).await;
        let answer = Browser::default().verify(&function, "+34600000001").await;
        assert_eq!(answer.outcome(), "verified", "{end:?}");

        let mut browser = Browser::default();
        let callback = browser.callback_of(&function, "+34600000002").await;
        function.freeze().await;
        token.end_idle(end).await;
        verify.end_idle(end).await;
        let answer = browser.open_json(&function, &callback).await;
        assert_eq!(answer.outcome(), "not_verified", "{end:?}");

        for leg in [Leg::Token, Leg::Verify] {
            let served = function.sandbox.requests().into_iter().filter(|served| served.leg == Some(leg));
            let statuses: Vec<_> = served.map(|served| served.status).collect();
            assert_eq!(
                statuses,
                [Some(200), Some(200)],
                "{end:?}, {leg:?}: one request accepted for each verification"
            );
        }
        assert_eq!((token.connections(), verify.connections()), (2, 2), "{end:?}: a new connection each");
    }
}

/// The program opens its first connection when it starts, before there is a request for it.
#[tokio::test]
async fn prefetched_connection_closed_during_a_freeze_is_replaced_unnoticed() {
    for end in [End::Close, End::Reset, End::RequestTimeout] {
        let (function, token, _verify) = deployed(&[]).await;
        let mut browser = Browser::default();
        let callback = browser.callback_of(&function, "+34600000001").await;
        token.connected().await;
        function.freeze().await;
        token.end_idle(end).await;
        let answer = browser.open_json(&function, &callback).await;
        assert_eq!(answer.outcome(), "verified", "{end:?}");
        assert_eq!((token.connections(), token.requests()), (2, 1), "{end:?}: the request went over a new connection");
    }
}

/// The operator closes the connection just as the request is sent.
#[tokio::test]
async fn request_lost_on_an_idle_prefetched_connection_is_resent() {
    let (function, token, _verify) = deployed(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, "+34600000001").await;
    token.connected().await;
    tokio::time::sleep(IDLE).await;
    token.once(Fault::CloseUnserved);
    let answer = browser.open_json(&function, &callback).await;
    assert_eq!(answer.outcome(), "verified");
    assert_eq!((token.requests(), function.sandbox.count(Leg::Token)), (2, 1), "sent again, accepted once");
}

/// If an idle connection closes just when the request is sent, the request is lost, and sent again.
#[tokio::test]
async fn request_lost_on_a_kept_connection_is_resent_and_logged() {
    for fault in [Fault::CloseUnserved, Fault::ResetUnserved] {
        let (function, token, verify) = deployed(&[]).await;
        Browser::default().verify(&function, "+34600000001").await;
        tokio::time::sleep(IDLE).await;
        token.once(fault);
        verify.once(fault);
        let answer = Browser::default().verify(&function, "+34600000002").await;
        assert_eq!(answer.outcome(), "not_verified", "{fault:?}");

        assert_eq!((token.requests(), verify.requests()), (3, 3), "{fault:?}: each sent again once");
        assert_eq!(function.sandbox.count(Leg::Token), 2, "{fault:?}: one accepted for each verification");
        let line = function.logged(r#""not_verified""#).await;
        assert_eq!((&line["token_retried"], &line["verify_retried"]), (&true.into(), &true.into()), "{fault:?}");
        let log = function.log();
        let retries = log.iter().filter(|line| line["message"].as_str().is_some_and(|text| text.contains("again")));
        assert_eq!(retries.count(), 2, "{fault:?}: {log:#?}");
    }
}

/// After many simultaneous verifications many connections are kept, and all of them may be dead.
#[tokio::test]
async fn any_number_of_dead_connections_is_skipped() {
    const KEPT: usize = 6;
    let (function, token, _verify) = deployed(&[("AWS_LAMBDA_MAX_CONCURRENCY", "6")]).await;
    function.sandbox.script(Leg::Token, Some(Scripted::late(Duration::from_millis(300))));
    let function = Arc::new(function);
    let at_once: JoinSet<_> = (0..KEPT)
        .map(|_| {
            let function = Arc::clone(&function);
            async move { Browser::default().verify(&function, "+34600000001").await.status }
        })
        .collect();
    assert_eq!(at_once.join_all().await, [200; KEPT]);
    assert_eq!(token.connections(), KEPT, "they ran at once");
    tokio::time::sleep(IDLE).await;

    function.sandbox.script(Leg::Token, None);
    let mut dead = KEPT - 1;
    token.plan(move |_| {
        let is_dead = dead > 0;
        dead = dead.saturating_sub(1);
        if is_dead { Fault::CloseUnserved } else { Fault::None }
    });
    let answer = Browser::default().verify(&function, "+34600000002").await;
    assert_eq!(answer.outcome(), "not_verified");
    assert_eq!(token.requests(), 2 * KEPT);
    assert_eq!(function.sandbox.count(Leg::Token), KEPT + 1, "one accepted for each verification");
}
