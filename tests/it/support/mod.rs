//! The function beside a sandbox, and browsers to use it with.
//!
//! Everything between the function and the sandbox is real: the SDK, the HTTP client, the sockets. Only the Lambda
//! runtime is left out, unless the function is [`Function::deployed`]; `lambda_runtime.rs` has AWS's own emulator of it.

pub mod environment;
pub mod far_side;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use environment::Environment;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use lambda_http::{Context, Request, RequestExt};
pub use number_verification::outcome::Outcome;
use number_verification::routes::App;
use number_verification::setup;
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};

pub const DOMAIN: &str = "abc123.execute-api.eu-west-1.amazonaws.com";
pub const REDIRECT_URI: &str = "https://abc123.execute-api.eu-west-1.amazonaws.com/numberverification-callback";
pub const CALLBACK: &str = "/numberverification-callback";
pub const PHONE_MODE: &[(&str, &str)] = &[("STATE_MODE", "phone")];

/// The function and the operator it talks to.
pub struct Function {
    pub sandbox: Arc<Sandbox>,
    runs: Runs,
    time_left: Duration,
}

/// Where the function runs.
enum Runs {
    Here(Box<App>),
    In(Box<Environment>),
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

    pub fn beside(sandbox: impl Into<Arc<Sandbox>>, variables: &[(&str, &str)]) -> Self {
        let sandbox = sandbox.into();
        let variables = all_variables(&sandbox, variables);
        let app = setup::app(|name| variables.get(name).cloned());
        Self { sandbox, runs: Runs::Here(Box::new(app.unwrap())), time_left: Duration::from_secs(10) }
    }

    /// The real program, in an environment of its own.
    pub async fn deployed(sandbox: impl Into<Arc<Sandbox>>, variables: &[(&str, &str)]) -> Self {
        let sandbox = sandbox.into();
        let environment = Environment::start(all_variables(&sandbox, variables)).await;
        Self { sandbox, runs: Runs::In(Box::new(environment)), time_left: Duration::from_secs(10) }
    }

    /// The environment of a function that is [`Function::deployed`].
    pub fn environment(&self) -> &Environment {
        match &self.runs {
            Runs::Here(_) => panic!("the function is not deployed"),
            Runs::In(environment) => environment,
        }
    }

    /// How long Lambda gives each invocation from now on.
    pub fn with_time_left(mut self, time_left: Duration) -> Self {
        self.time_left = time_left;
        self
    }

    /// Invokes the function with an event.
    pub async fn invoke(&self, event: &Value) -> Answer {
        let app = match &self.runs {
            Runs::Here(app) => app,
            Runs::In(environment) => {
                return Answer::from_lambda(&environment.invoke(event, self.time_left).await.unwrap());
            }
        };
        let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap() + self.time_left;
        let mut context = Context::default();
        "8476a536-e9f4-11e8-9739-2dfe598c3fcd".clone_into(&mut context.request_id);
        context.deadline = u64::try_from(deadline.as_millis()).unwrap();
        let request =
            Request::from(number_verification::event::read(event.clone()).unwrap()).with_lambda_context(context);
        let (head, body) = app.handle(&request).await.into_parts();
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
        let answer = send(http::Request::get(authorization_url).body(String::new()).unwrap()).await;
        assert_eq!(answer.status, 302, "the operator redirects back");
        let location = answer.headers["location"].to_str().unwrap();
        location.strip_prefix("https://").and_then(|rest| rest.find('/').map(|slash| rest[slash..].to_owned())).unwrap()
    }
}

/// Sends a request over plain HTTP, and follows no redirect.
pub async fn send(request: http::Request<String>) -> Answer {
    let client: Client<_, String> = Client::builder(TokioExecutor::new()).build_http();
    let answered = async {
        let (head, body) = client.request(request).await.unwrap().into_parts();
        (head, body.collect().await.unwrap().to_bytes())
    };
    let (head, body) = tokio::time::timeout(Duration::from_mins(1), answered).await.expect("an answer in time");
    Answer { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body.into()).unwrap() }
}

/// What an owner sets, with these variables on top of the sandbox's.
fn all_variables(sandbox: &Sandbox, variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let base_url = sandbox.base_url();
    [
        ("CLIENT_SECRET_ID", "number-verification"),
        ("OPERATOR_BASE_URL", &base_url),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &base_url),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]
    .iter()
    .chain(variables)
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect()
}

impl Answer {
    /// What API Gateway makes of a function's answer (payload 2.0).
    fn from_lambda(answer: &Value) -> Self {
        let mut headers = http::HeaderMap::new();
        for (name, value) in answer["headers"].as_object().into_iter().flatten() {
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name, value.as_str().unwrap().parse().unwrap());
        }
        for cookie in answer["cookies"].as_array().into_iter().flatten() {
            headers.append("set-cookie", cookie.as_str().unwrap().parse().unwrap());
        }
        Self {
            status: answer["statusCode"].as_u64().unwrap().try_into().unwrap(),
            headers,
            body: answer["body"].as_str().unwrap_or_default().to_owned(),
        }
    }

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
        self.open_with(function, path_and_query, &[("accept", accept)]).await
    }

    /// The same with other headers.
    pub async fn open_with(&mut self, function: &Function, path_and_query: &str, headers: &[(&str, &str)]) -> Answer {
        let answer = function.get(path_and_query, &self.headers(headers)).await;
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
