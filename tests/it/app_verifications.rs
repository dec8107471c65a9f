//! A verification that an app asked for: from the app's request, through the operator, back to the app.

use sandbox::{Leg, Scenario, Scripted};
use serde_json::json;

use crate::support::app::{
    ISSUER, SHOP_URI, parameter, provider, sent_back, shop_code, shop_request, shop_tokens, token, verified_claims,
};
use crate::support::{AS_JSON, Answer, Browser, Function};

/// The address of a link on a page, by its words.
fn link(page: &Answer, words: &str) -> String {
    let before = page.body.split(&format!(">{words}</a>")).next().filter(|before| before.len() < page.body.len());
    let before = before.unwrap_or_else(|| panic!("no link {words} in {}", page.body));
    let (_, href) = before.rsplit_once("href=\"").unwrap();
    href.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&")
}

#[tokio::test]
async fn verified_user_comes_back_with_a_code_and_the_app_gets_the_number() {
    let function = provider(&[]).await;
    let back = Browser::default().sign_in(&function, &[]).await;
    assert_eq!((parameter(&back, "state"), parameter(&back, "iss")), ("s-1", ISSUER));
    assert_eq!(back.len(), 3);

    let answer = shop_tokens(&function, parameter(&back, "code")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(300)));
    assert_eq!(tokens["scope"], "openid");
    let (header, claims) = verified_claims(&function, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(header["alg"], "ES256");
    for (claim, expected) in [
        ("iss", json!(ISSUER)),
        ("aud", json!("shop")),
        ("nonce", json!("n-1")),
        ("amr", json!(["nba"])),
        ("phone_number", json!("+34600000001")),
        ("phone_number_verified", json!(true)),
    ] {
        assert_eq!(claims[claim], expected, "{claim}");
    }
    assert_eq!(claims["exp"].as_u64(), claims["iat"].as_u64().map(|iat| iat + 300));
    assert!(claims["auth_time"].as_u64() <= claims["iat"].as_u64());
    assert_eq!(claims["sub"].as_str().map(str::len), Some(43));
    assert_eq!(claims["at_hash"].as_str().map(str::len), Some(22));

    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let userinfo = function.get("/userinfo", &[("authorization", &bearer)]).await;
    let expected = json!({"sub": claims["sub"], "phone_number": "+34600000001", "phone_number_verified": true});
    assert_eq!((userinfo.status, userinfo.json()), (200, expected));
}

#[tokio::test]
async fn request_without_a_number_shows_the_start_page_of_the_app() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let page = browser.open(&function, &shop_request(&[("login_hint", ""), ("ui_locales", "fr pt-BR")])).await;
    assert_eq!(page.status, 200);
    for part in [
        r#"<html lang="pt">"#,
        "The Shop pede que verifique",
        "Verificar para The Shop",
        r#"<input type="hidden" name="client_id" value="shop">"#,
        r#"<input type="hidden" name="state" value="s-1">"#,
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let refused = link(&page, "Voltar a The Shop");
    assert!(refused.starts_with(&format!("{SHOP_URI}?error=unmet_authentication_requirements&")), "{refused}");

    let back = submit(&mut browser, &function, &page, "+34 600 000 001").await;
    let back = sent_back(&back, SHOP_URI);
    assert_eq!(parameter(&back, "state"), "s-1");
    assert_eq!(shop_tokens(&function, parameter(&back, "code")).await.status, 200);
}

/// Sends a page's form with this number, and returns the answer of the callback.
async fn submit(browser: &mut Browser, function: &Function, page: &Answer, phone: &str) -> Answer {
    let answer = post_form(browser, function, page, phone).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let callback = function.at_operator(answer.header("location")).await;
    browser.open(function, &callback).await
}

