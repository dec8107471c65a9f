//! The templates: what they set and make with which parameters, and what SAM's own translator makes of a change.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::tools;
use number_verification::operator::presets::PRESETS;
use number_verification::setup;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:number-verification-a1b2c3";

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
    setup::app(lookup).unwrap();
    let mut asked = asked.into_inner().unwrap();
    asked.retain(|name| !name.starts_with("AWS_"));
    // A file has to be put beside the program first.
    assert!(asked.remove("OPERATOR_CA_FILE"));

    let template = template().await;
    let variables = &template["Resources"]["NumberVerificationFunction"]["Properties"]["Environment"]["Variables"];
    let mut set: BTreeSet<_> = variables.as_object().unwrap().keys().cloned().collect();
    // For `sam local`, which passes on only what the template names.
    for name in ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_DYNAMODB"] {
        assert!(set.remove(name), "{name}");
    }
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
    let policies = (&secret["DeletionPolicy"], &secret["UpdateReplacePolicy"]);
    assert_eq!(policies, (&json!("RetainExceptOnCreate"), &json!("Retain")));
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
    const BOUNDARY: &str = "PermissionsBoundaryArn=arn:aws:iam::123456789012:policy/boundary";
    let domain = ["DomainName=verify.shop.example", CERTIFICATE];
    let asked_for = [
        TOPIC,
        KEY,
        BOUNDARY,
        "HostedZoneId=Z1",
        "CanaryDeployment=true",
        "Dashboard=false",
        "CodeTable=false",
        "ReservedConcurrency=5",
    ];
    let secret = format!("ClientSecretArn={SECRET_ARN}");
    let everything: Vec<_> = domain.iter().chain(&asked_for).copied().chain([&*secret]).collect();

    let resources = |template: Value| template["Resources"].as_object().unwrap().clone();
    let usual = resources(template().await);
    let all = resources(expanded(&everything).await);
    for (name, usually, when_asked) in [
        ("ClientSecret", true, false),
        ("CodeDeployRole", false, true),
        ("DecryptSecretPolicy", false, true),
        ("Domain", false, true),
        ("DomainMapping", false, true),
        ("DomainRecord", false, true),
        ("NumberVerificationFunctionAliaslive", true, true),
        ("NumberVerificationFunctionDeploymentGroup", false, true),
        ("OperationsDashboard", true, false),
        ("UsedCodes", true, false),
    ] {
        assert_eq!((usual.contains_key(name), all.contains_key(name)), (usually, when_asked), "{name}");
    }
    let of_type = |resources: &Map<String, Value>, kind: &str, property: &str| -> Vec<Value> {
        let found = resources.values().filter(|resource| resource["Type"] == kind);
        found.map(|resource| resource["Properties"][property].clone()).collect()
    };
    for (kind, property, usually, when_asked) in [
        ("AWS::CloudWatch::Alarm", "AlarmActions", vec![Value::Null; 8], vec![json!([{ "Ref": "AlarmTopicArn" }]); 10]),
        ("AWS::CloudWatch::Alarm", "OKActions", vec![Value::Null; 8], vec![Value::Null; 10]),
        (
            "AWS::IAM::Role",
            "PermissionsBoundary",
            vec![Value::Null],
            vec![json!({ "Ref": "PermissionsBoundaryArn" }); 2],
        ),
    ] {
        assert_eq!(of_type(&usual, kind, property), usually, "{kind} {property}");
        assert_eq!(of_type(&all, kind, property), when_asked, "{kind} {property}");
    }
    let concurrency = |resources: &Map<String, Value>| {
        resources["NumberVerificationFunction"]["Properties"]["ReservedConcurrentExecutions"].clone()
    };
    assert_eq!((concurrency(&usual), concurrency(&all)), (Value::Null, json!({ "Ref": "ReservedConcurrency" })));
}

/// Else a deployment succeeds and `live` keeps serving what was set before.
#[tokio::test]
async fn each_parameter_changed_alone_publishes_a_version() {
    let versions = tools::cloudformation(&["versions"]).await;
    let as_it_is = &versions["as_it_is"];
    assert_eq!(as_it_is, &versions["again"], "a deployment that changes nothing publishes nothing");
    let changed = versions["changed"].as_object().unwrap();
    let parameters = template().await["Parameters"].as_object().unwrap().len();
    assert_eq!(changed.len(), parameters);
    for (parameter, version) in changed {
        assert_ne!(version, as_it_is, "{parameter}");
    }
    let different: BTreeSet<_> = changed.values().filter_map(Value::as_str).collect();
    assert_eq!(different.len(), parameters);
}

