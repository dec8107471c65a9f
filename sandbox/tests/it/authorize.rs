//! `GET /authorize`: RFC 6749 §4.1.1 and §4.1.2, RFC 7636 §4.3, RFC 9207, CAMARA's rules for `scope`.

use sandbox::{Leg, Settings};

use crate::support::{
    CHALLENGE, Changes, Fixture, REDIRECT_URI, SCOPE_V0, SCOPE_V1, authorization, changed, form, header, location, send,
};

#[tokio::test]
async fn valid_request_is_redirected_back_with_a_code() {
    let fixture = Fixture::new().await;
    let cases = [
        ("as it is", vec![]),
        ("scope of v0", vec![("scope", SCOPE_V0)]),
        ("openid added", vec![("scope", "openid dpv:FraudPreventionAndDetection number-verification:verify")]),
        ("no PKCE", vec![("code_challenge", ""), ("code_challenge_method", "")]),
        ("hints", vec![("prompt", "none"), ("login_hint", "tel:+34600000001"), ("nonce", "n")]),
    ];
    for (name, changes) in cases {
        let response = fixture.authorize(&changed(authorization(), &changes)).await;
        assert_eq!(header(&response, "cache-control").as_deref(), Some("no-store"), "{name}");
        let (uri, mut query) = location(&response);
        assert_eq!(uri, REDIRECT_URI, "{name}");
        assert_eq!(query.remove("code").map(|code| code.len()), Some(43), "{name}");
        assert_eq!(query.remove("state").as_deref(), Some("a state"), "{name}");
        assert_eq!(query.remove("iss"), Some(fixture.sandbox.base_url()), "{name}");
        assert!(query.is_empty(), "{name}: {query:?}");
    }
}

#[tokio::test]
async fn hints_are_recorded_in_the_ledger() {
    let fixture = Fixture::new().await;
    fixture.code(&[("prompt", "none"), ("login_hint", "tel:+34600000001"), ("nonce", "n")]).await;
    let fields = &fixture.sandbox.requests()[0].fields;
    assert_eq!(fields["prompt"], "none");
    assert_eq!(fields["login_hint"], "tel:+34600000001");
    assert_eq!(fields["nonce"], "n");
}

#[tokio::test]
async fn state_is_returned_unchanged() {
    let fixture = Fixture::new().await;
    for state in ["+34555555555", "a b&c=d#e%20", "ñ\u{1f4f1}", &"x".repeat(512)] {
        let response = fixture.authorize(&changed(authorization(), &[("state", state)])).await;
        assert_eq!(location(&response).1["state"], state);
    }
    let response = fixture.authorize(&changed(authorization(), &[("state", "")])).await;
    assert!(!location(&response).1.contains_key("state"), "no state was sent");
}

#[tokio::test]
async fn query_of_the_redirect_uri_is_kept() {
    let fixture = Fixture::new().await;
    let redirect_uri = "https://app.example/cb?tenant=a%2Bb";
    let response = fixture.authorize(&changed(authorization(), &[("redirect_uri", redirect_uri)])).await;
    let sent_to = header(&response, "location").expect("a location");
    assert!(sent_to.starts_with("https://app.example/cb?tenant=a%2Bb&code="), "{sent_to}");
}

#[tokio::test]
async fn invalid_client_or_redirect_uri_is_not_redirected() {
    let fixture = Fixture::new().await;
    let twice = |name: &'static str, value: &str| [authorization(), form(&[(name, value)])].concat();
    let cases = [
        ("no client", changed(authorization(), &[("client_id", "")])),
        ("unknown client", changed(authorization(), &[("client_id", "<b>mallory</b>")])),
        ("client twice", twice("client_id", "my-app-id")),
        ("no redirect_uri", changed(authorization(), &[("redirect_uri", "")])),
        ("redirect_uri twice", twice("redirect_uri", REDIRECT_URI)),
        ("relative", changed(authorization(), &[("redirect_uri", "/numberverification-callback")])),
        ("no scheme", changed(authorization(), &[("redirect_uri", "app.example/cb")])),
        ("relative with a host", changed(authorization(), &[("redirect_uri", "//app.example/cb")])),
        ("another scheme", changed(authorization(), &[("redirect_uri", "javascript://app.example/cb")])),
        ("fragment", changed(authorization(), &[("redirect_uri", "https://app.example/cb#top")])),
        ("not a URI", changed(authorization(), &[("redirect_uri", "https://app.example/c b")])),
        ("not ASCII", changed(authorization(), &[("redirect_uri", "https://app.example/ñ")])),
        ("line break", changed(authorization(), &[("redirect_uri", "https://app.example/\r\nx: y")])),
    ];
    for (name, query) in cases {
        let response = fixture.authorize(&query).await;
        assert_eq!(response.status(), 400, "{name}");
        assert_eq!(header(&response, "location"), None, "{name}");
        let page = response.text().await.expect("a page");
        assert!(page.contains("The operator refuses"), "{name}: {page}");
        assert!(!page.contains("<b>mallory"), "{name}: {page}");
    }
}

