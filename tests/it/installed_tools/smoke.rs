//! `make smoke`, as far as it goes without AWS. The stack is in moto: the function, its role, its table and its logs are
//! created, updated and deleted, and the secret is in moto's Secrets Manager. moto makes no secret and no HTTP API of a
//! template, and runs no function. So the stand-in for `sam` makes the secret, and a server here answers at the stack's
//! address with the function as the stack configures it at that moment. The operator is the sandbox.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lambda_environment::read_message;
use sandbox::{Leg, Sandbox, Settings};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::tools;
use crate::support::{CALLBACK, Function, http_api_event};

/// Leaves a program for the processor it is asked for.
const MAKE: &str = r#"#!/bin/sh
case "$3" in *x86_64) machine='>';; *arm64) machine='\267';; esac
mkdir -p target/lambda/number-verification
printf "\\177ELF%14s$machine\\000" '' > target/lambda/number-verification/bootstrap
"#;

/// Does what AWS does with the template, and notes the function's variables.
const SAM: &str = r#"
import json, os, sys, tomllib
sys.path.insert(0, os.environ["TOOLS"])
import boto3, cloudformation
from samcli.cli.types import CfnParameterOverridesType

if os.path.exists("refuse"):
    sys.exit("this account refuses everything")
argument = lambda name: sys.argv[sys.argv.index(name) + 1]
parameters = CfnParameterOverridesType().convert((argument("--parameter-overrides"),), None, None)
with open(argument("--config-file"), "rb") as config:
    name = tomllib.load(config)["default"]["global"]["parameters"]["stack_name"]
manager = boto3.client("secretsmanager")
secrets = [secret["ARN"] for secret in manager.list_secrets()["SecretList"]]
new = json.dumps({"client_id": "", "client_secret": "", "state_key": "k" * 64})
parameters["ClientSecretArn"] = secrets[0] if secrets else manager.create_secret(Name=name, SecretString=new)["ARN"]
template = cloudformation.expand(argument("--template-file"), *(f"{key}={value}" for key, value in parameters.items()))
cloudformation.leave_out_what_moto_cannot(template)
template["Outputs"] |= {"StartUrl": {"Value": os.environ["SERVER"] + "/"}, "CallbackUrl": {"Value": os.environ["CALLBACK"]}}
s3, stacks = boto3.client("s3"), boto3.client("cloudformation")
known = any(stack["StackName"] == name for stack in stacks.describe_stacks()["Stacks"])
if not known:
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": cloudformation.REGION})
    s3.put_object(Bucket="bucket", Key="key", Body=b"the program")
(stacks.update_stack if known else stacks.create_stack)(
    StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"],
    Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()])
made = stacks.describe_stack_resources(StackName=name)["StackResources"]
(function,) = [resource["PhysicalResourceId"] for resource in made if resource["ResourceType"] == "AWS::Lambda::Function"]
configuration = boto3.client("lambda").get_function_configuration(FunctionName=function)
with open("variables.json", "w") as file:
    # moto keeps numbers as numbers.
    json.dump({key: str(value) for key, value in configuration["Environment"]["Variables"].items()}, file)
"#;

/// A checkout with stand-ins for `make` and `sam`, an account in moto, and what answers at the stack's address.
struct Account {
    folder: PathBuf,
    moto: String,
    server: String,
    sandbox: Arc<Sandbox>,
    _running: Child,
}