/// Sends a page's form with this number, as a browser does: each line break as CR LF.
async fn post_form(browser: &mut Browser, function: &Function, page: &Answer, phone: &str) -> Answer {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for field in page.body.split(r#"<input type="hidden" name=""#).skip(1) {
        let (name, rest) = field.split_once(r#"" value=""#).unwrap();
        let value = rest.split_once("\">").unwrap().0;
        let value = value.replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&#39;", "'");
        form.append_pair(name, &value.replace("&#38;", "&").replace('\n', "\r\n"));
    }
    let body = form.append_pair("phone", phone).finish();
    browser.post(function, "/start", &body).await
}

#[tokio::test]
async fn odd_and_long_state_comes_back_unchanged_on_both_ways() {
    let function = provider(&[]).await;
    let long = "x".repeat(2000);
    for state in ["a b+c&d=e#f%20%zz", "\u{e9}\u{1f600}<\"'>\\", "line\nbreak\r\n\t\u{1}", long.as_str()] {
        let back = Browser::default().sign_in(&function, &[("state", state)]).await;
        assert_eq!(parameter(&back, "state"), state, "with a number");

        let mut browser = Browser::default();
        let page = browser.open(&function, &shop_request(&[("login_hint", ""), ("state", state)])).await;
        let back = submit(&mut browser, &function, &page, "+34600000001").await;
        assert_eq!(parameter(&sent_back(&back, SHOP_URI), "state"), state, "through the form");
    }
}

#[tokio::test]
async fn bad_number_is_shown_again_with_the_apps_request() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let page = browser.open(&function, &shop_request(&[("login_hint", "tel:600000001")])).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("Start with + and your country code"), "{}", page.body);
    assert!(page.body.contains(r#"value="600000001""#), "{}", page.body);
    let again = post_form(&mut browser, &function, &page, "+34 six").await;
    assert_eq!(again.status, 400);
    assert!(again.body.contains("Verify for The Shop") && again.body.contains("the digits 0 to 9"), "{}", again.body);
    let back = submit(&mut browser, &function, &again, "+34600000001").await;
    assert_eq!(parameter(&sent_back(&back, SHOP_URI), "state"), "s-1");
}

#[tokio::test]
async fn each_outcome_leads_back_with_its_error_and_without_a_code() {
    for (name, phone, scenario, error, description) in [
        ("another number", "+34600000002", Scenario::ByNumber, "access_denied", "not_verified"),
        ("refused", "+34600000001", Scenario::ConsentRefused, "unmet_authentication_requirements", "access_denied"),
        ("on Wi-Fi", "+34600000003", Scenario::ByNumber, "unmet_authentication_requirements", "not_on_mobile_network"),
        ("an expired code", "+34600000001", Scenario::CodeExpired, "unmet_authentication_requirements", "expired_code"),
        ("busy", "+34600000001", Scenario::RateLimited, "temporarily_unavailable", "operator_busy"),
        ("down", "+34600000001", Scenario::OperatorDown, "server_error", "operator_error"),
    ] {
        let function = provider(&[]).await;
        function.sandbox.set_scenario(scenario);
        let hint = format!("tel:{phone}");
        let mut browser = Browser::default();
        let callback = browser.authorize(&function, &shop_request(&[("login_hint", &hint)])).await;
        let page = browser.open(&function, &callback).await;
        assert_ne!(page.status, 303, "{name}");
        assert!(!page.headers.contains_key("location"), "{name}");
        let back = link(&page, "Back to The Shop");
        let expected = format!("{SHOP_URI}?error={error}&error_description={description}&state=s-1&iss=");
        assert!(back.starts_with(&expected) && !back.contains("code="), "{name}: {back}");

        // With prompt=none no page is shown.
        let silent = shop_request(&[("login_hint", &hint), ("prompt", "none")]);
        let callback = browser.authorize(&function, &silent).await;
        let redirect = browser.open(&function, &callback).await;
        assert!(!redirect.headers.contains_key("retry-after"), "{name}: a browser would wait before it follows");
        let back = sent_back(&redirect, SHOP_URI);
        assert_eq!((parameter(&back, "error"), parameter(&back, "error_description")), (error, description), "{name}");
        assert_eq!((parameter(&back, "code"), parameter(&back, "state")), ("", "s-1"), "{name}");
    }
}

#[tokio::test]
async fn try_again_sends_the_apps_request_again() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let request = shop_request(&[("login_hint", "tel:+34600000003"), ("scope", "openid phone profile")]);
    let callback = browser.authorize(&function, &request).await;
    let page = browser.open(&function, &callback).await;
    let again = link(&page, "Try again");
    assert!(again.starts_with("/authorize?") && again.contains("login_hint=tel%3A%2B34600000003"), "{again}");
    // The phone has left the Wi-Fi.
    function.sandbox.set_scenario(Scenario::RightSim);
    let callback = browser.authorize(&function, &again).await;
    let back = sent_back(&browser.open(&function, &callback).await, SHOP_URI);
    assert_eq!(parameter(&back, "state"), "s-1");
    let tokens = shop_tokens(&function, parameter(&back, "code")).await.json();
    assert_eq!(tokens["scope"], "openid phone");
    let (_, claims) = verified_claims(&function, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["nonce"], "n-1");
}

