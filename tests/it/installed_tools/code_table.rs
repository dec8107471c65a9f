//! `CODE_TABLE`, in moto's `DynamoDB`: deployed environments that share it, and tables that do not fit.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::process::Child;

use super::tools;
use crate::support::app::{deployed_provider, shop_code, shop_tokens};
use crate::support::far_side::{FarSide, Fault};
use crate::support::{Function, sandbox, send};

const TABLE: &str = "used-codes";

struct Database {
    url: String,
    _running: Child,
}

impl Database {
    /// A database with a table like the template's.
    async fn new() -> Self {
        let (running, url) = tools::moto().await;
        let database = Self { url, _running: running };
        database.create(TABLE, "code").await;
        database
    }

    async fn create(&self, table: &str, key: &str) {
        let table = json!({
            "TableName": table,
            "AttributeDefinitions": [{ "AttributeName": key, "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": key, "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        self.call("CreateTable", &table).await;
    }

    /// Everything in the table.
    async fn items(&self) -> Value {
        self.call("Scan", &json!({ "TableName": TABLE })).await["Items"].take()
    }

    /// Calls moto as an SDK does. It takes the region from the signature, which it does not check.
    async fn call(&self, action: &str, body: &Value) -> Value {
        const CREDENTIAL: &str = "AWS4-HMAC-SHA256 Credential=test/20250101/eu-west-1/dynamodb/aws4_request";
        let request = http::Request::post(&self.url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
            .header("authorization", format!("{CREDENTIAL}, SignedHeaders=host, Signature=00"))
            .body(body.to_string());
        let answer = send(request.unwrap()).await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.body);
        answer.json()
    }
}

/// An environment that keeps used codes in a table of the database at this address.
async fn environment(sandbox: &Arc<Sandbox>, table: &str, url: &str) -> Function {
    let variables = [("CODE_TABLE", table), ("AWS_ENDPOINT_URL_DYNAMODB", url)];
    deployed_provider(sandbox.clone(), &variables).await.with_time_left(Duration::from_secs(5))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_used_in_one_environment_is_refused_in_another() {
    let (database, sandbox) = (Database::new().await, Arc::new(sandbox().await));
    let [one, other] =
        [environment(&sandbox, TABLE, &database.url).await, environment(&sandbox, TABLE, &database.url).await];
    let code = shop_code(&one, &[]).await;
    let first = shop_tokens(&one, &code).await;
    assert_eq!(first.status, 200, "{}", first.body);
    for (name, function) in [("in the other one", &other), ("in the same", &one)] {
        let again = shop_tokens(function, &code).await;
        assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_grant")), "{name}");
    }

    let items = database.items().await;
    let [item] = &items.as_array().unwrap()[..] else { panic!("one item: {items}") };
    assert_eq!(item.as_object().unwrap().keys().collect::<Vec<_>>(), ["code", "expires_at", "made_by"]);
    assert_eq!(item["code"]["S"].as_str().map(str::len), Some(43), "a SHA-256 in base64url: {item}");
    let expires_at: u64 = item["expires_at"]["N"].as_str().unwrap().parse().unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!((now..now + 300).contains(&expires_at), "{expires_at} is not soon after {now}");
    for text in ["34600000001", "600000001", &code, &code[..20]] {
        assert!(!item.to_string().contains(text), "{text} is in {item}");
    }
}

/// The SDK sends a request again if its answer is lost, and the table then has the entry of the first one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answer_of_the_table_is_not_an_earlier_use() {
    let (database, sandbox) = (Database::new().await, Arc::new(sandbox().await));
    let far_side = FarSide::of_server(&database.url).await;
    let function = environment(&sandbox, TABLE, &far_side.url).await;
    let code = shop_code(&function, &[]).await;
    far_side.once(Fault::ResetServed);
    let first = shop_tokens(&function, &code).await;
    assert_eq!((first.status, far_side.requests()), (200, 2), "{}", first.body);
    let again = shop_tokens(&function, &code).await;
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn table_that_does_not_fit_loses_no_code_and_the_log_says_what_to_do() {
    let (database, sandbox) = (Database::new().await, Arc::new(sandbox().await));
    database.create("another-key", "id").await;
    let works = environment(&sandbox, TABLE, &database.url).await;
    for (table, says) in [("no-such-table", "correct CODE_TABLE"), ("another-key", "must be the text `code`")] {
        let code = shop_code(&works, &[]).await;
        let function = environment(&sandbox, table, &database.url).await;
        let answer = shop_tokens(&function, &code).await;
        assert_eq!((answer.status, &answer.json()["error"]), (503, &json!("server_error")), "{table}");
        let line = function.logged("a code could not be redeemed").await;
        let reason = line["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("table {table}: ")) && reason.contains(says), "{table}: {reason}");

        let redeemed = shop_tokens(&works, &code).await;
        assert_eq!(redeemed.status, 200, "{table}: the code is still good: {}", redeemed.body);
    }
}
