//! Apps that were added or removed, and none at all.

use std::time::Duration;

use sandbox::Leg;
use serde_json::json;

use crate::support::app::{provider, secret, shop_request};
use crate::support::{Browser, Function, http_api_event};

#[tokio::test]
async fn app_that_was_removed_gets_nothing() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.authorize(&function, &shop_request(&[])).await;
    let mut without_shop = secret();
    without_shop["relying_parties"].as_array_mut().unwrap().remove(0);
    let later = Function::with_sandbox(function.sandbox.clone(), &[]);
    later.sandbox.set_secret_string(without_shop.to_string());
    let page = browser.open(&later, &callback).await;
    assert_eq!((page.status, page.header("location")), (200, ""), "{}", page.body);
    assert!(page.body.contains("Phone number verified") && !page.body.contains("shop.example"));
}

#[tokio::test]
async fn without_apps_nothing_of_the_provider_exists() {
    let not_there = json!({"client_id": "my-app-id", "client_secret": "my-app-secret", "state_key": "x".repeat(32)});
    let mut short_key = secret();
    short_key["state_key"] = "sixteen characters".into();
    let mut empty = secret();
    empty["relying_parties"] = json!([]);
    for (name, secret, variables) in [
        ("no apps", not_there, &[][..]),
        ("an empty list", empty, &[]),
        ("a short state_key", short_key, &[]),
        ("phone mode", secret(), &[("STATE_MODE", "phone")]),
    ] {
        let function = Function::start(variables).await;
        function.sandbox.set_secret_string(secret.to_string());
        for (method, path) in [
            ("GET", "/authorize?client_id=shop"),
            ("POST", "/authorize"),
            ("HEAD", "/authorize"),
            ("POST", "/token"),
            ("GET", "/token"),
            ("OPTIONS", "/token"),
            ("GET", "/userinfo"),
            ("GET", "/.well-known/openid-configuration"),
            ("GET", "/.well-known/jwks.json"),
        ] {
            for header in [("accept", "text/html"), ("sec-fetch-dest", "iframe"), ("sec-purpose", "prefetch")] {
                let event = http_api_event(method, path, &[header], "");
                assert_eq!(function.invoke(&event).await.status, 404, "{name}: {method} {path} {header:?}");
            }
        }
        let body = "phone=%2B34600000001&client_id=shop&redirect_uri=https%3A%2F%2Fshop.example%2Fcb";
        let start = function.post("/start", body, &[]).await;
        assert_eq!(start.status, 303, "{name}: the fields of an app are ignored");
        assert!(start.header("location").starts_with(&function.sandbox.base_url()), "{name}");
    }
}

#[tokio::test]
async fn app_registered_a_moment_ago_is_known_within_ten_seconds() {
    let mut others = secret();
    others["relying_parties"].as_array_mut().unwrap().remove(0);
    for (name, before, refused) in [("the first app", None, 404), ("one more app", Some(others), 400)] {
        let function = Function::start(&[]).await;
        if let Some(before) = before {
            function.sandbox.set_secret_string(before.to_string());
        }
        assert_eq!(function.get(&shop_request(&[]), &[]).await.status, refused, "{name}");
        function.sandbox.set_secret_string(secret().to_string());
        function.sandbox.clear_requests();
        assert_eq!(function.get(&shop_request(&[]), &[]).await.status, refused, "{name}");
        assert_eq!(function.sandbox.count(Leg::Secret), 0, "{name}: at most one read in ten seconds");
        for (what, reads) in [("found", 1), ("known", 0)] {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(11)).await;
            tokio::time::resume();
            function.sandbox.clear_requests();
            assert_eq!(function.get(&shop_request(&[]), &[]).await.status, 303, "{name}: {what}");
            assert_eq!(function.sandbox.count(Leg::Secret), reads, "{name}: {what}");
        }
    }
}
