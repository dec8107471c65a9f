//! Why a call to the operator gave no usable answer.

use std::fmt;

use http::header::{CONTENT_ENCODING, RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;

use super::codes;
use super::www_authenticate::challenge_error;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::transport::{Answer, TransportError};

/// The endpoint that was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// The token endpoint.
    Token,
    /// `verify`.
    Verify,
    /// `device-phone-number`.
    DevicePhoneNumber,
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "token endpoint",
            Self::Verify => "verify",
            Self::DevicePhoneNumber => "device-phone-number",
        })
    }
}

/// The longest `Retry-After` that is passed on, in seconds. Nobody waits longer in front of a page.
const MAX_RETRY_AFTER: u64 = 300;

/// The members of an error answer, OAuth's and CAMARA's. Their types are open, so that one of them does not hide the
/// other.
#[derive(Deserialize)]
struct ErrorBody {
    error: Option<Value>,
    code: Option<Value>,
}

impl Called {
    /// The failure of an answer whose status is not 200.
    pub fn refused(self, answer: &Answer) -> Failure {
        let code = error_code(answer);
        let by_code = code.and_then(Result::ok);
        let outcome = match (answer.status, by_code) {
            (429 | 503, _) => Outcome::OperatorBusy,
            (504, _) => Outcome::OperatorTimeout,
            // Gateways in front of operators word it in many ways, some without a body.
            (401, _) if self == Self::Token => Outcome::Misconfigured,
            // A gateway that fails with a 5xx is believed only about its own state.
            (400..500, Some((_, outcome)))
            | (500.., Some((_, outcome @ (Outcome::OperatorBusy | Outcome::OperatorTimeout)))) => outcome,
            _ => Outcome::OperatorError,
        };
        let code = code.map(|code| code.map_or(codes::UNKNOWN, |(name, _)| name));
        let with_code = code.map_or_else(|| without_code(answer), |code| format!(" with code {code}"));
        let fix = if outcome == Outcome::Misconfigured { self.fix(answer.status, code) } else { "" };
        Failure {
            outcome,
            reason: format!("{self}: expected 200, got {}{with_code}{fix}", answer.status),
            code,
            retry_after: (outcome == Outcome::OperatorBusy).then(|| retry_after(answer)).flatten(),
        }
    }

    fn fix(self, status: u16, code: Option<&str>) -> &'static str {
        match (self, status) {
            _ if code == Some("invalid_dpop_proof") => {
                "; the operator wants a proof, or does not accept ours: check DPOP, and the endpoint as the operator \
                 knows it"
            }
            (Self::Token, 401) => {
                "; the operator does not accept the client: check the client_id, its secret or key, and \
                 TOKEN_ENDPOINT_AUTH_METHOD"
            }
            (Self::Token, _) => "; check the client's registration with the operator, and SCOPE",
            (Self::Verify, _) => {
                "; the token may not be used for this call: check SCOPE, and the client's registration with the operator"
            }
            (Self::DevicePhoneNumber, _) => {
                "; the token may not be used for this call: check RETRIEVE_SCOPE, and whether the client may retrieve numbers"
            }
        }
    }

    /// The failure of a 200 whose body is not what the protocol says. `expected` is a clause that follows "but".
    pub fn malformed(self, expected: &str, answer: &Answer) -> Failure {
        let body = unreadable(answer).map_or_else(String::new, |fault| format!(": {fault}"));
        Failure::new(Outcome::OperatorError, format!("{self}: answered 200, but {expected}{body}"))
    }

    /// The failure of a token that is not bound to our key.
    pub fn unbound(self) -> Failure {
        let reason = format!(
            "{self}: the token's type is Bearer although DPOP is on; ask the operator to bind the client's tokens, or \
             accept this with DPOP=preferred"
        );
        Failure::new(Outcome::Misconfigured, reason)
    }

    /// The failure of a request for which no proof could be written.
    pub fn unprovable(self) -> Failure {
        Failure::new(Outcome::Misconfigured, format!("{self}: no DPoP proof could be signed"))
    }

    /// The failure of a request that got no answer.
    pub fn unanswered(self, error: &TransportError) -> Failure {
        let outcome = match error {
            TransportError::TimedOut => Outcome::OperatorTimeout,
            TransportError::Unreachable(_) | TransportError::Untrusted(_) | TransportError::TooLarge => {
                Outcome::OperatorError
            }
        };
        let fix = match error {
            TransportError::Untrusted(_) => {
                "; if the operator has a certificate authority of its own, give its certificate in OPERATOR_CA_FILE"
            }
            _ => "",
        };
        Failure::new(outcome, format!("{self}: {error}{fix}"))
    }
}

