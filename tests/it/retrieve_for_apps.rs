//! The number from the operator, for an app: the button on its start page, and `prompt=none`.

use sandbox::{Leg, Scenario};
use serde_json::json;

use crate::retrieve::{ON, calls, complete, start_as_a_program, two_operators};
use crate::support::app::{
    CHALLENGE, SHOP_URI, parameter, provider, query, secret, sent_back, shop_request, shop_tokens, token,
    verified_claims,
};
use crate::support::{AS_JSON, Answer, Browser, Function};

const SIGN_UP_URI: &str = "https://signup.example/cb";
/// The request of the sign-up's app, which is a public client with a scheme of its own.
const SIGN_UP_APP: [(&str, &str); 4] = [
    ("client_id", "sign-up-app"),
    ("redirect_uri", "com.example.signup:/cb"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];
const SIGN_UP_SECRET: &str = "the sign-up's secret has 32 characters";
const BUTTON: &str = "Use this phone’s number</button>";

/// Adds an app that may take the number without our page.
fn with_sign_up(function: &Function) {
    let mut secret = secret();
    let client = json!({ "client_id": "my-app-id", "client_secret": "my-app-secret" });
    secret["operators"] = json!({ "es": client, "fr": client });
    let sign_up = json!({
        "client_id": "sign-up", "client_secret": SIGN_UP_SECRET, "redirect_uris": [SIGN_UP_URI], "retrieve_number": true,
    });
    let public = json!({
        "client_id": "sign-up-app", "token_endpoint_auth_method": "none", "redirect_uris": ["com.example.signup:/cb"],
        "retrieve_number": true,
    });
    secret["relying_parties"].as_array_mut().unwrap().extend([sign_up, public]);
    function.sandbox.set_secret_string(secret.to_string());
}

async fn sign_up_provider(variables: &[(&str, &str)]) -> Function {
    let function = Function::start(variables).await;
    with_sign_up(&function);
    function
}

/// The sign-up's request with `prompt=none` and without a number, with these changes.
fn silent(changes: &[(&str, &str)]) -> String {
    let usual = [("client_id", "sign-up"), ("redirect_uri", SIGN_UP_URI), ("prompt", "none"), ("login_hint", "")];
    shop_request(&[&usual[..], changes].concat())
}

/// Sends the first form of a page, with the name and value of the button that is pressed.
async fn press(browser: &mut Browser, function: &Function, page: &Answer, button: &[(&str, &str)]) -> Answer {
    let (_, form) = page.body.split_once("<form").unwrap();
    let (form, _) = form.split_once("</form>").unwrap();
    let hidden = form.split(r#"<input type="hidden" name=""#).skip(1);
    let fields: Vec<_> =
        hidden.map(|field| field.split_once("\">").unwrap().0.split_once(r#"" value=""#).unwrap()).collect();
    browser.post(function, "/start", &query(&[&fields[..], button].concat())).await
}

#[tokio::test]
async fn button_on_the_apps_start_page_gives_it_the_number() {
    let function = provider(&[ON]).await;
    let mut browser = Browser::default();
    let page = browser.open(&function, &shop_request(&[("login_hint", "")])).await;
    assert!(page.body.contains(BUTTON) && page.body.contains("The Shop asks you"), "{}", page.body);
    let started = press(&mut browser, &function, &page, &[]).await;
    assert!(started.header("location").contains("share-read"), "{}", started.body);
    let callback = function.at_operator(started.header("location")).await;
    let first = browser.open(&function, &callback).await;
    let back = sent_back(&first, SHOP_URI);
    assert_eq!(parameter(&back, "state"), "s-1");
    assert_eq!(browser.open(&function, &callback).await.header("location"), first.header("location"), "a reload");
    assert_eq!(calls(&function), [1, 0, 1]);

    let tokens = shop_tokens(&function, parameter(&back, "code")).await.json();
    let (_, claims) = verified_claims(&function, tokens["id_token"].as_str().unwrap()).await;
    let expected = (&json!("+34600000001"), &json!(true), &json!("n-1"));
    assert_eq!((&claims["phone_number"], &claims["phone_number_verified"], &claims["nonce"]), expected);
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let userinfo = function.get("/userinfo", &[("authorization", &bearer)]).await.json();
    let expected = json!({"sub": claims["sub"], "phone_number": "+34600000001", "phone_number_verified": true});
    assert_eq!(userinfo, expected);
}

/// The operator's word on the number would not answer its question.
#[tokio::test]
async fn app_that_names_a_number_is_not_offered_another() {
    let function = provider(&[ON]).await;
    let native = [
        ("client_id", "native"),
        ("redirect_uri", "com.example.app:/cb"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let page = function.get(&shop_request(&native), &[]).await;
    assert!(page.body.contains(r#"value="+34600000001""#) && !page.body.contains(BUTTON), "{}", page.body);
    assert_eq!(page.body.matches("<button").count(), 1, "{}", page.body);
    let fault = function.get(&shop_request(&[("login_hint", "tel:600")]), &[]).await;
    assert!(fault.status == 400 && !fault.body.contains(BUTTON), "{}", fault.body);
    let nameless = function.get(&shop_request(&[&native[..], &[("login_hint", "")]].concat()), &[]).await;
    assert!(nameless.body.contains(BUTTON), "{}", nameless.body);
    let off = provider(&[]).await;
    let page = off.get(&shop_request(&[("login_hint", "")]), &[]).await;
    assert!(page.status == 200 && !page.body.contains(BUTTON), "{}", page.body);
}

#[tokio::test]
async fn silent_sign_up_needs_no_page() {
    let function = sign_up_provider(&[ON]).await;
    let mut browser = Browser::default();
    let callback = browser.authorize(&function, &silent(&[])).await;
    let asked = function.last_request(Leg::Authorize).fields;
    assert_eq!(asked["prompt"], "none");
    assert!(!asked.contains_key("login_hint"));
    let back = sent_back(&browser.open(&function, &callback).await, SIGN_UP_URI);
    let fields = [
        ("client_id", "sign-up"),
        ("client_secret", SIGN_UP_SECRET),
        ("redirect_uri", SIGN_UP_URI),
        ("code", parameter(&back, "code")),
    ];
    let tokens = token(&function, None, &fields).await.json();
    let (_, claims) = verified_claims(&function, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["phone_number"], "+34600000001");

    function.sandbox.set_scenario(Scenario::Rubbish);
    let callback = browser.authorize(&function, &silent(&[])).await;
    let back = sent_back(&browser.open(&function, &callback).await, SIGN_UP_URI);
    assert_eq!((parameter(&back, "error"), parameter(&back, "code")), ("server_error", ""));
}

#[tokio::test]
async fn silent_request_is_refused_unless_the_owner_allows_it() {
    let shop = [("client_id", "shop"), ("redirect_uri", SHOP_URI)];
    let one = sign_up_provider(&[ON]).await;
    let off = sign_up_provider(&[]).await;
    let two = two_operators().await;
    with_sign_up(&two);
    for (name, function, changes, redirect_uri, error) in [
        ("an entry without retrieve_number", &one, &shop[..], SHOP_URI, "login_required"),
        ("a public client", &one, &SIGN_UP_APP, "com.example.signup:/cb", "interaction_required"),
        ("RETRIEVE_NUMBER is off", &off, &[], SIGN_UP_URI, "login_required"),
        ("several operators, and none named", &two, &[], SIGN_UP_URI, "login_required"),
        ("an unknown operator", &two, &[("operator", "de")], SIGN_UP_URI, "unmet_authentication_requirements"),
    ] {
        let back = sent_back(&function.get(&silent(changes), &[]).await, redirect_uri);
        assert_eq!((parameter(&back, "error"), parameter(&back, "state")), (error, "s-1"), "{name}");
    }
    let mut browser = Browser::default();
    let callback = browser.authorize(&two, &silent(&[("operator", "es")])).await;
    assert!(!parameter(&sent_back(&browser.open(&two, &callback).await, SIGN_UP_URI), "code").is_empty());
}

#[tokio::test]
async fn page_offers_the_operator_that_the_app_chose() {
    let function = two_operators().await;
    with_sign_up(&function);
    let mut browser = Browser::default();
    let page = browser.open(&function, &shop_request(&[("login_hint", ""), ("operator", "es")])).await;
    assert!(page.body.contains(r#"value="es">es</button>"#) && !page.body.contains(">fr</button>"), "{}", page.body);
    let started = press(&mut browser, &function, &page, &[("operator", "es")]).await;
    let callback = function.at_operator(started.header("location")).await;
    let back = sent_back(&browser.open(&function, &callback).await, SHOP_URI);
    assert_eq!(shop_tokens(&function, parameter(&back, "code")).await.status, 200);

    // Without the app's choice, the user's counts.
    let page = browser.open(&function, &shop_request(&[("login_hint", "")])).await;
    let started = press(&mut browser, &function, &page, &[("operator", "fr")]).await;
    let callback = function.at_operator(started.header("location")).await;
    let page = browser.open(&function, &callback).await;
    assert_eq!(page.status, 502, "the SIM's number is not French: {}", page.body);
    let (_, again) = page.body.split_once(r#"href="/authorize?"#).unwrap();
    assert!(!again.split('"').next().unwrap().contains("login_hint"), "{again}");
    assert!(page.body.contains(&format!("{SHOP_URI}?error=server_error")), "{}", page.body);
}

/// The body with which a program starts a request for the sign-up's number at `/start`, with these changes.
fn as_a_program(changes: &[(&str, &str)]) -> String {
    let request = silent(&[&[("prompt", "")], changes].concat());
    format!("retrieve=true&{}", request.strip_prefix("/authorize?").unwrap())
}

#[tokio::test]
async fn back_end_of_a_native_app_gets_the_number() {
    let function = sign_up_provider(&[ON]).await;
    let held = start_as_a_program(&function, &as_a_program(&[]), "application/x-www-form-urlencoded").await;
    let answer = complete(&function, &held).await.json();
    assert_eq!((&answer["outcome"], &answer["phone_number"]), (&json!("verified"), &json!("+34 ••• ••• 001")));
    let code = answer["code"].as_str().unwrap();
    let credentials = [("client_id", "sign-up"), ("client_secret", SIGN_UP_SECRET), ("redirect_uri", SIGN_UP_URI)];
    let tokens = token(&function, None, &[&credentials[..], &[("code", code)]].concat()).await.json();
    let (_, claims) = verified_claims(&function, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["phone_number"], "+34600000001");

    let with_hint = as_a_program(&[("login_hint", "tel:+34600000001")]);
    assert_eq!(function.post("/start", &with_hint, &[AS_JSON]).await.status, 400, "with a login_hint");
}

/// A program has shown none of our pages, so the owner must have allowed the app to do without.
#[tokio::test]
async fn program_gets_the_number_for_an_app_only_if_the_owner_allows_it() {
    let function = sign_up_provider(&[ON]).await;
    let shop = [("client_id", "shop"), ("redirect_uri", SHOP_URI)];
    for (name, changes, redirect_uri, error) in [
        ("an entry without retrieve_number", &shop[..], SHOP_URI, "login_required"),
        ("a public client", &SIGN_UP_APP, "com.example.signup:/cb", "interaction_required"),
    ] {
        let answer = function.post("/start", &as_a_program(changes), &[AS_JSON]).await;
        assert_eq!(parameter(&sent_back(&answer, redirect_uri), "error"), error, "{name}");
    }
    assert_eq!(calls(&function), [0, 0, 0]);
}

/// A user who pressed the wrong operator's button gets every button again.
#[tokio::test]
async fn try_again_after_the_wrong_operator_offers_every_operator() {
    let function = two_operators().await;
    with_sign_up(&function);
    let mut browser = Browser::default();
    let page = browser.open(&function, &shop_request(&[("login_hint", "")])).await;
    let started = press(&mut browser, &function, &page, &[("operator", "fr")]).await;
    function.sandbox.set_scenario(Scenario::Rubbish);
    let callback = function.at_operator(started.header("location")).await;
    let failed = browser.open(&function, &callback).await;
    let (_, link) = failed.body.split_once("href=\"/authorize?").unwrap();
    let (link, _) = link.split_once('"').unwrap();
    let again = browser.open(&function, &format!("/authorize?{}", link.replace("&#38;", "&"))).await;
    for operator in ["es", "fr"] {
        assert!(again.body.contains(&format!(r#"name="operator" value="{operator}""#)), "{operator}: {}", again.body);
    }
}
