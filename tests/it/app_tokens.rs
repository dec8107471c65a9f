//! `/token`, `/userinfo`, the metadata and the keys.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use number_verification::PhoneNumber;
use number_verification::provider::{AccessToken, BoundTo, Verified};
use number_verification::seal::Sealer;
use serde_json::json;

use crate::support::app::{
    CHALLENGE, ISSUER, SHOP_SECRET, SHOP_URI, VERIFIER, altered, parameter, provider, secret, sent_back, shop_basic,
    shop_code, shop_request, shop_tokens, token, verified_claims,
};
use crate::support::{Answer, Browser, Function, http_api_event};

/// The status and the `error` of an answer.
fn error(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("cache-control"), "no-store");
    (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

const PKCE: [(&str, &str); 2] = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];

#[tokio::test]
async fn each_kind_of_client_gets_its_tokens() {
    let function = provider(&[]).await;
    let code = shop_code(&function, &[]).await;
    assert_eq!(shop_tokens(&function, &code).await.status, 200, "basic");

    let code = shop_code(&function, &PKCE).await;
    let form = [("client_id", "shop"), ("client_secret", SHOP_SECRET), ("code", &code), ("code_verifier", VERIFIER)];
    assert_eq!(token(&function, None, &form).await.status, 200, "form, with PKCE");

    let uri = "https://spa.example/";
    let request = shop_request(&[&PKCE[..], &[("client_id", "spa"), ("redirect_uri", uri)]].concat());
    let mut browser = Browser::default();
    let callback = browser.authorize(&function, &request).await;
    let back = sent_back(&browser.open(&function, &callback).await, uri);
    let form =
        [("client_id", "spa"), ("redirect_uri", uri), ("code", parameter(&back, "code")), ("code_verifier", VERIFIER)];
    let refused = token(&function, None, &form[..3]).await;
    assert_eq!(error(&refused), (400, "invalid_grant".to_owned()), "public, without a verifier");
    assert_eq!(refused.json()["error_description"], "a public client must send its code_verifier");
    assert_eq!(token(&function, None, &form).await.status, 200, "public");
}

#[tokio::test]
async fn wrong_clients_are_refused_with_a_challenge() {
    let function = provider(&[]).await;
    let code = shop_code(&function, &[]).await;
    let basic = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair));
    let (wrong, unknown, bearer) = (basic("shop:wrong"), basic("evil:wrong"), format!("Bearer {code}"));
    for (name, authorization, fields) in [
        ("no credentials", None, &[][..]),
        ("a wrong secret in the header", Some(wrong.as_str()), &[]),
        ("a wrong secret in the form", None, &[("client_id", "shop"), ("client_secret", "wrong")]),
        ("no secret", None, &[("client_id", "shop")]),
        ("an unknown client", Some(&unknown), &[]),
        ("a secret for a public client", None, &[("client_id", "spa"), ("client_secret", SHOP_SECRET)]),
        ("another scheme", Some(&bearer), &[("client_id", "shop")]),
        ("not base64", Some("Basic %%%"), &[]),
    ] {
        let answer = token(&function, authorization, &[&[("code", code.as_str())][..], fields].concat()).await;
        assert_eq!(error(&answer), (401, "invalid_client".to_owned()), "{name}");
        assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{name}");
    }
    let both = [("client_id", "shop"), ("client_secret", SHOP_SECRET), ("code", &code)];
    let answer = token(&function, Some(&shop_basic()), &both).await;
    assert_eq!(error(&answer), (400, "invalid_request".to_owned()), "both at once");
    assert_eq!(shop_tokens(&function, &code).await.status, 200, "none of it used up the code");
}

