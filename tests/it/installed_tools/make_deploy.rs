//! `make deploy`: what it asks, what it refuses, and what it gives to sam. `make` and `sam` are stand-ins that note what
//! they are asked to do; the stack it reads at the end is in moto.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::tools;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// Builds for the processor it is asked for, or for that of `BUILT_FOR`.
const MAKE: &str = r#"#!/bin/sh
echo "$*" > make.log
case "${BUILT_FOR:-$3}" in *x86_64) machine='>';; *arm64) machine='\267';; esac
mkdir -p target/lambda/number-verification
printf "\\177ELF%14s$machine\\000" '' > target/lambda/number-verification/bootstrap
"#;

/// Reads the parameters as sam does, with sam's own code.
const SAM: &str = r#"
import json, sys
from samcli.cli.types import CfnParameterOverridesType
arguments = sys.argv[1:]
at = arguments.index("--parameter-overrides")
parameters = CfnParameterOverridesType().convert((arguments[at + 1],), None, None)
json.dump({"arguments": arguments[:at], "parameters": parameters}, open("sam.json", "w"))
"#;

/// A checkout with nothing but the template, and a stack that has been deployed.
struct Checkout {
    folder: PathBuf,
    moto: String,
    _running: Child,
}

/// The result of a run of `make deploy`.
struct Ended {
    success: bool,
    /// Both streams.
    said: String,
    /// The arguments that the stand-in for sam received, if it was called.
    sam: Option<Value>,
}

impl Checkout {
    async fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("make_deploy").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(root.join("template.yaml"), folder.join("template.yaml")).unwrap();
        let sam = format!("#!{}{SAM}", tools::tool("python").display());
        for (program, text) in [("make", MAKE), ("sam", &sam)] {
            std::fs::write(folder.join(program), text).unwrap();
            std::fs::set_permissions(folder.join(program), std::fs::Permissions::from_mode(0o755)).unwrap();
        }

        let (running, moto) = tools::moto().await;
        let stack = json!({
            "Parameters": {},
            "Resources": { "Log": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": "x" } } },
            "Outputs": {
                "CallbackUrl": { "Value": "https://a.example/numberverification-callback" },
                "StartUrl": { "Value": "https://a.example/" },
                "StoreClientSecret": { "Value": "aws secretsmanager …" },
            },
        });
        std::fs::write(folder.join("stack.yaml"), stack.to_string()).unwrap();
        tools::cloudformation(&["deploy", &moto, folder.join("stack.yaml").to_str().unwrap()]).await;
        Self { folder, moto, _running: running }
    }

    fn write_config(&self, parameter_overrides: &str) {
        let config = format!(
            "[default.global.parameters]\nstack_name = \"number-verification\"\nregion = \"eu-west-1\"\n\
             [default.deploy.parameters]\nparameter_overrides = {parameter_overrides}\n"
        );
        std::fs::write(self.folder.join("samconfig.toml"), config).unwrap();
    }

    /// `make deploy` without a terminal.
    async fn deploy(&self, variables: &[(&str, &str)]) -> Ended {
        self.run(&[], "", variables).await
    }

    /// `make deploy` on a terminal, where somebody types these lines.
    async fn deploy_on_a_terminal(&self, typed: &str) -> Ended {
        const TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
        let python = tools::tool("python").display().to_string();
        self.run(&["-c", TERMINAL, &python], typed, &[]).await
    }