/// The error code of an answer: the first one that the table knows, of the body's members and `WWW-Authenticate`. `Err`
/// if there are only codes that it does not know.
fn error_code(answer: &Answer) -> Option<Result<(&'static str, Outcome), UnknownCode>> {
    let text = |member: Option<Value>| member.as_ref().and_then(Value::as_str).map(str::to_owned);
    let (error, code) =
        answer.json_object().map_or((None, None), |body: ErrorBody| (text(body.error), text(body.code)));
    let challenge = challenge_error(&answer.headers);
    // Beside these, the body of an API's 401 only repeats that the request is not authenticated.
    let (proof, challenge) =
        challenge.map_or((None, None), |challenge| match challenge.to_ascii_lowercase().as_str() {
            "use_dpop_nonce" | "invalid_dpop_proof" => (Some(challenge), None),
            _ => (None, Some(challenge)),
        });
    let codes: Vec<_> = [proof, error, code, challenge].into_iter().flatten().collect();
    let known = codes.iter().find_map(|code| codes::known(code)).map(Ok);
    known.or_else(|| (!codes.is_empty()).then_some(Err(UnknownCode)))
}

/// A code that the table does not know.
#[derive(Clone, Copy)]
struct UnknownCode;

/// Why no code was found.
fn without_code(answer: &Answer) -> String {
    unreadable(answer).map_or_else(String::new, |fault| format!(" without a code: {fault}"))
}

