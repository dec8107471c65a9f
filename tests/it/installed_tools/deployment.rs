//! From the source to a function in an account, as `make deploy` and `cargo lambda deploy` do it, with moto in the
//! place of AWS: what is built, what is set, and that the packaged program serves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use number_verification::transport::Deadline;
use number_verification::transport::Transport;
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::{Mutex, MutexGuard};

use super::tools;

const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:number-verification-a1b2c3";
/// The variables that AWS's programs need to talk to moto.
const AWS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cargo_lambda_deploy_makes_the_function_that_cargo_toml_describes() {
    let (program, _folder) = built().await;
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
        ("TracingConfig", json!({ "Mode": "PassThrough" })),
        ("Role", role["outputs"]["RoleArn"].clone()),
    ] {
        assert_eq!(function[what], expected, "{what}");
    }
    assert_eq!(function["Environment"]["Variables"]["CLIENT_SECRET_ID"], "number-verification");
    assert_least_privilege(&function["RolePolicies"], None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_make_deploy_uploads_makes_a_stack_and_serves() {
    let (program, _folder) = built().await;
    let parameters = [&*format!("ClientSecretArn={SECRET_ARN}"), &format!("Architecture={ARCHITECTURE}")];
    // `make bench` and `cargo lambda deploy` leave one there.
    std::fs::write(program.with_extension("zip"), "not for Lambda").unwrap();
    tools::cloudformation(&["pack", parameters[0], parameters[1]]).await;
    let packaged = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packaged.yaml");

    let (_moto, moto) = tools::moto().await;
    tools::cloudformation(&["bucket", &moto, "artifacts"]).await;
    let mut sam = Command::new(tools::tool("sam"));
    sam.args(["package", "--s3-bucket", "artifacts", "--template-file", "template.yaml", "--output-template-file"])
        .arg(&packaged)
        .envs(AWS)
        .env("AWS_ENDPOINT_URL", &moto)
        .env("SAM_CLI_TELEMETRY", "0");
    tools::output(&mut sam).await;

    let uploaded = tools::cloudformation(&["uploaded", &moto, packaged.to_str().unwrap()]).await;
    assert_eq!(uploaded["files"], json!(["bootstrap", "settings.sha256"]));
    assert_eq!(
        uploaded["key"], uploaded["expected_key"],
        "the key that tests/it/installed_tools/template.rs gives SAM's translator"
    );

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
            "NumberVerificationFunction",
            "UsedCodes",
        ]
    );
    // moto has no CloudFormation for these, or for what they refer to.
    assert_eq!(
        names("left_out"),
        [
            "AnythingElseRoute",
            "Api",
            "AuthorizeHeadRoute",
            "AuthorizePostRoute",
            "AuthorizeRoute",
            "CallbackHeadRoute",
            "CallbackRoute",
            "ClientJwksHeadRoute",
            "ClientJwksRoute",
            "CompleteRoute",
            "CouldNotBeCheckedAlarm",
            "DiscoveryHeadRoute",
            "DiscoveryRoute",
            "FunctionErrorsAlarm",
            "Integration",
            "InvokePermission",
            "JwksHeadRoute",
            "JwksRoute",
            "MisconfiguredAlarm",
            "NotRedeemedAlarm",
            "NumberVerificationFunctionAliaslive",
            "OperationsDashboard",
            "OperatorCallbackHeadRoute",
            "OperatorCallbackRoute",
            "OperatorRefusedAlarm",
            "ServerErrorsAlarm",
            "SlowAlarm",
            "Stage",
            "StartPageHeadRoute",
            "StartPageRoute",
            "StartRoute",
            "ThrottlesAlarm",
            "TokenPreflightRoute",
            "TokenRoute",
            "UserinfoHeadRoute",
            "UserinfoPostRoute",
            "UserinfoPreflightRoute",
            "UserinfoRoute",
            "VerifyRoute",
            "WrongBrowserRoute",
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
    let table = stack["resources"]["UsedCodes"].as_str().unwrap();
    assert_eq!(function["Environment"]["Variables"]["CODE_TABLE"], table);
    assert_least_privilege(&function["RolePolicies"], Some(table));

    serves(&program).await;
}

/// The role may write to its own log, read the one secret and, if there is a table, put items into it; nothing else.
fn assert_least_privilege(policies: &Value, table: Option<&str>) {
    let statements: Vec<_> =
        policies.as_object().unwrap().values().flat_map(|policy| policy["Statement"].as_array().unwrap()).collect();
    let mut allowed = BTreeMap::new();
    for statement in statements {
        let actions = statement["Action"].as_array().cloned().unwrap_or_else(|| vec![statement["Action"].clone()]);
        for action in actions {
            allowed.insert(action.as_str().unwrap().to_owned(), statement["Resource"].as_str().unwrap().to_owned());
        }
    }
    let log = allowed["logs:PutLogEvents"].clone();
    assert!(log.starts_with("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/number-verification"), "{log}");
    let mut expected = BTreeMap::from([
        ("logs:CreateLogStream".to_owned(), log.clone()),
        ("logs:PutLogEvents".to_owned(), log),
        ("secretsmanager:GetSecretValue".to_owned(), SECRET_ARN.to_owned()),
    ]);
    if let Some(table) = table {
        let table = format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{table}");
        expected.insert("dynamodb:PutItem".to_owned(), table);
    }
    assert_eq!(allowed, expected);
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
        let answer = http.send(request.try_into().unwrap(), Deadline::after(Duration::from_secs(20))).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer["statusCode"], status, "{answer}");
        assert!(answer["body"].as_str().unwrap().contains(contains), "{answer}");
    }
}