#[tokio::test]
async fn other_errors_are_redirected_to_the_client() {
    let fixture = Fixture::new().await;
    let cases: [(&str, Changes<'_>, &str); 16] = [
        ("no response_type", &[("response_type", "")], "invalid_request"),
        ("implicit", &[("response_type", "token")], "unsupported_response_type"),
        ("no scope", &[("scope", "")], "invalid_scope"),
        ("no purpose", &[("scope", "number-verification:verify")], "invalid_scope"),
        ("a purpose alone", &[("scope", "dpv:FraudPreventionAndDetection")], "invalid_scope"),
        ("only openid", &[("scope", "openid")], "invalid_scope"),
        ("two purposes", &[("scope", &format!("{SCOPE_V0} {SCOPE_V1}"))], "invalid_scope"),
        ("another purpose", &[("scope", "dpv:Marketing number-verification:verify")], "invalid_scope"),
        ("unknown fragment", &[("scope", "dpv:FraudPreventionAndDetection#sim-swap")], "invalid_scope"),
        ("unknown scope", &[("scope", &format!("{SCOPE_V1} sim-swap:check"))], "invalid_scope"),
        ("plain PKCE", &[("code_challenge_method", "plain")], "invalid_request"),
        ("PKCE without method", &[("code_challenge_method", "")], "invalid_request"),
        ("method without challenge", &[("code_challenge", "")], "invalid_request"),
        ("challenge too short", &[("code_challenge", &CHALLENGE[1..])], "invalid_request"),
        ("challenge too long", &[("code_challenge", &format!("{CHALLENGE}A"))], "invalid_request"),
        ("challenge not base64url", &[("code_challenge", &CHALLENGE.replace('-', "+"))], "invalid_request"),
    ];
    for (name, changes, expected) in cases {
        let (uri, query) = location(&fixture.authorize(&changed(authorization(), changes)).await);
        assert_eq!(uri, REDIRECT_URI, "{name}");
        assert_eq!(query["error"], expected, "{name}: {query:?}");
        assert_eq!(query["state"], "a state", "{name}");
        assert_eq!(query["iss"], fixture.sandbox.base_url(), "{name}");
        assert!(!query.contains_key("code"), "{name}: {query:?}");
    }
}

#[tokio::test]
async fn repeated_parameter_is_invalid() {
    let fixture = Fixture::new().await;
    for (name, value) in [("scope", SCOPE_V1), ("response_type", "code"), ("state", "b"), ("nonce", "n"), ("nonce", "")]
    {
        let query = [authorization(), form(&[("nonce", "n"), (name, value)])].concat();
        let (_, query) = location(&fixture.authorize(&query).await);
        assert_eq!(query["error"], "invalid_request", "{name}");
        assert_eq!(query.contains_key("state"), name != "state", "{name}: a repeated state is not returned");
    }
}

#[tokio::test]
async fn registered_redirect_uris_exclude_all_others() {
    let registered = vec!["https://other.example/cb".to_owned(), REDIRECT_URI.to_owned()];
    let fixture = Fixture::with(Settings { registered_redirect_uris: registered, ..Settings::default() }).await;
    let cases = [
        ("exactly", REDIRECT_URI, Some(REDIRECT_URI)),
        ("another registered one", "https://other.example/cb", Some("https://other.example/cb")),
        ("the relative one of the published form", "/numberverification-callback", Some(REDIRECT_URI)),
        ("relative, not of a registered one", "/elsewhere", None),
        ("with a query", &format!("{REDIRECT_URI}?a=b"), None),
        ("with a slash", &format!("{REDIRECT_URI}/"), None),
        ("another host", "https://evil.example/numberverification-callback", None),
    ];
    for (name, requested, expected) in cases {
        let response = fixture.authorize(&changed(authorization(), &[("redirect_uri", requested)])).await;
        match expected {
            Some(expected) => assert_eq!(location(&response).0, expected, "{name}"),
            None => assert_eq!(response.status(), 400, "{name}"),
        }
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let fixture = Fixture::new().await;
    let response = send(fixture.post("/authorize")).await;
    assert_eq!(response.status(), 405);
    assert_eq!(header(&response, "allow").as_deref(), Some("GET,HEAD"));
    assert_eq!(fixture.sandbox.count(Leg::Authorize), 1);
}
