//! What went wrong at the operator, and which outcome that is.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::outcome::Outcome;
use crate::transport::{Answer, TransportError};

/// An operator's call that brought no answer to the question asked.
#[derive(Debug)]
pub struct OperatorError {
    /// What it means for the verification.
    pub outcome: Outcome,
    /// What was expected and what came. No data from the answer but its status and error code.
    pub says: String,
    /// What the log needs.
    pub evidence: Evidence,
    /// The operator's `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

/// What is logged of an operator's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// The OAuth or CAMARA error code in it.
    pub code: Option<ErrorCode>,
    /// Whether the request was sent twice.
    pub retried: bool,
}

/// An OAuth or CAMARA error code that is safe to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCode(String);

/// Longer than any code in the specifications.
const MAX_CODE_LENGTH: usize = 80;
/// More of them than the version of a specification has are somebody's data.
const MAX_DIGITS: usize = 2;
/// A longer `Retry-After` helps nobody who waits in front of a page.
const MAX_RETRY_AFTER: u64 = 300;

impl ErrorCode {
    /// Takes a code made of words, as all of the specifications are. RFC 6749 §5.2 allows more characters, which
    /// could as well be somebody's number, code or token.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let in_words = code.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        let few_digits = code.bytes().filter(u8::is_ascii_digit).count() <= MAX_DIGITS;
        let fits = (1..=MAX_CODE_LENGTH).contains(&code.len());
        (fits && in_words && few_digits).then(|| Self(code.to_owned()))
    }

    /// The code as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Every error code of the specifications, and what it comes to. A code that is not here is an `operator_error`.
#[rustfmt::skip]
const CODES: [(&str, Outcome); 53] = [
    // RFC 6749 §4.1.2.1, the redirect from the authorization endpoint
    ("access_denied",              Outcome::AccessDenied),
    ("invalid_request",            Outcome::OperatorError),
    ("invalid_scope",              Outcome::Misconfigured),
    ("server_error",               Outcome::OperatorError),
    ("temporarily_unavailable",    Outcome::OperatorBusy),
    ("unauthorized_client",        Outcome::Misconfigured),
    ("unsupported_response_type",  Outcome::OperatorError),
    // RFC 6749 §5.2, the token endpoint
    ("invalid_client",             Outcome::Misconfigured),
    ("invalid_grant",              Outcome::ExpiredCode),
    ("unsupported_grant_type",     Outcome::OperatorError),
    // OpenID Connect Core §3.1.2.6, and Unmet Authentication Requirements §2
    ("account_selection_required", Outcome::AccessDenied),
    ("consent_required",           Outcome::AccessDenied),
    ("interaction_required",       Outcome::AccessDenied),
    ("login_required",             Outcome::AccessDenied),
    ("invalid_request_object",     Outcome::OperatorError),
    ("invalid_request_uri",        Outcome::OperatorError),
    ("registration_not_supported", Outcome::OperatorError),
    ("request_not_supported",      Outcome::OperatorError),
    ("request_uri_not_supported",  Outcome::OperatorError),
    ("unmet_authentication_requirements", Outcome::AccessDenied),
    // RFC 6750 §3.1 and RFC 9449 §12.2, a protected API; the CAMARA profile allows both
    ("insufficient_scope",         Outcome::Misconfigured),
    ("invalid_token",              Outcome::OperatorError),
    ("invalid_dpop_proof",         Outcome::OperatorError),
    ("use_dpop_nonce",             Outcome::OperatorError),
    // CAMARA Number Verification
    ("USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK", Outcome::NotOnMobileNetwork),
    // CAMARA Commonalities, API Design Guide §3
    ("ABORTED",                    Outcome::OperatorError),
    ("ALREADY_EXISTS",             Outcome::OperatorError),
    ("AUTHENTICATION_REQUIRED",    Outcome::OperatorError),
    ("BAD_GATEWAY",                Outcome::OperatorError),
    ("CONFLICT",                   Outcome::OperatorError),
    ("FAILED_PRECONDITION",        Outcome::OperatorError),
    ("GONE",                       Outcome::OperatorError),
    ("IDENTIFIER_NOT_FOUND",       Outcome::OperatorError),
    ("INCOMPATIBLE_STATE",         Outcome::OperatorError),
    ("INTERNAL",                   Outcome::OperatorError),
    ("INVALID_ARGUMENT",           Outcome::OperatorError),
    ("INVALID_TOKEN_CONTEXT",      Outcome::OperatorError),
    ("METHOD_NOT_ALLOWED",         Outcome::OperatorError),
    ("MISSING_IDENTIFIER",         Outcome::OperatorError),
    ("NOT_ACCEPTABLE",             Outcome::OperatorError),
    ("NOT_FOUND",                  Outcome::OperatorError),
    ("NOT_IMPLEMENTED",            Outcome::OperatorError),
    ("OUT_OF_RANGE",               Outcome::OperatorError),
    ("PERMISSION_DENIED",          Outcome::Misconfigured),
    ("QUOTA_EXCEEDED",             Outcome::OperatorBusy),
    ("SERVICE_NOT_APPLICABLE",     Outcome::OperatorError),
    ("TIMEOUT",                    Outcome::OperatorTimeout),
    ("TOO_MANY_REQUESTS",          Outcome::OperatorBusy),
    ("UNAUTHENTICATED",            Outcome::OperatorError),
    ("UNAVAILABLE",                Outcome::OperatorBusy),
    ("UNNECESSARY_IDENTIFIER",     Outcome::OperatorError),
    ("UNSUPPORTED_IDENTIFIER",     Outcome::OperatorError),
    ("UNSUPPORTED_MEDIA_TYPE",     Outcome::OperatorError),
];

