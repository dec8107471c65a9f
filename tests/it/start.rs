//! The start page, its form, and the headers of every answer.

use crate::support::{AS_JSON, CALLBACK, Function, PHONE_MODE, http_api_event, sample_callback};

const FOREIGN: &[(&str, &str)] = &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];

#[tokio::test]
async fn start_page_has_a_form_that_posts_a_phone_number() {
    let function = Function::start(&[]).await;
    let page = function.get("/", &[]).await;
    assert_eq!(page.status, 200);
    for part in [r#"method="post""#, r#"action="/start""#, r#"name="phone""#, r#"type="tel""#, r#"lang="en""#] {
        assert!(page.body.contains(part), "{part}");
    }
}

#[tokio::test]
async fn invalid_number_is_shown_again_with_its_error() {
    let function = Function::start(&[]).await;
    for (typed, in_form, reason) in [
        ("600000001", "600000001", "Start with + and your country code"),
        ("", "", "Enter your phone number"),
        ("+34 six", "+34 six", "the digits 0 to 9"),
        ("+1", "+1", "5 to 15 digits"),
        ("+44 (0)7700 900123", "+44 (0)7700 900123", "A 0 in brackets can be read in two ways"),
        ("+44 07700 900123", "+44 07700 900123", "without the 0 after the country code"),
        ("001 65 9234 5678", "001 65 9234 5678", "starts with 001"),
        ("\"><script>alert(1)</script>", "&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;", "the digits 0 to 9"),
    ] {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("phone", typed).finish();
        let page = function.post("/start", &body, &[]).await;
        assert_eq!(page.status, 400, "{typed}");
        assert!(page.body.contains(&format!(r#"value="{in_form}""#)), "{typed}: {}", page.body);
        assert!(page.body.contains(reason), "{typed}: {}", page.body);
        assert!(!page.headers.contains_key("set-cookie"));

        let answer = function.post("/start", &body, &[AS_JSON]).await;
        assert_eq!((answer.status, answer.outcome()), (400, "invalid_request"), "{typed}");
    }
}

#[tokio::test]
async fn malformed_form_bodies_are_refused() {
    let function = Function::start(&[]).await;
    let long = format!("phone={}", "1".repeat(10_000));
    for (name, body) in [("two numbers", "phone=%2B34600000001&phone=%2B34600000002"), ("too long", long.as_str())] {
        assert_eq!(function.post("/start", body, &[]).await.status, 400, "{name}");
    }
}

/// A browser keeps a cookie, and any other program the binding.
#[tokio::test]
async fn json_start_returns_the_authorization_url_and_a_cookie_or_the_binding() {
    let function = Function::start(&[]).await;
    for (name, headers, is_browser) in [
        ("a program", &[AS_JSON][..], false),
        ("our own page", &[AS_JSON, ("sec-fetch-site", "same-origin")], true),
        ("an older browser", &[AS_JSON, ("origin", "https://abc123.execute-api.eu-west-1.amazonaws.com")], true),
    ] {
        let answer = function.post("/start", "phone=%2B34600000001", headers).await;
        assert_eq!(answer.status, 200, "{name}");
        let json = answer.json();
        let authorization_url = json["authorization_url"].as_str().unwrap();
        assert!(authorization_url.starts_with(&format!("{}/authorize?", function.sandbox.base_url())), "{name}");
        assert_eq!(json["expires_in"], 600, "{name}");
        assert_eq!(answer.header("set-cookie").starts_with("__Host-nv-"), is_browser, "{name}");
        assert_eq!(json["binding"].is_string(), !is_browser, "{name}");
    }
}

#[tokio::test]
async fn another_site_cannot_start_a_verification() {
    let function = Function::start(&[]).await;
    let answer = function.post("/start", "phone=%2B34600000001", FOREIGN).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("not started here"));
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn allowed_origin_can_start_and_read_the_answer() {
    let function = Function::start(&[("ALLOWED_ORIGINS", "https://a.example, https://www.shop.example")]).await;
    let headers = [("origin", "https://www.shop.example"), ("sec-fetch-site", "same-site"), AS_JSON];
    let answer = function.post("/start", "phone=%2B34600000001", &headers).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "https://www.shop.example");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert!(!function.get("/", FOREIGN).await.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn unknown_paths_are_404_and_other_methods_405() {
    let function = Function::start(&[]).await;
    for (method, path, status, allow) in [
        ("GET", "/favicon.ico", 404, ""),
        ("POST", "/nowhere", 404, ""),
        ("GET", "//start", 404, ""),
        ("POST", "/", 405, "GET, HEAD"),
        ("GET", "/start", 405, "POST"),
        ("POST", CALLBACK, 405, "GET, HEAD"),
        ("OPTIONS", CALLBACK, 405, "GET, HEAD"),
    ] {
        for accept in ["text/html", "application/json"] {
            let event = http_api_event(method, path, &[("accept", accept)], "");
            let answer = function.invoke(&event).await;
            assert_eq!((answer.status, answer.header("allow")), (status, allow), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let function = Function::start(&[]).await;
    let answers = [
        function.get("/", &[]).await,
        function.post("/start", "phone=%2B34600000001", &[]).await,
        function.post("/start", "phone=1", &[AS_JSON]).await,
        function.get(CALLBACK, &[]).await,
        function.get("/nowhere", &[]).await,
        function.get("/start", &[]).await,
    ];
    for answer in answers {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-correlator", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ] {
            assert_eq!(answer.header(name), value);
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(!answer.body.contains("<script"));
    }
}

#[tokio::test]
async fn correlator_is_returned_and_sent_to_the_operator() {
    const UUID: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    let function = Function::start(PHONE_MODE).await;
    let answer = function.get(&sample_callback("+34600000001"), &[("x-correlator", UUID)]).await;
    assert_eq!(answer.header("x-correlator"), UUID);
    assert!(answer.body.contains(UUID));
    assert_eq!(function.last_request(sandbox::Leg::Verify).x_correlator.as_deref(), Some(UUID));
}

/// Anything but a UUID could be personal data, which would be logged.
#[tokio::test]
async fn correlator_that_is_not_a_uuid_is_replaced() {
    let function = Function::start(PHONE_MODE).await;
    for correlator in ["34600000001", "app-42", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6x"] {
        let answer = function.get(&sample_callback("+34600000001"), &[("x-correlator", correlator)]).await;
        assert_eq!(answer.header("x-correlator"), "8476a536-e9f4-11e8-9739-2dfe598c3fcd", "{correlator}");
        assert!(!answer.body.contains(correlator), "{correlator}");
    }
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body() {
    let function = Function::start(&[]).await;
    let answer = function.invoke(&http_api_event("HEAD", "/", &[], "")).await;
    assert_eq!((answer.status, &*answer.body), (200, ""));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn number_can_be_sent_in_several_forms() {
    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";
    const BROWSER: (&str, &str) = ("sec-fetch-site", "same-origin");
    let function = Function::start(&[]).await;
    for (name, content_type, body, header, status) in [
        ("a form", FORM, "phone=%2B34600000001", AS_JSON, 200),
        (
            "a form with a character set",
            "Application/X-WWW-Form-Urlencoded; charset=utf-8",
            "phone=%2B34600000001",
            AS_JSON,
            200,
        ),
        ("curl -d, which does not encode the plus", FORM, "phone=+34600000001", AS_JSON, 200),
        ("a browser encodes the plus, so this is a space", FORM, "phone=+34600000001", BROWSER, 400),
        ("JSON", JSON, r#"{"phone":"+34600000001"}"#, AS_JSON, 200),
        ("JSON needs no encoding, so this is a space", JSON, r#"{"phone":" 34600000001"}"#, AS_JSON, 400),
        ("JSON without a number", JSON, "{}", AS_JSON, 400),
        ("JSON with another type", JSON, r#"{"phone":34600000001}"#, AS_JSON, 400),
        ("a number twice in JSON", JSON, r#"{"phone":"+34600000001","phone":"+34600000002"}"#, AS_JSON, 400),
        ("a JSON array", JSON, r#"["+34600000001"]"#, AS_JSON, 400),
        ("broken JSON", JSON, r#"{"phone":"+3460"#, AS_JSON, 400),
        ("multipart", "multipart/form-data; boundary=x", "--x\r\n", AS_JSON, 415),
        ("text", "text/plain", "+34600000001", AS_JSON, 415),
    ] {
        let answer = function.post("/start", body, &[("content-type", content_type), header]).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn requests_without_the_origin_header_are_refused() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let function = Function::start(&[("ORIGIN_HEADER", SECRET), ("STATE_MODE", "phone")]).await;
    let callback = sample_callback("+34600000001");
    for (name, headers, status) in [
        ("with it", &[("x-origin-verify", SECRET)][..], 200),
        ("without it", &[], 403),
        ("another value", &[("x-origin-verify", "0123456789abcdef0123456789abcdeg")], 403),
        ("a part of it", &[("x-origin-verify", "0123456789abcdef")], 403),
    ] {
        for path in ["/", &callback] {
            assert_eq!(function.get(path, headers).await.status, status, "{name}: {path}");
        }
    }
    assert_eq!(function.sandbox.count(sandbox::Leg::Token), 1);
}

#[tokio::test]
async fn fallback_is_offered_unless_the_number_is_verified() {
    let variables = [("FALLBACK_URL", "https://shop.example/sms"), ("STATE_MODE", "phone")];
    let function = Function::start(&variables).await;
    for (number, offered) in [("1", false), ("2", true), ("3", true)] {
        let callback = sample_callback(&format!("+3460000000{number}"));
        let page = function.get(&callback, &[]).await;
        assert_eq!(page.body.contains(r#"href="https://shop.example/sms""#), offered, "{number}");
        let answer = function.get_json(&callback).await;
        assert_eq!(answer.json()["fallback_url"] == "https://shop.example/sms", offered, "{number}");
    }
}

#[tokio::test]
async fn pages_show_the_owners_name_colour_and_links() {
    let function = Function::start(&[
        ("SERVICE_NAME", "Acme & Söhne"),
        ("ACCENT_COLOR", "#7a0019"),
        ("LOGO_URL", "https://cdn.acme.example/logo.svg"),
        ("PRIVACY_URL", "https://acme.example/privacy"),
    ])
    .await;
    let page = function.get("/", &[]).await;
    for part in
        ["Acme &#38; Söhne", "--accent:#7a0019", "https://cdn.acme.example/logo.svg", "https://acme.example/privacy"]
    {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(page.header("content-security-policy").contains("img-src data: https://cdn.acme.example;"));
}

/// Events can contain header values that HTTP does not allow.
#[tokio::test]
async fn malformed_accept_headers_do_not_cause_an_error() {
    let function = Function::start(&[]).await;
    for value in ["", ",;q=", "é, de", "\u{0}", "de\r\nset-cookie: a=b", "*;q=NaN", "ü-".repeat(3000).as_str()] {
        for name in ["accept", "accept-language"] {
            let page = function.get("/", &[(name, value)]).await;
            assert_eq!((page.status, page.header("content-language")), (200, "en"), "{name}: {value}");
        }
    }
    let page = function.get("/", &[("accept-language", "de-CH, en;q=0.5")]).await;
    assert_eq!(page.header("content-language"), "de");
    assert_eq!(page.header("vary"), "Accept, Accept-Language, Origin");
}
