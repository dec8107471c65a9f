//! The callback's query, in the event that API Gateway creates from it: it can always be read, and a parameter that is
//! repeated or too long is never accepted.

#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use number_verification::operator::AuthorizationResponse;
use number_verification::outcome::Outcome;
use number_verification::web::event::{self, Query};
use serde_json::{Value, json};

const OURS: [&str; 6] = ["code", "state", "error", "error_description", "error_uri", "iss"];
const MAX_LENGTH: usize = 4096;

fuzz_target!(|query: &str| {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut values: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, value) in &pairs {
        values.entry(name).or_default().push(value);
    }
    let acceptable = OURS.iter().all(|name| {
        let given = values.get(name).map_or(&[][..], Vec::as_slice);
        given.len() <= 1 && given.iter().all(|value| value.len() <= MAX_LENGTH)
    });
    for (source, event) in [("HTTP API", http_api(query)), ("REST API", rest_api(&values))] {
        let request = event::read(event).expect("an event of a gateway");
        match AuthorizationResponse::from_parameters(Query::of(&request)) {
            Ok(parameters) => {
                assert!(acceptable, "{source}: a repeated or long parameter is accepted");
                assert_eq!(format!("{parameters:?}"), "AuthorizationResponse([redacted])");
            }
            Err(failure) => {
                assert!(!acceptable, "{source}: refused without a reason: {}", failure.reason);
                assert_eq!(failure.outcome, Outcome::InvalidRequest);
                assert!(OURS.iter().any(|name| failure.reason.starts_with(&format!("parameter {name} "))));
            }
        }
    }
});

/// Payload 2.0 contains the query as it was sent.
fn http_api(query: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/numberverification-callback",
        "rawQueryString": query,
        "headers": { "host": query, "accept": query },
        "cookies": [query],
        "requestContext": { "stage": "$default", "domainName": "a.example", "http": { "method": "GET" } },
    })
}

/// Payload 1.0 contains the decoded query.
fn rest_api(values: &HashMap<&str, Vec<&str>>) -> Value {
    json!({
        "httpMethod": "GET",
        "path": "/numberverification-callback",
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": values.iter().map(|(name, values)| (*name, values.last())).collect::<HashMap<_, _>>(),
        "multiValueQueryStringParameters": values,
        "requestContext": { "stage": "prod", "domainName": "a.example", "httpMethod": "GET" },
    })
}
