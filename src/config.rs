//! Configuration from environment variables, checked once at start-up.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::{Host, Url};

use crate::operator::{Endpoints, PhoneNumberFormat, TokenEndpointAuthMethod};

/// Everything an owner can set. Made by [`Config::from_lookup`]; a value that is here is valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// `CLIENT_SECRET_ID`: name or ARN of the secret in Secrets Manager.
    pub client_secret_id: String,
    /// `CLIENT_ID`, where the secret does not hold it.
    pub client_id: Option<String>,
    /// `OPERATOR_BASE_URL`, `AUTHORIZATION_ENDPOINT`, `TOKEN_ENDPOINT`, `VERIFY_ENDPOINT`.
    pub endpoints: Endpoints,
    /// `TOKEN_ENDPOINT_AUTH_METHOD`.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// `PHONE_NUMBER_FORMAT`.
    pub phone_number_format: PhoneNumberFormat,
    /// The certificates in `OPERATOR_CA_FILE`.
    pub operator_ca: Vec<CertificateDer<'static>>,
    /// What the authorization request says.
    pub authorization: Authorization,
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

/// The fixed part of the authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone)]
pub struct Authorization {
    /// `SCOPE`.
    pub scope: String,
    /// `PKCE`: whether to send an `S256` challenge.
    pub pkce: bool,
    /// `PROMPT`: whether to send `prompt=none`.
    pub prompt_none: bool,
    /// `LOGIN_HINT`: whether to send the number as `login_hint=tel:+…`.
    pub login_hint_tel: bool,
    /// `ISSUER`: what the callback's `iss` must equal (RFC 9207).
    pub issuer: Option<String>,
}

impl Authorization {
    /// Whether the scope asks for an ID token (OpenID Connect Core §3.1.2.1).
    #[must_use]
    pub fn openid(&self) -> bool {
        self.scope.split(' ').any(|token| token == "openid")
    }
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

/// A named operator: what `OPERATOR` sets unless an explicit variable does.
struct Preset {
    name: &'static str,
    base_url: &'static str,
}

/// Source of each row: the operator's own public documentation.
const PRESETS: [Preset; 1] = [
    // https://developers.opengateway.telefonica.com/docs/sandbox
    Preset { name: "telefonica-sandbox", base_url: "https://sandbox.opengateway.telefonica.com/apigateway" },
];

const DEFAULT_SCOPE: &str = "dpv:FraudPreventionAndDetection#number-verification-verify-read";
const DEFAULT_CALLBACK_PATH: &str = "/numberverification-callback";
const DEFAULT_SERVICE_NAME: &str = "Number verification";
const DEFAULT_STATE_TTL_SECONDS: u64 = 600;

impl Config {
    /// Reads the configuration from environment variables, which `lookup` finds. An empty value counts as unset, because that is how
    /// an unused template parameter arrives.
    ///
    /// # Errors
    /// The first variable whose value cannot be used.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let vars = Variables { lookup };
        let callback_path = vars.callback_path()?;
        Ok(Self {
            client_secret_id: vars.client_secret_id()?,
            client_id: vars.get("CLIENT_ID"),
            endpoints: vars.endpoints()?,
            token_endpoint_auth_method: vars.choice(
                "TOKEN_ENDPOINT_AUTH_METHOD",
                TokenEndpointAuthMethod::ClientSecretBasic,
                &[
                    ("client_secret_basic", TokenEndpointAuthMethod::ClientSecretBasic),
                    ("client_secret_post", TokenEndpointAuthMethod::ClientSecretPost),
                    ("private_key_jwt", TokenEndpointAuthMethod::PrivateKeyJwt),
                ],
            )?,
            phone_number_format: vars.choice(
                "PHONE_NUMBER_FORMAT",
                PhoneNumberFormat::Plain,
                &[("plain", PhoneNumberFormat::Plain), ("hashed", PhoneNumberFormat::Hashed)],
            )?,
            operator_ca: vars.operator_ca()?,
            authorization: Authorization {
                scope: vars.scope()?,
                pkce: vars.choice("PKCE", true, &[("S256", true), ("off", false)])?,
                prompt_none: vars.choice("PROMPT", false, &[("none", true)])?,
                login_hint_tel: vars.choice("LOGIN_HINT", false, &[("tel", true)])?,
                issuer: vars.url("ISSUER")?.map(|_| vars.get("ISSUER").unwrap_or_default()),
            },
            state_mode: vars.choice(
                "STATE_MODE",
                StateMode::Sealed,
                &[("sealed", StateMode::Sealed), ("phone", StateMode::Phone)],
            )?,
            state_ttl: vars.state_ttl()?,
            redirect_uri: vars.redirect_uri(&callback_path)?,
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

    fn endpoints(&self) -> Result<Endpoints, ConfigError> {
        let preset = self.preset()?;
        let base = match self.url("OPERATOR_BASE_URL")? {
            Some(base) => base,
            None => parse_url("OPERATOR", preset.base_url)?,
        };
        let mut endpoints = Endpoints::below(&base).ok_or_else(|| {
            bad("OPERATOR_BASE_URL", "cannot have a query or fragment; give the part before /authorize")
        })?;
        for (name, endpoint) in [
            ("AUTHORIZATION_ENDPOINT", &mut endpoints.authorization),
            ("TOKEN_ENDPOINT", &mut endpoints.token),
            ("VERIFY_ENDPOINT", &mut endpoints.verify),
        ] {
            if let Some(url) = self.url(name)? {
                *endpoint = url;
            }
        }
        Ok(endpoints)
    }

    fn preset(&self) -> Result<&'static Preset, ConfigError> {
        let name = self.get("OPERATOR").unwrap_or_else(|| PRESETS[0].name.to_owned());
        PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
            let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
            bad("OPERATOR", format!("no such operator; use {}, or set OPERATOR_BASE_URL", names.join(", ")))
        })
    }

