//! The three endpoints of one operator, and their sources.

use super::discovery::Metadata;
use super::endpoint::{Endpoint, secure_url};
use super::presets::Preset;
use super::settings::{AUTHORIZATION, BASE_URL, OPERATOR, SettingError, Settings, TOKEN, VERIFY};

/// The endpoints of one operator.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub authorization: Endpoint,
    pub token: Endpoint,
    pub verify: Endpoint,
}

impl Endpoints {
    /// Takes each endpoint from its own variable, the discovery document, `OPERATOR_BASE_URL` or the preset, in this
    /// order. They must come from one source, or each from its own variable: otherwise one operator's token could go to
    /// another's `verify`.
    pub fn merge(settings: &Settings, preset: &Preset, metadata: Option<&Metadata>) -> Result<Self, SettingError> {
        let explicit = |variable, text: &Option<String>| {
            let endpoint = text.as_deref().map(Endpoint::parse).transpose();
            endpoint.map_err(|fault| SettingError::new(variable, fault))
        };
        let authorization = explicit(AUTHORIZATION, &settings.authorization_endpoint)?;
        let token = explicit(TOKEN, &settings.token_endpoint)?;
        let verify = explicit(VERIFY, &settings.verify_endpoint)?;

        let mut source = Self::of_operator(settings, preset)?;
        if let Some(metadata) = metadata {
            source.authorization = metadata.authorization_endpoint.clone();
            source.token = metadata.token_endpoint.clone();
            if verify.is_none() && settings.base_url.is_none() {
                source.check_verify_with_document(settings)?;
            }
        }

        let elsewhere = |endpoint: &Option<Endpoint>, source: &Endpoint| {
            endpoint.as_ref().is_some_and(|endpoint| !endpoint.same_origin(source))
        };
        // A preset already has its operator's `verify`. An owner who sets the operator's address may also set `verify`.
        let is_preset = metadata.is_none() && settings.base_url.is_none();
        let rows = [
            (AUTHORIZATION, authorization.is_some(), elsewhere(&authorization, &source.authorization)),
            (TOKEN, token.is_some(), elsewhere(&token, &source.token)),
            (VERIFY, verify.is_some(), is_preset && elsewhere(&verify, &source.verify)),
        ];
        let unset: Vec<_> =
            rows.iter().filter(|(_, is_set, _)| !is_set).map(|(variable, ..)| settings.called(variable)).collect();
        if let Some((variable, ..)) = rows.iter().find(|(.., elsewhere)| *elsewhere && !unset.is_empty()) {
            let fault = format!(
                "is on a different host from the operator's other endpoints; set {} too, so that no token goes to \
                 another operator",
                unset.join(" and ")
            );
            return Err(SettingError::new(variable, fault));
        }
        Ok(Self {
            authorization: authorization.unwrap_or(source.authorization),
            token: token.unwrap_or(source.token),
            verify: verify.unwrap_or(source.verify),
        })
    }

    /// The endpoints below `OPERATOR_BASE_URL` if it is set, else those of the preset.
    fn of_operator(settings: &Settings, preset: &Preset) -> Result<Self, SettingError> {
        let Some(base_url) = &settings.base_url else {
            let parse = |text| Endpoint::parse(text).map_err(|fault| SettingError::new(OPERATOR, fault));
            return Ok(Self {
                authorization: parse(preset.authorization)?,
                token: parse(preset.token)?,
                verify: parse(preset.verify)?,
            });
        };
        let fault = |fault| SettingError::new(BASE_URL, fault);
        let base_url = secure_url(base_url).map_err(fault)?;
        let below = |path| Endpoint::below(&base_url, path).map_err(fault);
        Ok(Self {
            authorization: below("/authorize")?,
            token: below("/token")?,
            verify: below("/number-verification/v0/verify")?,
        })
    }

