//! The program `sandbox`, from outside.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::secrets_manager::as_an_sdk;
use crate::support::{authorization, changed, client, json, location, send, string};

fn sandbox(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts")
}

#[tokio::test]
async fn program_serves_prints_requests_and_ends_on_sigterm() {
    let redirect_uri = "https://mine.example/cb";
    let mut child = sandbox(&["--port", "0", "--client-id", "me", "--redirect-uri", redirect_uri]);
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let first = lines.next_line().await.expect("UTF-8").expect("a line");
    let base_url = first.strip_prefix("sandbox: ").expect("the URL");

    let query = changed(authorization(), &[("client_id", "me"), ("redirect_uri", "/cb")]);
    let response = client().get(format!("{base_url}/authorize")).query(&query).send().await.expect("an answer");
    assert_eq!(location(&response).0, redirect_uri);
    let second = lines.next_line().await.expect("UTF-8").expect("a line");
    assert!(second.starts_with("GET /authorize 302  code …") && second.ends_with(redirect_uri), "{second}");

    let id = child.id().expect("a process").to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.expect("kill").success());
    let status = timeout(Duration::from_secs(5), child.wait()).await.expect("it ends").expect("a status");
    assert!(status.success(), "{status}");
}

/// Stands in for a container with 127.0.0.2: like a container, it uses an address of this machine other than 127.0.0.1.
#[tokio::test]
async fn other_addresses_are_served_only_with_listen() {
    for (listen, others_reach_it) in [(&[][..], false), (&["--listen", "0.0.0.0"], true)] {
        let mut child = sandbox(&[&["--port", "0"], listen].concat());
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let first = lines.next_line().await.expect("UTF-8").expect("a line");
        let port = first.strip_prefix("sandbox: http://127.0.0.1:").expect("a URL that can be opened here");
        for (host, reached) in [("127.0.0.1", true), ("127.0.0.2", others_reach_it)] {
            let health = client().get(format!("http://{host}:{port}/sandbox/health")).send().await;
            assert_eq!(health.is_ok(), reached, "{listen:?} {host}");
        }
    }
}

#[tokio::test]
async fn secret_members_are_beside_the_others_in_the_secret() {
    let members = r#"{"relying_parties": [{"client_id": "shop"}]}"#;
    let mut child = sandbox(&["--port", "0", "--secret-members", members]);
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let first = lines.next_line().await.expect("UTF-8").expect("a line");
    let url = first.strip_prefix("sandbox: ").expect("the URL");
    let answer = send(as_an_sdk(client().post(url), &json!({ "SecretId": "number-verification" }))).await;
    let mut secret: Value = serde_json::from_str(&string(&json(answer).await, "SecretString")).expect("JSON");
    assert_eq!(secret["relying_parties"].take(), json!([{ "client_id": "shop" }]));
    for name in ["client_id", "client_secret", "state_key"] {
        assert!(secret[name].is_string(), "{name} remains: {secret}");
    }
}

#[tokio::test]
async fn start_errors_are_one_line() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = holder.local_addr().expect("an address").port().to_string();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--port", &taken], 1, "cannot listen on 127.0.0.1"),
        (&["--listen", "localhost"], 2, "--listen must be an IP address, not 'localhost'"),
        (&["--port", "70000"], 2, "--port must be 0 to 65535, not '70000'"),
        (&["--port"], 2, "--port needs a value"),
        (&["--secret-members", "{"], 2, "--secret-members must be a JSON object: EOF"),
        (&["--secret-members", "[]"], 2, "--secret-members must be a JSON object: invalid type"),
        (&["--verbose"], 2, "'--verbose' is not a flag"),
        (&["now"], 2, "'now' is not a flag"),
    ];
    for (arguments, code, message) in cases {
        let output = sandbox(arguments).wait_with_output().await.expect("it ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(message) && errors.lines().count() == 1, "{arguments:?}: {errors}");
    }
    let output = sandbox(&["--help"]).wait_with_output().await.expect("it ends");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("--redirect-uri"));
}
