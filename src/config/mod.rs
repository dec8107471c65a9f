//! Configuration from environment variables, read and checked once at start-up. Each ring declares its own settings;
//! this module reads all variables and builds them.

mod aws;
mod branding;
mod operators;
mod variables;
mod web;

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tracing_subscriber::filter::LevelFilter;

use crate::aws::Settings as AwsSettings;
use crate::flow::{self, StateMode};
use crate::operator::{self, SettingError};
use crate::telemetry;
use crate::web::pages::Branding;
use variables::{Variables, bad};

/// Everything an owner can set. [`Config::read`] builds it, and every value in it is valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// The operators: one without a name, or several with names.
    pub operators: Vec<operator::Settings>,
    /// The certificates in `OPERATOR_CA_FILE`.
    pub operator_ca: Vec<CertificateDer<'static>>,
    /// `CLIENT_SECRET_ID`: name or ARN of the secret in Secrets Manager.
    pub secret_id: String,
    /// `CLIENT_ID`: takes precedence over the secret's own `client_id`.
    pub client_id: Option<String>,
    /// Region, endpoints and credentials.
    pub aws: AwsSettings,
    /// The certificates in `AWS_CA_BUNDLE`, the AWS SDKs' own variable.
    pub aws_ca: Vec<CertificateDer<'static>>,
    /// The flow.
    pub flow: flow::Settings,
    /// `CODE_TABLE`: the `DynamoDB` table of the codes that apps have exchanged.
    pub code_table: Option<String>,
    /// Addresses and origins.
    pub web: crate::web::Settings,
    /// The pages' branding.
    pub branding: Branding,
    /// The function's own name and version.
    pub function: telemetry::Function,
}

const DEFAULT_STATE_TTL_SECONDS: u64 = 600;

impl Config {
    /// Reads the configuration from environment variables, which `lookup` finds.
    ///
    /// # Errors
    /// The first variable whose value cannot be used. The variables about an operator are only read here, and checked by
    /// [`Operators`](operator::Operators).
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let variables = Variables { lookup };
        let web = variables.web()?;
        let flow = variables.flow()?;
        Ok(Self {
            secret_id: variables.client_secret_id()?,
            client_id: variables.get("CLIENT_ID"),
            operators: variables.operators()?,
            operator_ca: variables.certificates("OPERATOR_CA_FILE")?,
            aws: variables.aws()?,
            aws_ca: variables.certificates("AWS_CA_BUNDLE")?,
            flow,
            code_table: variables.code_table()?,
            web,
            branding: variables.branding()?,
            function: telemetry::Function {
                name: variables.get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "local".to_owned()),
                version: variables.get("AWS_LAMBDA_FUNCTION_VERSION").unwrap_or_else(|| "$LATEST".to_owned()),
            },
        })
    }
}