#[tokio::test]
async fn result_page_has_the_language_that_the_app_chose() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let request = shop_request(&[("login_hint", "tel:+34600000002"), ("ui_locales", "de-AT en")]);
    let callback = browser.authorize(&function, &request).await;
    let page = browser.open(&function, &callback).await;
    assert!(page.body.contains(r#"<html lang="de">"#), "{}", page.body);
    assert_eq!(page.header("content-language"), "de");
    assert!(link(&page, "Erneut versuchen").contains("ui_locales=de"));
    assert!(link(&page, "Zurück zu The Shop").starts_with(SHOP_URI));
}

/// The same number would lead to the same page again.
#[tokio::test]
async fn number_that_is_not_covered_is_asked_for_again() {
    let function = provider(&[]).await;
    let body = json!({ "status": 422, "code": "SERVICE_NOT_APPLICABLE", "message": "" });
    function.sandbox.script(Leg::Verify, Some(Scripted::json(422, &body)));
    let mut browser = Browser::default();
    let callback = browser.authorize(&function, &shop_request(&[])).await;
    let page = browser.open(&function, &callback).await;
    assert_eq!(page.status, 422);
    let start = browser.open(&function, &link(&page, "Go to the start")).await;
    assert!(start.body.contains("Verify for The Shop") && start.body.contains(r#"value="s-1""#), "{}", start.body);
}

#[tokio::test]
async fn prompt_none_is_passed_on_to_the_operator() {
    let function = provider(&[]).await;
    for (prompt, expected) in [("none", true), ("", false), ("login consent", false)] {
        let answer = function.get(&shop_request(&[("prompt", prompt)]), &[]).await;
        assert_eq!(answer.header("location").contains("prompt=none"), expected, "{prompt}");
    }
}

#[tokio::test]
async fn reload_repeats_the_redirect_with_the_same_code() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let callback = browser.authorize(&function, &shop_request(&[])).await;
    let first = browser.open(&function, &callback).await;
    for accept in ["text/html", "application/json"] {
        let again = browser.open_with(&function, &callback, &[("accept", accept)]).await;
        assert_eq!(again.header("location"), first.header("location"), "{accept}");
    }
    assert_eq!(function.sandbox.count(Leg::Token), 1);
}

/// The user went back and was identified once more, within the same second.
#[tokio::test]
async fn each_answer_of_the_operator_makes_a_code_of_its_own() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let started = browser.open(&function, &shop_request(&[])).await;
    let mut codes = Vec::new();
    for _ in 0..2 {
        let callback = function.at_operator(started.header("location")).await;
        let back = sent_back(&browser.open(&function, &callback).await, SHOP_URI);
        codes.push(parameter(&back, "code").to_owned());
    }
    assert_ne!(codes[0], codes[1]);
    for code in codes {
        assert_eq!(shop_tokens(&function, &code).await.status, 200);
    }
}

#[tokio::test]
async fn link_sent_to_a_victim_yields_no_code() {
    let function = provider(&[]).await;
    let mut attacker = Browser::default();
    let callback = attacker.authorize(&function, &shop_request(&[])).await;
    for headers in [[("accept", "text/html"), ("sec-fetch-dest", "document")], [AS_JSON, ("sec-fetch-dest", "empty")]] {
        let answer = Browser::default().open_with(&function, &callback, &headers).await;
        assert!(!answer.header("location").contains("shop.example"), "{headers:?}");
        assert!(!answer.body.contains("shop.example"), "{headers:?}");
    }
    assert_eq!(function.sandbox.count(Leg::Token), 0);
}

#[tokio::test]
async fn two_apps_in_two_tabs_each_get_their_own_code() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let bank = [("client_id", "bank"), ("redirect_uri", "https://bank.example/cb"), ("state", "b-1")];
    let shop = browser.authorize(&function, &shop_request(&[])).await;
    let bank = browser.authorize(&function, &shop_request(&bank)).await;
    let bank = sent_back(&browser.open(&function, &bank).await, "https://bank.example/cb");
    let shop = sent_back(&browser.open(&function, &shop).await, SHOP_URI);
    assert_eq!((parameter(&shop, "state"), parameter(&bank, "state")), ("s-1", "b-1"));
    let taken = shop_tokens(&function, parameter(&bank, "code")).await;
    assert_eq!((taken.status, &taken.json()["error"]), (400, &json!("invalid_grant")), "another app's code");
    assert_eq!(shop_tokens(&function, parameter(&shop, "code")).await.status, 200);
}