    fn operator_ca(&self) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        const NAME: &str = "OPERATOR_CA_FILE";
        let Some(path) = self.get(NAME) else { return Ok(Vec::new()) };
        let certificates = CertificateDer::pem_file_iter(Path::new(&path))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| bad(NAME, format!("cannot be read as PEM certificates ({e}); give the path of a PEM file")))?;
        if certificates.is_empty() {
            return Err(bad(NAME, "holds no certificate; give a file with BEGIN CERTIFICATE blocks"));
        }
        Ok(certificates)
    }

    fn scope(&self) -> Result<String, ConfigError> {
        let scope = self.get("SCOPE").unwrap_or_else(|| DEFAULT_SCOPE.to_owned());
        // RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), separated by single spaces.
        let is_token =
            |token: &str| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if scope.split(' ').all(is_token) {
            Ok(scope)
        } else {
            Err(bad("SCOPE", "not scope tokens with single spaces between them (RFC 6749 §3.3)"))
        }
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
    ConfigError { variable, fault: fault.into() }
}

fn parse_url(variable: &'static str, value: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(value).map_err(|e| bad(variable, format!("not a URL ({e})")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(variable, "has credentials in it; take them out, they would reach logs"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        "http" => Err(bad(variable, "http is only for localhost; use https")),
        _ => Err(bad(variable, "not an https URL")),
    }
}

/// Whether a URL leads to this machine, or from a container to the machine it runs on.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name == "host.docker.internal",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
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
        let base = "https://sandbox.opengateway.telefonica.com/apigateway";
        assert_eq!(config.endpoints.authorization.as_str(), format!("{base}/authorize"));
        assert_eq!(config.endpoints.token.as_str(), format!("{base}/token"));
        assert_eq!(config.endpoints.verify.as_str(), format!("{base}/number-verification/v0/verify"));
        assert_eq!(config.authorization.scope, "dpv:FraudPreventionAndDetection#number-verification-verify-read");
        assert_eq!(config.state_mode, StateMode::Sealed);
        assert_eq!(config.state_ttl, Duration::from_mins(10));
        assert_eq!(config.callback_path, "/numberverification-callback");
        assert!(config.authorization.pkce);
        assert!(config.redirect_uri.is_none());
    }

    #[test]
    fn each_endpoint_can_be_set_by_itself() {
        let config = config(&[
            ("OPERATOR_BASE_URL", "https://operator.example/gw/"),
            ("VERIFY_ENDPOINT", "https://api.operator.example/number-verification/v2/verify"),
        ])
        .unwrap();
        assert_eq!(config.endpoints.token.as_str(), "https://operator.example/gw/token");
        assert_eq!(config.endpoints.verify.host_str(), Some("api.operator.example"));
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
            ("OPERATOR_BASE_URL", "http://operator.example", "use https"),
            ("OPERATOR_BASE_URL", "https://operator.example/?a=b", "query or fragment"),
            ("OPERATOR_BASE_URL", "https://user:s3cr3t@operator.example", "credentials"),
            ("TOKEN_ENDPOINT", "ftp://operator.example/token", "not an https URL"),
            ("TOKEN_ENDPOINT", "http://localhost.example/token", "use https"),
            ("OPERATOR", "acme", "telefonica-sandbox"),
            ("TOKEN_ENDPOINT_AUTH_METHOD", "basic", "client_secret_basic or client_secret_post or private_key_jwt"),
            ("STATE_MODE", "signed", "sealed or phone"),
            ("STATE_TTL_SECONDS", "0", "from 1 to 86400"),
            ("STATE_TTL_SECONDS", "ten", "from 1 to 86400"),
            ("PKCE", "plain", "S256 or off"),
            ("PROMPT", "login", "use none"),
            ("LOGIN_HINT", "+34600000001", "use tel"),
            ("PHONE_NUMBER_FORMAT", "sha256", "plain or hashed"),
            ("SCOPE", "two  spaces", "RFC 6749"),
            ("CALLBACK_PATH", "callback", "not a path"),
            ("CALLBACK_PATH", "/a/../b", "not a path"),
            ("CALLBACK_PATH", "/start", "start route"),
            ("REDIRECT_URI", "https://shop.example/other", "does not end in"),
            ("REDIRECT_URI", "https://shop.example/numberverification-callback#x", "fragment"),
            ("OPERATOR_CA_FILE", "/nonexistent.pem", "PEM"),
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
    fn plain_http_is_for_this_machine_only() {
        for base in
            ["http://localhost:9901", "http://127.0.0.1:9901", "http://[::1]:9901", "http://host.docker.internal:9901"]
        {
            assert!(config(&[("OPERATOR_BASE_URL", base)]).is_ok(), "{base}");
        }
    }

    #[test]
    fn contrast_is_wcag_s() {
        assert_eq!(contrast_with_white("#000000").map(f64::round), Some(21.0));
        assert_eq!(contrast_with_white("#ffffff").map(f64::round), Some(1.0));
        assert_eq!(contrast_with_white("#0f0f0"), None);
    }
}
