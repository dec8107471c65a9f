//! Whatever a client sends, the real program answers with its own page and keeps running.

use serde_json::{Value, json};

use crate::support::{CALLBACK, DOMAIN, Function, http_api_event, sandbox};

fn with(mut event: Value, member: &str, value: Value) -> Value {
    *event.pointer_mut(member).unwrap() = value;
    event
}

fn callback_event() -> Value {
    http_api_event("GET", &format!("{CALLBACK}?code=a&state=b"), &[], "")
}

fn alb_event(host: &str, query: &Value) -> Value {
    json!({
        "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/a/b" } },
        "httpMethod": "GET",
        "path": CALLBACK,
        "queryStringParameters": query,
        "headers": { "host": host },
        "body": "",
        "isBase64Encoded": false
    })
}

#[tokio::test]
async fn malformed_requests_get_a_page() {
    let redirect_uri = format!("https://{DOMAIN}{CALLBACK}");
    let sandbox = sandbox().await;
    let function = Function::deployed(sandbox, &[("REDIRECT_URI", &redirect_uri)]).await;
    for (name, event, status) in [
        ("a state that is not ours", callback_event(), 400),
        (
            "a query that is not a URI",
            with(callback_event(), "/rawQueryString", "code=<\"é|^`> \\&state={}".into()),
            400,
        ),
        ("an empty query", with(callback_event(), "/rawQueryString", "".into()), 400),
        ("a query of separators", with(callback_event(), "/rawQueryString", "&&=&?#".into()), 400),
        ("a host that is not a name", with(callback_event(), "/headers", json!({ "host": "a b:c[" })), 400),
        ("a scheme that is not a word", with(callback_event(), "/headers", json!({ "x-forwarded-proto": "0 :" })), 400),
        ("a header with a control character", with(callback_event(), "/headers", json!({ "x": "a\u{1}\r\nb" })), 400),
        ("a cookie with a control character", with(callback_event(), "/cookies", json!(["a=\u{1}"])), 400),
        ("a path with anything in it", with(callback_event(), "/rawPath", "/é <\"#?%zz".into()), 404),
        ("a path without its slash", with(callback_event(), "/rawPath", ":99999".into()), 404),
        ("a query of 22 kB", with(callback_event(), "/rawQueryString", "é".repeat(11_000).into()), 400),
        ("a load balancer's query of 22 kB", alb_event("nv.example", &json!({ "state": "é".repeat(11_000) })), 400),
        ("a header whose name is not one", with(callback_event(), "/headers", json!({ "a[b]": "c" })), 400),
        ("an unheard-of method", with(callback_event(), "/requestContext/http/method", "PURGE".into()), 405),
        ("a load balancer's query", alb_event("nv.example", &json!({ "code": "%", "state": "%ff%zz" })), 400),
        ("a load balancer's host", alb_event("a b:c[", &json!({ "code": "a", "state": "b" })), 400),
        ("a load balancer's empty host", alb_event("", &json!({})), 400),
    ] {
        let answer = function.invoke_raw(&event).await;
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(answer["statusCode"], status, "{name}");
        assert!(answer["body"].as_str().unwrap().contains("Reference for support"), "{name}: {answer}");
    }
}

/// These include test events from the console. Nobody is there to see a page.
#[tokio::test]
async fn unknown_events_are_refused_without_quoting_them() {
    let function = Function::deployed(sandbox().await, &[]).await;
    for event in [json!({}), json!("+34600000001"), json!({ "httpMethod": "+34600000001" }), json!(null)] {
        let error = function.invoke_raw(&event).await.unwrap_err();
        let log = format!("{:?}", function.log());
        assert!(!error.contains("600000001") && !log.contains("600000001"), "{event}: {error} {log}");
    }
    assert_eq!(function.get("/", &[]).await.status, 200);
}