/// Builds the program with `make build`, some minutes the first time, and returns its path. cargo-lambda writes a zip into the same folder, so a test has the
/// folder to itself until it drops the guard.
async fn built() -> (PathBuf, MutexGuard<'static, ()>) {
    static FOLDER: Mutex<()> = Mutex::const_new(());
    let guard = FOLDER.lock().await;
    tools::output(Command::new("make").arg("build").env_remove("ARCH")).await;
    (Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lambda/number-verification/bootstrap"), guard)
}

/// The tools that build the deployed program change only if this repository does.
#[test]
fn everything_that_builds_the_deployed_program_is_pinned() {
    let file = |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    for workflow in [".github/workflows/ci.yml", ".github/workflows/release.yml", "examples/ci/deploy.yml"] {
        let workflow = file(workflow);
        let actions: Vec<_> = workflow.lines().filter_map(|line| line.split_once("uses: ")).collect();
        assert!(!actions.is_empty());
        for (_, action) in actions {
            let commit =
                action.split_once('@').and_then(|(_, rest)| rest.split_once(" # v")).map_or("", |(sha, _)| sha);
            let is_hash = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_hash, "a tag can move: {action}");
        }
    }
    for name in ["run", "deny", "workflows"].map(|name| format!("tools/requirements-{name}.txt")) {
        let name = &*name;
        for package in file(name).split("\n\n").flat_map(|part| part.split("==").skip(1)) {
            assert!(package.contains("--hash=sha256:"), "{name}: {package}");
        }
    }
    let makefile = file("Makefile");
    let builds = ["cargo lambda build", "cargo install"];
    let builds: Vec<_> = makefile.lines().filter(|line| builds.iter().any(|build| line.contains(build))).collect();
    assert!(!builds.is_empty() && builds.iter().all(|build| build.contains("--locked")), "{builds:?}");
    assert!(file("rust-toolchain.toml").contains("channel = \"1."), "a version and not the name of a channel");
}

/// The policy for whoever deploys has something for each service that the stack has resources of.
#[tokio::test]
async fn the_deployers_policy_covers_every_service_of_the_stack() {
    let policy = include_str!("../../../docs/deployer-policy.json");
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
    let allowed: BTreeSet<_> = actions.filter_map(|action| action.as_str()?.split(':').next()).collect();
    let mut needed = BTreeSet::from(["cloudformation", "s3"]);
    let everything = ["DomainName=a.example", "DomainCertificateArn=x", "HostedZoneId=Z1", "CanaryDeployment=true"];
    let template = tools::cloudformation(&[&["expand", "template.yaml"], &everything[..]].concat()).await;
    for resource in template["Resources"].as_object().unwrap().values() {
        needed.insert(match resource["Type"].as_str().unwrap().split("::").nth(1).unwrap() {
            "ApiGatewayV2" => "apigateway",
            "CloudWatch" => "cloudwatch",
            "CodeDeploy" => "codedeploy",
            "DynamoDB" => "dynamodb",
            "IAM" => "iam",
            "Lambda" => "lambda",
            "Logs" => "logs",
            "Route53" => "route53",
            "SecretsManager" => "secretsmanager",
            other => panic!("{other} is new: add it to docs/deployer-policy.json and here"),
        });
    }
    assert!(allowed.is_superset(&needed), "{allowed:?} lacks one of {needed:?}");
}
