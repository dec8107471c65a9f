//! A whole verification with each kind of event: HTTP API, HTTP API with a stage, REST API, Function URL, load
//! balancer.

use std::collections::BTreeMap;

use sandbox::Leg;
use serde_json::{Value, json};

use crate::support::{AS_JSON, CALLBACK, DOMAIN, Function, PHONE_MODE, http_api_event};

/// Builds an event from a method, a path and query, headers and a body.
type WriteEvent = fn(&str, &str, &[(&str, &str)], &str) -> Value;

/// A service that invokes the function, and the form of its events.
struct Source {
    name: &'static str,
    variables: &'static [(&'static str, &'static str)],
    /// The path before the routes, as the browser sees it.
    prefix: &'static str,
    redirect_uri: &'static str,
    event: WriteEvent,
}

const SOURCES: [Source; 6] = [
    Source {
        name: "HTTP API",
        variables: &[],
        prefix: "",
        redirect_uri: "https://abc123.execute-api.eu-west-1.amazonaws.com/numberverification-callback",
        event: http_api_event,
    },
    Source {
        name: "HTTP API with a stage",
        variables: &[],
        prefix: "/dev",
        redirect_uri: "https://abc123.execute-api.eu-west-1.amazonaws.com/dev/numberverification-callback",
        event: http_api_stage_event,
    },
    Source {
        name: "REST API",
        variables: &[],
        prefix: "/prod",
        redirect_uri: "https://abc123.execute-api.eu-west-1.amazonaws.com/prod/numberverification-callback",
        event: rest_api_event,
    },
    Source {
        name: "Function URL",
        variables: &[],
        prefix: "",
        redirect_uri: "https://url123.lambda-url.eu-west-1.on.aws/numberverification-callback",
        event: function_url_event,
    },
    Source {
        name: "load balancer",
        variables: &[("REDIRECT_URI", "https://nv.shop.example/numberverification-callback")],
        prefix: "",
        redirect_uri: "https://nv.shop.example/numberverification-callback",
        event: alb_event,
    },
    Source {
        name: "load balancer with multi-value headers",
        variables: &[("REDIRECT_URI", "https://nv.shop.example/numberverification-callback")],
        prefix: "",
        redirect_uri: "https://nv.shop.example/numberverification-callback",
        event: alb_multi_value_event,
    },
];