#[tokio::test]
async fn each_route_has_a_throttle_of_its_own() {
    let template = template().await;
    let resources = template["Resources"].as_object().unwrap();
    let stage = &resources["Stage"]["Properties"];
    let routes = resources.values().filter(|resource| resource["Type"] == "AWS::ApiGatewayV2::Route");
    let mut limits: Vec<_> = routes
        .map(|route| {
            let key = &route["Properties"]["RouteKey"];
            let key = key["Fn::Sub"].as_str().or(key.as_str()).unwrap();
            let own = &stage["RouteSettings"][key];
            let limits = if own.is_null() { &stage["DefaultRouteSettings"] } else { own };
            let limit = |name: &str| limits[name]["Ref"].as_str().map_or(limits[name].to_string(), str::to_owned);
            (key, limit("ThrottlingRateLimit"), limit("ThrottlingBurstLimit"))
        })
        .collect();
    limits.sort();
    let expected = [
        ("$default", "5", "10"),
        ("GET ${CallbackPath}", "CallbackRateLimit", "CallbackBurstLimit"),
        ("GET ${CallbackPath}/wrong_browser", "CallbackRateLimit", "CallbackBurstLimit"),
        ("GET ${CallbackPath}/{operator}", "CallbackRateLimit", "CallbackBurstLimit"),
        ("GET /", "ThrottlingRateLimit", "ThrottlingBurstLimit"),
        ("GET /.well-known/client-jwks.json", "ThrottlingRateLimit", "ThrottlingBurstLimit"),
        ("GET /.well-known/jwks.json", "ThrottlingRateLimit", "ThrottlingBurstLimit"),
        ("GET /.well-known/openid-configuration", "ThrottlingRateLimit", "ThrottlingBurstLimit"),
        ("GET /authorize", "AuthorizeRateLimit", "AuthorizeBurstLimit"),
        ("GET /userinfo", "TokenRateLimit", "TokenBurstLimit"),
        ("HEAD ${CallbackPath}", "CallbackRateLimit", "CallbackBurstLimit"),
        ("HEAD ${CallbackPath}/{operator}", "CallbackRateLimit", "CallbackBurstLimit"),
        ("HEAD /", "ThrottlingRateLimit", "ThrottlingBurstLimit"),
        ("HEAD /.well-known/client-jwks.json", "ThrottlingRateLimit", "ThrottlingBurstLimit"),
        ("HEAD /.well-known/jwks.json", "ThrottlingRateLimit", "ThrottlingBurstLimit"),
        ("HEAD /.well-known/openid-configuration", "ThrottlingRateLimit", "ThrottlingBurstLimit"),
        ("HEAD /authorize", "AuthorizeRateLimit", "AuthorizeBurstLimit"),
        ("HEAD /userinfo", "TokenRateLimit", "TokenBurstLimit"),
        ("OPTIONS /token", "TokenRateLimit", "TokenBurstLimit"),
        ("OPTIONS /userinfo", "TokenRateLimit", "TokenBurstLimit"),
        ("POST /authorize", "AuthorizeRateLimit", "AuthorizeBurstLimit"),
        ("POST /complete", "CallbackRateLimit", "CallbackBurstLimit"),
        ("POST /start", "StartRateLimit", "StartBurstLimit"),
        ("POST /token", "TokenRateLimit", "TokenBurstLimit"),
        ("POST /userinfo", "TokenRateLimit", "TokenBurstLimit"),
        ("POST /verify", "CallbackRateLimit", "CallbackBurstLimit"),
    ];
    assert_eq!(limits, expected.map(|(key, rate, burst)| (key, rate.to_owned(), burst.to_owned())));
    // API Gateway refuses settings for a route that does not exist yet.
    let made_first = resources["Stage"]["DependsOn"].as_array().unwrap().iter().filter_map(Value::as_str);
    let made_first: BTreeSet<_> =
        made_first.filter_map(|name| resources[name]["Properties"]["RouteKey"].as_str()).collect();
    let named: BTreeSet<_> = stage["RouteSettings"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(made_first, named);
}

/// A single request at night is not a share.
#[tokio::test]
async fn alarms_on_a_share_need_enough_requests() {
    let template = template().await;
    for (alarm, expression, periods) in [
        ("CouldNotBeCheckedAlarm", "IF(asked >= 10, 100 * failed, 0)", (1, Value::Null)),
        ("OperatorRefusedAlarm", "IF(started >= 10, 100 * refused / started, 0)", (1, Value::Null)),
        ("ServerErrorsAlarm", "IF(errors >= 5, 100 * errors / requests, 0)", (1, Value::Null)),
        ("SlowAlarm", "IF(asked >= 20, slowest, 0)", (3, json!(2))),
    ] {
        let alarm_properties = &template["Resources"][alarm]["Properties"];
        let metrics = alarm_properties["Metrics"].as_array().unwrap();
        let returned: Vec<_> = metrics.iter().filter(|metric| metric["ReturnData"] != false).collect();
        assert_eq!(returned.len(), 1, "{alarm}");
        assert_eq!(returned[0]["Expression"], expression, "{alarm}");
        for id in metrics.iter().filter_map(|metric| metric["Id"].as_str()).filter(|id| *id != returned[0]["Id"]) {
            assert!(expression.contains(id), "{alarm}: {id}");
        }
        let (evaluated, to_alarm) = periods;
        assert_eq!(alarm_properties["EvaluationPeriods"], evaluated, "{alarm}");
        assert_eq!(alarm_properties["DatapointsToAlarm"], to_alarm, "{alarm}");
    }
}

/// Else an outage of the version before would keep its cure from being deployed, and a redirect that anyone can write
/// would roll back a good version.
#[tokio::test]
async fn a_canary_depends_on_its_own_version_only() {
    let template = expanded(&["CanaryDeployment=true"]).await;
    let resources = template["Resources"].as_object().unwrap();
    let version = resources.iter().find(|(_, resource)| resource["Type"] == "AWS::Lambda::Version").unwrap().0;
    let executed = json!({ "Name": "ExecutedVersion", "Value": { "Fn::GetAtt": [version, "Version"] } });
    let group = &resources["NumberVerificationFunctionDeploymentGroup"]["Properties"];
    let alarms = group["AlarmConfiguration"]["Alarms"].as_array().unwrap();
    let alarms: Vec<_> = alarms.iter().filter_map(|alarm| alarm["Name"]["Ref"].as_str()).collect();
    assert_eq!(alarms, ["NewVersionErrorsAlarm", "NewVersionCouldNotBeCheckedAlarm"]);
    for name in alarms {
        let alarm = &resources[name]["Properties"];
        let in_expression = alarm["Metrics"].as_array().into_iter().flatten().map(|part| &part["MetricStat"]["Metric"]);
        let metrics: Vec<_> = in_expression.chain([alarm]).filter(|metric| metric["MetricName"].is_string()).collect();
        assert!(!metrics.is_empty(), "{name}");
        for metric in metrics {
            assert!(metric["Dimensions"].as_array().unwrap().contains(&executed), "{name}: {metric}");
            assert_ne!(metric["MetricName"], "OperatorRefused", "{name}");
        }
    }
}

#[tokio::test]
async fn both_ways_to_deploy_can_be_tried_in_one_account() {
    let role = tools::cloudformation(&["expand", "role.yaml", "ClientSecretArn=x"]).await;
    let log = |template: &Value, name: &str| {
        let name = template["Resources"][name]["Properties"]["LogGroupName"]["Fn::Sub"].as_str().unwrap().to_owned();
        name.replace("${FunctionName}", "number-verification").replace("${AWS::StackName}", "number-verification")
    };
    assert_ne!(log(&role, "LogGroup"), log(&template().await, "FunctionLogGroup"));
}

#[tokio::test]
async fn outputs_say_where_to_look() {
    let outputs = template().await["Outputs"].as_object().unwrap().clone();
    for (output, resource) in [
        ("FunctionName", "NumberVerificationFunction"),
        ("LogGroupName", "FunctionLogGroup"),
        ("ApiId", "Api"),
        ("DashboardUrl", "OperationsDashboard"),
    ] {
        assert!(outputs[output]["Value"].to_string().contains(resource), "{output}");
    }
    assert!(!expanded(&["Dashboard=false"]).await["Outputs"].as_object().unwrap().contains_key("DashboardUrl"));
    let format = template().await["Resources"]["Stage"]["Properties"]["AccessLogSettings"]["Format"].clone();
    let line: Value = serde_json::from_str(format.as_str().unwrap()).expect("a line of the access log is JSON");
    assert_eq!(line["error"], "$context.error.message");
    assert_eq!(line["functionError"], "$context.integrationErrorMessage");
}
