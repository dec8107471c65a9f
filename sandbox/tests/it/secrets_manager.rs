//! `GetSecretValue` as the AWS SDKs send it.

use std::time::Duration;

use reqwest::RequestBuilder;
use sandbox::{Leg, Settings};
use serde_json::{Value, json};

use crate::support::{Fixture, header, json, send, status_and_json, string};

const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=AKID/20250101/eu-west-1/secretsmanager/aws4_request, \
                         SignedHeaders=host;x-amz-date, Signature=00";

fn get_secret_value(fixture: &Fixture, body: &Value) -> RequestBuilder {
    as_an_sdk(fixture.post("/"), body)
}

pub fn as_an_sdk(post: RequestBuilder, body: &Value) -> RequestBuilder {
    post.header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "secretsmanager.GetSecretValue")
        .header("authorization", SIGNATURE)
        .body(body.to_string())
}

#[tokio::test]
async fn secret_is_served() {
    let fixture = Fixture::new().await;
    let response = send(get_secret_value(&fixture, &json!({ "SecretId": "number-verification" }))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type").as_deref(), Some("application/x-amz-json-1.1"));
    let body = json(response).await;
    assert_eq!(body["Name"], "number-verification");
    assert_eq!(body["VersionStages"], json!(["AWSCURRENT"]));
    assert!(body["CreatedDate"].is_number(), "{body}");
    assert_eq!(string(&body, "VersionId").len(), 36);
    let secret: Value = serde_json::from_str(&string(&body, "SecretString")).expect("JSON");
    assert_eq!((&secret["client_id"], &secret["client_secret"]), (&json!("my-app-id"), &json!("my-app-secret")));
    assert!(secret["state_key"].is_string(), "{secret}");

    let by_arn = send(get_secret_value(&fixture, &json!({ "SecretId": body["ARN"] }))).await;
    assert_eq!(json(by_arn).await, body, "by its ARN");
    assert_eq!(fixture.sandbox.count(Leg::Secret), 2);
}

#[tokio::test]
async fn secret_is_found_by_name_or_arn() {
    let secret_id = "team/number-verification".to_owned();
    let fixture = Fixture::with(Settings { secret_id, ..Settings::default() }).await;
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:";
    for (name, secret_id, found) in [
        ("name", "team/number-verification".to_owned(), true),
        ("ARN", format!("{arn}team/number-verification-a1B2c3"), true),
        ("ARN without its end", format!("{arn}team/number-verification"), false),
        ("ARN with a longer end", format!("{arn}team/number-verification-a1B2c3d"), false),
        ("another name", "number-verification".to_owned(), false),
        ("another ARN", format!("{arn}number-verification-a1B2c3"), false),
        ("not an ARN", "x:secret:team/number-verification-a1B2c3".to_owned(), false),
    ] {
        let (status, body) =
            status_and_json(send(get_secret_value(&fixture, &json!({ "SecretId": secret_id }))).await).await;
        if found {
            assert_eq!(status, 200, "{name}: {body}");
        } else {
            let message = "Secrets Manager can't find the specified secret.";
            assert_eq!(status, 400, "{name}: {body}");
            assert_eq!(body, json!({ "__type": "ResourceNotFoundException", "message": message }), "{name}");
        }
    }
}

#[tokio::test]
async fn rotation_keeps_the_previous_version() {
    let fixture = Fixture::new().await;
    let get = async |stage: &str| {
        let body = json!({ "SecretId": "number-verification", "VersionStage": stage });
        status_and_json(send(get_secret_value(&fixture, &body)).await).await
    };
    let (status, body) = get("AWSPREVIOUS").await;
    assert_eq!((status, &body["__type"]), (400, &json!("ResourceNotFoundException")), "none yet");

    let (_, first) = get("AWSCURRENT").await;
    fixture.sandbox.set_secret_string("rubbish {");
    let (_, second) = get("AWSCURRENT").await;
    assert_eq!(second["SecretString"], "rubbish {");
    assert_ne!(second["VersionId"], first["VersionId"]);

    let (_, previous) = get("AWSPREVIOUS").await;
    assert_eq!(previous["SecretString"], first["SecretString"]);
    assert_eq!(previous["VersionId"], first["VersionId"]);
    assert_eq!(previous["VersionStages"], json!(["AWSPREVIOUS"]));

    let (status, _) = get("AWSPENDING").await;
    assert_eq!(status, 400);

    fixture.sandbox.age_secret(Duration::from_hours(1));
    for (stage, version) in [("AWSCURRENT", &second), ("AWSPREVIOUS", &first)] {
        let aged = get(stage).await.1["CreatedDate"].as_f64().unwrap();
        let difference = version["CreatedDate"].as_f64().unwrap() - aged;
        assert!((difference - 3600.0).abs() < 0.001, "{stage}: {difference}");
    }
}

#[tokio::test]
async fn requests_that_no_sdk_sends_are_refused() {
    let fixture = Fixture::new().await;
    let post = |target: &'static str, authorization: &'static str, content_type: &'static str, body: &'static str| {
        fixture
            .post("/")
            .header("x-amz-target", target)
            .header("authorization", authorization)
            .header("content-type", content_type)
            .body(body)
    };
    let (target, aws_json) = ("secretsmanager.GetSecretValue", "application/x-amz-json-1.1");
    let right = r#"{"SecretId":"number-verification"}"#;
    for (name, request, expected) in [
        ("unsigned", post(target, "", aws_json, right), "MissingAuthenticationTokenException"),
        ("a Bearer token", post(target, "Bearer abc", aws_json, right), "MissingAuthenticationTokenException"),
        ("another target", post("secretsmanager.ListSecrets", SIGNATURE, aws_json, "{}"), "UnknownOperationException"),
        ("no target", fixture.post("/").body(right), "UnknownOperationException"),
        ("plain JSON", post(target, SIGNATURE, "application/json", right), "UnknownOperationException"),
        ("not JSON", post(target, SIGNATURE, aws_json, "SecretId"), "SerializationException"),
        ("no SecretId", post(target, SIGNATURE, aws_json, "{}"), "SerializationException"),
    ] {
        let (status, body) = status_and_json(send(request).await).await;
        assert_eq!((status, string(&body, "__type").as_str()), (400, expected), "{name}");
    }
}
