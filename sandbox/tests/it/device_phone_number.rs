//! `GET /number-verification/…/device-phone-number`: CAMARA Number Verification.

use std::time::Duration;

use reqwest::Response;
use sandbox::{Leg, Scenario, Settings};
use serde_json::json;

use crate::support::{self, Fixture, camara, header, send, status_and_json};

const PATH: &str = "/number-verification/v0/device-phone-number";
const SCOPE_V0: &str = "dpv:FraudPreventionAndDetection#number-verification-share-read";
const SCOPE_V1: &str = "dpv:FraudPreventionAndDetection number-verification:device-phone-number:read";

async fn ask(fixture: &Fixture, path: &str, scope: &str) -> Response {
    let token = fixture.access_token_for(scope).await;
    send(fixture.get(path).bearer_auth(token)).await
}

#[tokio::test]
async fn all_three_versions_name_the_number_of_the_sim() {
    let sim = "+34600000007".to_owned();
    let fixture = Fixture::with(Settings { sim: sim.clone(), ..Settings::default() }).await;
    for version in ["v0", "v1", "v2"] {
        for scope in [SCOPE_V0, SCOPE_V1] {
            let path = format!("/number-verification/{version}/device-phone-number");
            let answer = status_and_json(ask(&fixture, &path, scope).await).await;
            assert_eq!(answer, (200, json!({ "devicePhoneNumber": sim })), "{path} {scope}");
            let served = fixture.sandbox.requests().pop().expect("a request");
            assert_eq!((served.leg, served.method.as_str()), (Some(Leg::DevicePhoneNumber), "GET"), "{path}");
        }
    }
    for (path, expected) in [(PATH.replace("v0", "v3"), 404), (PATH.replace("v0", "vwip"), 404)] {
        assert_eq!(ask(&fixture, &path, SCOPE_V1).await.status(), expected, "{path}");
    }
    assert_eq!(send(fixture.post(PATH)).await.status(), 405);
    assert_eq!(fixture.sandbox.count(Leg::Verify), 0);
}

#[tokio::test]
async fn scope_must_allow_it() {
    let fixture = Fixture::new().await;
    for scope in [support::SCOPE_V0, support::SCOPE_V1] {
        let (status, body) = status_and_json(ask(&fixture, PATH, scope).await).await;
        assert_eq!(camara(status, &body), (403, 403, "PERMISSION_DENIED"), "{scope}");
    }
    let both = format!("{SCOPE_V1} number-verification:verify");
    assert_eq!(ask(&fixture, PATH, &both).await.status(), 200);
}

#[tokio::test]
async fn access_token_is_required_and_works_once() {
    let fixture = Fixture::new().await;
    let used = fixture.access_token_for(SCOPE_V1).await;
    assert_eq!(send(fixture.get(PATH).bearer_auth(&used)).await.status(), 200);
    let refused_elsewhere = fixture.access_token_for(SCOPE_V1).await;
    let verify = fixture.post("/number-verification/v0/verify").bearer_auth(&refused_elsewhere);
    assert_eq!(send(verify.json(&json!({ "phoneNumber": support::SIM }))).await.status(), 403);
    for (name, request) in [
        ("none", fixture.get(PATH)),
        ("made up", fixture.get(PATH).bearer_auth("made-up")),
        ("used", fixture.get(PATH).bearer_auth(used)),
        ("refused by verify", fixture.get(PATH).bearer_auth(refused_elsewhere)),
        ("another scheme", fixture.get(PATH).basic_auth("my-app-id", Some("my-app-secret"))),
    ] {
        let response = send(request).await;
        assert_eq!(header(&response, "www-authenticate").as_deref(), Some("Bearer"), "{name}");
        let (status, body) = status_and_json(response).await;
        assert_eq!(camara(status, &body), (401, 401, "UNAUTHENTICATED"), "{name}");
    }
}

#[tokio::test]
async fn access_token_expires() {
    let token_lifetime = Duration::from_millis(50);
    let fixture = Fixture::with(Settings { token_lifetime, ..Settings::default() }).await;
    let token = fixture.access_token_for(SCOPE_V1).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(send(fixture.get(PATH).bearer_auth(token)).await.status(), 401);
}

#[tokio::test]
async fn correlator_is_returned_unchanged() {
    let fixture = Fixture::new().await;
    for (name, correlator, returned, status) in
        [("a UUID", "b4333c46-49c0-4f62-80d7-f0ef930f1c46", true, 200), ("a space", "a b", false, 400)]
    {
        let token = fixture.access_token_for(SCOPE_V1).await;
        let response = send(fixture.get(PATH).bearer_auth(token).header("x-correlator", correlator)).await;
        let expected = returned.then(|| correlator.to_owned());
        assert_eq!((header(&response, "x-correlator"), response.status().as_u16()), (expected, status), "{name}");
    }
}

#[tokio::test]
async fn scenarios_apply() {
    let not_on_mobile_network = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK";
    let fixture = Fixture::new().await;
    fixture.sandbox.set_scenario(Scenario::OnWifi);
    let (status, body) = status_and_json(ask(&fixture, PATH, SCOPE_V1).await).await;
    assert_eq!(camara(status, &body), (403, 403, not_on_mobile_network));

    fixture.sandbox.set_scenario(Scenario::AnotherSim);
    let (status, body) = status_and_json(ask(&fixture, PATH, SCOPE_V1).await).await;
    assert_eq!((status, body), (200, json!({ "devicePhoneNumber": "+34600000009" })));

    fixture.sandbox.set_scenario(Scenario::RateLimited);
    let response = ask(&fixture, PATH, SCOPE_V1).await;
    assert_eq!((response.status().as_u16(), header(&response, "retry-after").as_deref()), (429, Some("30")));

    fixture.sandbox.set_scenario(Scenario::Rubbish);
    let response = ask(&fixture, PATH, SCOPE_V1).await;
    assert_eq!((response.status().as_u16(), header(&response, "content-type").as_deref()), (200, Some("text/html")));
}

#[tokio::test]
async fn leg_has_its_name_in_the_ledger_and_in_scripts() {
    let fixture = Fixture::new().await;
    let script = json!({ "leg": "device-phone-number", "status": 418, "times": 1 });
    assert_eq!(send(fixture.post("/sandbox/script").json(&script)).await.status(), 204);
    assert_eq!(ask(&fixture, PATH, SCOPE_V1).await.status(), 418);
    assert_eq!(ask(&fixture, PATH, SCOPE_V1).await.status(), 200);
    let remove = fixture.http.delete(fixture.url("/sandbox/script/device-phone-number"));
    assert_eq!(send(remove).await.status(), 204);
    let list: serde_json::Value = support::json(send(fixture.get("/sandbox/requests")).await).await;
    assert_eq!((&list[5]["leg"], &list[5]["note"]), (&json!("device-phone-number"), &json!("the SIM’s number")));
}
