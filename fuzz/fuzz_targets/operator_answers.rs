//! Any answer of an operator, or of something in front of it: a verdict is read only if there is one, a token can be
//! sent unchanged, and nothing else of the answer reaches the log.
//!
//! The input is a byte that chooses the status, a line that is both `Retry-After` and `WWW-Authenticate`, and the body.

#![no_main]

use std::collections::HashMap;

use http::header::{HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use libfuzzer_sys::fuzz_target;
use number_verification::Failure;
use number_verification::operator::fuzzing::{header, read_match, read_token};
use number_verification::outcome::Outcome;
use number_verification::transport::Answer;
use serde_json::value::RawValue;

const STATUSES: [u16; 16] = [200, 200, 200, 200, 400, 400, 401, 403, 429, 503, 504, 500, 302, 201, 204, 599];

fuzz_target!(|input: &[u8]| {
    let Some((status, rest)) = input.split_first() else { return };
    let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or_default();
    let (header_line, body) = rest.split_at(line);
    let mut headers = HeaderMap::new();
    for name in [RETRY_AFTER, WWW_AUTHENTICATE] {
        headers.extend(HeaderValue::from_bytes(header_line).ok().map(|value| (name, value)));
    }
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let answer = Answer { status, headers, body: body.to_vec(), retried: false };

    match read_match(&answer) {
        Ok(verdict) => {
            assert_eq!(status, 200);
            let said = members(&answer.body)["devicePhoneNumberVerified"].to_string();
            assert_eq!(said, verdict.to_string());
        }
        Err(error) => check_failure(&error),
    }
    match read_token(&answer, None, "us") {
        Ok(token) => {
            assert_eq!(status, 200);
            let said = |name: &str| serde_json::from_str::<String>(members(&answer.body)[name].get()).unwrap();
            assert_eq!(said("token_type").to_ascii_lowercase(), "bearer");
            let shown = format!("{token:?}");
            let header = header(token);
            assert!(header.is_sensitive());
            let token = header.to_str().unwrap().strip_prefix("Bearer ").unwrap();
            assert!(!token.is_empty() && !token.contains(char::is_whitespace));
            assert_eq!(said("access_token"), token);
            assert_eq!(shown, "AccessToken(Sensitive)");
        }
        Err(error) => check_failure(&error),
    }
});

/// The members of an answer; panics if it is not a JSON object. A byte order mark and white space may precede the
/// object, and strings that are not used may contain any bytes: neither changes the members that are.
fn members(body: &[u8]) -> HashMap<String, Box<RawValue>> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = String::from_utf8_lossy(body.trim_ascii_start());
    assert!(text.starts_with('{'), "not an object");
    serde_json::from_str(&text).expect("a JSON object")
}

/// A failure is never an answer about the number, and its reason contains no more than a status and a known code.
fn check_failure(error: &Failure) {
    assert!(!matches!(error.outcome, Outcome::Verified | Outcome::NotVerified));
    assert!(error.retry_after.is_none_or(|seconds| seconds <= 300));
    let digits_in_a_row = |text: &str| text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    assert!(digits_in_a_row(&error.reason) < Some(5), "a number may be in {}", error.reason);
}