/// Why a body is not JSON, if that can be said without quoting it.
fn unreadable(answer: &Answer) -> Option<&'static str> {
    let compressed = answer.headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    let body = answer.body.trim_ascii_start();
    match body.first() {
        _ if compressed => Some("the body is compressed although identity was asked for"),
        None => Some("the body is empty"),
        Some(b'<') => Some("the body is HTML or XML"),
        Some(b'{') => None,
        Some(_) => Some("the body is not a JSON object"),
    }
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3), capped. Its date form is not passed on.
fn retry_after(answer: &Answer) -> Option<u64> {
    let seconds: u64 = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        let header = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let headers: HeaderMap = headers.iter().copied().map(header).collect();
        Answer { status, headers, body: body.into(), retried: false }
    }

    #[test]
    fn token_answers() {
        for (status, body, outcome) in [
            (400, r#"{"error":"invalid_grant"}"#, Outcome::ExpiredCode),
            (400, r#"{"error":"Invalid_Grant"}"#, Outcome::ExpiredCode),
            (401, r#"{"error":"invalid_client"}"#, Outcome::Misconfigured),
            (401, r#"{"error":"INVALID_CLIENT"}"#, Outcome::Misconfigured),
            (401, r#"{"error":"unauthorized_client"}"#, Outcome::Misconfigured),
            (401, r#"{"message":"Unauthorized"}"#, Outcome::Misconfigured),
            (401, r#"{"error":"invalid_grant"}"#, Outcome::Misconfigured),
            (401, "", Outcome::Misconfigured),
            (401, "<html>", Outcome::Misconfigured),
            (400, r#"{"error":"invalid_client"}"#, Outcome::Misconfigured),
            (400, r#"{"error":"INVALID_CLIENT"}"#, Outcome::Misconfigured),
            (400, r#"{"error":"unauthorized_client"}"#, Outcome::Misconfigured),
            (400, r#"{"error":"invalid_scope"}"#, Outcome::Misconfigured),
            (400, r#"{"error":"invalid_request"}"#, Outcome::OperatorError),
            (400, r#"{"error":"temporarily_unavailable"}"#, Outcome::OperatorBusy),
            (400, "<html>", Outcome::OperatorError),
            (403, "", Outcome::OperatorError),
            (400, r#"{"error":{"code":"invalid_grant"}}"#, Outcome::OperatorError),
            (400, r#"{"error":"invalid_grant","code":400}"#, Outcome::ExpiredCode),
            (400, r#"{"error":null,"code":"invalid_grant"}"#, Outcome::ExpiredCode),
            (400, r#"{"error":"Bad Request","code":"invalid_grant"}"#, Outcome::ExpiredCode),
            (500, r#"{"error":"invalid_grant"}"#, Outcome::OperatorError),
            (500, r#"{"error":"temporarily_unavailable"}"#, Outcome::OperatorBusy),
            (302, "", Outcome::OperatorError),
            (204, "", Outcome::OperatorError),
            (429, "", Outcome::OperatorBusy),
            (503, "<html>", Outcome::OperatorBusy),
            (504, "<html>", Outcome::OperatorTimeout),
        ] {
            assert_eq!(Called::Token.refused(&answer(status, &[], body)).outcome, outcome, "{status} {body}");
        }
    }

    #[test]
    fn verify_answers() {
        for (status, code, outcome) in [
            (403, "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK", Outcome::NotOnMobileNetwork),
            (403, "Number_Verification.User_Not_Authenticated_By_Mobile_Network", Outcome::NotOnMobileNetwork),
            (403, "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_SUPPORTED_METHOD", Outcome::NotOnMobileNetwork),
            (403, "user_not_authenticated_by_supported_method", Outcome::NotOnMobileNetwork),
            (403, "PERMISSION_DENIED", Outcome::Misconfigured),
            (403, "insufficient_scope", Outcome::Misconfigured),
            (403, "NUMBER_VERIFICATION.INVALID_TOKEN_CONTEXT", Outcome::OperatorError),
            (403, "NUMBER_VERIFICATION.INVALID_TS43_TOKEN", Outcome::ExpiredCode),
            (422, "SERVICE_NOT_APPLICABLE", Outcome::NotCovered),
            (404, "IDENTIFIER_NOT_FOUND", Outcome::NotCovered),
            (404, "NOT_FOUND", Outcome::OperatorError),
            (401, "UNAUTHENTICATED", Outcome::OperatorError),
            (401, "something_new", Outcome::OperatorError),
            (400, "INVALID_ARGUMENT", Outcome::OperatorError),
            (429, "TOO_MANY_REQUESTS", Outcome::OperatorBusy),
            (503, "UNAVAILABLE", Outcome::OperatorBusy),
            (504, "TIMEOUT", Outcome::OperatorTimeout),
            (500, "INTERNAL", Outcome::OperatorError),
        ] {
            let body = format!(r#"{{"status":{status},"code":"{code}","message":"…"}}"#);
            assert_eq!(Called::Verify.refused(&answer(status, &[], &body)).outcome, outcome, "{status} {code}");
        }
    }

    #[test]
    fn a_code_in_www_authenticate_counts_unless_the_body_has_a_known_one() {
        const INSUFFICIENT: (&str, &str) = ("www-authenticate", r#"Bearer realm="nv", error="insufficient_scope""#);
        const NONCE: (&str, &str) = ("www-authenticate", r#"DPoP algs="ES256", error="use_dpop_nonce""#);
        const PROOF: (&str, &str) = ("www-authenticate", r#"DPoP error="invalid_dpop_proof""#);
        const INVALID: (&str, &str) = ("www-authenticate", r#"Bearer error="invalid_token""#);
        for (status, header, body, outcome, code) in [
            (403, INSUFFICIENT, "", Outcome::Misconfigured, "insufficient_scope"),
            (403, INSUFFICIENT, "<html>", Outcome::Misconfigured, "insufficient_scope"),
            (403, INSUFFICIENT, r#"{"code":"FORBIDDEN"}"#, Outcome::Misconfigured, "insufficient_scope"),
            (403, INSUFFICIENT, r#"{"code":"INVALID_TOKEN_CONTEXT"}"#, Outcome::OperatorError, "INVALID_TOKEN_CONTEXT"),
            (401, INVALID, "", Outcome::OperatorError, "invalid_token"),
            (403, ("www-authenticate", r#"Bearer error="no""#), "", Outcome::OperatorError, "unknown"),
            (401, NONCE, r#"{"code":"UNAUTHENTICATED"}"#, Outcome::OperatorError, "use_dpop_nonce"),
            (401, PROOF, r#"{"code":"UNAUTHENTICATED"}"#, Outcome::Misconfigured, "invalid_dpop_proof"),
        ] {
            let failure = Called::Verify.refused(&answer(status, &[header], body));
            assert_eq!((failure.outcome, failure.code), (outcome, Some(code)), "{header:?} {body}");
        }
    }

    #[test]
    fn the_reason_says_what_came_and_what_to_do() {
        const GZIP: &[(&str, &str)] = &[("content-encoding", "gzip")];
        assert_eq!(Called::Verify.refused(&answer(500, &[], "{}")).reason, "verify: expected 200, got 500");
        for (failure, reason) in [
            (
                Called::Token.refused(&answer(401, &[], "")),
                "expected 200, got 401 without a code: the body is empty; the",
            ),
            (
                Called::Token.refused(&answer(401, &[], r#"{"error":"INVALID_CLIENT"}"#)),
                "with code invalid_client; the",
            ),
            (Called::Token.refused(&answer(401, &[], "{}")), "TOKEN_ENDPOINT_AUTH_METHOD"),
            (Called::Token.refused(&answer(400, &[], r#"{"error":"invalid_scope"}"#)), "SCOPE"),
            (Called::Verify.refused(&answer(403, &[], r#"{"code":"PERMISSION_DENIED"}"#)), "SCOPE"),
            (Called::Token.refused(&answer(400, &[], r#"{"error":"invalid_dpop_proof"}"#)), "check DPOP"),
            (Called::Verify.refused(&answer(404, &[], "<html>")), "got 404 without a code: the body is HTML or XML"),
            (Called::Verify.refused(&answer(400, GZIP, "\u{1f}")), "compressed although identity was asked for"),
            (Called::Verify.malformed("it is odd", &answer(200, GZIP, "{}")), "but it is odd: the body is compressed"),
            (Called::Verify.malformed("it is odd", &answer(200, &[], "")), "but it is odd: the body is empty"),
            (Called::Verify.malformed("it is odd", &answer(200, &[], "[true]")), "the body is not a JSON object"),
            (Called::Verify.unanswered(&TransportError::Untrusted(String::new())), "OPERATOR_CA_FILE"),
        ] {
            assert!(failure.reason.contains(reason), "{reason}: {failure}");
        }
    }

    #[test]
    fn only_known_codes_reach_the_log() {
        for (body, code) in [
            (r#"{"error":"invalid_grant"}"#, Some("invalid_grant")),
            (r#"{"code":"NUMBER_VERIFICATION.INVALID_TOKEN_CONTEXT"}"#, Some("INVALID_TOKEN_CONTEXT")),
            (r#"{"error":"+34600000001"}"#, Some("unknown")),
            (r#"{"error":"invalid_grant\n"}"#, Some("unknown")),
            (r#"{"message":"+34600000001"}"#, None),
        ] {
            let failure = Called::Token.refused(&answer(400, &[], body));
            assert_eq!(failure.code, code, "{body}");
            assert!(!failure.reason.contains("34600000001") && !failure.reason.contains('\n'), "{failure}");
        }
    }

    #[test]
    fn retry_after_is_passed_on_in_seconds_and_capped() {
        for (status, value, expected) in [
            (429, "30", Some(30)),
            (503, "30", Some(30)),
            (429, "86400", Some(300)),
            (429, "-1", None),
            (429, "soon", None),
            (400, "30", None),
        ] {
            let failure = Called::Verify.refused(&answer(status, &[("retry-after", value)], ""));
            assert_eq!(failure.retry_after, expected, "{status} {value}");
        }
    }
}
