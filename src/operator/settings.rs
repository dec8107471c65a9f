//! The settings of an operator.

use std::fmt;

use url::Url;

use super::{OperatorName, secure_url};
use crate::phone_number::PhoneNumber;

pub(super) const OPERATOR: &str = "OPERATOR";
pub(super) const BASE_URL: &str = "OPERATOR_BASE_URL";
pub(super) const AUTHORIZATION: &str = "AUTHORIZATION_ENDPOINT";
pub(super) const TOKEN: &str = "TOKEN_ENDPOINT";
pub(super) const VERIFY: &str = "VERIFY_ENDPOINT";
pub(super) const DEVICE_PHONE_NUMBER: &str = "DEVICE_PHONE_NUMBER_ENDPOINT";
pub(super) const DISCOVERY_URL: &str = "OPERATOR_DISCOVERY_URL";
/// The variable with the settings of several operators.
pub const OPERATORS: &str = "OPERATORS";
/// The variable that lets users have their operator name their number.
pub const RETRIEVE_NUMBER: &str = "RETRIEVE_NUMBER";
pub(super) const RETRIEVE_SCOPE: &str = "RETRIEVE_SCOPE";

/// The settings of one operator: its place in `OPERATORS`, and the variables about it as text. An empty variable is
/// `None`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The name in `OPERATORS`; `None` for the only operator.
    pub name: Option<OperatorName>,
    /// The beginnings of the numbers that the operator serves, each a `+` and digits; empty for the only operator, which
    /// serves every number.
    pub prefixes: Vec<String>,
    /// True if the operator is chosen among those with the same prefix.
    pub is_default: bool,
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
    /// `OPERATOR_DISCOVERY_URL`.
    pub discovery_url: Option<String>,
    /// `DEVICE_PHONE_NUMBER_ENDPOINT`.
    pub device_phone_number_endpoint: Option<String>,
    /// `RETRIEVE_NUMBER`.
    pub retrieve_number: Option<String>,
    /// `RETRIEVE_SCOPE`.
    pub retrieve_scope: Option<String>,
    /// `REQUEST_OBJECT`.
    pub request_object: Option<String>,
    /// `DPOP`.
    pub dpop: Option<String>,
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
    pub fn from_variables(mut get: impl FnMut(&'static str) -> Option<String>) -> Self {
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
            discovery_url: get(DISCOVERY_URL),
            device_phone_number_endpoint: get(DEVICE_PHONE_NUMBER),
            retrieve_number: get(RETRIEVE_NUMBER),
            retrieve_scope: get(RETRIEVE_SCOPE),
            request_object: get("REQUEST_OBJECT"),
            dpop: get("DPOP"),
            ..Self::default()
        }
    }

    /// The length of the longest prefix that a number begins with.
    pub(super) fn longest_prefix(&self, phone_number: &PhoneNumber) -> Option<usize> {
        let fitting = self.prefixes.iter().filter(|prefix| phone_number.expose().starts_with(prefix.as_str()));
        fitting.map(String::len).max()
    }

    /// The address of the operator's discovery document.
    pub(super) fn discovery_url(&self) -> Result<Option<Url>, SettingError> {
        let url = self.discovery_url.as_deref().map(secure_url).transpose();
        url.map_err(|fault| self.located(SettingError::new(DISCOVERY_URL, fault)))
    }

    /// A fault with its place: if the operator is one of several, the member of `OPERATORS`.
    pub(super) fn located(&self, error: SettingError) -> SettingError {
        let Some(name) = &self.name else { return error };
        SettingError::new(OPERATORS, format!("{name}.{}: {}", self.called(error.variable), error.fault))
    }

    /// The name under which the owner sets a variable: its member in `OPERATORS` if the operator is one of several.
    pub(super) fn called(&self, variable: &str) -> String {
        if self.name.is_some() { member_of(variable) } else { variable.to_owned() }
    }
}

/// The member of an operator in `OPERATORS` that stands for a variable: its name in lower case without `OPERATOR_`.
#[must_use]
pub fn member_of(variable: &str) -> String {
    variable.strip_prefix("OPERATOR_").unwrap_or(variable).to_ascii_lowercase()
}
