//! Makes our codes single-use (RFC 6749 §4.1.2): in a table that all environments share, or in the memory of one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::transport::Deadline;

/// The partition key of the table: the SHA-256 of the code in base64url.
const CODE: &str = "code";
/// The attribute by which `DynamoDB` removes entries (TTL): seconds since the epoch.
const EXPIRES_AT: &str = "expires_at";
/// The attribute that says which request made the entry. If its answer is lost, the SDK sends the request again, which must
/// not take its own entry for an earlier use.
const MADE_BY: &str = "made_by";
/// Entries are kept this much longer than their codes are valid, in seconds, because clocks differ.
const KEPT_LONGER: u64 = 60;
/// The number of codes that one environment remembers without a table, about 250 KB. It redeems far fewer in a minute.
const REMEMBERED: usize = 4096;

/// The codes that have been exchanged.
#[derive(Debug)]
pub enum UsedCodes {
    /// `CODE_TABLE`: a code is used up everywhere.
    Table {
        /// The AWS SDK's client.
        client: Client,
        /// The name or ARN of the table.
        table: String,
    },
    /// Each environment knows only the codes that it exchanged itself.
    Memory(Mutex<HashMap<[u8; 32], u64>>),
}

/// Builds the client of the table; `endpoint_url` replaces AWS's own endpoint.
#[must_use]
pub fn table_client(sdk: &SdkConfig, endpoint_url: Option<&str>) -> Client {
    let mut config = Builder::from(sdk);
    config.set_endpoint_url(endpoint_url.map(str::to_owned));
    Client::from_conf(config.build())
}

impl UsedCodes {
    /// Uses up a code that expires at `expires_at`. Returns `false` if it was used before. Both times are in seconds
    /// since the epoch.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn use_up(&self, code: &str, expires_at: u64, now: u64, deadline: Deadline) -> Result<bool, Failure> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, code.as_bytes()).as_ref());
        let expires_at = expires_at + KEPT_LONGER;
        match self {
            Self::Memory(used) => Ok(remember(used, hash, expires_at, now)),
            Self::Table { client, table } => put(client, table, hash, expires_at, deadline).await,
        }
    }
}

fn remember(used: &Mutex<HashMap<[u8; 32], u64>>, hash: [u8; 32], expires_at: u64, now: u64) -> bool {
    // No entry can be left half changed.
    let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
    if used.len() >= REMEMBERED {
        used.retain(|_, expires_at| *expires_at > now);
    }
    if used.len() >= REMEMBERED {
        let first = used.iter().min_by_key(|(_, expires_at)| **expires_at).map(|(hash, _)| *hash);
        first.map(|first| used.remove(&first));
    }
    used.insert(hash, expires_at).is_none()
}

async fn put(
    client: &Client,
    table: &str,
    hash: [u8; 32],
    expires_at: u64,
    deadline: Deadline,
) -> Result<bool, Failure> {
    let mut made_by = [0; 16];
    aws_lc_rs::rand::fill(&mut made_by)
        .map_err(|_| Failure::new(Outcome::Misconfigured, "the system has no randomness"))?;
    let made_by = AttributeValue::S(BASE64_URL_SAFE_NO_PAD.encode(made_by));
    let put = client
        .put_item()
        .table_name(table)
        .item(CODE, AttributeValue::S(BASE64_URL_SAFE_NO_PAD.encode(hash)))
        .item(EXPIRES_AT, AttributeValue::N(expires_at.to_string()))
        .item(MADE_BY, made_by.clone())
        .condition_expression("attribute_not_exists(#code) OR #made_by = :made_by")
        .expression_attribute_names("#code", CODE)
        .expression_attribute_names("#made_by", MADE_BY)
        .expression_attribute_values(":made_by", made_by)
        .send();
    let failed = |outcome, how: &str| {
        Err(Failure::new(outcome, format!("table {table}: {how}; without it no code is exchanged")))
    };
    match deadline.bound(put).await {
        Err(_) => failed(Outcome::OperatorTimeout, "DynamoDB gave no answer before the deadline"),
        Ok(Ok(_)) => Ok(true),
        Ok(Err(error)) => match error.code() {
            Some("ConditionalCheckFailedException") => Ok(false),
            Some("ResourceNotFoundException") => {
                failed(Outcome::Misconfigured, "does not exist in this account and region; correct CODE_TABLE")
            }
            Some("AccessDeniedException") => failed(
                Outcome::Misconfigured,
                "may not be written; allow dynamodb:PutItem on it to the function's role",
            ),
            Some("ValidationException") => failed(
                Outcome::Misconfigured,
                "has another key; its partition key must be the text `code`, and it must have no sort key",
            ),
            Some("ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded") => {
                failed(Outcome::OperatorBusy, "DynamoDB limits how often it is written")
            }
            None if matches!(error, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)) => failed(
                Outcome::OperatorBusy,
                "DynamoDB cannot be reached; a function in a VPC needs an endpoint for it there",
            ),
            _ => failed(
                Outcome::OperatorBusy,
                "cannot be written, because DynamoDB fails; its state is on AWS's health page",
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn use_up(codes: &UsedCodes, code: &str, expires_at: u64, now: u64) -> bool {
        codes.use_up(code, expires_at, now, Deadline::after(Duration::from_secs(1))).await.unwrap()
    }

    #[tokio::test]
    async fn memory_knows_each_code_once_and_stays_small() {
        let codes = UsedCodes::Memory(Mutex::default());
        assert!(use_up(&codes, "a", 1000, 0).await);
        assert!(!use_up(&codes, "a", 1000, 0).await);
        for number in 0..REMEMBERED as u64 + 10 {
            assert!(use_up(&codes, &number.to_string(), 2000 + number, 0).await);
        }
        let UsedCodes::Memory(used) = &codes else { panic!("memory") };
        assert_eq!(used.lock().unwrap().len(), REMEMBERED);
        assert!(use_up(&codes, "another", 100_000, 90_000).await, "expired codes make room");
        assert_eq!(used.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn full_memory_forgets_the_codes_that_expired_a_minute_ago() {
        let codes = UsedCodes::Memory(Mutex::default());
        for number in 0..REMEMBERED as u64 {
            assert!(use_up(&codes, &number.to_string(), 2000 + number, 0).await);
        }
        assert!(use_up(&codes, "another", 10_000, 2061).await);
        let UsedCodes::Memory(used) = &codes else { panic!("memory") };
        assert_eq!(used.lock().unwrap().len(), REMEMBERED - 1, "two expired by 2001, one came");
    }
}
