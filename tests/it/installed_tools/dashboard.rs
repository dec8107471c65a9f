//! The template's dashboard and alarms and the runbook use exactly the fields and metrics that the real program emits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sandbox::{Sandbox, Scenario, Settings};
use serde_json::{Value, json};

use super::tools;
use crate::support::app::{secret, shop_code, shop_request, shop_tokens};
use crate::support::{Browser, Function, Outcome, sandbox};

const NAMESPACE: &str = "NumberVerification";
const NUMBER: &str = "+34600000001";

/// A CloudWatch metric: its name, and the names of its dimensions.
type Metric = (String, BTreeSet<String>);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dashboard_and_alarms_use_exactly_the_emitted_metrics() {
    let emitted = emitted().await;
    let template =
        tools::cloudformation(&["expand", "template.yaml", "Architecture=x86_64", "CanaryDeployment=true"]).await;

    let shown = dashboard_metrics(&template);
    let on_dashboard: BTreeSet<Metric> = shown.iter().map(|(metric, _)| metric.clone()).collect();
    // Metrics by version are only for the alarm of a canary deployment.
    let lasting = emitted.iter().filter(|(_, dimensions)| !dimensions.contains("ExecutedVersion")).cloned().collect();
    assert_eq!(on_dashboard, lasting, "the dashboard shows exactly the lasting metrics");
    let mut outcomes: Vec<_> = shown.iter().filter_map(|(_, outcome)| outcome.as_deref()).collect();
    outcomes.sort_unstable();
    let mut all: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
    all.sort_unstable();
    assert_eq!(outcomes, all, "the dashboard shows every outcome");

    let alarms = alarm_metrics(&template);
    assert_eq!(alarms.len(), 10, "{alarms:?}");
    for (metric, outcome) in alarms {
        assert!(emitted.contains(&metric), "an alarm uses {metric:?}, which is not emitted");
        assert!(outcome.is_none_or(|outcome| Outcome::from_name(&outcome).is_some()));
    }
}

/// The metrics that the program emits in all scenarios of the sandbox, and when an app signs a user in or cannot.
async fn emitted() -> BTreeSet<Metric> {
    let settings = Settings { slow_for: Duration::from_secs(3), ..Settings::default() };
    let sandbox = Arc::new(Sandbox::start(settings).await.unwrap());
    sandbox.set_secret_string(secret().to_string());
    let function = Function::deployed(sandbox.clone(), &[]).await.with_time_left(Duration::from_secs(2));
    let code = shop_code(&function, &[]).await;
    assert_eq!(shop_tokens(&function, &code).await.status, 200);
    for scenario in Scenario::ALL {
        sandbox.set_scenario(scenario);
        Browser::default().verify(&function, NUMBER).await;
    }
    function.get("/numberverification-callback?state=last", &[]).await;
    function.logged("invalid_state").await;

    sandbox.set_scenario(Scenario::ByNumber);
    // Nothing listens there.
    let no_table = [("CODE_TABLE", "used-codes"), ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")];
    let without_table = Function::deployed(sandbox.clone(), &no_table).await;
    let code = shop_code(&without_table, &[]).await;
    assert_eq!(shop_tokens(&without_table, &code).await.status, 503);
    without_table.logged("NotRedeemed").await;

    let operators = format!(r#"{{"es": {{"prefixes": ["+34"], "base_url": "{}"}}}}"#, sandbox.base_url());
    let client = json!({"client_id": "my-app-id", "client_secret": "my-app-secret"});
    sandbox.set_secret_string(json!({"state_key": "0123456789abcdef", "operators": {"es": client}}).to_string());
    let several = Function::deployed(sandbox, &[("OPERATORS", &operators), ("OPERATOR_BASE_URL", "")]).await;
    Browser::default().verify(&several, NUMBER).await;
    several.logged("Verifications").await;

    let mut emitted = BTreeSet::new();
    let log = [function.log(), without_table.log(), several.log()].concat();
    let lines: Vec<_> = log.iter().filter(|line| line.get("_aws").is_some()).collect();
    assert!(lines.len() > Scenario::ALL.len());
    for line in lines {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], NAMESPACE);
            for dimensions in directive["Dimensions"].as_array().unwrap() {
                let dimensions: BTreeSet<_> = strings(dimensions).collect();
                for dimension in &dimensions {
                    let value = line[dimension].as_str().unwrap();
                    // CloudWatch bills every value of a dimension as a separate metric.
                    match dimension.as_str() {
                        "FunctionName" => assert_eq!(value, "number-verification"),
                        "ExecutedVersion" => assert_eq!(value, "$LATEST"),
                        "outcome" => assert!(Outcome::from_name(value).is_some()),
                        // One that the owner registered.
                        "client" => assert_eq!(value, "shop"),
                        // One that the owner named.
                        "operator" => assert_eq!(value, "es"),
                        other => panic!("{other} may have an unlimited number of values"),
                    }
                }
                for metric in directive["Metrics"].as_array().unwrap() {
                    let name = metric["Name"].as_str().unwrap();
                    assert!(line[name].is_number(), "{name} has a value: {line}");
                    emitted.insert((name.to_owned(), dimensions.clone()));
                }
            }
        }
    }
    emitted
}

/// Our metrics in the dashboard, each with the outcome it shows.
fn dashboard_metrics(template: &Value) -> Vec<(Metric, Option<String>)> {
    let body = template["Resources"]["OperationsDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).expect("the dashboard is JSON");
    let mut found = Vec::new();
    for widget in body["widgets"].as_array().unwrap() {
        for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            if let Some(expression) = metric[0]["expression"].as_str() {
                found.push((searched(expression), None));
                continue;
            }
            let words: Vec<_> = strings(metric).collect();
            let [namespace, name, dimensions @ ..] = &words[..] else { panic!("{metric}") };
            if namespace == NAMESPACE {
                found.push(metric_of(name, dimensions.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()))));
            }
        }
    }
    found
}

