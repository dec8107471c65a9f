//! What `/authorize` accepts and refuses, and whom it tells.

use sandbox::Leg;

use crate::support::app::{CHALLENGE, ISSUER, SHOP_URI, parameter, provider, query, sent_back, shop_request};
use crate::support::{AS_JSON, http_api_event};

const NATIVE_URI: &str = "com.example.app:/cb";

#[tokio::test]
async fn unknown_client_or_redirect_uri_is_a_page_and_never_a_redirect() {
    let function = provider(&[]).await;
    let twice = format!("{}&client_id=shop", shop_request(&[]));
    let two_uris = format!("{}&redirect_uri=https%3A%2F%2Fevil.example", shop_request(&[]));
    for (name, request) in [
        ("no client_id", shop_request(&[("client_id", "")])),
        ("an unknown client_id", shop_request(&[("client_id", "evil")])),
        ("another app's redirect URI", shop_request(&[("redirect_uri", "https://bank.example/cb")])),
        ("no redirect_uri", shop_request(&[("redirect_uri", "")])),
        ("an unknown redirect URI", shop_request(&[("redirect_uri", "https://evil.example/cb")])),
        ("a longer path", shop_request(&[("redirect_uri", "https://shop.example/cb/x")])),
        ("two clients", twice),
        ("two redirect URIs", two_uris),
        ("nothing", "/authorize".to_owned()),
    ] {
        for headers in [&[][..], &[AS_JSON]] {
            let page = function.get(&request, headers).await;
            assert_eq!((page.status, page.header("location")), (400, ""), "{name}");
            assert!(page.body.contains("This app is not known here"), "{name}: {}", page.body);
            assert!(!page.body.contains("evil"), "{name}");
        }
    }
    assert_eq!(function.sandbox.count(Leg::Authorize), 0);
}

#[tokio::test]
async fn every_other_error_goes_to_the_app_with_its_state() {
    let function = provider(&[]).await;
    let (long, challenge) = ("x".repeat(2001), "y".repeat(44));
    for (name, changes, error, state) in [
        ("no response_type", &[("response_type", "")][..], "invalid_request", "s-1"),
        ("the implicit flow", &[("response_type", "id_token")], "unsupported_response_type", "s-1"),
        ("the hybrid flow", &[("response_type", "code id_token")], "unsupported_response_type", "s-1"),
        ("no scope", &[("scope", "")], "invalid_scope", "s-1"),
        ("a scope without openid", &[("scope", "phone profile")], "invalid_scope", "s-1"),
        ("another response_mode", &[("response_mode", "fragment")], "invalid_request", "s-1"),
        ("form_post", &[("response_mode", "form_post")], "invalid_request", "s-1"),
        ("a plain challenge", &[("code_challenge", CHALLENGE)], "invalid_request", "s-1"),
        (
            "a challenge named plain",
            &[("code_challenge", CHALLENGE), ("code_challenge_method", "plain")],
            "invalid_request",
            "s-1",
        ),
        ("a method without its challenge", &[("code_challenge_method", "S256")], "invalid_request", "s-1"),
        (
            "a challenge of another length",
            &[("code_challenge", &challenge), ("code_challenge_method", "S256")],
            "invalid_request",
            "s-1",
        ),
        ("a request object", &[("request", "eyJ")], "request_not_supported", "s-1"),
        ("a request URI", &[("request_uri", "https://shop.example/r")], "request_uri_not_supported", "s-1"),
        ("a registration", &[("registration", "{}")], "registration_not_supported", "s-1"),
        ("a long state", &[("state", &long)], "invalid_request", ""),
        ("a long nonce", &[("nonce", &long[..257])], "invalid_request", "s-1"),
        ("a long operator", &[("operator", &long[..33])], "invalid_request", "s-1"),
        ("nothing that binds the answer", &[("state", ""), ("nonce", "")], "invalid_request", ""),
        ("none beside another prompt", &[("prompt", "none login")], "invalid_request", "s-1"),
        ("none without a number", &[("prompt", "none"), ("login_hint", "")], "login_required", "s-1"),
        ("none with a bad number", &[("prompt", "none"), ("login_hint", "600000001")], "invalid_request", "s-1"),
    ] {
        let back = sent_back(&function.get(&shop_request(changes), &[]).await, SHOP_URI);
        assert_eq!(parameter(&back, "error"), error, "{name}");
        assert_eq!((parameter(&back, "state"), parameter(&back, "iss")), (state, ISSUER), "{name}");
        assert!(!parameter(&back, "error_description").is_empty() && parameter(&back, "code").is_empty(), "{name}");
    }
    let not_utf_8 = format!("{}&state=%ff", shop_request(&[("state", "")]));
    let back = sent_back(&function.get(&not_utf_8, &[]).await, SHOP_URI);
    assert_eq!(
        (parameter(&back, "error"), parameter(&back, "state")),
        ("invalid_request", ""),
        "bytes that are not UTF-8"
    );
    for repeated in ["scope", "state", "nonce", "prompt", "login_hint", "response_type", "ui_locales", "request"] {
        let request = format!("{}&{repeated}=a&{repeated}=b", shop_request(&[(repeated, "")]));
        let back = sent_back(&function.get(&request, &[]).await, SHOP_URI);
        assert_eq!(parameter(&back, "error"), "invalid_request", "{repeated}");
        assert_eq!(parameter(&back, "state"), if repeated == "state" { "" } else { "s-1" }, "{repeated}");
    }
    assert_eq!(function.sandbox.count(Leg::Authorize), 0);
}

