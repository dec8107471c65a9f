//! The tools that `make test` installs below `.tools`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::process::{Child, Command};

/// The longest time until a program listens on a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);

/// The path of an installed program.
pub fn tool(name: &str) -> PathBuf {
    let path = venv().join("bin").join(name);
    assert!(path.exists(), "{} is missing; `make test` installs it", path.display());
    path
}

/// The program that `sam local invoke` runs inside its container.
pub fn runtime_interface_emulator() -> PathBuf {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let pythons = std::fs::read_dir(venv().join("lib")).expect("`make test` installs the tools");
    let found = pythons.filter_map(Result::ok).find_map(|python| {
        let emulator = format!("site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}");
        Some(python.path().join(emulator)).filter(|path| path.exists())
    });
    found.expect("the wheel of aws-sam-cli has the emulator")
}

fn venv() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools/venv")
}

/// Starts moto, a simulation of AWS's APIs, without any resources. Returns it with its URL.
pub async fn moto() -> (Child, String) {
    let port = free_port();
    let mut command = Command::new(tool("moto_server"));
    let mut moto = spawn(command.args(["-p", &port.to_string()]).stderr(Stdio::null()));
    listening(&mut moto, port).await;
    (moto, format!("http://127.0.0.1:{port}"))
}

/// Starts the emulator with the function, and these variables and credentials. Returns it with the URL for invocations.
pub async fn emulator(program: &Path, variables: &[(&str, &str)]) -> (Child, String) {
    let (port, runtime_api_port) = (free_port(), free_port());
    let mut command = Command::new(runtime_interface_emulator());
    command
        .args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{port}")])
        .args(["--runtime-api-address", &format!("127.0.0.1:{runtime_api_port}")])
        .arg(program)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "eu-west-1")
        .envs(variables.iter().copied());
    let mut emulator = spawn(&mut command);
    listening(&mut emulator, port).await;
    (emulator, format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"))
}

/// Runs a program that must succeed, and returns its standard output.
pub async fn output(command: &mut Command) -> String {
    let ended = command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().await.unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", ended.status);
    stdout.into_owned()
}

/// Runs a program. Returns whether it succeeded, and both streams.
pub async fn said(command: &mut Command) -> (bool, String) {
    let ended = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    (ended.status.success(), said.into_owned())
}

/// Runs `tools/cloudformation.py`, and returns the JSON it prints.
pub async fn cloudformation(arguments: &[&str]) -> Value {
    let mut command = Command::new(tool("python"));
    let printed = output(command.arg("tools/cloudformation.py").args(arguments)).await;
    serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {printed}"))
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a program that ends with the test.
pub fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap()
}

/// Waits until something accepts connections on a port.
pub async fn listening(program: &mut Child, port: u16) {
    let give_up = Instant::now() + PATIENCE;
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if let Some(status) = program.try_wait().unwrap() {
            panic!("the program ended with {status} before it listened on port {port}");
        }
        assert!(Instant::now() < give_up, "nothing listens on port {port}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
