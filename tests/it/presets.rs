//! The operators that `OPERATOR` names: what is sent to each is what its public documentation shows. The sandbox plays each
//! operator, with its paths and its requirements.

use std::collections::{BTreeMap, BTreeSet};

use number_verification::operator::presets::PRESETS;
use sandbox::{ClientAuth, Dialect, Leg, Sandbox, Served, Settings};

use crate::support::{Browser, Function, REDIRECT_URI};

/// An operator as its documentation shows it. The sources are beside the presets in `src/operator/presets.rs`.
struct Documented {
    preset: &'static str,
    dialect: Dialect,
    /// Scheme and host of all endpoints.
    host: &'static str,
    /// The path of `verify` after the API's base path.
    verify: &'static str,
    scope: &'static str,
    client_auth: ClientAuth,
    login_hint: Option<&'static str>,
    /// The scope for the number, if the documentation shows one.
    retrieve_scope: Option<&'static str>,
}

const TELEFONICA: Documented = Documented {
    preset: "telefonica-sandbox",
    dialect: Dialect::TELEFONICA,
    host: "https://sandbox.opengateway.telefonica.com",
    verify: "/number-verification/v0/verify",
    scope: "dpv:FraudPreventionAndDetection#number-verification-verify-read",
    client_auth: ClientAuth::ClientSecretBasic,
    login_hint: Some("tel:+34600000001"),
    retrieve_scope: None,
};

const DOCUMENTED: [Documented; 5] = [
    TELEFONICA,
    Documented {
        preset: "telefonica-sandbox-v1",
        verify: "/number-verification/v1/verify",
        scope: "dpv:FraudPreventionAndDetection number-verification:verify",
        retrieve_scope: Some("dpv:ServiceProvision number-verification:device-phone-number:read"),
        ..TELEFONICA
    },
    Documented {
        preset: "telefonica-sandbox-v2",
        verify: "/number-verification/v2/verify",
        scope: "dpv:FraudPreventionAndDetection number-verification:verify",
        retrieve_scope: Some("dpv:ServiceProvision number-verification:device-phone-number:read"),
        ..TELEFONICA
    },
    Documented {
        preset: "orange-playground",
        dialect: Dialect::ORANGE_PLAYGROUND,
        host: "https://api.orange.com",
        verify: "/number-verification/v1/verify",
        scope: "openid dpv:FraudPreventionAndDetection number-verification:verify",
        client_auth: ClientAuth::ClientSecretBasic,
        login_hint: Some("tel:+34600000001"),
        retrieve_scope: None,
    },
    Documented {
        preset: "konera",
        dialect: Dialect::KONERA,
        host: "https://api.pxg.konera.com",
        verify: "/number-verification/v1/verify",
        scope: "openid dpv:FraudPreventionAndDetection number-verification:verify",
        client_auth: ClientAuth::ClientSecretPost,
        login_hint: None,
        retrieve_scope: None,
    },
];

#[test]
fn every_preset_has_its_documented_addresses_and_scopes() {
    for (preset, documented) in PRESETS.iter().zip(DOCUMENTED) {
        let Documented { dialect, host, verify, .. } = documented;
        assert_eq!(preset.name, documented.preset);
        assert_eq!(preset.authorization, format!("{host}{}", dialect.authorize));
        assert_eq!(preset.token, format!("{host}{}", dialect.token));
        assert_eq!(preset.verify, format!("{host}{}{verify}", dialect.api));
        assert_eq!(
            (preset.scope, preset.retrieve_scope),
            (documented.scope, documented.retrieve_scope),
            "{}",
            preset.name
        );
    }
    assert_eq!(PRESETS.len(), DOCUMENTED.len());
}

#[tokio::test]
async fn every_preset_verifies_a_number_with_the_documented_requests() {
    for documented in DOCUMENTED {
        let served = verify_with(&documented).await;
        let [authorize, token, verify] = &served[..] else { panic!("{}: {served:?}", documented.preset) };
        let name = documented.preset;

        // Beside these, our own: `state`, PKCE's, and a `nonce` for an ID token, which operators may ignore (RFC 6749 §3.1).
        let mut ours = vec!["state", "code_challenge", "code_challenge_method"];
        ours.extend(documented.scope.starts_with("openid ").then_some("nonce"));
        let mut sent = vec![
            ("response_type", "code"),
            ("client_id", "my-app-id"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", documented.scope),
        ];
        sent.extend(documented.login_hint.map(|hint| ("login_hint", hint)));
        assert_fields(name, authorize, &sent, &ours);

        assert_eq!(token.content_type.as_deref(), Some("application/x-www-form-urlencoded"), "{name}");
        assert_eq!(token.client_auth, Some(documented.client_auth), "{name}");
        let mut sent = vec![("grant_type", "authorization_code"), ("redirect_uri", REDIRECT_URI)];
        if documented.client_auth == ClientAuth::ClientSecretPost {
            sent.extend([("client_id", "my-app-id"), ("client_secret", "my-app-secret")]);
        }
        assert_fields(name, token, &sent, &["code", "code_verifier"]);

        assert_eq!(
            (verify.method.as_str(), verify.content_type.as_deref()),
            ("POST", Some("application/json")),
            "{name}"
        );
        assert_eq!(verify.path, format!("{}{}", documented.dialect.api, documented.verify), "{name}");
        assert_fields(name, verify, &[("phoneNumber", "+34600000001")], &[]);
    }
}

/// The requests of a verification with a preset, whose endpoints are moved to a sandbox.
async fn verify_with(documented: &Documented) -> Vec<Served> {
    let settings = Settings { dialect: documented.dialect, ..Settings::default() };
    let sandbox = Sandbox::start(settings).await.unwrap();
    let base_url = sandbox.base_url();
    let [authorize, token] =
        [documented.dialect.authorize, documented.dialect.token].map(|path| format!("{base_url}{path}"));
    let verify = format!("{base_url}{}{}", documented.dialect.api, documented.verify);
    let function = Function::with_sandbox(
        sandbox,
        &[
            ("OPERATOR_BASE_URL", ""),
            ("OPERATOR", documented.preset),
            ("AUTHORIZATION_ENDPOINT", &authorize),
            ("TOKEN_ENDPOINT", &token),
            ("VERIFY_ENDPOINT", &verify),
        ],
    );
    let answer = Browser::default().verify(&function, "+34600000001").await;
    assert_eq!(answer.outcome(), "verified", "{}: {}", documented.preset, answer.body);
    function.sandbox.requests().into_iter().filter(|served| served.leg != Some(Leg::Secret)).collect()
}

/// Checks that a request has these fields with their values, those of ours with any value, and no others.
fn assert_fields(name: &str, served: &Served, sent: &[(&str, &str)], ours: &[&str]) {
    let expected: BTreeMap<_, _> = sent.iter().copied().collect();
    let values: BTreeMap<_, _> = served.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (field, value) in &expected {
        assert_eq!(values.get(field), Some(value), "{name}: {} {field}", served.path);
    }
    let names: BTreeSet<_> = values.into_keys().collect();
    let known: BTreeSet<_> = expected.into_keys().chain(ours.iter().copied()).collect();
    assert_eq!(names, known, "{name}: {}", served.path);
}