    /// A discovery document does not name `verify`, so the preset's is used, but only if it belongs to that operator.
    fn check_verify_with_document(&self, settings: &Settings) -> Result<(), SettingError> {
        let fault = if settings.operator.is_none() {
            "not set, and a discovery document does not name it; give the address of the operator's verify".to_owned()
        } else if !self.verify.same_origin(&self.token) {
            format!(
                "not set, and {}'s verify is on a different host from the discovery document's token_endpoint; give the \
                 address of verify of the operator that published the document",
                settings.called(OPERATOR)
            )
        } else {
            return Ok(());
        };
        Err(SettingError::new(VERIFY, fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESET: (&str, &str) = ("OPERATOR", "telefonica-sandbox");
    const BASE: (&str, &str) = ("OPERATOR_BASE_URL", "https://op.example/gw");
    const A: (&str, &str) = ("AUTHORIZATION_ENDPOINT", "https://other.example/authorize");
    const T: (&str, &str) = ("TOKEN_ENDPOINT", "https://other.example/token");
    const V: (&str, &str) = ("VERIFY_ENDPOINT", "https://other.example/verify");
    const V2: (&str, &str) =
        ("VERIFY_ENDPOINT", "https://sandbox.opengateway.telefonica.com/apigateway/number-verification/v2/verify");

    /// The three endpoints, or the error.
    fn merged(variables: &[(&str, &str)], metadata: Option<&Metadata>) -> Result<[String; 3], String> {
        let settings = Settings::from_variables(|name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        });
        let profile = settings.profile(metadata, None).map_err(|e| e.to_string())?;
        let endpoints = [profile.authorization_endpoint, profile.token_endpoint, profile.verify_endpoint];
        Ok(endpoints.map(|endpoint| endpoint.url().to_string()))
    }

    #[test]
    fn endpoints_come_from_one_source_or_are_all_explicit() {
        const SANDBOX: [&str; 3] = [
            "https://sandbox.opengateway.telefonica.com/apigateway/authorize",
            "https://sandbox.opengateway.telefonica.com/apigateway/token",
            "https://sandbox.opengateway.telefonica.com/apigateway/number-verification/v0/verify",
        ];
        const GW: [&str; 3] = [
            "https://op.example/gw/authorize",
            "https://op.example/gw/token",
            "https://op.example/gw/number-verification/v0/verify",
        ];
        let same_origin = ("TOKEN_ENDPOINT", "https://op.example/other/token");
        for (name, variables, expected) in [
            ("nothing", vec![], Ok(SANDBOX)),
            ("a preset", vec![PRESET], Ok(SANDBOX)),
            ("a preset with another version of verify", vec![PRESET, V2], Ok([SANDBOX[0], SANDBOX[1], V2.1])),
            ("all three", vec![PRESET, A, T, V], Ok([A.1, T.1, V.1])),
            ("a base address", vec![BASE], Ok(GW)),
            ("a base address wins over a preset", vec![PRESET, BASE], Ok(GW)),
            ("a base address with verify elsewhere", vec![BASE, V], Ok([GW[0], GW[1], V.1])),
            ("a base address with token on the same host", vec![BASE, same_origin], Ok([GW[0], same_origin.1, GW[2]])),
            ("two of another operator", vec![PRESET, A, T], Err("AUTHORIZATION_ENDPOINT: set VERIFY_ENDPOINT too")),
            ("two of another operator, by default", vec![A, T], Err("AUTHORIZATION_ENDPOINT: set VERIFY_ENDPOINT too")),
            (
                "a preset's token elsewhere",
                vec![T],
                Err("TOKEN_ENDPOINT: set AUTHORIZATION_ENDPOINT and VERIFY_ENDPOINT too"),
            ),
            (
                "a preset's verify elsewhere",
                vec![V],
                Err("VERIFY_ENDPOINT: set AUTHORIZATION_ENDPOINT and TOKEN_ENDPOINT too"),
            ),
            (
                "a base address with token elsewhere",
                vec![BASE, T, V],
                Err("TOKEN_ENDPOINT: set AUTHORIZATION_ENDPOINT too"),
            ),
            (
                "a base address with another port",
                vec![BASE, ("TOKEN_ENDPOINT", "https://op.example:8443/token")],
                Err("TOKEN_ENDPOINT: set AUTHORIZATION_ENDPOINT and VERIFY_ENDPOINT too"),
            ),
        ] {
            expect(name, merged(&variables, None), expected);
        }
    }

    #[test]
    fn discovery_document_needs_a_verify_of_its_operator() {
        let metadata = Metadata::example();
        let document = ["https://op.example/oauth/auth", "https://op.example/oauth/token"];
        let below_base = "https://op.example/gw/number-verification/v0/verify";
        for (name, variables, expected) in [
            ("verify explicit", vec![V], Ok([document[0], document[1], V.1])),
            ("verify below a base address", vec![BASE], Ok([document[0], document[1], below_base])),
            ("verify explicit with a preset", vec![PRESET, V], Ok([document[0], document[1], V.1])),
            ("all three", vec![A, T, V], Ok([A.1, T.1, V.1])),
            ("no verify", vec![], Err("VERIFY_ENDPOINT: not set, and a discovery document")),
            ("the preset of another operator", vec![PRESET], Err("VERIFY_ENDPOINT: not set, and OPERATOR's verify")),
            (
                "token elsewhere",
                vec![BASE, T],
                Err("TOKEN_ENDPOINT: set AUTHORIZATION_ENDPOINT and VERIFY_ENDPOINT too"),
            ),
        ] {
            expect(name, merged(&variables, Some(&metadata)), expected);
        }
    }

    /// An expected error is written as its variable and a part of its text.
    fn expect(name: &str, merged: Result<[String; 3], String>, expected: Result<[&str; 3], &str>) {
        match (merged, expected) {
            (Ok(endpoints), Ok(expected)) => assert_eq!(endpoints, expected, "{name}"),
            (Err(error), Err(expected)) => {
                let (variable, text) = expected.split_once(": ").unwrap();
                assert!(error.starts_with(&format!("environment variable {variable}: ")), "{name}: {error}");
                assert!(error.contains(text) && !error.contains('\n'), "{name}: {error}");
            }
            (merged, expected) => panic!("{name}: {merged:?} instead of {expected:?}"),
        }
    }
}