    async fn run(&self, before: &[&str], typed: &str, variables: &[(&str, &str)]) -> Ended {
        let _ = std::fs::remove_file(self.folder.join("sam.json"));
        let mut deploy = Command::new(tools::tool("python"))
            .args(before)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/deploy.py"))
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.folder.display()))
            .env("AWS_ENDPOINT_URL", &self.moto)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        deploy.stdin.take().unwrap().write_all(typed.as_bytes()).await.unwrap();
        let ended = deploy.wait_with_output().await.unwrap();
        let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
        let sam = std::fs::read(self.folder.join("sam.json")).ok().map(|sam| serde_json::from_slice(&sam).unwrap());
        Ended { success: ended.status.success(), said: said.into_owned(), sam }
    }

    /// The arguments of sam that come before the parameters.
    fn sam_arguments(&self, stage: &str) -> Value {
        let config = self.folder.join("samconfig.toml");
        json!(["deploy", "--config-file", config, "--config-env", stage, "--template-file", "template.yaml"])
    }

    /// Writes a zip with a program for this processor, and the checksum of what it should be.
    async fn write_zip(&self, name: &str, machine: &[u8; 2], checksum_of: Option<&str>) {
        let program = [b"\x7fELF".as_slice(), &[0; 14], machine].concat();
        std::fs::write(self.folder.join("bootstrap"), program).unwrap();
        let mut zip = Command::new(tools::tool("python"));
        tools::output(zip.args(["-m", "zipfile", "-c"]).args([name, "bootstrap"].map(|file| self.folder.join(file))))
            .await;
        if let Some(file) = checksum_of {
            let mut sum = Command::new("sha256sum");
            let sum = tools::output(sum.arg(self.folder.join(file))).await;
            std::fs::write(self.folder.join("SHA256SUMS"), sum).unwrap();
        }
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_asks_once_and_says_what_is_left_to_do() {
    let checkout = Checkout::new("terminal").await;
    for (typed, asks) in [("eu-west-1\n\n", true), ("", false)] {
        let ended = checkout.deploy_on_a_terminal(typed).await;
        assert!(ended.success, "{}", ended.said);
        for question in ["AWS region: ", "Operator [telefonica-sandbox]: "] {
            assert_eq!(ended.said.contains(question), asks, "{question} {}", ended.said);
        }
        for left_to_do in
            ["https://a.example/numberverification-callback", "aws secretsmanager …", "https://a.example/"]
        {
            assert!(ended.said.contains(left_to_do), "{}", ended.said);
        }
        let sam = ended.sam.unwrap();
        // Not the template of an earlier `sam build`.
        assert_eq!(sam["arguments"], checkout.sam_arguments("default"));
        assert_eq!(
            (&sam["parameters"]["Operator"], &sam["parameters"]["Architecture"]),
            (&json!("telefonica-sandbox"), &json!("arm64"))
        );
        assert_eq!(checkout.file("make.log"), "--no-print-directory build ARCH=arm64\n");
        let hash = checkout.file("target/lambda/number-verification/settings.sha256");
        assert!(hash.len() == 65 && !hash.contains("telefonica"), "{hash}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_terminal_variables_are_the_answers() {
    let checkout = Checkout::new("variables").await;
    let all =
        [("STACK_NAME", "number-verification"), ("AWS_REGION", "eu-west-1"), ("OPERATOR", "https://op.example/gw")];
    for (variables, missing) in [(&all[..1], "AWS_REGION and OPERATOR"), (&all[..2], "OPERATOR")] {
        let ended = checkout.deploy(variables).await;
        let line = format!("make deploy: there is no terminal to ask on; set {missing}.\n");
        assert_eq!((ended.success, &*ended.said, ended.sam), (false, &*line, None));
    }
    let ended = checkout.deploy(&[&all[..], &[("ARCH", "x86_64")]].concat()).await;
    assert!(ended.success, "{}", ended.said);
    let parameters = &ended.sam.unwrap()["parameters"];
    assert_eq!(parameters["OperatorBaseUrl"], "https://op.example/gw");
    assert_eq!(parameters["Architecture"], "x86_64");
    let samconfig = checkout.file("samconfig.toml");
    for setting in [r#"stack_name = "number-verification""#, r#"region = "eu-west-1""#, "capabilities"] {
        assert!(samconfig.contains(setting), "{samconfig}");
    }
}

/// Without `make build`, so without Rust.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zip_of_a_release_is_deployed_for_its_own_processor() {
    let checkout = Checkout::new("zip").await;
    checkout.write_config("[\"Architecture=arm64\"]");
    let program = checkout.folder.join("target/lambda/number-verification/bootstrap");
    for (name, machine, checksum_of, architecture) in [
        ("without checksums.zip", b"\x3e\0", None, "x86_64"),
        ("with its checksum.zip", b"\xb7\0", Some("with its checksum.zip"), "arm64"),
    ] {
        checkout.write_zip(name, machine, checksum_of).await;
        let ended = checkout.deploy(&[("ZIP", name)]).await;
        assert!(ended.success, "{name}: {}", ended.said);
        assert_eq!(ended.sam.unwrap()["parameters"]["Architecture"], architecture, "{name}");
        assert_eq!(&std::fs::read(&program).unwrap()[18..], machine, "{name}");
        assert_eq!(program.metadata().unwrap().permissions().mode() & 0o777, 0o755, "{name}");
    }
    assert!(!checkout.folder.join("make.log").exists(), "nothing was built");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zip_that_cannot_be_deployed_is_refused_in_one_line() {
    let checkout = Checkout::new("bad zip").await;
    checkout.write_config("[]");
    checkout.write_zip("other.zip", b"\x3e\0", Some("other.zip")).await;
    std::fs::write(checkout.folder.join("text.zip"), "not a zip").unwrap();
    for (zip, architecture, says) in [
        ("text.zip", "", "SHA256SUMS does not have the checksum of text.zip"),
        ("other.zip", "arm64", "other.zip is not a program for arm64. Nothing was deployed."),
        ("missing.zip", "", "missing.zip is not a zip of a release: "),
    ] {
        let ended = checkout.deploy(&[("ZIP", zip), ("ARCH", architecture)]).await;
        assert!(!ended.success && ended.said.starts_with(says), "{zip}: {}", ended.said);
        assert_eq!((ended.said.lines().count(), ended.sam), (1, None), "{zip}: {}", ended.said);
    }
    std::fs::remove_file(checkout.folder.join("SHA256SUMS")).unwrap();
    let ended = checkout.deploy(&[("ZIP", "text.zip")]).await;
    assert!(!ended.success && ended.said.starts_with("text.zip is not a zip of a release: "), "{}", ended.said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stages_of_the_sample_are_deployed_by_name() {
    let checkout = Checkout::new("stages").await;
    let ended = checkout.deploy(&[("STAGE", "staging")]).await;
    assert_eq!((ended.success, &*ended.said), (false, "samconfig.toml is missing, and with it the stage staging.\n"));
    let sample = include_str!("../../../examples/ci/samconfig.toml");
    // The one stack in moto.
    let sample = sample.replace("number-verification-staging", "number-verification");
    let sample = sample.replace("number-verification-production", "number-verification");
    std::fs::write(checkout.folder.join("samconfig.toml"), sample).unwrap();
    for (stage, service) in [("staging", "Example Bank (staging)"), ("production", "Example Bank")] {
        let ended = checkout.deploy(&[("STAGE", stage)]).await;
        assert!(ended.success, "{stage}: {}", ended.said);
        let sam = ended.sam.unwrap();
        assert_eq!(sam["arguments"], checkout.sam_arguments(stage));
        assert_eq!(sam["parameters"]["ServiceName"], service);
    }
    let ended = checkout.deploy(&[("STAGE", "test")]).await;
    assert_eq!((ended.success, &*ended.said), (false, "samconfig.toml does not have the stage test.\n"));
}

/// A stack keeps the previous value of a parameter that it is not given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_parameter_is_sent_and_a_removed_line_goes_back_to_its_default() {
    let checkout = Checkout::new("parameters").await;
    let template = tools::cloudformation(&["expand", "template.yaml"]).await;
    let mut expected = template["Parameters"].as_object().unwrap().clone();
    for parameter in expected.values_mut() {
        let default = parameter["Default"].clone();
        *parameter = json!(default.as_str().map_or_else(|| default.to_string(), str::to_owned));
    }
    let defaults = expected.clone();
    for (name, value) in [
        ("ServiceName", "Mary's \"Shop\" & Co"),
        ("Scope", "openid dpv:FraudPreventionAndDetection#x"),
        ("LogoUrl", "data:image/svg+xml,<svg xmlns='x'/>"),
        ("StateTtlSeconds", "300"),
    ] {
        expected[name] = json!(value);
    }
    for (form, overrides, parameters) in [
        (
            "a list",
            r#"["ServiceName=Mary's \"Shop\" & Co", "Scope=openid dpv:FraudPreventionAndDetection#x", "LogoUrl=data:image/svg+xml,<svg xmlns='x'/>", "StateTtlSeconds=300"]"#,
            &expected,
        ),
        (
            "a table",
            r#"{ ServiceName = "Mary's \"Shop\" & Co", Scope = "openid dpv:FraudPreventionAndDetection#x", LogoUrl = "data:image/svg+xml,<svg xmlns='x'/>", StateTtlSeconds = 300 }"#,
            &expected,
        ),
        ("nothing", "[]", &defaults),
    ] {
        checkout.write_config(overrides);
        let ended = checkout.deploy(&[]).await;
        assert!(ended.success, "{form}: {}", ended.said);
        assert_eq!(ended.sam.unwrap()["parameters"].as_object(), Some(parameters), "{form}");
    }
    checkout.write_config(r#""StateMode=\"phone\" ServiceName=\"My Shop\"""#);
    let parameters = checkout.deploy(&[]).await.sam.unwrap()["parameters"].clone();
    assert_eq!(
        (&parameters["StateMode"], &parameters["ServiceName"]),
        (&json!("phone"), &json!("My Shop")),
        "one string"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_work_is_refused_in_one_line_before_sam_is_called() {
    let checkout = Checkout::new("refused").await;
    for (name, overrides, variables, line) in [
        (
            "a parameter with a typing error",
            r#"["StateMod=phone"]"#,
            &[][..],
            "samconfig.toml sets StateMod, which template.yaml does not have.\n",
        ),
        (
            "an unknown processor",
            "[]",
            &[("ARCH", "riscv64")],
            "Architecture must be one of arm64, x86_64, not 'riscv64'.\n",
        ),
        (
            "a program for another processor",
            "[]",
            &[("ARCH", "x86_64"), ("BUILT_FOR", "arm64")],
            "target/lambda/number-verification/bootstrap is not a program for x86_64. Nothing was deployed.\n",
        ),
    ] {
        checkout.write_config(overrides);
        let ended = checkout.deploy(variables).await;
        assert_eq!((ended.success, &*ended.said, ended.sam), (false, line, None), "{name}");
    }
    std::fs::write(checkout.folder.join("samconfig.toml"), "version = 0.1\n").unwrap();
    let ended = checkout.deploy(&[]).await;
    assert!(
        !ended.success && ended.said.starts_with("samconfig.toml cannot be used") && ended.said.lines().count() == 1
    );
}
