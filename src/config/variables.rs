//! Configuration from environment variables, checked once at start-up.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use crate::operator::discovery::Metadata;
use crate::operator::presets::PRESETS;
use crate::operator::{self, Profile, SettingError, secure_url};

/// Everything an owner can set. Made by [`Config::from_lookup`]; a value that is here is valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// `CLIENT_SECRET_ID`: name or ARN of the secret in Secrets Manager.
    pub client_secret_id: String,
    /// `CLIENT_ID`, where the secret does not hold it.
    pub client_id: Option<String>,
    /// `OPERATOR` and every other variable about it.
    pub operator: Profile,
    /// The certificates in `OPERATOR_CA_FILE`.
    pub operator_ca: Vec<CertificateDer<'static>>,
    /// The certificates in `AWS_CA_BUNDLE`, the AWS SDKs' own variable.
    pub aws_ca: Vec<CertificateDer<'static>>,
    /// `STATE_MODE`.
    pub state_mode: StateMode,
    /// `STATE_TTL_SECONDS`.
    pub state_ttl: Duration,
    /// `REDIRECT_URI`, where it is not derived from the request.
    pub redirect_uri: Option<Url>,
    /// `CALLBACK_PATH`.
    pub callback_path: String,
    /// `ALLOWED_ORIGINS`.
    pub allowed_origins: Vec<String>,
    /// How the pages look, and where they lead.
    pub branding: Branding,
}

/// What the `state` parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateMode {
    /// Sealed and bound to the browser.
    Sealed,
    /// The phone number itself, sent by a front end that builds the authorization request on its own.
    Phone,
}

/// The owner's name, colours and links.
#[derive(Debug, Clone)]
pub struct Branding {
    /// `SERVICE_NAME`: the pages' title.
    pub service_name: String,
    /// `ACCENT_COLOR`, as `#rrggbb`.
    pub accent_color: Option<String>,
    /// `LOGO_URL`: an `https` address or a `data:` image.
    pub logo_url: Option<String>,
    /// `PRIVACY_URL`.
    pub privacy_url: Option<String>,
    /// `FALLBACK_URL`: "verify another way".
    pub fallback_url: Option<String>,
}

/// A value that cannot be used. One line: the variable, what is wrong, what to do. Never the value, which may be
/// a secret in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    variable: &'static str,
    fault: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "environment variable {}: {}", self.variable, self.fault)
    }
}

impl std::error::Error for ConfigError {}

impl From<SettingError> for ConfigError {
    fn from(error: SettingError) -> Self {
        Self::new(error.variable, error.fault)
    }
}

impl ConfigError {
    fn new(variable: &'static str, fault: impl Into<String>) -> Self {
        Self { variable, fault: fault.into() }
    }
}

/// Where to read more about the operator before the configuration is complete.
#[derive(Debug)]
pub struct DiscoverySource {
    /// `OPERATOR_DISCOVERY_URL`.
    pub url: Url,
    /// The certificates in `OPERATOR_CA_FILE`.
    pub operator_ca: Vec<CertificateDer<'static>>,
}

impl DiscoverySource {
    /// The source, where `OPERATOR_DISCOVERY_URL` is set.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        let vars = Variables { lookup };
        let Some(url) = vars.url("OPERATOR_DISCOVERY_URL")? else { return Ok(None) };
        Ok(Some(Self { url, operator_ca: vars.certificates("OPERATOR_CA_FILE")? }))
    }
}

/// The names that `OPERATOR` can have.
pub fn operators() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

const DEFAULT_CALLBACK_PATH: &str = "/numberverification-callback";
const DEFAULT_SERVICE_NAME: &str = "Number verification";
const DEFAULT_STATE_TTL_SECONDS: u64 = 600;

