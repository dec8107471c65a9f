//! Reads an answer without sending a request; for `fuzz/` only.

use http::{HeaderMap, HeaderValue};

use super::{AccessToken, ExpectedIdToken, token, verify};
use crate::failure::Failure;
use crate::transport::Answer;

/// Reads an answer of the token endpoint.
///
/// # Errors
/// See [`Operator::exchange`](super::Operator::exchange).
pub fn read_token(
    answer: &Answer,
    expected_id_token: Option<&ExpectedIdToken>,
    client_id: &str,
) -> Result<AccessToken, Failure> {
    token::read_token(answer, expected_id_token, client_id, &HeaderMap::new(), None)
}

/// Reads an answer of `verify`.
///
/// # Errors
/// See [`Operator::verify`](super::Operator::verify).
pub fn read_match(answer: &Answer) -> Result<bool, Failure> {
    verify::read_match(answer)
}

/// The `Authorization` header that sends a token.
#[must_use]
pub fn header(access_token: AccessToken) -> HeaderValue {
    access_token.authorization
}