#[tokio::test]
async fn each_app_has_its_own_name_for_a_user() {
    let function = provider(&[]).await;
    let tokens = shop_tokens(&function, &shop_code(&function, &[]).await).await.json();
    let (_, shop) = verified_claims(&function, tokens["id_token"].as_str().unwrap()).await;
    let mut browser = Browser::default();
    let uri = "https://bank.example/cb";
    let callback = browser.authorize(&function, &shop_request(&[("client_id", "bank"), ("redirect_uri", uri)])).await;
    let back = sent_back(&browser.open(&function, &callback).await, uri);
    let fields = [
        ("client_id", "bank"),
        ("client_secret", "the bank's secret has 32 characters"),
        ("redirect_uri", uri),
        ("code", parameter(&back, "code")),
    ];
    let tokens = token(&function, None, &fields).await.json();
    let (_, bank) = verified_claims(&function, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(shop["phone_number"], bank["phone_number"]);
    assert_ne!(shop["sub"], bank["sub"]);
}

/// An app that asked for a genuine verification is told about a callback that cannot be used.
#[tokio::test]
async fn unusable_callback_of_a_known_verification_leads_back() {
    let function = provider(&[]).await;
    for (name, more) in [
        ("a repeated code", "&code=x"),
        ("a repeated iss", "&iss=x&iss=y"),
        ("a long error", &*format!("&error={}", "e".repeat(5000))),
    ] {
        let mut browser = Browser::default();
        let callback = browser.authorize(&function, &shop_request(&[("prompt", "none")])).await;
        let back = sent_back(&browser.open(&function, &format!("{callback}{more}")).await, SHOP_URI);
        assert_eq!((parameter(&back, "error"), parameter(&back, "state")), ("invalid_request", "s-1"), "{name}");
    }
    assert_eq!(function.sandbox.count(Leg::Token), 0);
}

/// Made-up codes use up the state's token requests. From then on, it is like a state that is not ours.
#[tokio::test]
async fn used_up_state_leads_back_to_no_app() {
    let function = provider(&[]).await;
    let mut browser = Browser::default();
    let request = shop_request(&[("prompt", "none"), ("ui_locales", "de")]);
    let callback = browser.authorize(&function, &request).await;
    for number in 0..5 {
        let made_up = callback.replace("code=", &format!("code=made-up-{number}"));
        let back = sent_back(&browser.open(&function, &made_up).await, SHOP_URI);
        assert_eq!(parameter(&back, "error_description"), "expired_code", "{number}");
    }
    let page = browser.open(&function, &callback).await;
    assert_eq!((page.status, page.header("content-language")), (400, "en"));
    assert!(!page.headers.contains_key("location") && !page.body.contains("shop.example"), "{}", page.body);
    assert_eq!(function.sandbox.count(Leg::Token), 5);
}
