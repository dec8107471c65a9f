use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda_environment::{Environment, RuntimeApi};
use lambda_http::{Context, RequestExt as _};
use number_verification::setup;
use number_verification::web::App;
use number_verification::web::event;
use sandbox::{Leg, Sandbox, Served};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{AS_JSON, Answer, DOMAIN, sandbox, send};

/// The function and the operator it talks to.
pub struct Function {
    pub sandbox: Arc<Sandbox>,
    runs: Runs,
    time_left: Duration,
}

/// The place in which the function runs.
enum Runs {
    Here(Box<App>),
    In(Box<Environment>),
}

impl Function {
    /// Starts the function with a new sandbox, and these variables in addition to the sandbox's.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        Self::with_sandbox(sandbox().await, variables)
    }

    /// Starts the function with this sandbox, in this process.
    pub fn with_sandbox(sandbox: impl Into<Arc<Sandbox>>, variables: &[(&str, &str)]) -> Self {
        let sandbox = sandbox.into();
        let variables = all_variables(&sandbox, variables);
        let app = setup::app(|name| variables.get(name).cloned());
        Self { sandbox, runs: Runs::Here(Box::new(app.unwrap())), time_left: Duration::from_secs(10) }
    }

    /// Starts the real program in a Lambda environment.
    pub async fn deployed(sandbox: impl Into<Arc<Sandbox>>, variables: &[(&str, &str)]) -> Self {
        let sandbox = sandbox.into();
        let mut command = Command::new(env!("CARGO_BIN_EXE_number-verification"));
        command.env_clear().envs(all_variables(&sandbox, variables)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let runtime_api = RuntimeApi::start(|| Ok(())).await.unwrap();
        let environment = Environment::start(command, runtime_api).unwrap();
        Self { sandbox, runs: Runs::In(Box::new(environment)), time_left: Duration::from_secs(10) }
    }

    /// Starts the real program with these variables, which must stop it, and returns the one line that says why.
    pub async fn fault_at_start(variables: &[(&str, &str)]) -> String {
        let ended = Command::new(env!("CARGO_BIN_EXE_number-verification"))
            .env_clear()
            .env("CLIENT_SECRET_ID", "number-verification")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .envs(variables.iter().copied())
            .stderr(Stdio::inherit())
            .output()
            .await
            .unwrap();
        let log = String::from_utf8(ended.stdout).unwrap();
        let faults: Vec<_> = log.lines().filter(|line| line.contains("cannot start")).collect();
        let [fault] = faults[..] else { panic!("one line that says why: {log}") };
        assert!(!ended.status.success(), "{fault}");
        fault.to_owned()
    }

    /// Sets how long Lambda gives each invocation.
    pub fn with_time_left(mut self, time_left: Duration) -> Self {
        self.time_left = time_left;
        self
    }

    fn environment(&self) -> &Environment {
        match &self.runs {
            Runs::Here(_) => panic!("the function is not deployed"),
            Runs::In(environment) => environment,
        }
    }

    /// Freezes a deployed function until its next event.
    pub async fn freeze(&self) {
        self.environment().freeze().await.unwrap();
    }

    /// Every line that a deployed function has written.
    pub fn log(&self) -> Vec<Value> {
        self.environment().log()
    }

    /// The first line of a deployed function that contains this text.
    pub async fn logged(&self, text: &str) -> Value {
        self.environment().logged(text).await.unwrap()
    }

    /// The memory in use by a deployed function, in KiB.
    pub fn memory(&self) -> u64 {
        self.environment().memory("VmRSS").unwrap()
    }

    /// Invokes a deployed function, and returns what it posts to the Runtime API: an answer or an error.
    pub async fn invoke_raw(&self, event: &Value) -> Result<Value, String> {
        self.invoke_within(event, self.time_left).await
    }

    /// Invokes a deployed function with this much time, and returns what it posts to the Runtime API.
    pub async fn invoke_within(&self, event: &Value, time_left: Duration) -> Result<Value, String> {
        self.environment().invoke(&event.to_string(), time_left).await.unwrap().result
    }

    /// Invokes the function with an event.
    pub async fn invoke(&self, event: &Value) -> Answer {
        let Runs::Here(app) = &self.runs else { return Answer::from_lambda(&self.invoke_raw(event).await.unwrap()) };
        let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap() + self.time_left;
        let mut context = Context::default();
        "8476a536-e9f4-11e8-9739-2dfe598c3fcd".clone_into(&mut context.request_id);
        context.deadline = u64::try_from(deadline.as_millis()).unwrap();
        let request = event::read(event.clone()).unwrap().with_lambda_context(context);
        let (head, body) = app.handle(&request).await.into_parts();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub async fn get(&self, path_and_query: &str, headers: &[(&str, &str)]) -> Answer {
        self.invoke(&http_api_event("GET", path_and_query, headers, "")).await
    }

    /// `GET` by a program that wants JSON.
    pub async fn get_json(&self, path_and_query: &str) -> Answer {
        self.get(path_and_query, &[AS_JSON]).await
    }

    pub async fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        self.invoke(&http_api_event("POST", path, headers, body)).await
    }

    /// Opens the operator's URL, and returns the path and query to which the operator redirects.
    pub async fn at_operator(&self, authorization_url: &str) -> String {
        let answer = send(http::Request::get(authorization_url).body(String::new()).unwrap()).await;
        assert_eq!(answer.status, 302, "the operator redirects back");
        let location = answer.header("location");
        location.strip_prefix("https://").and_then(|rest| rest.find('/').map(|slash| rest[slash..].to_owned())).unwrap()
    }

    /// The last request that the sandbox got on a leg.
    pub fn last_request(&self, leg: Leg) -> Served {
        self.sandbox.requests().into_iter().rfind(|served| served.leg == Some(leg)).unwrap()
    }
}

/// All variables of an owner: the sandbox's, overridden by these. If they move an endpoint, the others are set too,
/// because the function refuses an endpoint on a different host from the rest.
fn all_variables(sandbox: &Sandbox, variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let base_url = sandbox.base_url();
    let endpoints = [
        ("AUTHORIZATION_ENDPOINT", format!("{base_url}/authorize")),
        ("TOKEN_ENDPOINT", format!("{base_url}/token")),
        ("VERIFY_ENDPOINT", format!("{base_url}/number-verification/v0/verify")),
    ];
    let moved = variables.iter().any(|(name, _)| matches!(*name, "AUTHORIZATION_ENDPOINT" | "TOKEN_ENDPOINT"));
    let endpoints = endpoints.iter().filter(|_| moved).map(|(name, value)| (*name, value.as_str()));
    [
        ("CLIENT_SECRET_ID", "number-verification"),
        ("OPERATOR_BASE_URL", base_url.as_str()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &base_url),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]
    .into_iter()
    .chain(endpoints)
    .chain(variables.iter().copied())
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
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