impl Config {
    /// Reads the configuration from environment variables, which `lookup` finds. An empty value counts as unset,
    /// because that is how an unused template parameter arrives.
    ///
    /// # Errors
    /// The first variable whose value cannot be used.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::discovered(lookup, None)
    }

    /// The same, with what the operator's discovery document says for everything that no variable sets.
    ///
    /// # Errors
    /// The first variable whose value cannot be used.
    pub fn discovered(
        lookup: impl Fn(&str) -> Option<String>,
        metadata: Option<&Metadata>,
    ) -> Result<Self, ConfigError> {
        let vars = Variables { lookup };
        let callback_path = vars.callback_path()?;
        let redirect_uri = vars.redirect_uri(&callback_path)?;
        Ok(Self {
            client_secret_id: vars.client_secret_id()?,
            client_id: vars.get("CLIENT_ID"),
            operator: operator::Settings::from_variables(|name| vars.get(name))
                .profile(metadata, redirect_uri.as_ref())?,
            operator_ca: vars.certificates("OPERATOR_CA_FILE")?,
            aws_ca: vars.certificates("AWS_CA_BUNDLE")?,
            state_mode: vars.choice(
                "STATE_MODE",
                StateMode::Sealed,
                &[("sealed", StateMode::Sealed), ("phone", StateMode::Phone)],
            )?,
            state_ttl: vars.state_ttl()?,
            redirect_uri,
            callback_path,
            allowed_origins: vars.allowed_origins()?,
            branding: Branding {
                service_name: vars.get("SERVICE_NAME").unwrap_or_else(|| DEFAULT_SERVICE_NAME.to_owned()),
                accent_color: vars.accent_color()?,
                logo_url: vars.logo_url()?,
                privacy_url: vars.url("PRIVACY_URL")?.map(Into::into),
                fallback_url: vars.url("FALLBACK_URL")?.map(Into::into),
            },
        })
    }
}

struct Variables<F> {
    lookup: F,
}

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn get(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn choice<T: Copy>(&self, name: &'static str, default: T, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let Some(value) = self.get(name) else { return Ok(default) };
        choices.iter().find(|(word, _)| *word == value).map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            bad(name, format!("not one of its values; use {}, or leave it unset", words.join(" or ")))
        })
    }

    /// An `https` URL; plain `http` only towards this machine.
    fn url(&self, name: &'static str) -> Result<Option<Url>, ConfigError> {
        self.get(name).map(|value| parse_url(name, &value)).transpose()
    }

    fn client_secret_id(&self) -> Result<String, ConfigError> {
        const NAME: &str = "CLIENT_SECRET_ID";
        let id = self.get(NAME).ok_or_else(|| {
            bad(NAME, "not set; give the name or ARN of the secret in Secrets Manager that holds the client secret")
        })?;
        // Secrets Manager's own rule for names, and the `:` of ARNs.
        if id.len() <= 2048 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&b)) {
            Ok(id)
        } else {
            Err(bad(NAME, "not the name or ARN of a secret; give the secret's name, never the secret itself"))
        }
    }

    /// Roots to trust beside those compiled in.
    fn certificates(&self, name: &'static str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let Some(path) = self.get(name) else { return Ok(Vec::new()) };
        let certificates = CertificateDer::pem_file_iter(Path::new(&path))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| bad(name, format!("cannot be read as PEM certificates ({e}); give the path of a PEM file")))?;
        if certificates.is_empty() {
            return Err(bad(name, "holds no certificate; give a file with BEGIN CERTIFICATE blocks"));
        }
        Ok(certificates)
    }

    fn state_ttl(&self) -> Result<Duration, ConfigError> {
        const NAME: &str = "STATE_TTL_SECONDS";
        let Some(value) = self.get(NAME) else {
            return Ok(Duration::from_secs(DEFAULT_STATE_TTL_SECONDS));
        };
        match value.parse() {
            Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
            _ => Err(bad(NAME, "not a whole number of seconds from 1 to 86400")),
        }
    }

    fn callback_path(&self) -> Result<String, ConfigError> {
        const NAME: &str = "CALLBACK_PATH";
        let path = self.get(NAME).unwrap_or_else(|| DEFAULT_CALLBACK_PATH.to_owned());
        let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b));
        if !plain || !path.starts_with('/') || path.ends_with('/') || path.contains("//") || path.contains("/.") {
            return Err(bad(NAME, "not a path; give one like /numberverification-callback"));
        }
        if path == "/start" {
            return Err(bad(NAME, "is the path of the start route; give another one"));
        }
        Ok(path)
    }

    fn redirect_uri(&self, callback_path: &str) -> Result<Option<Url>, ConfigError> {
        const NAME: &str = "REDIRECT_URI";
        let Some(url) = self.url(NAME)? else { return Ok(None) };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad(NAME, "cannot have a query or fragment (RFC 6749 §3.1.2)"));
        }
        if !url.path().ends_with(callback_path) {
            return Err(bad(
                NAME,
                format!("does not end in {callback_path}, so the answer would reach no route; set CALLBACK_PATH too"),
            ));
        }
        Ok(Some(url))
    }

    fn allowed_origins(&self) -> Result<Vec<String>, ConfigError> {
        const NAME: &str = "ALLOWED_ORIGINS";
        let listed = self.get(NAME).unwrap_or_default();
        let mut origins = Vec::new();
        for origin in listed.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
            let exact = parse_url(NAME, origin)?.origin().ascii_serialization();
            if exact != origin {
                return Err(bad(
                    NAME,
                    "holds something else than exact origins like https://shop.example, comma-separated",
                ));
            }
            origins.push(exact);
        }
        Ok(origins)
    }

    fn accent_color(&self) -> Result<Option<String>, ConfigError> {
        const NAME: &str = "ACCENT_COLOR";
        let Some(color) = self.get(NAME) else { return Ok(None) };
        let Some(contrast) = contrast_with_white(&color) else {
            return Err(bad(NAME, "not a colour like #0b5fff"));
        };
        // WCAG 2.2 §1.4.3: the button's text is white.
        if contrast < 4.5 {
            return Err(bad(
                NAME,
                format!("too light for white text on it (contrast {contrast:.1}, needed 4.5); give a darker one"),
            ));
        }
        Ok(Some(color))
    }

    fn logo_url(&self) -> Result<Option<String>, ConfigError> {
        const NAME: &str = "LOGO_URL";
        let Some(value) = self.get(NAME) else { return Ok(None) };
        let Some(data) = value.strip_prefix("data:image/") else {
            return Ok(Some(parse_url(NAME, &value)?.into()));
        };
        // The page's size is bounded, and nothing in it may end the attribute it stands in.
        if data.len() <= 4096 && data.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=;,%-._".contains(&b)) {
            Ok(Some(value))
        } else {
            Err(bad(NAME, "not a base64 data: image of at most 4 KB; give an https address instead"))
        }
    }
}

