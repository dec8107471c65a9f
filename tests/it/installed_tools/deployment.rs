//! From the source to a function in an account, as `make deploy` and `cargo lambda deploy` do it, with moto in the
//! place of AWS: what is built, what is set, and that the packaged program serves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use number_verification::config::DiscoverySource;
use number_verification::operator::presets::PRESETS;
use number_verification::setup;
use number_verification::transport::Deadline;
use number_verification::transport::Transport;
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::tools;

const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:number-verification-a1b2c3";
/// What AWS's programs need to talk to moto.
const AWS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
];

async fn expanded(parameters: &[&str]) -> Value {
    let arguments: Vec<_> = ["expand", "template.yaml"].into_iter().chain(parameters.iter().copied()).collect();
    tools::cloudformation(&arguments).await
}

/// The template with its own defaults.
async fn template() -> Value {
    static TEMPLATE: OnceCell<Value> = OnceCell::const_new();
    TEMPLATE.get_or_init(|| expanded(&[])).await.clone()
}

#[tokio::test]
async fn the_template_sets_every_variable_the_program_reads_and_no_other() {
    let asked = Mutex::new(BTreeSet::new());
    let lookup = |name: &str| {
        asked.lock().unwrap().insert(name.to_owned());
        let value = match name {
            "CLIENT_SECRET_ID" | "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "test",
            _ => return None,
        };
        Some(value.to_owned())
    };
    assert!(DiscoverySource::read(lookup).unwrap().is_none());
    setup::app(lookup).unwrap();
    let mut asked = asked.into_inner().unwrap();
    asked.retain(|name| !name.starts_with("AWS_"));
    // A file has to be put beside the program first.
    assert!(asked.remove("OPERATOR_CA_FILE"));

    let template = template().await;
    let variables = &template["Resources"]["NumberVerificationFunction"]["Properties"]["Environment"]["Variables"];
    let mut set: BTreeSet<_> = variables.as_object().unwrap().keys().cloned().collect();
    // For `sam local`, which passes on only what the template names.
    assert!(set.remove("AWS_ENDPOINT_URL_SECRETS_MANAGER"));
    assert_eq!(set, asked);
}

#[tokio::test]
async fn the_template_offers_the_operators_the_program_knows() {
    let template = template().await;
    let offered = template["Parameters"]["Operator"]["AllowedValues"].as_array().unwrap();
    let offered: Vec<_> = offered.iter().filter_map(Value::as_str).collect();
    let known: Vec<_> = [""].into_iter().chain(PRESETS.iter().map(|preset| preset.name)).collect();
    assert_eq!(offered, known);
}

#[tokio::test]
async fn every_parameter_is_in_a_group_and_explained() {
    let template = template().await;
    let groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap();
    let grouped = groups.iter().flat_map(|group| group["Parameters"].as_array().unwrap());
    let mut grouped: Vec<_> = grouped.filter_map(Value::as_str).collect();
    grouped.sort_unstable();
    let parameters = template["Parameters"].as_object().unwrap();
    assert_eq!(grouped, parameters.keys().collect::<Vec<_>>());
    for (name, parameter) in parameters {
        assert!(parameter["Description"].is_string(), "{name} has a description");
        assert!(!parameter["Default"].is_null(), "{name} need not be given");
        let bounded =
            ["AllowedPattern", "AllowedValues", "MinValue", "MaxLength"].iter().any(|rule| !parameter[rule].is_null());
        assert!(bounded, "{name} takes not just anything");
    }
}

/// A stack update that changes it makes a new value over the client secret that somebody stored.
#[tokio::test]
async fn what_generates_the_secret_never_changes() {
    let template = template().await;
    let secret = &template["Resources"]["ClientSecret"];
    assert_eq!((&secret["DeletionPolicy"], &secret["UpdateReplacePolicy"]), (&json!("Retain"), &json!("Retain")));
    assert_eq!(
        secret["Properties"]["GenerateSecretString"],
        json!({
            "SecretStringTemplate": r#"{"client_id":"","client_secret":""}"#,
            "GenerateStringKey": "state_key",
            "PasswordLength": 64,
            "ExcludePunctuation": true,
        })
    );
}