/// The metric that an expression looks for: of all apps together, or of each operator. Nobody knows their names when the
/// template is written.
fn searched(expression: &str) -> Metric {
    let search = expression.strip_prefix("SUM(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(expression);
    let query = search.strip_prefix("SEARCH('{").and_then(|rest| rest.strip_suffix(", 300)")).expect(expression);
    let (schema, terms) = query.split_once("} MetricName=\"").expect(expression);
    let (name, rest) = terms.split_once("\" ").expect(expression);
    let (function, statistic) = rest.split_once("', '").expect(expression);
    assert_eq!(function, "FunctionName=\"${NumberVerificationFunction}\"", "{expression}");
    assert!(["Sum'", "Average'", "p99'"].contains(&statistic), "{expression}");
    let dimensions = schema.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix(',')).expect(expression);
    (name.to_owned(), dimensions.split(',').map(str::to_owned).collect())
}

/// Our metrics in the alarms, directly or in an expression.
fn alarm_metrics(template: &Value) -> Vec<(Metric, Option<String>)> {
    let resources = template["Resources"].as_object().unwrap().values();
    let alarms =
        resources.filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm").map(|alarm| &alarm["Properties"]);
    let parts = alarms.flat_map(|alarm| {
        let in_expression = alarm["Metrics"].as_array().into_iter().flatten().map(|part| &part["MetricStat"]["Metric"]);
        in_expression.chain([alarm])
    });
    let ours = parts.filter(|part| part["Namespace"] == NAMESPACE);
    ours.map(|part| {
        let dimensions = part["Dimensions"].as_array().unwrap().iter();
        let dimensions = dimensions.map(|dimension| {
            let name = dimension["Name"].as_str().unwrap().to_owned();
            // The function's name is a reference.
            let value =
                dimension["Value"].as_str().map_or_else(|| "${NumberVerificationFunction}".to_owned(), str::to_owned);
            (name, value)
        });
        metric_of(part["MetricName"].as_str().unwrap(), dimensions)
    })
    .collect()
}

fn metric_of(name: &str, dimensions: impl Iterator<Item = (String, String)>) -> (Metric, Option<String>) {
    let (mut names, mut outcome) = (BTreeSet::new(), None);
    for (dimension, value) in dimensions {
        match dimension.as_str() {
            "FunctionName" => assert_eq!(value, "${NumberVerificationFunction}"),
            "outcome" => outcome = Some(value),
            // A reference to the version.
            "ExecutedVersion" => {}
            other => panic!("an alarm or a widget has the dimension {other}"),
        }
        names.insert(dimension);
    }
    ((name.to_owned(), names), outcome)
}

fn strings(array: &Value) -> impl Iterator<Item = String> {
    array.as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runbook_covers_every_alarm_and_its_queries_use_logged_fields() {
    const WORDS: [&str; 21] = [
        "all99",
        "and",
        "as",
        "asc",
        "bin",
        "by",
        "count",
        "desc",
        "filter",
        "ispresent",
        "last",
        "latest",
        "like",
        "median",
        "not",
        "or",
        "pct",
        "slowest",
        "sort",
        "stats",
        "verifications",
    ];
    let runbook = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
    let template = tools::cloudformation(&["expand", "template.yaml"]).await;
    for (name, resource) in template["Resources"].as_object().unwrap() {
        if resource["Type"] == "AWS::CloudWatch::Alarm" {
            assert!(runbook.contains(&format!("\n### {name}\n")), "{name} has a section");
        }
    }
    for outcome in Outcome::ALL {
        assert!(runbook.contains(&format!("\n| `{}` |", outcome.name())), "{outcome:?} has a row");
    }

    // A success, a reload, a failure, and an app that is served and refused together log every field.
    let sandbox = Arc::new(sandbox().await);
    sandbox.set_secret_string(secret().to_string());
    let function = Function::deployed(sandbox.clone(), &[]).await;
    let code = shop_code(&function, &[]).await;
    assert_eq!(shop_tokens(&function, &code).await.status, 200);
    assert_eq!(shop_tokens(&function, &code).await.status, 400);
    function.get(&shop_request(&[("scope", "")]), &[]).await;
    let mut browser = Browser::default();
    let callback = browser.callback_of(&function, NUMBER).await;
    browser.open_json(&function, &callback).await;
    browser.open_json(&function, &callback).await;
    sandbox.set_scenario(Scenario::CodeExpired);
    Browser::default().verify(&function, NUMBER).await;
    function.logged("expired_code").await;
    let log = function.log();
    let fields: BTreeSet<_> = log.iter().filter_map(Value::as_object).flat_map(|line| line.keys().cloned()).collect();

    let dashboard = template["Resources"]["OperationsDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].to_string();
    let dashboard = dashboard.split("SOURCE").nth(1).and_then(|query| query.split('|').nth(1)).unwrap();
    let queries: Vec<_> = runbook.split("```\n").skip(1).step_by(2).chain([dashboard]).collect();
    let queries: Vec<_> = queries.into_iter().filter(|query| query.contains("filter ")).collect();
    assert_eq!(queries.len(), 8, "seven in the runbook, one on the dashboard");
    for query in queries {
        // Quoted words are values, not fields.
        let unquoted = query.split(['"', '\'']).step_by(2).collect::<Vec<_>>().join(" ");
        let words = unquoted.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        for word in words.filter(|word| word.starts_with(|c: char| c.is_alphabetic())) {
            let alias = query.contains(&format!("as {word}"));
            assert!(alias || WORDS.contains(&word) || fields.contains(word), "{word} is not a field: {query}");
        }
    }
}