#[tokio::test]
async fn code_is_refused_for_everything_it_is_not_bound_to() {
    let function = provider(&[]).await;
    let (plain, bound) = (shop_code(&function, &[]).await, shop_code(&function, &PKCE).await);
    let altered = altered(&plain);
    let wrong = VERIFIER.replace('d', "e");
    let bank = [
        ("client_id", "bank"),
        ("client_secret", "the bank's secret has 32 characters"),
        ("redirect_uri", SHOP_URI),
        ("code", &plain),
    ];
    assert_eq!(error(&token(&function, None, &bank).await), (400, "invalid_grant".to_owned()), "another client");
    for (name, code, fields) in [
        ("another redirect URI", plain.as_str(), &[("redirect_uri", "https://shop.example/")][..]),
        ("a verifier without a challenge", &plain, &[("code_verifier", VERIFIER)]),
        ("no verifier for a challenge", &bound, &[]),
        ("a wrong verifier", &bound, &[("code_verifier", &wrong)]),
        ("the challenge as the verifier", &bound, &[("code_verifier", CHALLENGE)]),
        ("an altered code", &altered, &[]),
        ("a truncated code", &plain[1..], &[]),
        ("rubbish", "rubbish", &[]),
        ("a long code", &plain.repeat(9), &[]),
    ] {
        let answer = token(&function, Some(&shop_basic()), &[&[("code", code)][..], fields].concat()).await;
        assert_eq!(error(&answer), (400, "invalid_grant".to_owned()), "{name}");
    }
    assert_eq!(shop_tokens(&function, &plain).await.status, 200, "none of it used up the code");
    let answer = token(&function, Some(&shop_basic()), &[("code", &bound), ("code_verifier", VERIFIER)]).await;
    assert_eq!(answer.status, 200, "nor the other one");
}

#[tokio::test]
async fn code_is_valid_for_a_minute() {
    let function = provider(&[]).await;
    let sealer = Sealer::of(secret()["state_key"].as_str().unwrap().as_bytes()).unwrap();
    let bound_to = BoundTo { issuer: ISSUER, client_id: "shop", redirect_uri: SHOP_URI, code_challenge: None };
    let phone_number = PhoneNumber::parse("+34600000001").unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (age, expected) in [(0, (200, "")), (60, (400, "invalid_grant"))] {
        let answered_at = now - age;
        let verified = Verified { phone_number: phone_number.clone(), answered_at, nonce: None, phone_scope: false };
        let code = verified.to_code(&sealer, bound_to, &[b"seed"], answered_at).unwrap();
        let (status, error) = error(&shop_tokens(&function, &code).await);
        assert_eq!((status, &*error), expected, "{age} seconds old");
    }
}

#[tokio::test]
async fn access_token_is_valid_for_five_minutes() {
    let function = provider(&[]).await;
    let tokens = shop_tokens(&function, &shop_code(&function, &[]).await).await.json();
    let [access_token, id_token] = ["access_token", "id_token"].map(|name| tokens[name].as_str().unwrap());
    let issued_at = verified_claims(&function, id_token).await.1["iat"].as_u64().unwrap();
    let sealer = Sealer::of(secret()["state_key"].as_str().unwrap().as_bytes()).unwrap();
    for (age, is_valid) in [(299, true), (300, false)] {
        let opened = AccessToken::open(&sealer, ISSUER, access_token, issued_at + age);
        assert_eq!(opened.is_some(), is_valid, "{age} seconds old");
    }
}

/// RFC 7636 §4.1.
#[tokio::test]
async fn text_that_cannot_be_a_verifier_is_refused() {
    let function = provider(&[]).await;
    for verifier in ["x", &"x".repeat(129), "a verifier with spaces, of at least 43 characters"] {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let code = shop_code(&function, &[("code_challenge", &challenge), ("code_challenge_method", "S256")]).await;
        let answer = token(&function, Some(&shop_basic()), &[("code", &code), ("code_verifier", verifier)]).await;
        assert_eq!(error(&answer), (400, "invalid_grant".to_owned()), "{verifier}");
    }
}

