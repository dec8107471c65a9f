//! The list of requests: recorded, shown on the page and printed.

use sandbox::{Leg, Sandbox, Settings};
use serde_json::json;

use crate::support::{self, Fixture, REDIRECT_URI, SIM, VERIFIER, client, exchange, json, send};

#[tokio::test]
async fn requests_of_a_verification_are_listed_in_order() {
    let fixture = Fixture::new().await;
    let code = fixture.code(&[]).await;
    let token = support::string(&json(fixture.token(&exchange(&code)).await).await, "access_token");
    let request = fixture.post("/number-verification/v0/verify").bearer_auth(&token).header("x-correlator", "c-1");
    send(request.json(&json!({ "phoneNumber": SIM }))).await;
    fixture.token(&exchange(&code)).await;
    send(fixture.get("/nowhere")).await;
    send(fixture.get("/sandbox/health")).await;
    send(fixture.get("/")).await;

    let end = code.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect::<String>();
    let requests = fixture.sandbox.requests();
    let lines: Vec<_> = requests.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            format!("GET /authorize 302  code …{end} to {REDIRECT_URI}"),
            format!("POST /token 200  code …{end}, redirect_uri {REDIRECT_URI}, PKCE ok"),
            format!("POST /number-verification/v0/verify 200  {SIM} → true"),
            format!("POST /token 400  code …{end} → invalid_grant: the code has already been used"),
            "GET /nowhere 404".to_owned(),
        ]
    );
    let legs: Vec<_> = requests.iter().map(|served| served.leg).collect();
    assert_eq!(legs, [Some(Leg::Authorize), Some(Leg::Token), Some(Leg::Verify), Some(Leg::Token), None]);
    assert_eq!(fixture.sandbox.count(Leg::Token), 2);

    assert_eq!(requests[1].fields["code_verifier"], VERIFIER);
    assert_eq!(requests[1].content_type.as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(requests[2].x_correlator.as_deref(), Some("c-1"));
    assert_eq!(requests[2].fields["phoneNumber"], SIM);
    assert_eq!(requests[3].error.as_deref(), Some("invalid_grant"));
}

#[tokio::test]
async fn ledger_can_be_read_and_cleared_over_http() {
    let fixture = Fixture::new().await;
    fixture.verify(&json!({ "phoneNumber": SIM })).await;
    let list = json(send(fixture.get("/sandbox/requests")).await).await;
    assert_eq!(list[1]["leg"], "token");
    assert_eq!(list[1]["client_auth"], "client_secret_basic");
    assert_eq!(list[2]["leg"], "verify");
    assert_eq!((&list[2]["asked"], &list[2]["answer"]), (&json!(SIM), &json!(true)));

    assert_eq!(send(fixture.http.delete(fixture.url("/sandbox/requests"))).await.status(), 204);
    assert!(fixture.sandbox.requests().is_empty());
    assert_eq!(fixture.sandbox.count(Leg::Verify), 0);
    fixture.verify(&json!({ "phoneNumber": SIM })).await;
    assert_eq!(fixture.sandbox.requests().len(), 3);
}

#[tokio::test]
async fn connections_are_numbered() {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        fixture.code(&[]).await;
    }
    let other = Fixture { http: client(), ..fixture };
    other.code(&[]).await;
    let connections: Vec<_> = other.sandbox.requests().iter().map(|served| served.connection).collect();
    assert_eq!(connections, [1, 1, 1, 2]);
    assert_eq!(other.sandbox.connections(), 2);
}

#[tokio::test]
async fn request_values_are_shown_as_text() {
    let fixture = Fixture::new().await;
    let token = fixture.access_token().await;
    let request = fixture.post("/number-verification/v0/verify").bearer_auth(token);
    send(request.json(&json!({ "phoneNumber": "<script>\u{1b}[2J" }))).await;
    let line = fixture.sandbox.requests().pop().expect("a request").to_string();
    assert!(!line.contains('\u{1b}'), "{line:?}");
    let response = send(fixture.get("/")).await;
    let policy = support::header(&response, "content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let page = response.text().await.expect("a page");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
    assert!(!page.contains("{{"), "{page}");
}

#[tokio::test]
async fn dropped_sandbox_stops_answering() {
    let Fixture { sandbox, http } = Fixture::new().await;
    let url = format!("{}/sandbox/health", sandbox.base_url());
    assert_eq!(send(http.get(&url)).await.status(), 204);
    drop(sandbox);
    // The listening task ends the next time it runs.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let error = http.get(&url).send().await.expect_err("no answer, not even on the old connection");
    assert!(error.is_connect(), "{error:?}");
}

#[tokio::test]
async fn port_in_use_is_an_error() {
    let first = Sandbox::start(Settings::default()).await.expect("a free port");
    let port = first.base_url().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
    let error = Sandbox::start(Settings { port, ..Settings::default() }).await.expect_err("taken");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}
