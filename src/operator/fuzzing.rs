//! What only `fuzz/` needs from outside: the reading of an answer without the sending of a request.

use http::HeaderValue;

use super::error::OperatorError;
use super::{AccessToken, ExpectedIdToken, token, verify};
use crate::transport::Answer;

/// What the token endpoint's answer comes to.
///
/// # Errors
/// See [`Operator::exchange`](super::Operator::exchange).
pub fn read_token(
    answer: &Answer,
    expected_id_token: Option<&ExpectedIdToken>,
    client_id: &str,
) -> Result<AccessToken, OperatorError> {
    token::read_token(answer, expected_id_token, client_id).map(|(access_token, _)| access_token)
}

/// What `verify`'s answer comes to.
///
/// # Errors
/// See [`Operator::verify`](super::Operator::verify).
pub fn read_match(answer: &Answer) -> Result<bool, OperatorError> {
    verify::read_match(answer).map(|(verdict, _)| verdict)
}

/// What goes out with a token.
#[must_use]
pub fn header(access_token: AccessToken) -> HeaderValue {
    access_token.0
}
