//! The documents that libraries read: the metadata (OpenID Connect Discovery 1.0 §3, RFC 8414) and the JWK Set.

use serde_json::{Value, json};

use crate::jwt::PublicKey;
use crate::language::Language;

/// The paths of the endpoints, below the issuer.
pub const AUTHORIZATION_PATH: &str = "/authorize";
/// See [`AUTHORIZATION_PATH`].
pub const TOKEN_PATH: &str = "/token";
/// See [`AUTHORIZATION_PATH`].
pub const USERINFO_PATH: &str = "/userinfo";
/// See [`AUTHORIZATION_PATH`].
pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";
/// See [`AUTHORIZATION_PATH`].
pub const JWKS_PATH: &str = "/.well-known/jwks.json";

/// The metadata of the provider with this issuer, whose tokens are signed with this algorithm.
#[must_use]
pub fn discovery(issuer: &str, algorithm: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}{AUTHORIZATION_PATH}"),
        "token_endpoint": format!("{issuer}{TOKEN_PATH}"),
        "userinfo_endpoint": format!("{issuer}{USERINFO_PATH}"),
        "jwks_uri": format!("{issuer}{JWKS_PATH}"),
        "scopes_supported": ["openid", "phone"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [algorithm],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "amr", "phone_number",
            "phone_number_verified",
        ],
        "prompt_values_supported": ["none"],
        "ui_locales_supported": Language::ALL.map(Language::tag),
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}

/// The JWK Set (RFC 7517 §5) with the keys that may have signed a token.
#[must_use]
pub fn jwks(keys: &[PublicKey]) -> Value {
    json!({ "keys": keys.iter().map(PublicKey::to_jwk).collect::<Vec<_>>() })
}