/// Lambda's logging settings. Anything that is not a level is `INFO`, because a line must be logged before anything
/// else can be reported.
#[must_use]
pub fn telemetry(lookup: impl Fn(&str) -> Option<String>) -> telemetry::Settings {
    let variables = Variables { lookup };
    let level = variables.get("AWS_LAMBDA_LOG_LEVEL").map(|level| level.to_ascii_uppercase());
    let text = variables.get("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("text"));
    let level = match level.as_deref() {
        // Lambda's own name; `tracing` has no such level.
        Some("FATAL") => LevelFilter::ERROR,
        Some(level) => level.parse().unwrap_or(LevelFilter::INFO),
        None => LevelFilter::INFO,
    };
    telemetry::Settings { level, text }
}

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn flow(&self) -> Result<flow::Settings, SettingError> {
        const MODE: &str = "STATE_MODE";
        let modes = [("sealed", StateMode::Sealed), ("phone", StateMode::Phone)];
        let flow = flow::Settings {
            state_mode: self.choice(MODE, StateMode::Sealed, &modes)?,
            state_ttl: self.state_ttl()?,
            retrieve_number: self.choice(operator::RETRIEVE_NUMBER, false, &[("on", true), ("off", false)])?,
        };
        let beside = [
            (operator::OPERATORS, self.get(operator::OPERATORS).is_some()),
            (operator::RETRIEVE_NUMBER, flow.retrieve_number),
        ];
        match beside.into_iter().find(|(_, is_set)| *is_set && flow.state_mode == StateMode::Phone) {
            Some((name, _)) => Err(bad(MODE, format!("cannot be phone beside {name}; leave one of them unset"))),
            None => Ok(flow),
        }
    }

    fn client_secret_id(&self) -> Result<String, SettingError> {
        const NAME: &str = "CLIENT_SECRET_ID";
        let id = self.get(NAME).ok_or_else(|| {
            bad(NAME, "not set; give the name or ARN of the secret in Secrets Manager that contains the client secret")
        })?;
        // Secrets Manager's own rule for names, and the `:` of ARNs.
        if id.len() <= 2048 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&b)) {
            Ok(id)
        } else {
            Err(bad(NAME, "not the name or ARN of a secret; give the secret's name, never the secret itself"))
        }
    }

    fn code_table(&self) -> Result<Option<String>, SettingError> {
        const NAME: &str = "CODE_TABLE";
        let Some(table) = self.get(NAME) else { return Ok(None) };
        // DynamoDB's own rule for names, and the characters of ARNs.
        let plain = table.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-:/".contains(&b));
        if plain && (3..=1024).contains(&table.len()) {
            Ok(Some(table))
        } else {
            Err(bad(NAME, "not the name or ARN of a DynamoDB table"))
        }
    }

    fn state_ttl(&self) -> Result<Duration, SettingError> {
        const NAME: &str = "STATE_TTL_SECONDS";
        let Some(value) = self.get(NAME) else {
            return Ok(Duration::from_secs(DEFAULT_STATE_TTL_SECONDS));
        };
        match value.parse() {
            Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
            _ => Err(bad(NAME, "not a whole number of seconds from 1 to 86400")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, String> {
        const USUAL: [(&str, &str); 4] = [
            ("CLIENT_SECRET_ID", "number-verification"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ];
        let lookup = |name: &str| {
            let mut given = variables.iter().chain(&USUAL);
            given.find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        };
        Config::read(lookup).map_err(|e| e.to_string())
    }

    #[test]
    fn only_the_secret_must_be_named() {
        let config = config(&[]).unwrap();
        assert_eq!(config.flow.state_mode, StateMode::Sealed);
        assert_eq!(config.flow.state_ttl, Duration::from_mins(10));
        assert_eq!(config.web.callback_path, "/numberverification-callback");
        assert!(config.web.redirect_uri.is_none());
    }

    #[test]
    fn empty_variable_is_unset() {
        let config = config(&[("STATE_MODE", ""), ("OPERATOR_BASE_URL", " "), ("CLIENT_ID", "")]).unwrap();
        assert_eq!(config.flow.state_mode, StateMode::Sealed);
        assert_eq!(config.client_id, None);
    }

    #[test]
    fn phone_mode_has_one_operator_and_retrieves_no_number() {
        for (name, value) in [("OPERATORS", r#"{"es": {"prefixes": ["+34"]}}"#), ("RETRIEVE_NUMBER", "on")] {
            assert!(config(&[(name, value)]).is_ok(), "{name}");
            let error = config(&[("STATE_MODE", "phone"), (name, value)]).unwrap_err();
            assert!(error.starts_with("environment variable STATE_MODE: ") && error.contains(name), "{error}");
        }
    }

    #[test]
    fn bad_value_names_its_variable_and_the_fix() {
        let secret = "s3cr3t value, pasted";
        for (variable, value, reason) in [
            ("CLIENT_SECRET_ID", "", "not set; give the name or ARN"),
            ("CLIENT_SECRET_ID", secret, "never the secret itself"),
            ("STATE_MODE", "signed", "sealed or phone"),
            ("RETRIEVE_NUMBER", "yes", "on or off"),
            ("STATE_TTL_SECONDS", "0", "from 1 to 86400"),
            ("STATE_TTL_SECONDS", "ten", "from 1 to 86400"),
            ("CODE_TABLE", "used codes", "not the name or ARN"),
            ("CALLBACK_PATH", "/token", "path of another route"),
            ("CALLBACK_PATH", "callback", "not a path"),
            ("CALLBACK_PATH", "/a/../b", "not a path"),
            ("CALLBACK_PATH", "/start", "path of another route"),
            ("REDIRECT_URI", "https://shop.example/other", "does not end in"),
            ("REDIRECT_URI", "https://shop.example/numberverification-callback#x", "fragment"),
            ("OPERATOR_CA_FILE", "/nonexistent.pem", "PEM"),
            ("AWS_CA_BUNDLE", "/nonexistent.pem", "PEM"),
            ("FALLBACK_URL", "javascript:alert(1)", "not an https URL"),
            ("ALLOWED_ORIGINS", "https://shop.example/", "exact origins"),
            ("ALLOWED_ORIGINS", "https://shop.example,*", "not a URL"),
            ("ACCENT_COLOR", "blue", "not a colour"),
            ("ACCENT_COLOR", "#ffee00", "too light"),
            ("LOGO_URL", "data:image/png;base64,\"><script>", "data: image"),
        ] {
            let error = config(&[(variable, value)]).expect_err(&format!("{variable}={value}"));
            assert!(error.starts_with(&format!("environment variable {variable}: ")), "{error}");
            assert!(error.contains(reason), "{variable}={value}: {error}");
            assert!(!error.contains("s3cr3t") && !error.contains('\n'), "{error}");
        }
    }
}