#[tokio::test]
async fn what_has_no_meaning_here_is_ignored() {
    let function = provider(&[]).await;
    let long = "x".repeat(256);
    for (name, changes) in [
        ("scopes", &[("scope", "openid profile email offline_access")][..]),
        ("prompts", &[("prompt", "login consent select_account create")]),
        ("response_mode query", &[("response_mode", "query")]),
        ("max_age, display and claims", &[("max_age", "0"), ("display", "popup"), ("claims", "{}")]),
        ("an unknown parameter", &[("resource", "https://api.example"), ("audience", "x")]),
        ("an unknown language", &[("ui_locales", "fr ja")]),
        ("no nonce", &[("nonce", "")]),
        ("the longest nonce", &[("nonce", &long)]),
        ("the longest name of an operator", &[("operator", &long[..32])]),
        ("only a nonce", &[("state", "")]),
        (
            "only a challenge",
            &[("state", ""), ("nonce", ""), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")],
        ),
        ("a number without tel:", &[("login_hint", "+34600000001")]),
        ("a number whose + is not encoded", &[("login_hint", "tel: 34600000001")]),
    ] {
        let answer = function.get(&shop_request(changes), &[]).await;
        assert!(answer.header("location").starts_with(&function.sandbox.base_url()), "{name}: {}", answer.body);
    }
}

/// It comes without cookies, so the function could not remove the older ones.
#[tokio::test]
async fn form_of_another_site_is_sent_on_as_a_link() {
    let function = provider(&[]).await;
    let request = shop_request(&[]);
    let body = request.strip_prefix("/authorize?").unwrap();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    let answer = function.post("/authorize", body, &headers).await;
    assert_eq!((answer.status, answer.headers.contains_key("set-cookie")), (303, false));
    let answer = function.get(answer.header("location"), &[]).await;
    assert!(answer.header("location").starts_with(&function.sandbox.base_url()), "{}", answer.body);
}

#[tokio::test]
async fn request_can_be_posted_as_a_form() {
    let function = provider(&[]).await;
    let request = shop_request(&[]);
    let body = request.strip_prefix("/authorize?").unwrap();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = function.post("/authorize", body, &form).await;
    assert!(answer.header("location").starts_with(&function.sandbox.base_url()), "{}", answer.body);
    for (name, body, media_type) in [
        ("JSON", "{}", "application/json"),
        ("too long", &*format!("{body}&x={}", "x".repeat(20_000)), "application/x-www-form-urlencoded"),
    ] {
        assert_eq!(function.post("/authorize", body, &[("content-type", media_type)]).await.status, 400, "{name}");
    }
}

#[tokio::test]
async fn only_a_top_level_navigation_starts_anything() {
    let function = provider(&[("ALLOWED_ORIGINS", "https://shop.example")]).await;
    for (name, header, status) in [
        ("a frame", ("sec-fetch-dest", "iframe"), 400),
        ("a script", ("sec-fetch-dest", "empty"), 400),
        ("an image", ("sec-fetch-dest", "image"), 400),
        ("a prefetch", ("sec-purpose", "prefetch"), 204),
        ("a prerendering", ("sec-purpose", "prerender"), 204),
        ("a navigation", ("sec-fetch-dest", "document"), 303),
    ] {
        let headers = [header, ("origin", "https://shop.example")];
        let answer = function.get(&shop_request(&[]), &headers).await;
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.headers.contains_key("set-cookie"), status == 303, "{name}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{name}");
    }
    let head = function.invoke(&http_api_event("HEAD", &shop_request(&[]), &[], "")).await;
    assert_eq!((head.status, head.headers.contains_key("set-cookie")), (204, false));
    let put = function.invoke(&http_api_event("PUT", "/authorize", &[], "")).await;
    assert_eq!((put.status, put.header("allow")), (405, "GET, HEAD, POST"));
}

