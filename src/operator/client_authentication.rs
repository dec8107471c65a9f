//! Client authentication at the token endpoint.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use serde_json::{Value, json};
use url::Url;

use super::redacted::redacted_strings;
use super::{ClientCredentials, ClientSecret};
use crate::jwt::{PrivateKey, unique_id};

redacted_strings! {
    /// The value of the `Authorization` header: `Basic …`.
    BasicAuthorization;
}

/// The methods of RFC 7591 §2 and OpenID Connect Core §9, with the credentials that each needs.
#[derive(Debug, Clone)]
pub enum ClientAuthentication {
    /// HTTP Basic (RFC 6749 §2.3.1).
    ClientSecretBasic(BasicAuthorization),
    /// `client_id` and `client_secret` in the body.
    ClientSecretPost(ClientSecret),
    /// A signed assertion (RFC 7523 §2.2), which CAMARA's Security and Interoperability Profile requires.
    PrivateKeyJwt(Arc<PrivateKey>),
    /// Vonage's own: a signed JWT of the application as Bearer token.
    VonageJwt(Arc<PrivateKey>),
}

/// The parts of a token request that prove the client's identity.
#[derive(Default)]
pub(super) struct Proof<'a> {
    pub authorization: Option<HeaderValue>,
    pub fields: Vec<(&'static str, Cow<'a, str>)>,
}

impl Proof<'_> {
    fn in_header(authorization: &str) -> Result<Self, Unspecified> {
        let mut header = HeaderValue::try_from(authorization).map_err(|_| Unspecified)?;
        header.set_sensitive(true);
        Ok(Self { authorization: Some(header), ..Self::default() })
    }
}

impl ClientAuthentication {
    /// The header of HTTP Basic. The identifier and the secret are form-urlencoded first (RFC 6749 §2.3.1).
    pub(crate) fn basic(client_id: &str, client_secret: &str) -> BasicAuthorization {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(client_id), encode(client_secret));
        BasicAuthorization::new(format!("Basic {}", BASE64_STANDARD.encode(pair)))
    }
}

/// The lifetime of an assertion in seconds: enough for a slow connection and an inaccurate clock. CAMARA's profile
/// allows at most 300.
const ASSERTION_LIFETIME: u64 = 120;

impl ClientCredentials {
    /// Creates the proof for one request. An assertion must not be used twice.
    pub(super) fn prove(&self, token_endpoint: &Url) -> Result<Proof<'_>, Unspecified> {
        match &self.authentication {
            ClientAuthentication::ClientSecretBasic(authorization) => Proof::in_header(authorization.expose()),
            ClientAuthentication::VonageJwt(key) => {
                let jwt = key.sign_jwt(&vonage_claims(&self.client_id)?)?;
                Proof::in_header(&format!("Bearer {jwt}"))
            }
            ClientAuthentication::ClientSecretPost(secret) => Ok(Proof {
                fields: vec![("client_id", self.client_id.as_str().into()), ("client_secret", secret.expose().into())],
                ..Proof::default()
            }),
            ClientAuthentication::PrivateKeyJwt(key) => Ok(Proof {
                fields: vec![
                    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into()),
                    ("client_assertion", self.assertion(key, token_endpoint)?.into()),
                ],
                ..Proof::default()
            }),
        }
    }

    /// Signs an assertion with the claims of RFC 7523 §3 and OpenID Connect Core §9.
    fn assertion(&self, key: &PrivateKey, token_endpoint: &Url) -> Result<String, Unspecified> {
        key.sign_jwt(&assertion_claims(&self.client_id, &self.client_id, token_endpoint)?)
    }
}

/// The claims of an assertion (RFC 7523 §3), valid once and for a short time.
pub(super) fn assertion_claims(client_id: &str, subject: &str, token_endpoint: &Url) -> Result<Value, Unspecified> {
    let mut claims = short_lived_claims(ASSERTION_LIFETIME)?;
    claims["iss"] = client_id.into();
    claims["sub"] = subject.into();
    claims["aud"] = token_endpoint.as_str().into();
    Ok(claims)
}

/// The claims of Vonage's application JWT. The `client_id` is the application's identifier.
fn vonage_claims(client_id: &str) -> Result<Value, Unspecified> {
    let mut claims = short_lived_claims(ASSERTION_LIFETIME)?;
    claims["application_id"] = client_id.into();
    Ok(claims)
}

/// The claims of every JWT that is valid once and for this many seconds.
pub(super) fn short_lived_claims(lifetime: u64) -> Result<Value, Unspecified> {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    Ok(json!({ "iat": now, "exp": now + lifetime, "jti": unique_id()? }))
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use http::HeaderMap;

    use super::*;
    use crate::jwt::tests::ES256_JWK;

    fn endpoint() -> Url {
        Url::parse("https://operator.example/token").unwrap()
    }

    #[test]
    fn basic_credentials_are_form_urlencoded_first() {
        let proof = ClientCredentials::new("my app", "p:ä+ /").prove(&endpoint()).map(|proof| proof.authorization);
        let header = proof.unwrap().unwrap();
        assert_eq!(header, format!("Basic {}", BASE64_STANDARD.encode("my+app:p%3A%C3%A4%2B+%2F")));
        assert!(header.is_sensitive());
    }

    #[test]
    fn assertion_is_unique_short_lived_and_for_the_token_endpoint() {
        let key = PrivateKey::parse(&ES256_JWK.into()).unwrap();
        let credentials = ClientCredentials {
            client_id: "my-app-id".to_owned(),
            authentication: ClientAuthentication::PrivateKeyJwt(Arc::new(key)),
            headers: HeaderMap::new(),
        };
        let claims = || {
            let proof = credentials.prove(&endpoint()).unwrap();
            assert!(proof.authorization.is_none());
            let (_, assertion) = proof.fields.into_iter().find(|(name, _)| *name == "client_assertion").unwrap();
            let claims = BASE64_URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap();
            serde_json::from_slice::<Value>(&claims).unwrap()
        };
        let (first, second) = (claims(), claims());
        assert_eq!(first["iss"], "my-app-id");
        assert_eq!(first["sub"], "my-app-id");
        assert_eq!(first["aud"], "https://operator.example/token");
        assert!(first["exp"].as_u64().unwrap() - first["iat"].as_u64().unwrap() <= 300);
        assert_ne!(first["jti"], second["jti"]);
    }

    /// The claims of Vonage's SDKs; a JWT with `iss`, `aud` or `sub` is another kind there.
    #[test]
    fn vonage_jwt_is_a_bearer_token_of_the_application() {
        let key = PrivateKey::parse(&ES256_JWK.into()).unwrap();
        let credentials = ClientCredentials {
            client_id: "my-application".to_owned(),
            authentication: ClientAuthentication::VonageJwt(Arc::new(key)),
            headers: HeaderMap::new(),
        };
        let proof = credentials.prove(&endpoint()).unwrap();
        let header = proof.authorization.unwrap();
        assert!(proof.fields.is_empty() && header.is_sensitive());
        let claims = header.to_str().unwrap().strip_prefix("Bearer ").unwrap().split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        let names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["application_id", "exp", "iat", "jti"]);
        assert_eq!(claims["application_id"], "my-application");
    }
}
