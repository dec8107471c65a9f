//! A `CODE_TABLE` that cannot be written, has the code already, or whose answer is lost. `installed_tools/code_table.rs`
//! has one that works.

use std::sync::Arc;
use std::time::Duration;

use lambda_environment::read_message;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::support::app::{deployed_provider, provider, secret, shop_code, shop_tokens};
use crate::support::far_side::{FarSide, Fault, refusing};
use crate::support::{Function, sandbox};

/// An answer of `DynamoDB` with this body.
fn answer(status: u16, body: &str) -> Fault {
    let head =
        format!("HTTP/1.1 {status} No\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}", body.len());
    Fault::Answer(format!("{head}\r\n\r\n{body}").leak())
}

/// An answer of `DynamoDB`, which refuses the request with this error.
fn refusal(error: &str) -> Fault {
    let error = format!("com.amazonaws.dynamodb.v20120810#{error}");
    answer(400, &json!({ "__type": error, "message": "no" }).to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn table_that_cannot_be_written_loses_no_code_and_the_log_says_what_to_do() {
    let (_socket, nowhere) = refusing();
    let (server, busy) = ("server_error", "temporarily_unavailable");
    let mut rows = JoinSet::new();
    for (name, fault, error, says) in [
        ("no such table", refusal("ResourceNotFoundException"), server, "correct CODE_TABLE"),
        ("another key", refusal("ValidationException"), server, "must be the text `code`"),
        ("no permission", refusal("AccessDeniedException"), server, "allow dynamodb:PutItem"),
        ("throttled", refusal("ThrottlingException"), busy, "limits how often"),
        ("down", answer(500, r#"{"__type":"InternalServerError"}"#), busy, "DynamoDB fails"),
        ("rubbish", answer(500, "<html>"), busy, "DynamoDB fails"),
        ("not reached", Fault::None, busy, "needs an endpoint for it"),
        ("no answer", Fault::Hang, busy, "no answer before the deadline"),
    ] {
        let nowhere = nowhere.clone();
        rows.spawn(async move {
            let sandbox = Arc::new(sandbox().await);
            let database = FarSide::of(&sandbox).await;
            database.always(fault);
            let url = if fault == Fault::None { &nowhere } else { &database.url };
            let variables = [("CODE_TABLE", "used-codes"), ("AWS_ENDPOINT_URL_DYNAMODB", url)];
            let function = deployed_provider(sandbox.clone(), &variables).await.with_time_left(Duration::from_secs(5));
            let code = shop_code(&function, &[]).await;
            let answer = shop_tokens(&function, &code).await;
            assert_eq!((answer.status, &answer.json()["error"]), (503, &json!(error)), "{name}");
            assert_eq!(answer.header("retry-after"), "1", "{name}");
            let line = function.logged("a code could not be redeemed").await;
            let reason = line["reason"].as_str().unwrap();
            assert!(reason.starts_with("table used-codes: ") && reason.contains(says), "{name}: {reason}");
            assert_eq!(line["client"], "shop", "{name}");

            let without_a_table = Function::with_sandbox(sandbox, &[]);
            let redeemed = shop_tokens(&without_a_table, &code).await;
            assert_eq!(redeemed.status, 200, "{name}: the code is still good: {}", redeemed.body);
        });
    }
    rows.join_all().await;
}

#[tokio::test]
async fn code_that_the_table_has_was_used_before() {
    let sandbox = sandbox().await;
    let database = FarSide::of(&sandbox).await;
    database.always(refusal("ConditionalCheckFailedException"));
    let variables = [("CODE_TABLE", "used-codes"), ("AWS_ENDPOINT_URL_DYNAMODB", &database.url)];
    sandbox.set_secret_string(secret().to_string());
    let function = Function::with_sandbox(sandbox, &variables);
    let code = shop_code(&function, &[]).await;
    let refused = shop_tokens(&function, &code).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")), "{}", refused.body);
    assert_eq!(database.requests(), 1);
}

/// `DynamoDB` may have written the entry when its answer is lost. The repeated request must be recognisable as the same one.
#[tokio::test]
async fn lost_answer_of_the_table_is_not_an_earlier_use() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let table = tokio::spawn(async move {
        let (mut lost, _) = listener.accept().await.unwrap();
        let first = read_message(&mut lost).await.unwrap();
        drop(lost);
        let (mut stream, _) = listener.accept().await.unwrap();
        let second = read_message(&mut stream).await.unwrap();
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).await.unwrap();
        [first, second].map(|request| {
            let text = String::from_utf8(request).unwrap();
            serde_json::from_str::<Value>(text.split_once("\r\n\r\n").unwrap().1).unwrap()
        })
    });
    let function = provider(&[("CODE_TABLE", "used-codes"), ("AWS_ENDPOINT_URL_DYNAMODB", &url)]).await;
    let code = shop_code(&function, &[]).await;
    assert_eq!(shop_tokens(&function, &code).await.status, 200);
    let [first, second] = table.await.unwrap();
    assert_eq!(first, second);
    assert_eq!(first["ConditionExpression"], "attribute_not_exists(#code) OR #made_by = :made_by");
    assert_eq!(first["Item"]["made_by"], first["ExpressionAttributeValues"][":made_by"]);
    assert!(!first.to_string().contains(&code), "only a hash of the code is stored");
}
