//! Scenarios and scripts, set from Rust and over HTTP.

use std::time::{Duration, Instant};

use sandbox::{Leg, SAMPLE_CODE, Scenario, Scripted, Settings};
use serde_json::{Value, json};

use crate::support::{Fixture, SIM, authorization, changed, exchange, header, json, location, send, status_and_json};

async fn verify(fixture: &Fixture, number: &str) -> (u16, Value) {
    status_and_json(fixture.verify(&json!({ "phoneNumber": number })).await).await
}

#[tokio::test]
async fn some_scenarios_ignore_the_number() {
    let fixture = Fixture::new().await;
    fixture.sandbox.set_scenario(Scenario::RightSim);
    assert_eq!(verify(&fixture, "+34600000002").await, (200, json!({ "devicePhoneNumberVerified": true })));

    fixture.sandbox.set_scenario(Scenario::AnotherSim);
    assert_eq!(verify(&fixture, SIM).await, (200, json!({ "devicePhoneNumberVerified": false })));

    fixture.sandbox.set_scenario(Scenario::OnWifi);
    let (status, body) = verify(&fixture, SIM).await;
    let code = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK";
    assert_eq!((status, &body["code"]), (403, &json!(code)));

    fixture.sandbox.set_scenario(Scenario::ByNumber);
    assert_eq!(verify(&fixture, SIM).await, (200, json!({ "devicePhoneNumberVerified": true })));
}

#[tokio::test]
async fn consent_refused() {
    let fixture = Fixture::new().await;
    fixture.sandbox.set_scenario(Scenario::ConsentRefused);
    let (_, query) = location(&fixture.authorize(&authorization()).await);
    assert_eq!((query["error"].as_str(), query["state"].as_str()), ("access_denied", "a state"));
    let (_, query) = location(&fixture.authorize(&changed(authorization(), &[("scope", "")])).await);
    assert_eq!(query["error"], "invalid_scope", "consent is not requested for an invalid request");
}