/// What an error code comes to, whichever of the operator's answers it stands in. Operators write CAMARA's codes in
/// several letter cases, with and without the API's name in front.
#[must_use]
pub fn outcome_of(code: &str) -> Outcome {
    const API: &str = "NUMBER_VERIFICATION.";
    let code = match code.split_at_checked(API.len()) {
        Some((api, rest)) if api.eq_ignore_ascii_case(API) => rest,
        _ => code,
    };
    let row = CODES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code));
    row.map_or(Outcome::OperatorError, |(_, outcome)| *outcome)
}

/// The members of an error answer, OAuth's and CAMARA's. Of any type, so that one of them does not hide the other.
#[derive(Deserialize)]
struct ErrorBody {
    error: Option<Value>,
    code: Option<Value>,
}

impl OperatorError {
    /// The token endpoint answered with another status than 200.
    pub(super) fn token_refused(answer: &Answer) -> Self {
        Self::refused("token endpoint", answer)
    }

    /// `verify` answered with another status than 200.
    pub(super) fn verify_refused(answer: &Answer) -> Self {
        Self::refused("verify", answer)
    }

    fn refused(whose: &str, answer: &Answer) -> Self {
        let body: Option<ErrorBody> = answer.json_object();
        let code = body.and_then(|body| [body.error, body.code].into_iter().flatten().find(Value::is_string));
        let code = code.as_ref().and_then(Value::as_str);
        let outcome = match answer.status {
            429 | 503 => Outcome::OperatorBusy,
            400..500 => code.map_or(Outcome::OperatorError, outcome_of),
            504 => Outcome::OperatorTimeout,
            _ => Outcome::OperatorError,
        };
        let code = code.and_then(ErrorCode::new);
        let with_code = code.as_ref().map_or(String::new(), |code| format!(" with code {}", code.as_str()));
        Self {
            outcome,
            says: format!("{whose}: expected 200, got {}{with_code}", answer.status),
            evidence: Evidence { status: Some(answer.status), code, retried: answer.retried },
            retry_after: (outcome == Outcome::OperatorBusy).then(|| retry_after(answer)).flatten(),
        }
    }

