//! `POST /token`: RFC 6749 §2.3, §4.1.3 and §5, RFC 7636 §4.6.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::{ClientAuth, SAMPLE_CODE, Settings};
use serde_json::json;

use crate::support::{
    self, Changes, Fixture, SCOPE_V0, VERIFIER, changed, exchange, form, header, json, send, status_and_json, string,
};

const POST_CREDENTIALS: [(&str, &str); 2] = [("client_id", "my-app-id"), ("client_secret", "my-app-secret")];

#[tokio::test]
async fn code_is_exchanged_for_a_token() {
    let fixture = Fixture::new().await;
    let code = fixture.code(&[("scope", SCOPE_V0)]).await;
    let response = fixture.token(&exchange(&code)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "cache-control").as_deref(), Some("no-store"));
    let mut body = json(response).await;
    assert_eq!(string(&body, "access_token").len(), 43);
    body["access_token"].take();
    assert_eq!(body, json!({ "access_token": null, "token_type": "Bearer", "expires_in": 300, "scope": SCOPE_V0 }));
}

#[tokio::test]
async fn each_fault_in_the_form_has_its_error() {
    let fixture = Fixture::new().await;
    let cases: [(&str, Changes<'_>, &str); 12] = [
        ("no grant_type", &[("grant_type", "")], "invalid_request"),
        ("another grant_type", &[("grant_type", "client_credentials")], "unsupported_grant_type"),
        ("no code", &[("code", "")], "invalid_request"),
        ("unknown code", &[("code", "made-up")], "invalid_grant"),
        ("no redirect_uri", &[("redirect_uri", "")], "invalid_grant"),
        ("another redirect_uri", &[("redirect_uri", "https://app.example/")], "invalid_grant"),
        ("no verifier", &[("code_verifier", "")], "invalid_grant"),
        ("another verifier", &[("code_verifier", &VERIFIER.replace('d', "e"))], "invalid_grant"),
        ("verifier too short", &[("code_verifier", &VERIFIER[1..])], "invalid_grant"),
        ("both ways to authenticate", &POST_CREDENTIALS, "invalid_request"),
        ("the correct secret in both places", &[("client_secret", "my-app-secret")], "invalid_request"),
        ("another client_id in the form than in Basic", &[("client_id", "another")], "invalid_request"),
    ];
    for (name, changes, expected) in cases {
        let code = fixture.code(&[]).await;
        let response = fixture.token(&changed(exchange(&code), changes)).await;
        assert_eq!(header(&response, "cache-control").as_deref(), Some("no-store"), "{name}");
        let (status, body) = status_and_json(response).await;
        assert_eq!((status, string(&body, "error").as_str()), (400, expected), "{name}: {body}");
        assert!(!string(&body, "error_description").is_empty(), "{name}");

        let response = fixture.token(&exchange(&code)).await;
        assert_eq!(response.status(), 200, "{name}: an exchange that failed does not use up the code");
    }
}

#[tokio::test]
async fn repeated_parameter_is_invalid() {
    let fixture = Fixture::new().await;
    for name in ["code", "grant_type", "redirect_uri", "code_verifier", "something"] {
        let code = fixture.code(&[]).await;
        let form = [exchange(&code), form(&[("something", "a"), (name, "b")])].concat();
        let (status, body) = status_and_json(fixture.token(&form).await).await;
        assert_eq!((status, string(&body, "error").as_str()), (400, "invalid_request"), "{name}");
    }
}

#[tokio::test]
async fn second_use_of_a_code_revokes_its_token() {
    let fixture = Fixture::new().await;
    let code = fixture.code(&[]).await;
    let token = string(&json(fixture.token(&exchange(&code)).await).await, "access_token");

    let (status, body) = status_and_json(fixture.token(&exchange(&code)).await).await;
    assert_eq!((status, string(&body, "error").as_str()), (400, "invalid_grant"));

    let body = json!({ "phoneNumber": "+34600000001" });
    let response = send(fixture.post("/number-verification/v1/verify").bearer_auth(token).json(&body)).await;
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn code_expires() {
    let settings = Settings { code_lifetime: Duration::from_millis(50), ..Settings::default() };
    let fixture = Fixture::with(settings).await;
    let code = fixture.code(&[]).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let (status, body) = status_and_json(fixture.token(&exchange(&code)).await).await;
    assert_eq!((status, string(&body, "error").as_str()), (400, "invalid_grant"));
}

#[tokio::test]
async fn verifier_without_a_challenge_is_refused() {
    let fixture = Fixture::new().await;
    let code = fixture.code(&[("code_challenge", ""), ("code_challenge_method", "")]).await;
    let (status, body) = status_and_json(fixture.token(&exchange(&code)).await).await;
    assert_eq!((status, string(&body, "error").as_str()), (400, "invalid_grant"));

    let response = fixture.token(&changed(exchange(&code), &[("code_verifier", "")])).await;
    assert_eq!(response.status(), 200, "PKCE is not required");
}

#[tokio::test]
async fn relative_redirect_uri_must_be_resolved_in_the_token_request() {
    let registered_redirect_uris = vec![support::REDIRECT_URI.to_owned()];
    let fixture = Fixture::with(Settings { registered_redirect_uris, ..Settings::default() }).await;
    let relative = ("redirect_uri", "/numberverification-callback");
    let code = fixture.code(&[relative]).await;
    assert_eq!(fixture.token(&changed(exchange(&code), &[relative])).await.status(), 400);
    assert_eq!(fixture.token(&exchange(&code)).await.status(), 200);
}

const ID: &str = "my app:id";
const SECRET: &str = "a+b c%/=&ñ";

async fn odd_client() -> Fixture {
    let settings = Settings { client_id: ID.into(), client_secret: SECRET.into(), ..Settings::default() };
    Fixture::with(settings).await
}

/// Exchanges a code with these credentials, and expects this status, and this authentication method in the ledger.
async fn authenticate(
    fixture: &Fixture,
    name: &str,
    authorization: Option<&str>,
    credentials: Changes<'_>,
    (expected, way): (u16, Option<ClientAuth>),
) {
    fixture.sandbox.clear_requests();
    let code = fixture.code(&[("client_id", ID)]).await;
    let mut request = fixture.post("/token").form(&changed(exchange(&code), credentials));
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let response = send(request).await;
    assert_eq!(response.status(), expected, "{name}");
    let challenge = header(&response, "www-authenticate");
    let basic = way == Some(ClientAuth::ClientSecretBasic);
    assert_eq!(challenge.is_some(), expected == 401 && basic, "{name}: {challenge:?}");
    let error = match expected {
        401 => "invalid_client",
        400 => "invalid_request",
        _ => "",
    };
    assert_eq!(json(response).await["error"].as_str().unwrap_or_default(), error, "{name}");
    assert_eq!(fixture.sandbox.requests()[1].client_auth, way, "{name}");
}

#[tokio::test]
async fn client_secret_basic() {
    let fixture = odd_client().await;
    // RFC 6749 §2.3.1: each half form-urlencoded.
    let right = format!("Basic {}", base64("my+app%3Aid:a%2Bb+c%25%2F%3D%26%C3%B1"));
    let basic = |credentials: &str| format!("Basic {}", base64(credentials));
    for (name, authorization, expected) in [
        ("right", right.clone(), 200),
        ("scheme in lower case", right.replace("Basic", "basic"), 200),
        ("not urlencoded", basic("my app:id:a+b c%/=&ñ"), 401),
        ("another secret", basic("my+app%3Aid:wrong"), 401),
        ("unknown client", basic("someone:a%2Bb"), 401),
        ("no colon", basic("my+app%3Aid"), 401),
        ("not base64", "Basic !".to_owned(), 401),
        ("not UTF-8", "Basic /zr/".to_owned(), 401),
    ] {
        let way = Some(ClientAuth::ClientSecretBasic);
        authenticate(&fixture, name, Some(&authorization), &[], (expected, way)).await;
    }
    let way = Some(ClientAuth::ClientSecretBasic);
    authenticate(&fixture, "client_id in the form too", Some(&right), &[("client_id", ID)], (200, way)).await;
    let both: Changes<'_> = &[("client_id", ID), ("client_secret", SECRET)];
    authenticate(&fixture, "both ways", Some(&right), both, (400, Some(ClientAuth::Both))).await;
}

#[tokio::test]
async fn client_secret_post() {
    let fixture = odd_client().await;
    for (name, client_id, client_secret, expected) in [
        ("right", ID, SECRET, 200),
        ("another secret", ID, "wrong", 401),
        ("unknown client", "someone", SECRET, 401),
        ("no client_id", "", SECRET, 401),
    ] {
        let credentials = [("client_id", client_id), ("client_secret", client_secret)];
        let way = Some(ClientAuth::ClientSecretPost);
        authenticate(&fixture, name, None, &credentials, (expected, way)).await;
    }
}

#[tokio::test]
async fn missing_client_authentication_is_refused() {
    let fixture = odd_client().await;
    authenticate(&fixture, "only the id", None, &[("client_id", ID)], (401, None)).await;
    authenticate(&fixture, "another scheme", Some("Bearer abc"), &[], (401, None)).await;
}

#[tokio::test]
async fn code_of_another_client_is_refused() {
    let other_clients = BTreeMap::from([("other".to_owned(), "secret".to_owned())]);
    let fixture = Fixture::with(Settings { other_clients, ..Settings::default() }).await;
    let code = fixture.code(&[]).await;
    let response = send(fixture.post("/token").basic_auth("other", Some("secret")).form(&exchange(&code))).await;
    let (status, body) = status_and_json(response).await;
    assert_eq!((status, string(&body, "error").as_str()), (400, "invalid_grant"));
    assert_eq!(fixture.token(&exchange(&code)).await.status(), 200, "the client's own");
}

#[tokio::test]
async fn accepted_secret_can_be_rotated() {
    let fixture = Fixture::new().await;
    let code = fixture.code(&[]).await;
    fixture.sandbox.set_client_secret("new");
    assert_eq!(fixture.token(&exchange(&code)).await.status(), 401);
    let response = send(fixture.post("/token").basic_auth("my-app-id", Some("new")).form(&exchange(&code))).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn only_a_form_in_a_post_body_is_accepted() {
    let fixture = Fixture::new().await;
    let code = fixture.code(&[]).await;
    let request = || fixture.post("/token").basic_auth("my-app-id", Some("my-app-secret"));
    let as_form = "application/x-www-form-urlencoded";
    let encoded = format!(
        "grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&redirect_uri={}",
        support::REDIRECT_URI
    );
    let cases = [
        ("JSON", request().json(&json!({ "code": code })), 415),
        ("no content type", request().body(encoded.clone()), 415),
        ("in the query", request().query(&[("code", &code)]).form(&exchange(&code)), 400),
        ("GET", fixture.get("/token"), 405),
        ("too large", request().form(&changed(exchange(&code), &[("code", &"x".repeat(65 * 1024))])), 413),
        ("charset", request().header("content-type", format!("{as_form}; charset=UTF-8")).body(encoded), 200),
    ];
    for (name, request, expected) in cases {
        assert_eq!(send(request).await.status(), expected, "{name}");
    }
}

#[tokio::test]
async fn sample_code_never_expires() {
    let fixture = Fixture::new().await;
    let cases: [Changes<'_>; 3] =
        [&[], &[("redirect_uri", "http://127.0.0.1:9900/cb"), ("code_verifier", "")], &[("redirect_uri", "")]];
    for changes in cases {
        let response = fixture.token(&changed(exchange(SAMPLE_CODE), changes)).await;
        assert_eq!(response.status(), 200, "{changes:?}");
        let token = string(&json(response).await, "access_token");
        let body = json!({ "phoneNumber": "+34600000001" });
        let response = send(fixture.post("/number-verification/v0/verify").bearer_auth(token).json(&body)).await;
        assert_eq!(json(response).await, json!({ "devicePhoneNumberVerified": true }), "{changes:?}");
    }
    let response = send(fixture.post("/token").form(&exchange(SAMPLE_CODE))).await;
    assert_eq!(response.status(), 401, "the client must still authenticate");
}

#[tokio::test]
async fn verifier_must_have_43_to_128_unreserved_characters() {
    use base64::Engine as _;
    let fixture = Fixture::new().await;
    for (name, verifier, expected) in [
        ("too short", "v".repeat(42), 400),
        ("shortest", "v".repeat(43), 200),
        ("longest", "-._~".repeat(32), 200),
        ("too long", "v".repeat(129), 400),
        ("reserved", "v+".repeat(30), 400),
    ] {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        let challenge = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(hash);
        let code = fixture.code(&[("code_challenge", &challenge)]).await;
        let form = changed(exchange(&code), &[("code_verifier", &verifier)]);
        assert_eq!(fixture.token(&form).await.status(), expected, "{name}");
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(text)
}