#[tokio::test]
async fn verification_works_behind_every_event_source() {
    for Source { name, variables, prefix, redirect_uri, event } in SOURCES {
        let function = Function::start(variables).await;
        let page = function.invoke(&event("GET", &format!("{prefix}/"), &[], "")).await;
        assert_eq!(page.status, 200, "{name}");
        assert!(page.body.contains(&format!(r#"action="{prefix}/start""#)), "{name}: {}", page.body);

        let start = format!("{prefix}/start");
        let started = function.invoke(&event("POST", &start, &[], "phone=%2B34600000001")).await;
        assert_eq!(started.status, 303, "{name}");
        let cookie = started.header("set-cookie").split(';').next().unwrap().to_owned();

        let callback = function.at_operator(started.header("location")).await;
        assert!(callback.starts_with(&format!("{prefix}{CALLBACK}?")), "{name}: {callback}");
        let headers = [("cookie", cookie.as_str()), AS_JSON];
        let answer = function.invoke(&event("GET", &callback, &headers, "")).await;
        assert_eq!(answer.outcome(), "verified", "{name}");

        assert_eq!(function.last_request(Leg::Token).fields["redirect_uri"], redirect_uri, "{name}");
    }
}

/// Some sources decode a `+` in a query as a space, others keep it. Both must yield the number.
#[tokio::test]
async fn unencoded_plus_in_the_state_is_accepted() {
    for Source { name, variables, prefix, event, .. } in SOURCES {
        let variables = [variables, PHONE_MODE].concat();
        let function = Function::start(&variables).await;
        for number in ["+34600000001", "%2B34600000001", "%2b34600000001", "%2034600000001"] {
            let callback = format!("{prefix}{CALLBACK}?code={}&state={number}", sandbox::SAMPLE_CODE);
            let answer = function.invoke(&event("GET", &callback, &[AS_JSON], "")).await;
            assert_eq!(answer.outcome(), "verified", "{name}: {number}");
        }
    }
}

/// RFC 6749 §3.1, in whatever way a source represents repeated keys.
#[tokio::test]
async fn repeated_parameter_is_refused() {
    for Source { name, variables, prefix, event, .. } in SOURCES {
        if name == "load balancer" {
            // Without multi-value headers it forwards only the last value, so the function cannot detect this.
            continue;
        }
        let variables = [variables, PHONE_MODE].concat();
        let function = Function::start(&variables).await;
        for query in ["code=a&code=b&state=%2B34600000001", "code=a&state=%2B34600000001&state=%2B34600000002"] {
            let callback = format!("{prefix}{CALLBACK}?{query}");
            let answer = function.invoke(&event("GET", &callback, &[AS_JSON], "")).await;
            assert_eq!(answer.outcome(), "invalid_request", "{name}: {query}");
        }
    }
}

#[tokio::test]
async fn host_headers_do_not_change_the_redirect_uri() {
    for Source { name, variables, prefix, redirect_uri, event } in SOURCES {
        let function = Function::start(variables).await;
        let headers = [("host", "evil.example"), ("x-forwarded-host", "evil.example"), AS_JSON];
        let started =
            function.invoke(&event("POST", &format!("{prefix}/start"), &headers, "phone=%2B34600000001")).await;
        let authorization_url = started.json()["authorization_url"].as_str().unwrap().to_owned();
        let sent: BTreeMap<String, String> =
            url::Url::parse(&authorization_url).unwrap().query_pairs().into_owned().collect();
        assert_eq!(sent["redirect_uri"], redirect_uri, "{name}");
    }
}

#[tokio::test]
async fn load_balancer_requires_redirect_uri_to_be_set() {
    let function = Function::start(&[]).await;
    let event = alb_event("POST", "/start", &[AS_JSON], "phone=%2B34600000001");
    let answer = function.invoke(&event).await;
    assert_eq!((answer.status, answer.outcome()), (500, "misconfigured"));
}

fn http_api_stage_event(method: &str, path_and_query: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let mut event = http_api_event(method, path_and_query, headers, body);
    event["requestContext"]["stage"] = json!("dev");
    event
}

fn function_url_event(method: &str, path_and_query: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let mut event = http_api_event(method, path_and_query, headers, body);
    event["requestContext"]["domainName"] = json!("url123.lambda-url.eu-west-1.on.aws");
    event["requestContext"]["domainPrefix"] = json!("url123");
    event
}

/// Payload 1.0: the path without the stage, decoded query values, and the stage in the context's path.
pub fn rest_api_event(method: &str, path_and_query: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let resource_path = path.strip_prefix("/prod").unwrap();
    let (mut single, mut multiple) = (BTreeMap::new(), BTreeMap::<String, Vec<String>>::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        single.insert(name.to_string(), value.to_string());
        multiple.entry(name.to_string()).or_default().push(value.to_string());
    }
    json!({
        "resource": resource_path,
        "path": resource_path,
        "httpMethod": method,
        "headers": headers.iter().copied().collect::<BTreeMap<_, _>>(),
        "multiValueHeaders": headers.iter().map(|(name, value)| (*name, [*value])).collect::<BTreeMap<_, _>>(),
        "queryStringParameters": single,
        "multiValueQueryStringParameters": multiple,
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": DOMAIN,
            "domainPrefix": "abc123",
            "extendedRequestId": "JJbxmplHYosFVYQ=",
            "httpMethod": method,
            "identity": { "sourceIp": "192.0.2.1", "userAgent": "test" },
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": "request-of-the-gateway",
            "requestTime": "12/Mar/2026:19:03:58 +0000",
            "requestTimeEpoch": 1_773_342_238_000_u64,
            "resourceId": "resource",
            "resourcePath": resource_path,
            "stage": "prod"
        },
        "body": body,
        "isBase64Encoded": false
    })
}

/// Query values are still URL-encoded; only the last of repeated ones is present.
fn alb_event(method: &str, path_and_query: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    json!({
        "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/nv/49e9d65c45c6791a" } },
        "httpMethod": method,
        "path": path,
        "queryStringParameters": pairs.collect::<BTreeMap<_, _>>(),
        "headers": headers.iter().copied().collect::<BTreeMap<_, _>>(),
        "body": body,
        "isBase64Encoded": false
    })
}

fn alb_multi_value_event(method: &str, path_and_query: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let mut event = alb_event(method, path_and_query, headers, body);
    let (_, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let mut multiple = BTreeMap::<&str, Vec<&str>>::new();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        multiple.entry(name).or_default().push(value);
    }
    let members = event.as_object_mut().unwrap();
    members.remove("queryStringParameters");
    members.remove("headers");
    members.insert("multiValueQueryStringParameters".into(), json!(multiple));
    let headers: BTreeMap<_, _> = headers.iter().map(|(name, value)| (*name, [*value])).collect();
    members.insert("multiValueHeaders".into(), json!(headers));
    event
}
