//! The log lines and metrics of a verification that an app asked for.

use std::sync::Arc;

use sandbox::{SAMPLE_OPERATOR_TOKEN, Sandbox};
use serde_json::{Value, json};

use crate::logs::{ALL_LEVELS, assert_clean, query_values};
use crate::support::app::{
    CHALLENGE, SHOP_SECRET, SHOP_URI, VERIFIER, altered, deployed_provider, parameter, query, secret, sent_back,
    shop_basic, shop_request, shop_tokens, token,
};
use crate::support::{AS_JSON, Browser, Function, sandbox};

const NUMBER: &str = "+34600000001";
const APP_STATE: &str = "hush-the-state-of-the-app";
const NONCE: &str = "hush-the-nonce-of-the-app";
const HUSH: [(&str, &str); 4] =
    [("state", APP_STATE), ("nonce", NONCE), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];

/// Texts of a query or a form with their values: no line quotes one.
const PARTS_OF_QUERIES: [&str; 7] = ["phone=", "login_hint=", "redirect_uri=", "client_id=", "state=", "code=", "iss="];

/// Everything that was sent or received and belongs in no log line.
struct Forbidden(Vec<String>);

impl Forbidden {
    fn new() -> Self {
        let texts =
            [NUMBER, &NUMBER[1..], "600 000 001", "%2B34600000001", APP_STATE, NONCE, CHALLENGE, VERIFIER, SHOP_SECRET];
        let sealed = ["hush", "my-app-secret", SAMPLE_OPERATOR_TOKEN, "nowhere.example"];
        Self(texts.into_iter().chain(sealed).chain(PARTS_OF_QUERIES).map(str::to_owned).collect())
    }

    fn add(&mut self, text: &str) {
        // A shorter one could be in a line by chance.
        assert!(text.len() >= 8, "{text}");
        self.0.push(text.to_owned());
    }

    /// The state and the operator's code, and the browser's cookies.
    fn add_callback(&mut self, callback: &str, browser: &Browser) {
        for value in query_values(callback) {
            self.add(&value);
        }
        for cookie in browser.cookies() {
            self.add(cookie.split_once('=').unwrap().1);
        }
    }

    /// The tokens, the parts of the ID token, and the user's name in the app.
    fn add_tokens(&mut self, tokens: &Value, userinfo: &Value) {
        for text in [&tokens["access_token"], &tokens["id_token"], &userinfo["sub"]] {
            self.add(text.as_str().unwrap());
        }
        for part in tokens["id_token"].as_str().unwrap().split('.') {
            self.add(part);
        }
    }
}