impl Account {
    async fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smoke").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml"), folder.join("template.yaml")).unwrap();
        let sam = format!("#!{}{SAM}", tools::tool("python").display());
        for (program, text) in [("make", MAKE), ("sam", &sam)] {
            std::fs::write(folder.join(program), text).unwrap();
            std::fs::set_permissions(folder.join(program), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let (running, moto) = tools::moto().await;
        let sandbox = Arc::new(Sandbox::start(Settings::default()).await.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let account = Self { folder, moto, server, sandbox, _running: running };
        tokio::spawn(serve(listener, account.variables_file(), account.fixed_variables(), account.sandbox.clone()));
        account
    }

    fn variables_file(&self) -> PathBuf {
        self.folder.join("variables.json")
    }

    /// The settings that the function needs here and not on Lambda.
    fn fixed_variables(&self) -> [(&'static str, String); 2] {
        [("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.moto.clone()), ("REDIRECT_URI", self.callback())]
    }

    fn callback(&self) -> String {
        format!("{}{CALLBACK}", self.server)
    }

    /// Runs `make smoke`. Returns whether it succeeded, and both streams.
    async fn make_smoke(&self, variables: &[(&str, &str)]) -> (bool, String) {
        let tools_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools");
        let settings = Settings::default();
        let mut command = Command::new(tools::tool("python"));
        command
            .arg(tools_folder.join("smoke.py"))
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.folder.display()))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("TOOLS", tools_folder)
            .env("SERVER", &self.server)
            .env("CALLBACK", self.callback())
            .env("AWS_ENDPOINT_URL", &self.moto)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "eu-west-1")
            .env("OPERATOR", self.sandbox.base_url())
            .env("CLIENT_ID", &settings.client_id)
            .env("CLIENT_SECRET", &settings.client_secret)
            .envs(variables.iter().copied());
        tools::said(&mut command).await
    }

    /// The names of the stacks and of the secrets in the account.
    async fn left(&self) -> Value {
        const LEFT: &str = "
import boto3, json
stacks = boto3.client('cloudformation').describe_stacks()['Stacks']
secrets = boto3.client('secretsmanager').list_secrets()['SecretList']
print(json.dumps([stack['StackName'] for stack in stacks] + [secret['Name'] for secret in secrets]))
";
        let mut python = Command::new(tools::tool("python"));
        python.args(["-c", LEFT]).env("AWS_ENDPOINT_URL", &self.moto).env("AWS_DEFAULT_REGION", "eu-west-1");
        python.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        serde_json::from_str(&tools::output(&mut python).await).unwrap()
    }
}

/// Answers each request with the function as the stack configures it then.
async fn serve(listener: TcpListener, file: PathBuf, fixed: [(&'static str, String); 2], sandbox: Arc<Sandbox>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let variables = std::fs::read(&file).unwrap();
        let configured: BTreeMap<String, String> = serde_json::from_slice(&variables).unwrap();
        let configured = configured.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let variables: Vec<_> = configured.chain(fixed.iter().map(|(name, value)| (*name, value.as_str()))).collect();
        answer(&mut stream, &Function::with_sandbox(sandbox.clone(), &variables)).await;
    }
}

async fn answer(stream: &mut TcpStream, function: &Function) {
    let request = String::from_utf8(read_message(stream).await.unwrap()).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let mut line = lines.next().unwrap().split(' ');
    let (method, path) = (line.next().unwrap(), line.next().unwrap());
    let headers: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_lowercase(), *value)).collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let answer = function.invoke(&http_api_event(method, path, &headers, body)).await;
    let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    let (status, length, headers) = (answer.status, answer.body.len(), headers.collect::<String>());
    let head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
    stream.write_all((head + &answer.body).as_bytes()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_deploys_verifies_changes_a_setting_and_deletes_everything() {
    let account = Account::new("all").await;
    let (success, said) = account.make_smoke(&[]).await;
    assert!(success, "{said}");
    let steps = [
        "deploying the stack number-verification-smoke-",
        "ok: the client ",
        "ok: the start page is at http://",
        "ok: +34600000001 is verified",
        "ok: +34600000002 is not_verified",
        "deploying with ServiceName=Smoke test ",
        "ok: the start page shows the new ServiceName",
        "deleting the stack number-verification-smoke-",
        "ok: the stack and its secret are deleted",
        "every step succeeded",
    ];
    let lines: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("make smoke: ")).collect();
    assert_eq!(lines.len(), steps.len(), "{said}");
    for (line, step) in lines.iter().zip(steps) {
        assert!(line.starts_with(step), "{line}: {step}: {said}");
    }
    assert_eq!(account.sandbox.count(Leg::Verify), 2);
    assert_eq!(account.left().await, serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_is_said_and_nothing_is_left() {
    let account = Account::new("failures").await;
    for (name, variables, refuse, says) in [
        (
            "another client secret than the operator's",
            &[("CLIENT_SECRET", "hush: wrong")][..],
            false,
            "FAILED: +34600000001 should be verified, and is misconfigured",
        ),
        ("a deployment that fails", &[], true, "there is no stack to delete"),
        ("half of the credentials", &[("CLIENT_SECRET", "")], false, "set CLIENT_ID and CLIENT_SECRET.\n"),
    ] {
        if refuse {
            std::fs::write(account.folder.join("refuse"), "").unwrap();
        } else {
            let _ = std::fs::remove_file(account.folder.join("refuse"));
        }
        let (success, said) = account.make_smoke(variables).await;
        assert!(!success && said.contains(says), "{name}: {said}");
        assert!(!said.contains("hush") && !said.contains("Traceback"), "{name}: {said}");
        assert_eq!(account.left().await, serde_json::json!([]), "{name}");
    }
}
