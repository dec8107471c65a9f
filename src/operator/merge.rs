//! Merges settings into a [`Profile`].
//!
//! Each value comes from the first source that has it: its own variable, the operator's discovery document,
//! `OPERATOR_BASE_URL`, and the preset that `OPERATOR` names.

use url::Url;

use super::discovery::Metadata;
use super::endpoint::secure_url;
use super::endpoints::Endpoints;
use super::presets::{PRESETS, Preset};
use super::profile::{Dpop, Issuer, IssuerSource, PhoneNumberFormat, Profile, RequestObject, TokenEndpointAuthMethod};
use super::settings::{BASE_URL, OPERATOR, SettingError, Settings};

impl Settings {
    /// Merges the variables, the operator's discovery document if there is one, and the preset. `redirect_uri` is our
    /// own `REDIRECT_URI`.
    ///
    /// # Errors
    /// The first variable whose value cannot be used.
    pub fn profile(&self, metadata: Option<&Metadata>, redirect_uri: Option<&Url>) -> Result<Profile, SettingError> {
        let profile = self.merged(metadata, redirect_uri).and_then(|profile| self.check_address().map(|()| profile));
        profile.map_err(|error| self.located(error))
    }

    fn merged(&self, metadata: Option<&Metadata>, redirect_uri: Option<&Url>) -> Result<Profile, SettingError> {
        let preset = self.preset()?;
        let Endpoints { authorization, token, verify } = Endpoints::merge(self, preset, metadata)?;
        let is_preset = authorization.url().as_str() == preset.authorization;
        let scope = scope_tokens("SCOPE", self.scope.as_deref().unwrap_or(preset.scope))?;
        Ok(Profile {
            name: self.name.clone(),
            prefixes: self.prefixes.clone(),
            retrieval: self.retrieval(&scope, &verify, preset.retrieve_scope)?,
            authorization_endpoint: authorization,
            token_endpoint: token,
            verify_endpoint: verify,
            token_endpoint_auth_method: choice(
                "TOKEN_ENDPOINT_AUTH_METHOD",
                self.token_endpoint_auth_method.as_deref(),
                metadata.map_or(preset.auth_method, |metadata| metadata.auth_method),
                &TokenEndpointAuthMethod::ALL.map(|method| (method.name(), method)),
            )?,
            scope,
            pkce: choice("PKCE", self.pkce.as_deref(), true, &[("S256", true), ("off", false)])?,
            prompt_none: choice("PROMPT", self.prompt.as_deref(), false, &[("none", true)])?,
            login_hint_tel: choice(
                "LOGIN_HINT",
                self.login_hint.as_deref(),
                // The default preset does not apply to an operator at another address.
                preset.login_hint_tel && (self.operator.is_some() || is_preset),
                &[("tel", true), ("off", false)],
            )?,
            issuer: self.issuer(metadata, redirect_uri)?,
            phone_number_format: choice(
                "PHONE_NUMBER_FORMAT",
                self.phone_number_format.as_deref(),
                PhoneNumberFormat::Plain,
                &[("plain", PhoneNumberFormat::Plain), ("hashed", PhoneNumberFormat::Hashed)],
            )?,
            request_object: choice(
                "REQUEST_OBJECT",
                self.request_object.as_deref(),
                RequestObject::Off,
                &[("signed", RequestObject::Signed), ("off", RequestObject::Off)],
            )?,
            dpop: self.dpop(metadata)?,
        })
    }

    /// Checks that one of several operators says which one it is. The default is only for a first try: beside others it would
    /// send this operator's credentials and numbers to Telefónica's sandbox, whose mock would vouch for its prefixes.
    fn check_address(&self) -> Result<(), SettingError> {
        let sources = [&self.operator, &self.base_url, &self.discovery_url];
        let endpoints = [&self.authorization_endpoint, &self.token_endpoint, &self.verify_endpoint];
        let has_address = sources.iter().any(|text| text.is_some()) || endpoints.iter().all(|text| text.is_some());
        if self.name.is_none() || has_address {
            return Ok(());
        }
        let fault = "not set, and neither is base_url, discovery_url or each of the three endpoints; say \
                     which operator this is";
        Err(SettingError::new(OPERATOR, fault))
    }