/// A secret with no `subject_key`, with a faulty app, and with the key for operator tokens.
fn secret_with_faults(sandbox: &Sandbox) -> String {
    let mut secret = secret();
    secret["state_key"] = "hush: a random key of 32 characters".into();
    secret["private_key"] = sandbox.private_key_pem().into();
    let faulty = json!({"client_id": "hush-faulty", "client_secret": "hush: too short", "redirect_uris": ["https://hush.example"]});
    secret["relying_parties"].as_array_mut().unwrap().push(faulty);
    secret.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_log_line_of_a_whole_hand_off_contains_personal_data_or_secrets() {
    let sandbox = Arc::new(sandbox().await);
    sandbox.set_secret_string(secret_with_faults(&sandbox));
    let function = Function::deployed(sandbox, &ALL_LEVELS).await;
    let mut forbidden = Forbidden::new();

    let code = hand_off(&function, &mut forbidden).await;
    tokens_and_userinfo(&function, &code, &mut forbidden).await;
    start_page(&function, &mut forbidden).await;
    refused_requests(&function).await;
    without_a_cookie(&function, &mut forbidden).await;
    let public = ["/.well-known/openid-configuration", "/.well-known/jwks.json"];
    for path in public {
        assert_eq!(function.get(path, &[]).await.status, 200, "{path}");
    }

    // Standard output is in order, so all lines are there once the last one is.
    token(&function, Some(&shop_basic()), &[("grant_type", "the-last-one")]).await;
    function.logged("unsupported_grant_type").await;
    let log = function.log();
    for seen in [
        "started",
        "verification",
        "redeemed",
        "an app's token request was refused",
        "an app's request was refused",
        "an app of the secret's relying_parties cannot be served",
    ] {
        assert!(log.iter().any(|line| line["message"] == seen), "{seen}: {log:?}");
    }
    let no_subject_key = "the secret has no subject_key: a new state_key changes every sub; `make keys` adds one";
    assert_eq!(log.iter().filter(|line| line["message"] == no_subject_key).count(), 1, "once: {log:?}");
    assert_clean(&log, &forbidden.0);
}

/// A sign-in with the number in the request, with reloads, in other browsers, and altered. Returns the app's code.
async fn hand_off(function: &Function, forbidden: &mut Forbidden) -> String {
    let mut browser = Browser::default();
    let callback = browser.authorize(function, &shop_request(&HUSH)).await;
    forbidden.add_callback(&callback, &browser);
    let code = parameter(&sent_back(&browser.open(function, &callback).await, SHOP_URI), "code").to_owned();
    forbidden.add_callback(&callback, &browser);
    forbidden.add(&code);
    browser.open_json(function, &callback).await;
    Browser::default().open(function, &callback).await;
    browser.open(function, &callback.replace("state=", "state=x")).await;

    for number in ["tel:+34600000002", "tel:+34600000003"] {
        let mut browser = Browser::default();
        let request = shop_request(&[&HUSH[..], &[("login_hint", number)]].concat());
        let callback = browser.authorize(function, &request).await;
        forbidden.add_callback(&callback, &browser);
        browser.open(function, &callback).await;
        forbidden.add(&number[5..]);
    }
    code
}

/// Every kind of token request, then userinfo with and without the token.
async fn tokens_and_userinfo(function: &Function, code: &str, forbidden: &mut Forbidden) {
    let basic = shop_basic();
    forbidden.add(&basic);
    let wrong = VERIFIER.replace('d', "e");
    forbidden.add(&wrong);
    let altered = altered(code);
    let credentials = [("client_id", "shop"), ("client_secret", SHOP_SECRET)];
    for (name, authorization, fields, status) in [
        ("a wrong secret", Some("Basic c2hvcDpodXNo"), &[][..], 401),
        ("both credentials", Some(&*basic), &credentials[..], 400),
        ("a wrong verifier", Some(&*basic), &[("code_verifier", &wrong)], 400),
        ("an altered code", Some(&*basic), &[("code", &altered)], 400),
        ("a code that is a number", Some(&*basic), &[("code", NUMBER)], 400),
        ("a grant that quotes", Some(&*basic), &[("grant_type", "hush")], 400),
        ("the code", Some(&*basic), &[], 200),
        ("the code again", Some(&*basic), &[], 400),
        ("the code once more", Some(&*basic), &[], 400),
    ] {
        let usual = [("code", code), ("code_verifier", VERIFIER)];
        let answer = token(function, authorization, &[&usual[..], fields].concat()).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
        if status == 200 {
            let tokens = answer.json();
            let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
            let userinfo = function.get("/userinfo", &[("authorization", &bearer)]).await;
            assert_eq!(userinfo.status, 200, "{name}");
            forbidden.add_tokens(&tokens, &userinfo.json());
            let bearer = format!("{bearer}A");
            assert_eq!(function.get("/userinfo", &[("authorization", &bearer)]).await.status, 401, "{name}");
        }
    }
}

/// The start page of the app, with numbers that its user types.
async fn start_page(function: &Function, forbidden: &mut Forbidden) {
    let mut browser = Browser::default();
    let request = shop_request(&[&HUSH[..], &[("login_hint", "")]].concat());
    assert_eq!(browser.open(function, &request).await.status, 200);
    let fields = request.strip_prefix("/authorize?").unwrap();
    for (typed, status) in [("600 000 001", 400), ("+34 600 000 001", 303)] {
        let answer = browser.post(function, "/start", &format!("{fields}&{}", query(&[("phone", typed)]))).await;
        assert_eq!(answer.status, status, "{typed}");
        if status == 303 {
            let callback = function.at_operator(answer.header("location")).await;
            forbidden.add_callback(&callback, &browser);
            let back = sent_back(&browser.open(function, &callback).await, SHOP_URI);
            forbidden.add(parameter(&back, "code"));
        }
    }
}

async fn refused_requests(function: &Function) {
    let long = "hush".repeat(501);
    for changes in [
        &[("client_id", "hush-unknown")][..],
        &[("redirect_uri", "https://nowhere.example/hush")],
        &[("response_type", "hush")],
        &[("scope", "hush")],
        &[("state", &long)],
        &[("nonce", &long)],
        &[("request", "hush.hush.hush")],
        &[("code_challenge", "hush")],
        &[("prompt", "none"), ("login_hint", "600000001")],
        &[("login_hint", "hush 600 000 001")],
    ] {
        let request = shop_request(&[&HUSH[..], changes].concat());
        let answer = function.get(&request, &[]).await;
        assert!([200, 303, 400].contains(&answer.status), "{changes:?}: {}", answer.status);
        assert!(!answer.header("location").starts_with(&function.sandbox.base_url()), "{changes:?}");
        function.get(&request, &[("sec-fetch-dest", "iframe")]).await;
        let body = request.strip_prefix("/authorize?").unwrap();
        function.post("/authorize", body, &[("content-type", "application/x-www-form-urlencoded")]).await;
    }
}

/// A program that finishes with its binding, and a back end with an operator token.
async fn without_a_cookie(function: &Function, forbidden: &mut Forbidden) {
    let json = [AS_JSON, ("content-type", "application/x-www-form-urlencoded")];
    let request = shop_request(&HUSH);
    let fields = format!("{}&phone=%2B34600000001", request.strip_prefix("/authorize?").unwrap());
    let started = function.post("/start", &fields, &json).await.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    forbidden.add(&text(&started["binding"]));
    let callback = function.at_operator(&text(&started["authorization_url"])).await;
    forbidden.add_callback(&callback, &Browser::default());
    let (_, query_of_callback) = callback.split_once('?').unwrap();
    for binding in ["hush-another-binding", &text(&started["binding"])] {
        let body = format!("{query_of_callback}&{}", query(&[("binding", binding)]));
        let answer = function.post("/complete", &body, &[]).await;
        if answer.status == 200 {
            forbidden.add(&text(&answer.json()["code"]));
        }
    }

    for (operator_token, status) in [(SAMPLE_OPERATOR_TOKEN, 200), ("hush-another-token", 400)] {
        let body = json!({ "phoneNumber": NUMBER, "operatorToken": operator_token }).to_string();
        let headers = [("content-type", "application/json"), ("authorization", &shop_basic())];
        assert_eq!(function.post("/verify", &body, &headers).await.status, status, "{operator_token}");
    }
}

/// The metrics that a line counts by app, with their values.
fn counted_by_client(line: &Value) -> Vec<(String, u64)> {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten();
    let by_client = directives.filter(|directive| directive["Dimensions"] == json!([["FunctionName", "client"]]));
    let metrics = by_client.flat_map(|directive| directive["Metrics"].as_array().unwrap());
    let name = |metric: &Value| metric["Name"].as_str().unwrap().to_owned();
    metrics.map(name).map(|name| (name.clone(), line[&name].as_u64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_has_a_line_that_names_the_app_and_counts_for_it() {
    let function = deployed_provider(Arc::new(sandbox().await), &[]).await;
    let mut browser = Browser::default();
    let callback = browser.authorize(&function, &shop_request(&[])).await;
    let back = sent_back(&browser.open(&function, &callback).await, SHOP_URI);
    browser.open(&function, &callback).await;
    let code = parameter(&back, "code");
    for (status, secret) in [(401, "wrong"), (200, SHOP_SECRET), (400, SHOP_SECRET)] {
        let form = [("client_id", "shop"), ("client_secret", secret), ("code", code)];
        assert_eq!(token(&function, None, &form).await.status, status);
    }
    let callback = browser.authorize(&function, &shop_request(&[("login_hint", "+34600000002")])).await;
    browser.open(&function, &callback).await;
    Browser::default().verify(&function, NUMBER).await;
    shop_tokens(&function, "the last one").await;

    function.logged("older than 60 seconds").await;
    let log = function.log();
    let refused = "an app's token request was refused";
    let [client, nobody] = [json!("shop"), Value::Null];
    let expected = [
        ("its user is sent to the operator", "started", &client, &[("Started", 1)][..]),
        ("and is verified", "verification", &client, &[("Returned", 1), ("Verified", 1)]),
        ("a reload", "verification", &client, &[]),
        ("a client with a wrong secret", refused, &nobody, &[]),
        ("the app gets its tokens", "redeemed", &client, &[("Redeemed", 1)]),
        ("its code again", refused, &client, &[]),
        ("another user", "started", &client, &[("Started", 1)]),
        ("is not verified", "verification", &client, &[("Returned", 1), ("Verified", 0)]),
        ("our own form", "started", &nobody, &[]),
        ("and its answer", "verification", &nobody, &[]),
        ("the last one", refused, &client, &[]),
    ];
    let found: Vec<_> = log.iter().filter(|line| line.get("correlator").is_some()).collect();
    assert_eq!(found.len(), expected.len(), "{log:?}");
    for (line, (name, message, client, counts)) in found.iter().zip(expected) {
        assert_eq!((&line["message"], &line["client"]), (&json!(message), client), "{name}: {line}");
        let counted = counted_by_client(line);
        let counted: Vec<_> = counted.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(counted, counts, "{name}: {line}");
        let is_reload = name == "a reload";
        assert_eq!(line.get("reloaded").is_some(), is_reload, "{name}: {line}");
        assert_eq!(line.get("_aws").is_none(), is_reload, "{name}: nothing of a reload is counted: {line}");
        if message == refused {
            let code = if client.is_null() { "invalid_client" } else { "invalid_grant" };
            assert_eq!(line["error_code"], code, "{name}: {line}");
            assert!(line["reason"].as_str().is_some_and(|reason| reason.len() > 20), "{name}: {line}");
        }
    }
}