    /// A 200 whose body is not what the protocol says.
    pub(super) fn malformed(whose: &str, expected: &str, answer: &Answer) -> Self {
        Self {
            outcome: Outcome::OperatorError,
            says: format!("{whose}: answered 200, but {expected}"),
            evidence: Evidence { status: Some(answer.status), code: None, retried: answer.retried },
            retry_after: None,
        }
    }

    /// No answer.
    pub(super) fn unanswered(whose: &str, error: &TransportError) -> Self {
        Self {
            outcome: match error {
                TransportError::TimedOut => Outcome::OperatorTimeout,
                TransportError::Unreachable(_) | TransportError::Untrusted(_) | TransportError::TooLarge => {
                    Outcome::OperatorError
                }
            },
            says: match error {
                TransportError::Untrusted(_) => format!(
                    "{whose}: {error}; if the operator has an authority of its own, give its certificate in OPERATOR_CA_FILE"
                ),
                _ => format!("{whose}: {error}"),
            },
            evidence: Evidence::default(),
            retry_after: None,
        }
    }
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3), capped. Its date form is not passed on.
fn retry_after(answer: &Answer) -> Option<u64> {
    let seconds: u64 = answer.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.min(MAX_RETRY_AFTER))
}

impl fmt::Display for OperatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

impl std::error::Error for OperatorError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .collect();
        Answer { status, headers, body: body.into(), retried: false }
    }

    /// Against lists taken from the specifications by themselves, so that none is forgotten in the table.
    #[test]
    fn every_code_of_the_specifications_has_its_outcome() {
        for (outcome, codes) in [
            (
                Outcome::AccessDenied,
                "access_denied consent_required login_required interaction_required account_selection_required \
                 unmet_authentication_requirements",
            ),
            (
                Outcome::Misconfigured,
                "unauthorized_client invalid_scope invalid_client insufficient_scope PERMISSION_DENIED",
            ),
            (Outcome::ExpiredCode, "invalid_grant"),
            (Outcome::OperatorBusy, "temporarily_unavailable QUOTA_EXCEEDED TOO_MANY_REQUESTS UNAVAILABLE"),
            (Outcome::OperatorTimeout, "TIMEOUT"),
            (
                Outcome::NotOnMobileNetwork,
                "USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK \
                 NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK \
                 Number_Verification.User_Not_Authenticated_By_Mobile_Network",
            ),
            (
                Outcome::OperatorError,
                "invalid_request unsupported_response_type server_error unsupported_grant_type invalid_request_uri \
                 invalid_request_object request_not_supported request_uri_not_supported registration_not_supported \
                 invalid_token invalid_dpop_proof use_dpop_nonce \
                 INVALID_ARGUMENT OUT_OF_RANGE UNAUTHENTICATED AUTHENTICATION_REQUIRED INVALID_TOKEN_CONTEXT \
                 NUMBER_VERIFICATION.INVALID_TOKEN_CONTEXT NOT_FOUND IDENTIFIER_NOT_FOUND METHOD_NOT_ALLOWED \
                 NOT_ACCEPTABLE ABORTED ALREADY_EXISTS CONFLICT INCOMPATIBLE_STATE GONE FAILED_PRECONDITION UNSUPPORTED_MEDIA_TYPE \
                 UNSUPPORTED_IDENTIFIER UNNECESSARY_IDENTIFIER SERVICE_NOT_APPLICABLE MISSING_IDENTIFIER INTERNAL \
                 NOT_IMPLEMENTED BAD_GATEWAY",
            ),
        ] {
            for code in codes.split_ascii_whitespace() {
                assert_eq!(outcome_of(code), outcome, "{code}");
                let bare = code.rsplit('.').next().unwrap_or_default();
                let rows = CODES.iter().filter(|(known, _)| known.eq_ignore_ascii_case(bare)).count();
                assert_eq!(rows, 1, "{code} is in the table once");
            }
        }
        for unknown in ["", "something_new", "NUMBER_VERIFICATION.", "número_verification.x"] {
            assert_eq!(outcome_of(unknown), Outcome::OperatorError, "{unknown}");
        }
    }

    #[test]
    fn token_answers() {
        for (status, body, outcome) in [
            (400, r#"{"error":"invalid_grant"}"#, Outcome::ExpiredCode),
            (401, r#"{"error":"invalid_client"}"#, Outcome::Misconfigured),
            (400, r#"{"error":"unauthorized_client"}"#, Outcome::Misconfigured),
            (400, r#"{"error":"invalid_scope"}"#, Outcome::Misconfigured),
            (400, r#"{"error":"invalid_request"}"#, Outcome::OperatorError),
            (400, "<html>", Outcome::OperatorError),
            (400, r#"{"error":{"code":"invalid_grant"}}"#, Outcome::OperatorError),
            (400, r#"{"error":"invalid_grant","code":400}"#, Outcome::ExpiredCode),
            (400, r#"{"error":null,"code":"invalid_grant"}"#, Outcome::ExpiredCode),
            (500, r#"{"error":"invalid_grant"}"#, Outcome::OperatorError),
            (302, "", Outcome::OperatorError),
            (204, "", Outcome::OperatorError),
            (429, "", Outcome::OperatorBusy),
            (503, "<html>", Outcome::OperatorBusy),
            (504, "<html>", Outcome::OperatorTimeout),
        ] {
            assert_eq!(OperatorError::token_refused(&answer(status, &[], body)).outcome, outcome, "{status} {body}");
        }
    }

    #[test]
    fn verify_answers() {
        for (status, code, outcome) in [
            (403, "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK", Outcome::NotOnMobileNetwork),
            (403, "USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK", Outcome::NotOnMobileNetwork),
            (403, "Number_Verification.User_Not_Authenticated_By_Mobile_Network", Outcome::NotOnMobileNetwork),
            (403, "PERMISSION_DENIED", Outcome::Misconfigured),
            (403, "NUMBER_VERIFICATION.INVALID_TOKEN_CONTEXT", Outcome::OperatorError),
            (401, "UNAUTHENTICATED", Outcome::OperatorError),
            (400, "INVALID_ARGUMENT", Outcome::OperatorError),
            (429, "TOO_MANY_REQUESTS", Outcome::OperatorBusy),
            (503, "UNAVAILABLE", Outcome::OperatorBusy),
            (504, "TIMEOUT", Outcome::OperatorTimeout),
            (500, "INTERNAL", Outcome::OperatorError),
        ] {
            let body = format!(r#"{{"status":{status},"code":"{code}","message":"…"}}"#);
            assert_eq!(OperatorError::verify_refused(&answer(status, &[], &body)).outcome, outcome, "{status} {code}");
        }
    }

    #[test]
    fn retry_after_is_passed_on_in_seconds_and_capped() {
        for (value, expected) in [("30", Some(30)), ("86400", Some(300)), ("-1", None), ("soon", None)] {
            let error = OperatorError::verify_refused(&answer(429, &[("retry-after", value)], ""));
            assert_eq!(error.retry_after, expected, "{value}");
        }
    }

    #[test]
    fn only_codes_that_are_safe_to_log_are_kept() {
        for (code, kept) in [
            ("invalid_grant", true),
            ("NUMBER_VERIFICATION.INVALID_TOKEN_CONTEXT", true),
            ("", false),
            ("line\nbreak", false),
            ("quote\"", false),
            ("número", false),
            ("not +34600000001", false),
            ("+34 600 000 001", false),
            ("invalid code SplxlOBeZQQYbYS6WxSbIA", false),
            ("SplxlOBe2QQ4bYS6WxSbIA", false),
            (&"x".repeat(81)[..], false),
        ] {
            assert_eq!(ErrorCode::new(code).is_some(), kept, "{code:?}");
        }
    }
}
