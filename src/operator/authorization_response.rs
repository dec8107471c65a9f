//! The authorization response: RFC 6749 §4.1.2 and RFC 9207.

use super::{AuthorizationCode, codes};
use crate::failure::Failure;
use crate::outcome::Outcome;

/// The parameters of the operator's redirect to the callback. They come from a URL, so anyone can have written them.
#[derive(Default, Clone)]
pub struct AuthorizationResponse {
    /// `code`.
    pub code: Option<AuthorizationCode>,
    /// `state`.
    pub state: Option<String>,
    /// `error`.
    pub error: Option<String>,
    /// `iss` (RFC 9207).
    pub iss: Option<String>,
}

/// The longest accepted parameter, in bytes. Codes that are signed tokens take a few kilobytes; API Gateway accepts 10
/// KB of headers and URL.
const MAX_LENGTH: usize = 4096;

impl AuthorizationResponse {
    /// Reads the parameters of the response and ignores all others.
    ///
    /// # Errors
    /// [`Outcome::InvalidRequest`] with the name of a parameter that is repeated (RFC 6749 §3.1) or too long.
    pub fn from_parameters<'p>(parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> Result<Self, Failure> {
        let (mut code, mut state, mut error, mut iss) = (None, None, None, None);
        let (mut error_description, mut error_uri) = (None, None);
        for (name, value) in parameters {
            let parameter = match name {
                "code" => &mut code,
                "state" => &mut state,
                "error" => &mut error,
                "error_description" => &mut error_description,
                "error_uri" => &mut error_uri,
                "iss" => &mut iss,
                _ => continue,
            };
            if parameter.replace(value).is_some() {
                return Err(invalid(format!("parameter {name} came more than once (RFC 6749 §3.1)")));
            }
            if value.len() > MAX_LENGTH {
                return Err(invalid(format!("parameter {name} is longer than {MAX_LENGTH} bytes")));
            }
        }
        // RFC 6749 appendix A.11: a code consists of visible ASCII characters and spaces.
        if code.is_some_and(|code: &str| code.bytes().any(|byte| !(0x20..=0x7e).contains(&byte))) {
            return Err(invalid("parameter code has characters that RFC 6749 does not allow (appendix A.11)"));
        }
        // RFC 6749 §3.1: a parameter without a value counts as omitted.
        let given = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(Self {
            code: given(code).map(AuthorizationCode::new),
            state: given(state),
            error: given(error),
            iss: given(iss),
        })
    }

    /// The `state` of a malformed response, if there is exactly one, and nothing else.
    pub fn with_state_alone<'p>(parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> Self {
        let mut states = parameters.into_iter().filter(|(name, _)| *name == "state").map(|(_, state)| state);
        let state = states.next().filter(|state| !state.is_empty() && state.len() <= MAX_LENGTH);
        Self { state: state.filter(|_| states.next().is_none()).map(str::to_owned), ..Self::default() }
    }

    /// The failure for the operator's `error`, if it sent one (RFC 6749 §4.1.2.1).
    #[must_use]
    pub fn refusal(&self) -> Option<Failure> {
        let (code, outcome) = codes::of_redirect(self.error.as_deref()?);
        let reason = format!("the operator redirected with the error {code}");
        Some(Failure { outcome, reason, code: Some(code), retry_after: None })
    }
}

fn invalid(reason: impl Into<String>) -> Failure {
    Failure::new(Outcome::InvalidRequest, reason)
}

redacted_debug!(AuthorizationResponse);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<AuthorizationResponse, Failure> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        AuthorizationResponse::from_parameters(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    #[test]
    fn parameters_are_read_and_others_ignored() {
        let response =
            read("code=abc&state=A%2Bb&iss=https%3A%2F%2Fop.example&session_state=x&session_state=y").unwrap();
        assert_eq!(response.code.as_ref().map(AuthorizationCode::expose), Some("abc"));
        assert_eq!(response.state.as_deref(), Some("A+b"));
        assert_eq!(response.iss.as_deref(), Some("https://op.example"));
        assert!(response.refusal().is_none());
        assert_eq!(format!("{response:?}"), "AuthorizationResponse([redacted])");
    }

    #[test]
    fn code_with_other_characters_is_refused() {
        for (code, ok) in
            [("SplxlOBeZQQYbYS6WxSbIA", true), ("a b~", true), ("a\0", false), ("é", false), ("a\r\nb", false)]
        {
            let response = AuthorizationResponse::from_parameters([("code", code), ("state", "s")]);
            assert_eq!(response.is_ok(), ok, "{code:?}");
        }
    }

    #[test]
    fn state_of_a_malformed_response_is_read_if_there_is_one() {
        let longest = "x".repeat(MAX_LENGTH);
        let too_long = "x".repeat(MAX_LENGTH + 1);
        for (name, parameters, expected) in [
            ("one", &[("code", "a"), ("code", "b"), ("state", "s")][..], Some("s")),
            ("the longest", &[("state", &*longest)], Some(&*longest)),
            ("none", &[("code", "a")], None),
            ("two", &[("state", "s"), ("state", "s")], None),
            ("an empty one", &[("state", "")], None),
            ("one that is too long", &[("state", &*too_long)], None),
        ] {
            let response = AuthorizationResponse::with_state_alone(parameters.iter().copied());
            assert_eq!(response.state.as_deref(), expected, "{name}");
            assert!(response.code.is_none(), "{name}");
        }
    }

    #[test]
    fn empty_parameter_counts_as_omitted() {
        let response = read("code=&state=&error=&iss=").unwrap();
        assert!(response.code.is_none() && response.state.is_none() && response.iss.is_none());
        assert!(response.refusal().is_none());
    }

    #[test]
    fn repeated_and_overlong_parameters_are_refused_by_name() {
        let long = "x".repeat(MAX_LENGTH + 1);
        for name in ["code", "state", "error", "error_description", "error_uri", "iss"] {
            for query in [format!("{name}=a&{name}=a"), format!("{name}=&{name}=a"), format!("{name}={long}")] {
                let failure = read(&query).expect_err(name);
                assert_eq!(failure.outcome, Outcome::InvalidRequest);
                assert!(failure.reason.contains(&format!("parameter {name} ")), "{failure}");
            }
        }
        assert!(read(&format!("code={}", &long[1..])).is_ok());
    }

    #[test]
    fn unknown_error_is_not_logged() {
        for (error, outcome, code) in [
            ("access_denied", Outcome::AccessDenied, "access_denied"),
            ("login_required", Outcome::NotOnMobileNetwork, "login_required"),
            ("invalid_scope", Outcome::OperatorRefused, "invalid_scope"),
            ("temporarily_unavailable", Outcome::OperatorRefused, "temporarily_unavailable"),
            ("%2B34600000001", Outcome::OperatorRefused, "unknown"),
        ] {
            let failure = read(&format!("error={error}&error_description=%2B34600000001")).unwrap().refusal().unwrap();
            assert_eq!((failure.outcome, failure.code, failure.retry_after), (outcome, Some(code), None), "{error}");
            assert!(!failure.reason.contains("34600000001"), "{failure}");
        }
    }
}
