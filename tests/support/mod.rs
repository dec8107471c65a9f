//! The function beside a sandbox, and browsers to use it with.
//!
//! Everything between the function and the sandbox is real: the SDK, the HTTP client, the sockets. Only the Lambda
//! runtime is left out; `lambda_runtime.rs` has that too.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use lambda_http::{Context, RequestExt, request};
use number_verification::routes::App;
use number_verification::setup;
use number_verification::transport::Transport;
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};

pub const DOMAIN: &str = "abc123.execute-api.eu-west-1.amazonaws.com";
pub const REDIRECT_URI: &str = "https://abc123.execute-api.eu-west-1.amazonaws.com/numberverification-callback";
pub const CALLBACK: &str = "/numberverification-callback";
pub const PHONE_MODE: &[(&str, &str)] = &[("STATE_MODE", "phone")];

/// The function and the operator it talks to.
pub struct Function {
    pub sandbox: Sandbox,
    app: App,
    time_left: Duration,
}

/// An answer of the function.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Function {
    /// The function as an owner deploys it, with these variables on top of the sandbox's.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        Self::beside(Sandbox::start(Settings::default()).await.unwrap(), variables)
    }

    pub fn beside(sandbox: Sandbox, variables: &[(&str, &str)]) -> Self {
        let base_url = sandbox.base_url();
        let app = setup::app(|name| {
            let set = variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| *value);
            let default = match name {
                "CLIENT_SECRET_ID" => Some("number-verification"),
                "OPERATOR_BASE_URL" | "AWS_ENDPOINT_URL_SECRETS_MANAGER" => Some(base_url.as_str()),
                "AWS_REGION" => Some("eu-west-1"),
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test"),
                _ => None,
            };
            set.or(default).map(str::to_owned)
        });
        Self { sandbox, app: app.unwrap(), time_left: Duration::from_secs(10) }
    }

    /// How long Lambda gives each invocation from now on.
    pub fn with_time_left(mut self, time_left: Duration) -> Self {
        self.time_left = time_left;
        self
    }

    /// Invokes the function with an event.
    pub async fn invoke(&self, event: &Value) -> Answer {
        let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap() + self.time_left;
        let mut context = Context::default();
        "8476a536-e9f4-11e8-9739-2dfe598c3fcd".clone_into(&mut context.request_id);
        context.deadline = u64::try_from(deadline.as_millis()).unwrap();
        let request = request::from_str(&event.to_string()).unwrap().with_lambda_context(context);
        let (head, body) = self.app.handle(&request).await.into_parts();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub async fn get(&self, path_and_query: &str, headers: &[(&str, &str)]) -> Answer {
        self.invoke(&http_api_event("GET", path_and_query, headers, "")).await
    }

    pub async fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        self.invoke(&http_api_event("POST", path, headers, body)).await
    }

    /// Follows a link to the operator, which answers with a redirect; the path and query it leads to.
    pub async fn at_operator(&self, authorization_url: &str) -> String {
        let transport = Transport::new(&[]).unwrap();
        let answer = transport.client().get(authorization_url).send().await.unwrap();
        assert_eq!(answer.status(), 302, "the operator redirects back");
        let location = answer.headers()["location"].to_str().unwrap();
        location.strip_prefix("https://").and_then(|rest| rest.find('/').map(|slash| rest[slash..].to_owned())).unwrap()
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// An event of an API Gateway HTTP API (payload 2.0, default stage).
pub fn http_api_event(method: &str, path_and_query: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let cookies: Vec<_> = headers.iter().filter(|(name, _)| *name == "cookie").map(|(_, value)| *value).collect();
    let headers: BTreeMap<_, _> = headers.iter().filter(|(name, _)| *name != "cookie").copied().collect();
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": DOMAIN,
            "domainPrefix": "abc123",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test" },
            "requestId": "request-of-the-gateway",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1_773_342_238_000_u64
        },
        "body": body,
        "isBase64Encoded": false
    })
}

/// A browser: it keeps the function's cookies, and nothing else.
#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Types a number into the form and sends it; the operator's address it is sent to.
    pub async fn start(&mut self, function: &Function, phone: &str) -> String {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("phone", phone).finish();
        let answer = function.post("/start", &body, &self.headers(&[("sec-fetch-site", "same-origin")])).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        self.keep_cookies(&answer);
        answer.header("location").to_owned()
    }

    /// Opens an address of the function.
    pub async fn open(&mut self, function: &Function, path_and_query: &str, accept: &str) -> Answer {
        let answer = function.get(path_and_query, &self.headers(&[("accept", accept)])).await;
        self.keep_cookies(&answer);
        answer
    }

    /// The whole way: form, operator, callback.
    pub async fn verify(&mut self, function: &Function, phone: &str) -> Answer {
        let callback = self.callback_of(function, phone).await;
        self.open(function, &callback, "application/json").await
    }

    /// Form and operator; the path and query of the callback they lead to.
    pub async fn callback_of(&mut self, function: &Function, phone: &str) -> String {
        let authorization_url = self.start(function, phone).await;
        function.at_operator(&authorization_url).await
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    fn headers<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        self.cookies.values().map(|pair| ("cookie", pair.as_str())).chain(more.iter().copied()).collect()
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for line in answer.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let name = pair.split('=').next().unwrap();
            self.cookies.insert(name.to_owned(), pair.to_owned());
        }
    }
}