#[tokio::test]
async fn code_is_valid_once() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.authorize(&function, &shop_request(&[])).await;
    let code = |answer: &Answer| parameter(&sent_back(answer, SHOP_URI), "code").to_owned();
    let first = code(&browser.open(&function, &callback).await);
    assert_eq!(shop_tokens(&function, &first).await.status, 200);
    assert_eq!(error(&shop_tokens(&function, &first).await), (400, "invalid_grant".to_owned()), "again");
    let reloaded = code(&browser.open(&function, &callback).await);
    assert_eq!(error(&shop_tokens(&function, &reloaded).await), (400, "invalid_grant".to_owned()), "after a reload");
}

#[tokio::test]
async fn malformed_token_requests_have_the_errors_of_rfc_6749() {
    let function = provider(&[]).await;
    let code = shop_code(&function, &[]).await;
    let basic = shop_basic();
    for (name, fields, expected) in [
        ("no grant_type", &[("grant_type", "")][..], "invalid_request"),
        ("another grant", &[("grant_type", "refresh_token")], "unsupported_grant_type"),
        ("the operator's grant", &[("grant_type", "client_credentials")], "unsupported_grant_type"),
        ("no code", &[("code", "")], "invalid_request"),
        ("no redirect_uri", &[("redirect_uri", "")], "invalid_request"),
    ] {
        let answer = token(&function, Some(&basic), &[&[("code", code.as_str())][..], fields].concat()).await;
        assert_eq!(error(&answer), (400, expected.to_owned()), "{name}");
    }
    let json = [("authorization", basic.as_str()), ("content-type", "application/json")];
    assert_eq!(function.post("/token", "{}", &json).await.status, 400, "JSON");
    let get = function.get(&format!("/token?grant_type=authorization_code&code={code}"), &[]).await;
    assert_eq!((get.status, get.header("allow")), (405, "OPTIONS, POST"));
    assert_eq!(shop_tokens(&function, &code).await.status, 200, "none of it used up the code");
}

#[tokio::test]
async fn no_token_works_in_place_of_another() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.authorize(&function, &shop_request(&[])).await;
    let state = callback.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let back = sent_back(&browser.open(&function, &callback).await, SHOP_URI);
    let code = parameter(&back, "code").to_owned();
    let tokens = shop_tokens(&function, &code).await.json();
    let (access_token, id_token) = (tokens["access_token"].as_str().unwrap(), tokens["id_token"].as_str().unwrap());
    let cookie = browser.cookies().remove(0);
    let binding = cookie.split_once('=').unwrap().1;
    for (name, text) in
        [("the access token", access_token), ("the ID token", id_token), ("the state", &state), ("the cookie", binding)]
    {
        let answer = shop_tokens(&function, text).await;
        assert_eq!(error(&answer), (400, "invalid_grant".to_owned()), "{name} as the code");
    }
    for (name, text) in
        [("the code", code.as_str()), ("the ID token", id_token), ("the state", &state), ("the cookie", binding)]
    {
        let answer = function.get("/userinfo", &[("authorization", &format!("Bearer {text}"))]).await;
        assert_eq!(error(&answer), (401, "invalid_token".to_owned()), "{name} as the access token");
    }
    for (name, text) in [("the code", code.as_str()), ("the access token", access_token)] {
        let answer = browser.open_json(&function, &format!("/numberverification-callback?code=x&state={text}")).await;
        assert_eq!(answer.outcome(), "invalid_state", "{name} as the state");
    }
}

#[tokio::test]
async fn userinfo_needs_a_valid_bearer_token() {
    let function = provider(&[]).await;
    let tokens = shop_tokens(&function, &shop_code(&function, &[]).await).await.json();
    let access_token = tokens["access_token"].as_str().unwrap();
    let bearer = format!("bearer {access_token}");
    for method in ["GET", "POST"] {
        let event = http_api_event(method, "/userinfo", &[("authorization", &bearer)], "");
        assert_eq!(function.invoke(&event).await.status, 200, "{method}");
    }
    let (altered, basic) = (format!("Bearer {access_token}A"), shop_basic());
    for (name, headers) in [
        ("no token", &[][..]),
        ("an altered token", &[("authorization", altered.as_str())]),
        ("credentials", &[("authorization", &basic)]),
        ("an empty token", &[("authorization", "Bearer ")]),
    ] {
        let answer = function.get("/userinfo", headers).await;
        assert_eq!(error(&answer), (401, "invalid_token".to_owned()), "{name}");
        assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{name}");
    }
}

