//! The settings of an operator.

use std::fmt;

pub(super) const OPERATOR: &str = "OPERATOR";
pub(super) const BASE_URL: &str = "OPERATOR_BASE_URL";
pub(super) const AUTHORIZATION: &str = "AUTHORIZATION_ENDPOINT";
pub(super) const TOKEN: &str = "TOKEN_ENDPOINT";
pub(super) const VERIFY: &str = "VERIFY_ENDPOINT";

/// The variables about an operator, as text. An empty variable is `None`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `OPERATOR`.
    pub operator: Option<String>,
    /// `OPERATOR_BASE_URL`.
    pub base_url: Option<String>,
    /// `AUTHORIZATION_ENDPOINT`.
    pub authorization_endpoint: Option<String>,
    /// `TOKEN_ENDPOINT`.
    pub token_endpoint: Option<String>,
    /// `VERIFY_ENDPOINT`.
    pub verify_endpoint: Option<String>,
    /// `TOKEN_ENDPOINT_AUTH_METHOD`.
    pub token_endpoint_auth_method: Option<String>,
    /// `SCOPE`.
    pub scope: Option<String>,
    /// `PKCE`.
    pub pkce: Option<String>,
    /// `PROMPT`.
    pub prompt: Option<String>,
    /// `LOGIN_HINT`.
    pub login_hint: Option<String>,
    /// `ISSUER`.
    pub issuer: Option<String>,
    /// `PHONE_NUMBER_FORMAT`.
    pub phone_number_format: Option<String>,
}

/// A setting that cannot be used. Its text is one line: the variable, the fault and the fix. It never contains the
/// value, which may be a secret in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// The name of the variable.
    pub variable: &'static str,
    /// The fault and how to fix it.
    pub fault: String,
}

impl SettingError {
    /// Creates the error for a variable.
    pub fn new(variable: &'static str, fault: impl Into<String>) -> Self {
        Self { variable, fault: fault.into() }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "environment variable {}: {}", self.variable, self.fault)
    }
}

impl std::error::Error for SettingError {}

impl Settings {
    /// Reads the variables, which `get` finds; it returns `None` for an empty one.
    pub fn from_variables(get: impl Fn(&'static str) -> Option<String>) -> Self {
        Self {
            operator: get(OPERATOR),
            base_url: get(BASE_URL),
            authorization_endpoint: get(AUTHORIZATION),
            token_endpoint: get(TOKEN),
            verify_endpoint: get(VERIFY),
            token_endpoint_auth_method: get("TOKEN_ENDPOINT_AUTH_METHOD"),
            scope: get("SCOPE"),
            pkce: get("PKCE"),
            prompt: get("PROMPT"),
            login_hint: get("LOGIN_HINT"),
            issuer: get("ISSUER"),
            phone_number_format: get("PHONE_NUMBER_FORMAT"),
        }
    }
}
