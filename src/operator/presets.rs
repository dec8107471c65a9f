//! The operators and aggregators that `OPERATOR` can name.
//!
//! A row states what the operator's own public documentation says, with the source and the date on which it was read.
//! Operators that are missing here, and why, are in `docs/operations.md`.

use crate::operator::TokenEndpointAuthMethod;

/// The settings of a named operator. An explicit variable overrides each of them.
#[derive(Debug)]
pub struct Preset {
    /// The name in `OPERATOR`.
    pub name: &'static str,
    /// `AUTHORIZATION_ENDPOINT`.
    pub authorization: &'static str,
    /// `TOKEN_ENDPOINT`.
    pub token: &'static str,
    /// `VERIFY_ENDPOINT`.
    pub verify: &'static str,
    /// `TOKEN_ENDPOINT_AUTH_METHOD`.
    pub auth_method: TokenEndpointAuthMethod,
    /// `SCOPE`.
    pub scope: &'static str,
    /// `LOGIN_HINT`.
    pub login_hint_tel: bool,
    /// `RETRIEVE_SCOPE`, if the operator documents another one than `SCOPE` with its token for `verify` replaced.
    pub retrieve_scope: Option<&'static str>,
}

/// The scope of version 0 of the API: purpose and name in one token.
const SCOPE_V0: &str = "dpv:FraudPreventionAndDetection#number-verification-verify-read";
/// The scope of versions 1 and 2 at Telefónica.
const TELEFONICA_SCOPE: &str = "dpv:FraudPreventionAndDetection number-verification:verify";
/// Telefónica's scope for the number in versions 1 and 2, which has a purpose of its own.
const TELEFONICA_RETRIEVE_SCOPE: &str = "dpv:ServiceProvision number-verification:device-phone-number:read";
/// The scope of versions 1 and 2 in the OpenID Connect flow.
const SCOPE_V1: &str = "openid dpv:FraudPreventionAndDetection number-verification:verify";

/// The settings that all versions of Telefónica's sandbox share.
const TELEFONICA: Preset = Preset {
    name: "telefonica-sandbox",
    authorization: "https://sandbox.opengateway.telefonica.com/apigateway/authorize",
    token: "https://sandbox.opengateway.telefonica.com/apigateway/token",
    verify: "https://sandbox.opengateway.telefonica.com/apigateway/number-verification/v0/verify",
    auth_method: TokenEndpointAuthMethod::ClientSecretBasic,
    scope: SCOPE_V0,
    login_hint_tel: true,
    retrieve_scope: None,
};

/// The first is the default. `template.yaml` lists the names too; a test of the template compares them.
pub const PRESETS: [Preset; 5] = [
    // https://developers.opengateway.telefonica.com/docs/usethesandbox (base address), /docs/frontend (client
    // authentication, login_hint) and /reference (paths, scopes), whose source is the repository
    // Telefonica/opengateway-developers-website at a0a668b (2026-06-26); read 2026-11-28.
    // login_hint is required in production mode and optional in mock mode.
    TELEFONICA,
    Preset {
        name: "telefonica-sandbox-v1",
        verify: "https://sandbox.opengateway.telefonica.com/apigateway/number-verification/v1/verify",
        scope: TELEFONICA_SCOPE,
        retrieve_scope: Some(TELEFONICA_RETRIEVE_SCOPE),
        ..TELEFONICA
    },
    Preset {
        name: "telefonica-sandbox-v2",
        verify: "https://sandbox.opengateway.telefonica.com/apigateway/number-verification/v2/verify",
        scope: TELEFONICA_SCOPE,
        retrieve_scope: Some(TELEFONICA_RETRIEVE_SCOPE),
        ..TELEFONICA
    },
    // https://docs.developer.orange.com/network-apis/api-catalog/number-verification/playground/1.0/getting-started;
    // read 2026-11-28. Orange's mock has no network that could identify the number, so login_hint must name it.
    Preset {
        name: "orange-playground",
        authorization: "https://api.orange.com/openidconnect/playground/v1.0/authorize",
        token: "https://api.orange.com/openidconnect/playground/v1.0/token",
        verify: "https://api.orange.com/camara/playground/api/number-verification/v1/verify",
        auth_method: TokenEndpointAuthMethod::ClientSecretBasic,
        scope: SCOPE_V1,
        login_hint_tel: true,
        retrieve_scope: None,
    },
    // https://developer.pxg.konera.com/apis/number-verification-v1/versions/1554527f-4237-4b00-a8d4-a6b8d30bda00;
    // read 2026-11-28. Another page of Konera's has verify without /api in its path.
    Preset {
        name: "konera",
        authorization: "https://api.pxg.konera.com/camara/api/auth/v1/authorize",
        token: "https://api.pxg.konera.com/camara/api/auth/v1/token",
        verify: "https://api.pxg.konera.com/camara/api/number-verification/v1/verify",
        auth_method: TokenEndpointAuthMethod::ClientSecretPost,
        scope: SCOPE_V1,
        login_hint_tel: false,
        retrieve_scope: None,
    },
];