fn bad(variable: &'static str, fault: impl Into<String>) -> ConfigError {
    ConfigError::new(variable, fault)
}

fn parse_url(variable: &'static str, value: &str) -> Result<Url, ConfigError> {
    secure_url(value).map_err(|fault| bad(variable, fault))
}

/// WCAG 2.2's contrast ratio of `#rrggbb` against white.
fn contrast_with_white(color: &str) -> Option<f64> {
    let hex = color.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let rgb = u32::from_str_radix(hex, 16).ok()?;
    let channel = |shift: u32| {
        let value = f64::from(rgb >> shift & 0xff) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    Some(1.05 / (0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0) + 0.05))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::from_lookup(|name| {
            let set = variables.iter().rev().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            set.or_else(|| (name == "CLIENT_SECRET_ID").then(|| "number-verification".to_owned()))
        })
        .map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_are_the_telefonica_sandbox() {
        let config = config(&[]).unwrap();
        assert_eq!(config.operator.verify_endpoint.uri().host(), Some("sandbox.opengateway.telefonica.com"));
        assert_eq!(config.state_mode, StateMode::Sealed);
        assert_eq!(config.state_ttl, Duration::from_mins(10));
        assert_eq!(config.callback_path, "/numberverification-callback");
        assert!(config.redirect_uri.is_none());
    }

    #[test]
    fn an_empty_variable_is_unset() {
        let config = config(&[("STATE_MODE", ""), ("OPERATOR_BASE_URL", " "), ("CLIENT_ID", "")]).unwrap();
        assert_eq!(config.state_mode, StateMode::Sealed);
        assert_eq!(config.client_id, None);
    }

    #[test]
    fn a_bad_value_names_its_variable_and_the_mend() {
        let secret = "s3cr3t value, pasted";
        for (variable, value, says) in [
            ("CLIENT_SECRET_ID", "", "not set; give the name or ARN"),
            ("CLIENT_SECRET_ID", secret, "never the secret itself"),
            ("OPERATOR_BASE_URL", "operator.example", "not a URL"),
            ("STATE_MODE", "signed", "sealed or phone"),
            ("STATE_TTL_SECONDS", "0", "from 1 to 86400"),
            ("STATE_TTL_SECONDS", "ten", "from 1 to 86400"),
            ("CALLBACK_PATH", "callback", "not a path"),
            ("CALLBACK_PATH", "/a/../b", "not a path"),
            ("CALLBACK_PATH", "/start", "start route"),
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
            assert!(error.contains(says), "{variable}={value}: {error}");
            assert!(!error.contains("s3cr3t") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn contrast_is_wcag_s() {
        assert_eq!(contrast_with_white("#000000").map(f64::round), Some(21.0));
        assert_eq!(contrast_with_white("#ffffff").map(f64::round), Some(1.0));
        assert_eq!(contrast_with_white("#0f0f0"), None);
    }
}