#[tokio::test]
async fn back_channel_is_readable_from_any_origin_without_credentials() {
    let function = provider(&[]).await;
    let origin = [("origin", "https://anywhere.example")];
    for (method, path) in [
        ("POST", "/token"),
        ("OPTIONS", "/token"),
        ("GET", "/userinfo"),
        ("OPTIONS", "/userinfo"),
        ("GET", "/.well-known/openid-configuration"),
        ("GET", "/.well-known/jwks.json"),
    ] {
        let answer = function.invoke(&http_api_event(method, path, &origin, "")).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{method} {path}");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{method} {path}");
        if method == "OPTIONS" {
            assert_eq!(answer.status, 204, "{path}");
            assert_eq!(answer.header("access-control-allow-headers"), "authorization, content-type", "{path}");
            assert!(answer.header("access-control-allow-methods").contains("POST"), "{path}");
        }
    }
}

#[tokio::test]
async fn metadata_describes_the_provider() {
    let function = provider(&[]).await;
    let answer = function.get("/.well-known/openid-configuration", &[]).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "public, max-age=300"));
    assert_eq!(answer.header("content-type"), "application/json");
    let metadata = answer.json();
    for (member, expected) in [
        ("issuer", json!(ISSUER)),
        ("authorization_endpoint", json!(format!("{ISSUER}/authorize"))),
        ("token_endpoint", json!(format!("{ISSUER}/token"))),
        ("userinfo_endpoint", json!(format!("{ISSUER}/userinfo"))),
        ("jwks_uri", json!(format!("{ISSUER}/.well-known/jwks.json"))),
        ("subject_types_supported", json!(["pairwise"])),
        ("id_token_signing_alg_values_supported", json!(["ES256"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("response_types_supported", json!(["code"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("claims_parameter_supported", json!(false)),
        ("request_parameter_supported", json!(false)),
        ("request_uri_parameter_supported", json!(false)),
    ] {
        assert_eq!(metadata[member], expected, "{member}");
    }
    for member in [
        "scopes_supported",
        "response_modes_supported",
        "grant_types_supported",
        "token_endpoint_auth_methods_supported",
        "claims_supported",
        "prompt_values_supported",
        "ui_locales_supported",
    ] {
        assert!(metadata[member].as_array().is_some_and(|values| !values.is_empty()), "{member}");
    }
    let mut staged = http_api_event("GET", "/dev/.well-known/openid-configuration", &[], "");
    staged["requestContext"]["stage"] = "dev".into();
    assert_eq!(function.invoke(&staged).await.json()["issuer"], format!("{ISSUER}/dev"), "with a stage");
    let head = function.invoke(&http_api_event("HEAD", "/.well-known/jwks.json", &[], "")).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn code_of_one_address_is_not_valid_at_another() {
    let function = provider(&[]).await;
    let code = shop_code(&function, &[]).await;
    let elsewhere = Function::with_sandbox(
        function.sandbox.clone(),
        &[("REDIRECT_URI", "https://other.example/numberverification-callback")],
    );
    assert_eq!(error(&shop_tokens(&elsewhere, &code).await), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn secret_of_an_app_that_changed_is_read_again() {
    let function = provider(&[]).await;
    let code = shop_code(&function, &[]).await;
    let mut changed = secret();
    changed["relying_parties"][0]["client_secret"] = "the shop's other secret, also long".into();
    function.sandbox.set_secret_string(changed.to_string());
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    let form =
        [("client_id", "shop"), ("client_secret", "the shop's other secret, also long"), ("code", code.as_str())];
    assert_eq!(token(&function, None, &form).await.status, 200);
}