#[tokio::test]
async fn what_is_optional_is_there_when_it_is_asked_for() {
    const TOPIC: &str = "AlarmTopicArn=arn:aws:sns:eu-west-1:123456789012:wake-me";
    const CERTIFICATE: &str = "DomainCertificateArn=arn:aws:acm:eu-west-1:123456789012:certificate/a-b";
    const KEY: &str = "SecretKmsKeyArn=arn:aws:kms:eu-west-1:123456789012:key/a";
    let domain = ["DomainName=verify.shop.example", CERTIFICATE];
    let asked_for =
        [TOPIC, KEY, "HostedZoneId=Z1", "CanaryDeployment=true", "Dashboard=false", "ReservedConcurrency=5"];
    let secret = format!("ClientSecretArn={SECRET_ARN}");
    let everything: Vec<_> = domain.iter().chain(&asked_for).copied().chain([&*secret]).collect();

    let resources = |template: Value| template["Resources"].as_object().unwrap().clone();
    let usual = resources(template().await);
    let all = resources(expanded(&everything).await);
    for (name, usually, when_asked) in [
        ("ClientSecret", true, false),
        ("DecryptSecretPolicy", false, true),
        ("Domain", false, true),
        ("DomainMapping", false, true),
        ("DomainRecord", false, true),
        ("NumberVerificationFunctionAliaslive", true, true),
        ("NumberVerificationFunctionDeploymentGroup", false, true),
        ("OperationsDashboard", true, false),
    ] {
        assert_eq!((usual.contains_key(name), all.contains_key(name)), (usually, when_asked), "{name}");
    }
    let alarms = |resources: &serde_json::Map<String, Value>| -> Vec<Value> {
        let alarms = resources.values().filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm");
        alarms.map(|alarm| alarm["Properties"]["AlarmActions"].clone()).collect()
    };
    assert_eq!(alarms(&usual), vec![Value::Null; 6]);
    assert_eq!(alarms(&all), vec![json!([{ "Ref": "AlarmTopicArn" }]); 6]);
    let concurrency = |resources: &serde_json::Map<String, Value>| {
        resources["NumberVerificationFunction"]["Properties"]["ReservedConcurrentExecutions"].clone()
    };
    assert_eq!((concurrency(&usual), concurrency(&all)), (Value::Null, json!({ "Ref": "ReservedConcurrency" })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cargo_lambda_deploy_makes_the_function_that_cargo_toml_describes() {
    let program = built().await;
    let (_moto, moto) = tools::moto().await;
    let role = tools::cloudformation(&["deploy", &moto, "role.yaml", &format!("ClientSecretArn={SECRET_ARN}")]).await;
    assert_eq!(role["left_out"], json!({}));
    let mut command = Command::new(tools::tool("cargo-lambda"));
    command
        .args(["lambda", "deploy", "--endpoint-url", &moto, "--role", role["outputs"]["RoleArn"].as_str().unwrap()])
        .args(["number-verification"])
        .envs(AWS);
    tools::output(&mut command).await;
    assert!(program.exists());

    let function = tools::cloudformation(&["function", &moto, "number-verification"]).await;
    for (what, expected) in [
        ("Handler", json!("bootstrap")),
        ("Runtime", json!("provided.al2023")),
        ("Architectures", json!([ARCHITECTURE])),
        ("MemorySize", json!(128)),
        ("Timeout", json!(20)),
        ("TracingConfig", json!({ "Mode": "Active" })),
        ("Role", role["outputs"]["RoleArn"].clone()),
    ] {
        assert_eq!(function[what], expected, "{what}");
    }
    assert_eq!(function["Environment"]["Variables"]["CLIENT_SECRET_ID"], "number-verification");
    assert_least_privilege(&function["RolePolicies"], SECRET_ARN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sam_build_and_the_stack_as_far_as_moto_goes() {
    built().await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sam");
    let (build, packaged) = (folder.join("build"), folder.join("packaged.yaml"));
    let mut sam = Command::new(tools::tool("sam"));
    sam.args(["build", "--beta-features", "--parameter-overrides", &format!("Architecture={ARCHITECTURE}")])
        .arg("--build-dir")
        .arg(&build)
        .envs(AWS)
        .env("SAM_CLI_TELEMETRY", "0")
        .env("PATH", tools::path());
    tools::output(&mut sam).await;

    let (_moto, moto) = tools::moto().await;
    tools::cloudformation(&["bucket", &moto, "artifacts"]).await;
    let mut sam = Command::new(tools::tool("sam"));
    sam.args(["package", "--s3-bucket", "artifacts", "--template-file"])
        .arg(build.join("template.yaml"))
        .arg("--output-template-file")
        .arg(&packaged)
        .envs(AWS)
        .env("AWS_ENDPOINT_URL", &moto)
        .env("SAM_CLI_TELEMETRY", "0");
    tools::output(&mut sam).await;

    let parameters = [&*format!("ClientSecretArn={SECRET_ARN}"), &format!("Architecture={ARCHITECTURE}")];
    let arguments: Vec<_> = ["deploy", &moto, packaged.to_str().unwrap()].into_iter().chain(parameters).collect();
    let stack = tools::cloudformation(&arguments).await;
    assert_eq!(stack["status"], "CREATE_COMPLETE");
    let names = |part: &str| -> Vec<String> {
        // The version's name ends in a hash of the code.
        stack[part].as_object().unwrap().keys().map(|name| name.split("Version").next().unwrap().to_owned()).collect()
    };
    assert_eq!(
        names("resources"),
        [
            "AccessLogGroup",
            "FunctionLogGroup",
            "FunctionRole",
            "NumberVerificationFunction",
            "NumberVerificationFunction"
        ]
    );
    // moto has no CloudFormation for these, or for what they refer to.
    assert_eq!(
        names("left_out"),
        [
            "Api",
            "ApiApiGatewayDefaultStage",
            "CouldNotBeCheckedAlarm",
            "FunctionErrorsAlarm",
            "MisconfiguredAlarm",
            "NumberVerificationFunctionAliaslive",
            "NumberVerificationFunctionAnythingElsePermission",
            "NumberVerificationFunctionCallbackPermission",
            "NumberVerificationFunctionStartPagePermission",
            "NumberVerificationFunctionStartPermission",
            "OperationsDashboard",
            "ServerErrorsAlarm",
            "SlowAlarm",
            "ThrottlesAlarm",
        ]
    );

    let name = stack["resources"]["NumberVerificationFunction"].as_str().unwrap();
    let function = tools::cloudformation(&["function", &moto, name]).await;
    for (what, expected) in [
        ("Handler", json!("bootstrap")),
        ("Runtime", json!("provided.al2023")),
        ("MemorySize", json!(128)),
        ("Timeout", json!(20)),
        ("State", json!("Active")),
    ] {
        assert_eq!(function[what], expected, "{what}");
    }
    assert_eq!(function["Environment"]["Variables"]["CLIENT_SECRET_ID"], SECRET_ARN);
    assert_eq!(function["Environment"]["Variables"]["STATE_MODE"], "sealed");
    assert_least_privilege(&function["RolePolicies"], SECRET_ARN);

    serves(&build.join("NumberVerificationFunction/bootstrap")).await;
}

/// The role may write to its own log, read the one secret, and send traces; nothing else.
fn assert_least_privilege(policies: &Value, secret: &str) {
    let statements: Vec<_> =
        policies.as_object().unwrap().values().flat_map(|policy| policy["Statement"].as_array().unwrap()).collect();
    let mut allowed = BTreeMap::new();
    for statement in statements {
        let actions = statement["Action"].as_array().cloned().unwrap_or_else(|| vec![statement["Action"].clone()]);
        for action in actions {
            allowed.insert(action.as_str().unwrap().to_owned(), statement["Resource"].as_str().unwrap().to_owned());
        }
    }
    let log = &allowed["logs:PutLogEvents"];
    assert!(log.starts_with("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/number-verification"), "{log}");
    for (action, resource) in &allowed {
        match action.as_str() {
            "logs:CreateLogStream" | "logs:PutLogEvents" => assert_eq!(resource, log),
            "secretsmanager:GetSecretValue" => assert_eq!(resource, secret),
            "xray:PutTraceSegments" | "xray:PutTelemetryRecords" => assert_eq!(resource, "*"),
            other => panic!("{other} is more than is needed"),
        }
    }
    assert_eq!(allowed.len(), 5);
}

/// The packaged program under AWS's Runtime Interface Emulator.
async fn serves(program: &Path) {
    let sandbox = Sandbox::start(Settings::default()).await.unwrap();
    let operator = sandbox.base_url();
    let variables = [
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &*operator),
        ("OPERATOR_BASE_URL", &operator),
        ("CLIENT_SECRET_ID", "number-verification"),
        ("STATE_MODE", "phone"),
    ];
    let (_emulator, invocations) = tools::emulator(program, &variables).await;
    let http = Transport::new(&[]).unwrap();
    for (event, status, contains) in [
        ("start-page", 200, "<form"),
        ("callback-json", 200, r#""devicePhoneNumberVerified":true"#),
        ("callback-phone-not-verified", 200, "does not match mobile line"),
    ] {
        let event = std::fs::read(format!("{}/events/{event}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let request = http::Request::post(&invocations).body(event).unwrap();
        let answer = http.send(request, Deadline::after(Duration::from_secs(20))).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer["statusCode"], status, "{answer}");
        assert!(answer["body"].as_str().unwrap().contains(contains), "{answer}");
    }
}

/// What `make build` builds. Some minutes the first time.
async fn built() -> PathBuf {
    static ONCE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one_at_a_time = ONCE.lock().await;
    tools::output(Command::new("make").arg("build").env_remove("ARCH")).await;
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lambda/number-verification/bootstrap")
}

/// `make deploy`'s script, with `sam` only noting what it is asked to do, and a stack in moto as the result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn make_deploy_asks_what_it_cannot_know_and_says_what_is_left_to_do() {
    let (_moto, moto) = tools::moto().await;
    let stack = json!({
        "Parameters": {},
        "Resources": { "Log": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": "x" } } },
        "Outputs": {
            "CallbackUrl": { "Value": "https://a.example/numberverification-callback" },
            "StartUrl": { "Value": "https://a.example/" },
            "StoreClientSecret": { "Value": "aws secretsmanager …" },
        },
    });
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deploy");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("stack.yaml"), stack.to_string()).unwrap();
    tools::cloudformation(&["deploy", &moto, folder.join("stack.yaml").to_str().unwrap()]).await;
    std::fs::write(folder.join("sam"), "#!/bin/sh\necho \"$@\" >> sam.log\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.join("sam"), mode).unwrap();

    for (answers, asks, sam) in [
        (
            "eu-west-1\n\n",
            &["AWS region: ", "Operator [telefonica-sandbox]: "][..],
            r#"--parameter-overrides Architecture="arm64" Operator="telefonica-sandbox""#,
        ),
        // The second time everything is known.
        ("", &[], r#"--parameter-overrides Architecture="arm64" Operator="telefonica-sandbox""#),
    ] {
        let mut deploy = Command::new(tools::tool("python"))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/deploy.py"))
            .current_dir(&folder)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .env("AWS_ENDPOINT_URL", &moto)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        deploy.stdin.take().unwrap().write_all(answers.as_bytes()).await.unwrap();
        let said = deploy.wait_with_output().await.unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        for question in ["AWS region: ", "Operator [telefonica-sandbox]: "] {
            assert_eq!(said.contains(question), asks.contains(&question), "{question} {said}");
        }
        let log = std::fs::read_to_string(folder.join("sam.log")).unwrap();
        assert_eq!(log, format!("build --beta-features {sam}\ndeploy {sam}\n"));
        std::fs::remove_file(folder.join("sam.log")).unwrap();
        for left_to_do in
            ["https://a.example/numberverification-callback", "aws secretsmanager …", "https://a.example/\n"]
        {
            assert!(said.contains(left_to_do), "{said}");
        }
    }
    let samconfig = std::fs::read_to_string(folder.join("samconfig.toml")).unwrap();
    assert!(samconfig.contains(r#"region = "eu-west-1""#) && samconfig.contains("capabilities"), "{samconfig}");
}
