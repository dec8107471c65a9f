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
}

/// The scope of version 0 of the API: purpose and name in one token.
const SCOPE_V0: &str = "dpv:FraudPreventionAndDetection#number-verification-verify-read";
/// The scope of versions 1 and 2 in the OpenID Connect flow.
const SCOPE_V1: &str = "openid dpv:FraudPreventionAndDetection number-verification:verify";

/// The first is the default. `template.yaml` lists the names too; a test of the template compares them.
pub const PRESETS: [Preset; 3] = [
    // https://developers.opengateway.telefonica.com/docs/usethesandbox (base address), /docs/frontend (client
    // authentication, login_hint) and /reference (paths, scopes), whose source is the repository
    // Telefonica/opengateway-developers-website at a0a668b (2026-06-26); read 2026-11-28.
    // It serves v0, v1 and v2; the scope below is that of v0. login_hint is required in production mode and optional in
    // mock mode.
    Preset {
        name: "telefonica-sandbox",
        authorization: "https://sandbox.opengateway.telefonica.com/apigateway/authorize",
        token: "https://sandbox.opengateway.telefonica.com/apigateway/token",
        verify: "https://sandbox.opengateway.telefonica.com/apigateway/number-verification/v0/verify",
        auth_method: TokenEndpointAuthMethod::ClientSecretBasic,
        scope: SCOPE_V0,
        login_hint_tel: true,
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
    },
    // https://developer.pxg.konera.com/apis/number-verification-v1/versions/1554527f-4237-4b00-a8d4-a6b8d30bda00;
    // read 2026-11-28.
    Preset {
        name: "konera",
        authorization: "https://api.pxg.konera.com/camara/api/auth/v1/authorize",
        token: "https://api.pxg.konera.com/camara/api/auth/v1/token",
        verify: "https://api.pxg.konera.com/camara/api/number-verification/v1/verify",
        auth_method: TokenEndpointAuthMethod::ClientSecretPost,
        scope: SCOPE_V1,
        login_hint_tel: false,
    },
];
