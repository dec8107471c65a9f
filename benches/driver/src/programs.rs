//! What is compared: the function, the floor, and the seed's samples.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;

use axum::body::Bytes;
use sandbox::{SAMPLE_CODE, Sandbox};
use serde_json::{Value, json};

use crate::Arguments;
use crate::environment::{Environment, Place, Program};

const PHONE_NUMBER: &str = "+34600000001";
/// The answer of the function's page and of the seed's samples.
const VERIFIED: &str = "Phone number verified";

/// The floor, the function, and the peers that are installed, in this order.
pub async fn all(arguments: &Arguments, sandbox: &Sandbox) -> io::Result<Vec<Program>> {
    let ca = arguments.scratch.join("ca.pem");
    let ca_pem = sandbox.ca_pem().unwrap_or_default();
    std::fs::write(&ca, ca_pem)?;
    let variables: Vec<(&'static str, OsString)> = vec![
        ("AWS_REGION", "eu-west-1".into()),
        ("AWS_DEFAULT_REGION", "eu-west-1".into()),
        ("AWS_ACCESS_KEY_ID", "sandbox".into()),
        ("AWS_SECRET_ACCESS_KEY", "sandbox".into()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", sandbox.base_url().into()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench".into()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".into()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench".into()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".into()),
        ("CLIENT_SECRET_ID", "number-verification".into()),
        ("AWS_CA_BUNDLE", ca.clone().into()),
        ("OPERATOR_CA_FILE", ca.clone().into()),
    ];
    let program = |name, command: Vec<OsString>, event, expected| {
        let variables = variables.clone();
        Program { name, command, variables, event, expected }
    };

    let floor = program("hello world", vec![(&arguments.floor).into()], callback(PHONE_NUMBER, None), "hello, world");
    let mut function = program("number-verification", vec![(&arguments.function).into()], start(), "authorization_url");
    function.event = started(&function, sandbox).await?;
    function.expected = VERIFIED;

    let mut all = vec![floor, function];
    let python = arguments.peers.join("bin/python");
    if python.exists() {
        let script = here("../peers/seed.py");
        let mut peer = program("seed, Python", vec![python.into(), script], callback(PHONE_NUMBER, None), VERIFIED);
        // The bundle that it would read, and one certificate more.
        let bundle = arguments.scratch.join("bundle.pem");
        let certifi = Command::new(&peer.command[0])
            .args(["-c", "print(open(__import__('certifi').where()).read())"])
            .output()?;
        std::fs::write(&bundle, [&certifi.stdout, ca_pem.as_bytes()].concat())?;
        peer.variables.retain(|(name, _)| *name != "AWS_CA_BUNDLE");
        peer.variables.extend([("AWS_CA_BUNDLE", bundle.clone().into()), ("REQUESTS_CA_BUNDLE", bundle.into())]);
        all.push(peer);
    }
    let modules = arguments.peers.join("node_modules");
    if modules.exists() {
        let command = vec!["node".into(), here("../peers/seed.cjs")];
        let mut peer = program("seed, Node", command, callback(PHONE_NUMBER, None), VERIFIED);
        peer.variables.extend([
            ("NODE_EXTRA_CA_CERTS", ca.into()),
            ("NODE_PATH", modules.into()),
            ("NODE_NO_WARNINGS", "1".into()),
        ]);
        all.push(peer);
    }
    Ok(all)
}

fn here(path: &str) -> OsString {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).into()
}

/// A browser starts at the function and comes back from the operator; the callback it comes back with.
async fn started(function: &Program, sandbox: &Sandbox) -> io::Result<Bytes> {
    let (mut environment, _) =
        Environment::start(function, &Place { operator: &sandbox.base_url(), quota: None }).await?;
    let answer = environment.ask(&function.event).await?;
    environment.end().await?;
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
    let authorization_url = body["authorization_url"].as_str().unwrap_or_default();
    let query = authorization_url.split_once('?').unwrap_or_default().1;
    let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state").unwrap_or_default().1;
    let cookie = answer["cookies"][0].as_str().unwrap_or_default().split(';').next();
    Ok(callback(&state, cookie))
}

fn start() -> Bytes {
    let mut event: Value = serde_json::from_str(include_str!("../../../events/start-json.json")).unwrap_or_default();
    event["cookies"] = json!([]);
    event.to_string().into()
}

fn callback(state: &str, cookie: Option<&str>) -> Bytes {
    let event = include_str!("../../../events/callback-phone-verified.json");
    let mut event: Value = serde_json::from_str(event).unwrap_or_default();
    let query = [("code", SAMPLE_CODE), ("state", state)];
    event["rawQueryString"] = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish().into();
    event["queryStringParameters"] = query.into_iter().collect();
    event["cookies"] = cookie.into_iter().collect();
    event.to_string().into()
}
