//! The JWT bearer grant with an operator token, as CAMARA's Security and Interoperability Profile has it (RFC 7523
//! §2.1): the assertion authenticates the client, and its `sub` names the SIM.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::scope::Scope;

pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The operator token of the phone whose SIM is [`Settings::sim`](crate::Settings::sim).
pub const SAMPLE_OPERATOR_TOKEN: &str = "sandbox-operator-token";

/// The longest lifetime of an assertion that the profile allows.
const MAX_LIFETIME: Duration = Duration::from_mins(5);

/// The key that the client registered with the operator, and the assertions that were used.
#[derive(Debug)]
pub(crate) struct Assertions {
    /// The private half, for the client's secret.
    pub private_key_pem: String,
    public_key: Vec<u8>,
    /// The `jti` of each, until it expires.
    used: HashMap<String, u64>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// Times are in seconds since the epoch.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    iat: u64,
    jti: String,
    scope: String,
}

impl Assertions {
    pub(crate) fn new() -> Self {
        let generated = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let pkcs8 = generated.as_ref().map(AsRef::as_ref).unwrap_or_default();
        let public_key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .map(|key| key.public_key().as_ref().to_vec())
            .unwrap_or_default();
        let body = BASE64_STANDARD.encode(pkcs8);
        let private_key_pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        Self { private_key_pem, public_key, used: HashMap::new() }
    }

    /// Checks a token request with an assertion, and uses it up.
    pub(crate) fn accept(
        &mut self,
        form: &Parameters,
        client_id: &str,
        token_endpoint: &str,
    ) -> Result<Scope, OAuthError> {
        for name in ["scope", "client_secret", "client_assertion"] {
            if form.get(name).is_some() {
                return Err(OAuthError::invalid_request(format!("{name} must not be sent with this grant")));
            }
        }
        let assertion = form.get("assertion").ok_or_else(|| OAuthError::missing("assertion"))?;
        let claims = self.verified(assertion)?;
        let refused = OAuthError::invalid_grant;
        if claims.iss != client_id {
            return Err(OAuthError::new("invalid_client", "iss is not the client"));
        }
        if claims.aud != token_endpoint {
            return Err(refused("aud is not the token endpoint"));
        }
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        if claims.exp <= now || claims.iat > now + 5 {
            return Err(refused("the assertion has expired, or is not valid yet"));
        }
        if claims.exp.saturating_sub(claims.iat) > MAX_LIFETIME.as_secs() {
            return Err(refused("the assertion is valid for more than 300 seconds"));
        }
        let scope = Scope::parse(&claims.scope).map_err(|fault| OAuthError::new("invalid_scope", fault))?;
        match claims.sub.strip_prefix("operatortoken:") {
            Some(SAMPLE_OPERATOR_TOKEN) => {}
            Some(_) => return Err(refused("the operator token is unknown or has expired")),
            None => return Err(refused("sub does not start with operatortoken:")),
        }
        self.used.retain(|_, expires_at| *expires_at > now);
        if claims.jti.is_empty() || self.used.insert(claims.jti, claims.exp).is_some() {
            return Err(refused("jti is missing or was used before"));
        }
        Ok(scope)
    }

    /// The claims of an assertion that the client signed.
    fn verified(&self, assertion: &str) -> Result<Claims, OAuthError> {
        let malformed =
            || OAuthError::invalid_grant("the assertion is not a JWT with iss, sub, aud, exp, iat, jti and scope");
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
        let (signed, signature) = assertion.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| malformed())?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.public_key);
        let is_signed = header.alg == "ES256" && key.verify(signed.as_bytes(), &decode(signature)?).is_ok();
        if !is_signed {
            return Err(OAuthError::new("invalid_client", "the client's registered key did not sign the assertion"));
        }
        serde_json::from_slice(&decode(claims)?).map_err(|_| malformed())
    }
}