    fn preset(&self) -> Result<&'static Preset, SettingError> {
        let Some(name) = &self.operator else { return Ok(&PRESETS[0]) };
        PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
            let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
            SettingError::new(
                OPERATOR,
                format!("no such operator; use {}, or set {}", names.join(", "), self.called(BASE_URL)),
            )
        })
    }

    fn dpop(&self, metadata: Option<&Metadata>) -> Result<Option<Dpop>, SettingError> {
        let choices = [("on", Some(false)), ("preferred", Some(true)), ("off", None)];
        let accepts_bearer = choice("DPOP", self.dpop.as_deref(), None, &choices)?;
        let claims = metadata.map(|metadata| metadata.dpop_claims).unwrap_or_default();
        Ok(accepts_bearer.map(|accepts_bearer| Dpop { accepts_bearer, claims }))
    }

    fn issuer(&self, metadata: Option<&Metadata>, redirect_uri: Option<&Url>) -> Result<Option<Issuer>, SettingError> {
        let Some(identifier) = &self.issuer else { return Ok(metadata.map(|metadata| metadata.issuer.clone())) };
        let fault = |fault: String| SettingError::new("ISSUER", fault);
        let url = secure_url(identifier).map_err(fault)?;
        if redirect_uri.is_some_and(|redirect_uri| redirect_uri.origin() == url.origin()) {
            return Err(fault(
                "is on the host of REDIRECT_URI; give the operator's issuer, not our own, or none".into(),
            ));
        }
        // The text is kept as it is, because a parsed URL ends in a slash that an issuer need not have.
        Ok(Some(Issuer { identifier: identifier.clone(), in_callback: true, source: IssuerSource::Variable }))
    }
}

/// Checks a scope (RFC 6749 §3.3): scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), separated by single spaces.
pub(super) fn scope_tokens(variable: &'static str, scope: &str) -> Result<String, SettingError> {
    let is_token =
        |token: &str| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    if scope.split(' ').all(is_token) {
        Ok(scope.to_owned())
    } else {
        Err(SettingError::new(variable, "not scope tokens with single spaces between them (RFC 6749 §3.3)"))
    }
}

pub(super) fn choice<T: Copy>(
    variable: &'static str,
    value: Option<&str>,
    default: T,
    choices: &[(&str, T)],
) -> Result<T, SettingError> {
    let Some(value) = value else { return Ok(default) };
    choices.iter().find(|(word, _)| *word == value).map(|(_, choice)| *choice).ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        SettingError::new(variable, format!("not one of its values; use {}, or leave it unset", words.join(" or ")))
    })
}