#[tokio::test]
async fn code_expired() {
    let fixture = Fixture::new().await;
    fixture.sandbox.set_scenario(Scenario::CodeExpired);
    let (status, body) = status_and_json(fixture.token(&exchange(SAMPLE_CODE)).await).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn operator_slow() {
    let slow_for = Duration::from_millis(150);
    let fixture = Fixture::with(Settings { slow_for, ..Settings::default() }).await;
    let code = fixture.code(&[]).await;
    fixture.sandbox.set_scenario(Scenario::OperatorSlow);
    let start = Instant::now();
    assert_eq!(fixture.token(&exchange(&code)).await.status(), 200);
    assert!(start.elapsed() >= slow_for, "{:?}", start.elapsed());
}

#[tokio::test]
async fn operator_down() {
    let fixture = Fixture::new().await;
    fixture.sandbox.set_scenario(Scenario::OperatorDown);
    let response = fixture.token(&exchange(SAMPLE_CODE)).await;
    assert_eq!((response.status().as_u16(), header(&response, "content-type").as_deref()), (502, Some("text/html")));
}

#[tokio::test]
async fn rate_limited() {
    let fixture = Fixture::new().await;
    fixture.sandbox.set_scenario(Scenario::RateLimited);
    let request = fixture.post("/number-verification/v0/verify").header("x-correlator", "c");
    let response = send(request).await;
    assert_eq!(header(&response, "retry-after").as_deref(), Some("30"));
    assert_eq!(header(&response, "x-correlator").as_deref(), Some("c"));
    let (status, body) = status_and_json(response).await;
    assert_eq!((status, &body["code"]), (429, &json!("TOO_MANY_REQUESTS")));
}

#[tokio::test]
async fn rubbish() {
    let fixture = Fixture::new().await;
    fixture.sandbox.set_scenario(Scenario::Rubbish);
    let response = fixture.verify(&json!({ "phoneNumber": SIM })).await;
    assert_eq!((response.status().as_u16(), header(&response, "content-type").as_deref()), (200, Some("text/html")));
    assert_eq!(fixture.sandbox.requests().pop().and_then(|served| served.answer), None);
}

#[tokio::test]
async fn script_overrides_the_scenario_for_its_number_of_requests() {
    let fixture = Fixture::new().await;
    fixture.sandbox.set_scenario(Scenario::OperatorDown);
    let script = Scripted::json(418, &json!({ "error": "teapot" })).header("x-a", "1").header("x-a", "2").times(2);
    fixture.sandbox.script(Leg::Token, Some(script));
    for expected in [418, 418, 502] {
        let response = fixture.token(&exchange(SAMPLE_CODE)).await;
        assert_eq!(response.status(), expected);
        let values = response.headers().get_all("x-a").iter().count();
        assert_eq!(values, if expected == 418 { 2 } else { 0 });
    }
    let errors: Vec<_> = fixture.sandbox.requests().into_iter().map(|served| served.error).collect();
    assert_eq!(errors, [Some("teapot".to_owned()), Some("teapot".to_owned()), None]);
}

#[tokio::test]
async fn script_without_a_count_stays_until_it_is_removed() {
    let fixture = Fixture::new().await;
    for leg in Leg::ALL {
        fixture.sandbox.script(leg, Some(Scripted::answer(503, "x".repeat(100_000))));
    }
    let answers = [
        fixture.authorize(&authorization()).await,
        fixture.token(&exchange("any")).await,
        send(fixture.post("/number-verification/v0/verify")).await,
        send(fixture.get("/number-verification/v0/device-phone-number")).await,
        send(fixture.post("/")).await,
    ];
    for response in answers {
        assert_eq!(response.status(), 503);
        assert_eq!(response.text().await.map(|body| body.len()).ok(), Some(100_000));
    }
    for leg in Leg::ALL {
        assert_eq!(fixture.sandbox.count(leg), 1, "{leg:?}");
        fixture.sandbox.script(leg, None);
    }
    assert_eq!(fixture.authorize(&authorization()).await.status(), 302);
}

#[tokio::test]
async fn late_answer_has_already_taken_effect() {
    let fixture = Fixture::new().await;
    let code = fixture.code(&[]).await;
    fixture.sandbox.script(Leg::Token, Some(Scripted::late(Duration::from_mins(1)).times(1)));
    let request = fixture.post("/token").basic_auth("my-app-id", Some("my-app-secret")).form(&exchange(&code));
    let error = request.timeout(Duration::from_millis(100)).send().await.expect_err("no answer in time");
    assert!(error.is_timeout(), "{error:?}");

    let response = fixture.token(&exchange(&code)).await;
    assert_eq!(response.status(), 400, "the code was used by the request that got no answer");
    let requests = fixture.sandbox.requests();
    let statuses: Vec<_> = requests.iter().map(|served| served.status).collect();
    assert_eq!(statuses, [Some(302), None, Some(400)]);
    let line = requests[1].to_string();
    assert!(line.ends_with("the client disconnected before the answer"), "{line}");
}

#[tokio::test]
async fn script_that_is_not_valid_http_is_reported() {
    let fixture = Fixture::new().await;
    for script in [
        Scripted::answer(100, ""),
        Scripted::answer(999, ""),
        Scripted::answer(200, "").header("a b", "c"),
        Scripted::answer(200, "").header("a", "b\r\nc"),
    ] {
        fixture.sandbox.script(Leg::Token, Some(script));
        let response = fixture.token(&exchange(SAMPLE_CODE)).await;
        assert_eq!(response.status(), 500);
        let body = response.text().await.expect("text");
        assert!(body.starts_with("script: "), "{body}");
    }
}

#[tokio::test]
async fn scenarios_can_be_set_over_http() {
    let fixture = Fixture::new().await;
    for scenario in Scenario::ALL {
        let response = send(fixture.post("/sandbox/scenario").json(&json!({ "scenario": scenario.name() }))).await;
        assert_eq!(response.status(), 204, "{scenario:?}");
        let response = send(fixture.post("/sandbox/scenario").form(&[("scenario", scenario.name())])).await;
        assert_eq!(response.status(), 303, "{scenario:?}");
        assert_eq!(header(&response, "location").as_deref(), Some("/"), "{scenario:?}");
        let page = send(fixture.get("/")).await.text().await.expect("a page");
        let button = format!("value=\"{}\" aria-pressed=\"true\"", scenario.name());
        assert!(page.contains(&button), "{scenario:?}: {page}");
        assert_eq!(page.matches("aria-pressed=\"true\"").count(), 1, "{scenario:?}");
    }
    for request in [
        fixture.post("/sandbox/scenario").json(&json!({ "scenario": "nonsense" })),
        fixture.post("/sandbox/scenario").form(&[("scenario", "nonsense")]),
    ] {
        let response = send(request).await;
        assert_eq!(response.status(), 400);
        let text = response.text().await.expect("text");
        assert!(text.contains("nonsense") && text.contains("by_number, right_sim"), "{text}");
    }
    assert_eq!(send(fixture.post("/sandbox/scenario").body("{")).await.status(), 400);
}

#[tokio::test]
async fn scripts_can_be_set_over_http() {
    let fixture = Fixture::new().await;
    let set = async |script: Value| send(fixture.post("/sandbox/script").json(&script)).await.status().as_u16();

    let script = json!({ "leg": "verify", "status": 200, "headers": { "content-type": "application/json" },
        "body": { "devicePhoneNumberVerified": "true" }, "times": 1 });
    assert_eq!(set(script).await, 204);
    let response = send(fixture.post("/number-verification/v0/verify")).await;
    assert_eq!(header(&response, "content-type").as_deref(), Some("application/json"));
    assert_eq!(json(response).await, json!({ "devicePhoneNumberVerified": "true" }));
    assert_eq!(send(fixture.post("/number-verification/v0/verify")).await.status(), 401, "only once");

    assert_eq!(set(json!({ "leg": "token", "body": "as it is" })).await, 204);
    let response = fixture.token(&exchange(SAMPLE_CODE)).await;
    assert_eq!((response.status().as_u16(), response.text().await.ok().as_deref()), (200, Some("as it is")));

    assert_eq!(set(json!({ "leg": "token", "delay_ms": 120 })).await, 204);
    let start = Instant::now();
    assert_eq!(fixture.token(&exchange(SAMPLE_CODE)).await.status(), 200, "the real answer");
    assert!(start.elapsed() >= Duration::from_millis(120), "{:?}", start.elapsed());

    assert_eq!(set(json!({ "leg": "token", "status": 500 })).await, 204);
    assert_eq!(send(fixture.http.delete(fixture.url("/sandbox/script/token"))).await.status(), 204);
    assert_eq!(fixture.token(&exchange(SAMPLE_CODE)).await.status(), 200);

    for (name, script) in [
        ("unknown leg", json!({ "leg": "nonsense" })),
        ("no leg", json!({ "status": 200 })),
        ("misspelt member", json!({ "leg": "token", "delay": 1 })),
        ("not a status", json!({ "leg": "token", "status": 99 })),
        ("not a header", json!({ "leg": "token", "headers": { "a b": "c" } })),
    ] {
        assert_eq!(set(script).await, 400, "{name}");
    }
    assert_eq!(send(fixture.http.delete(fixture.url("/sandbox/script/nonsense"))).await.status(), 400);
}