#[tokio::test]
async fn app_whose_identity_a_redirect_cannot_prove_asks_its_user() {
    let function = provider(&[]).await;
    let request = |changes: &[(&str, &str)]| {
        let native = [("client_id", "native"), ("redirect_uri", NATIVE_URI), ("code_challenge", CHALLENGE)];
        shop_request(&[&native[..], &[("code_challenge_method", "S256")], changes].concat())
    };
    let page = function.get(&request(&[]), &[]).await;
    assert_eq!(page.status, 200);
    for part in [r#"value="+34600000001""#, "Verify for Native App", "Native App asks you to verify"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let back = sent_back(&function.get(&request(&[("prompt", "none")]), &[]).await, NATIVE_URI);
    assert_eq!(parameter(&back, "error"), "interaction_required");
    let back = sent_back(
        &function.get(&request(&[("code_challenge", ""), ("code_challenge_method", "")]), &[]).await,
        NATIVE_URI,
    );
    assert_eq!(parameter(&back, "error"), "invalid_request", "a public client must use PKCE");

    // One whose address is https goes straight to the operator.
    let spa = [("client_id", "spa"), ("redirect_uri", "https://spa.example/")];
    let direct = function.get(&request(&spa), &[]).await;
    assert!(direct.header("location").starts_with(&function.sandbox.base_url()), "{}", direct.body);
}

#[tokio::test]
async fn hidden_fields_are_checked_again() {
    let function = provider(&[]).await;
    let start = |fields: &[(&str, &str)]| {
        let usual = [
            ("client_id", "shop"),
            ("redirect_uri", SHOP_URI),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "s-1"),
            ("phone", "+34600000001"),
        ];
        query(&[&usual[..], fields].concat())
    };
    let page = function.post("/start", &start(&[("redirect_uri", "https://evil.example/cb")]), &[]).await;
    assert_eq!((page.status, page.header("location")), (400, ""));
    let page = function.post("/start", &start(&[("client_id", "evil")]), &[]).await;
    assert_eq!((page.status, page.header("location")), (400, ""));
    let back = function.post("/start", &start(&[("scope", "phone")]), &[]).await;
    assert_eq!(parameter(&sent_back(&back, SHOP_URI), "error"), "invalid_scope");
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(function.post("/start", &start(&[]), &foreign).await.status, 400, "another site");
    assert_eq!(function.post("/start", &start(&[]), &[]).await.status, 303, "unchanged");
}