#[cfg(test)]
mod tests {
    use super::super::profile::DpopClaims;
    use super::*;
    use crate::operator::Question;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        Settings::from_variables(|name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn profile(variables: &[(&str, &str)]) -> Result<Profile, String> {
        settings(variables).profile(None, None).map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_are_for_the_telefonica_sandbox() {
        let profile = profile(&[]).unwrap();
        assert_eq!(profile.scope, "dpv:FraudPreventionAndDetection#number-verification-verify-read");
        assert_eq!(profile.token_endpoint_auth_method, TokenEndpointAuthMethod::ClientSecretBasic);
        assert_eq!(profile.phone_number_format, PhoneNumberFormat::Plain);
        assert!(profile.pkce && !profile.prompt_none && profile.issuer.is_none());
    }

    #[test]
    fn every_preset_can_be_used() {
        for preset in &PRESETS {
            let profile = profile(&[("OPERATOR", preset.name)]).unwrap();
            assert_eq!(profile.authorization_endpoint.url().as_str(), preset.authorization);
            assert_eq!(profile.token_endpoint.url().as_str(), preset.token);
            assert_eq!(profile.verify_endpoint.url().as_str(), preset.verify);
            assert_eq!(profile.token_endpoint_auth_method, preset.auth_method);
            assert_eq!(profile.scope, preset.scope);
            assert_eq!(profile.login_hint_tel, preset.login_hint_tel);
            assert_eq!(PRESETS.iter().filter(|other| other.name == preset.name).count(), 1, "{}", preset.name);
        }
    }

    #[test]
    fn login_hint_of_a_preset_is_sent_to_its_operator_or_if_it_is_named() {
        let own = [
            ("AUTHORIZATION_ENDPOINT", "https://op.example/authorize"),
            ("TOKEN_ENDPOINT", "https://op.example/token"),
            ("VERIFY_ENDPOINT", "https://op.example/verify"),
        ];
        let named = ("OPERATOR", "telefonica-sandbox");
        let base = ("OPERATOR_BASE_URL", "https://op.example");
        for (name, variables, sent) in [
            ("the default", vec![], true),
            ("the preset by name", vec![named], true),
            ("the preset by name at another address", vec![named, base], true),
            ("another address", vec![base], false),
            ("three endpoints", own.to_vec(), false),
            ("switched off", vec![named, ("LOGIN_HINT", "off")], false),
            ("switched on", vec![base, ("LOGIN_HINT", "tel")], true),
        ] {
            assert_eq!(profile(&variables).unwrap().login_hint_tel, sent, "{name}");
        }
    }

    #[test]
    fn explicit_variable_wins_over_the_preset() {
        let profile = profile(&[
            ("OPERATOR", "orange-playground"),
            ("SCOPE", "dpv:FraudPreventionAndDetection number-verification:verify"),
            ("TOKEN_ENDPOINT_AUTH_METHOD", "private_key_jwt"),
            ("LOGIN_HINT", "off"),
            ("PKCE", "off"),
            ("PROMPT", "none"),
            ("PHONE_NUMBER_FORMAT", "hashed"),
        ])
        .unwrap();
        assert!(
            !profile.openid(&Question::Retrieve) && !profile.login_hint_tel && !profile.pkce && profile.prompt_none
        );
        assert_eq!(profile.token_endpoint_auth_method, TokenEndpointAuthMethod::PrivateKeyJwt);
        assert_eq!(profile.phone_number_format, PhoneNumberFormat::Hashed);
    }

    #[test]
    fn dpop_says_whether_a_bearer_token_will_do() {
        let dpop = |value| profile(&[("DPOP", value)]).unwrap().dpop.map(|dpop| dpop.accepts_bearer);
        assert_eq!(["off", "on", "preferred"].map(dpop), [None, Some(false), Some(true)]);
        assert_eq!(profile(&[]).unwrap().dpop, None);
        let mut metadata = Metadata::example();
        metadata.dpop_claims = DpopClaims { body_hash: true, query_hash: true };
        let settings = settings(&[("OPERATOR_BASE_URL", "https://api.op.example"), ("DPOP", "on")]);
        let asked = |metadata| settings.profile(metadata, None).unwrap().dpop.unwrap().claims;
        assert_eq!(asked(Some(&metadata)), metadata.dpop_claims);
        assert_eq!(asked(None), DpopClaims::default());
    }

    #[test]
    fn explicit_issuer_wins_over_the_discovered_one() {
        let metadata = Metadata::example();
        let variables = [("OPERATOR_BASE_URL", "https://api.op.example"), ("ISSUER", "https://i.example")];
        let issuer = |variables| settings(variables).profile(Some(&metadata), None).unwrap().issuer.unwrap();
        assert_eq!(issuer(&variables[..1]), metadata.issuer);
        let explicit = issuer(&variables);
        assert_eq!(explicit.identifier, "https://i.example", "without the slash of a parsed URL");
        assert!(explicit.in_callback && explicit.source == IssuerSource::Variable);
    }

    #[test]
    fn issuer_on_our_own_host_is_refused() {
        let redirect_uri = Url::parse("https://shop.example/numberverification-callback").unwrap();
        for (issuer, ok) in [
            ("https://operator.example", true),
            ("https://shop.example", false),
            ("https://shop.example/", false),
            ("https://SHOP.example:443/oidc", false),
            ("https://shop.example.operator.example", true),
        ] {
            let profile = settings(&[("ISSUER", issuer)]).profile(None, Some(&redirect_uri));
            assert_eq!(profile.is_ok(), ok, "{issuer}");
            if let Err(error) = profile {
                assert!(error.to_string().contains("ISSUER: is on the host of REDIRECT_URI"), "{error}");
            }
        }
    }

    #[test]
    fn bad_value_names_its_variable_and_the_fix() {
        for (variable, value, reason) in [
            ("OPERATOR", "acme", "telefonica-sandbox"),
            ("OPERATOR_BASE_URL", "operator.example", "not a URL"),
            ("OPERATOR_BASE_URL", "http://operator.example", "use https"),
            ("OPERATOR_BASE_URL", "https://operator.example/?a=b", "query or fragment"),
            ("OPERATOR_BASE_URL", "https://user:s3cr3t@operator.example", "credentials"),
            ("TOKEN_ENDPOINT", "ftp://operator.example/token", "not an https URL"),
            ("TOKEN_ENDPOINT_AUTH_METHOD", "basic", "client_secret_basic or client_secret_post or private_key_jwt"),
            ("PKCE", "plain", "S256 or off"),
            ("PROMPT", "login", "use none"),
            ("LOGIN_HINT", "+34600000001", "use tel or off"),
            ("PHONE_NUMBER_FORMAT", "sha256", "plain or hashed"),
            ("REQUEST_OBJECT", "on", "signed or off"),
            ("DPOP", "S256", "on or preferred or off"),
            ("SCOPE", "two  spaces", "RFC 6749"),
            ("SCOPE", "a\"b", "RFC 6749"),
            ("SCOPE", "a\\b", "RFC 6749"),
            ("SCOPE", "\u{e9}", "RFC 6749"),
            ("ISSUER", "operator", "not a URL"),
        ] {
            let error = profile(&[(variable, value)]).expect_err(&format!("{variable}={value}"));
            assert!(error.starts_with(&format!("environment variable {variable}: ")), "{error}");
            assert!(error.contains(reason), "{variable}={value}: {error}");
            assert!(!error.contains("s3cr3t") && !error.contains('\n'), "{error}");
        }
    }
}
