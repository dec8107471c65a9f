//! Private keys as JSON Web Keys (RFC 7517, RFC 7518 §6).

use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::PrivateKey;
use super::private_key::{KINDS, Key, NOT_A_KEY, RsaAlgorithm};

/// The members of a private JWK (RFC 7517, RFC 7518 §6) that are used.
#[derive(Deserialize)]
pub(super) struct Jwk {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<Zeroizing<String>>,
    e: Option<Zeroizing<String>>,
    d: Option<Zeroizing<String>>,
    p: Option<Zeroizing<String>>,
    q: Option<Zeroizing<String>>,
    dp: Option<Zeroizing<String>>,
    dq: Option<Zeroizing<String>>,
    qi: Option<Zeroizing<String>>,
    x: Option<Zeroizing<String>>,
    y: Option<Zeroizing<String>>,
}

impl Jwk {
    /// The key.
    ///
    /// # Errors
    /// The fault of the key, without any part of it.
    pub fn key(self) -> Result<PrivateKey, &'static str> {
        let part = |part: Option<Zeroizing<String>>| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(part.ok_or(NOT_A_KEY)?.as_bytes());
            bytes.map(Zeroizing::new).map_err(|_| NOT_A_KEY)
        };
        let key = match (self.kty.as_str(), self.crv.as_deref(), self.alg.as_deref()) {
            ("EC", Some("P-256"), None | Some("ES256")) => {
                // SEC 1 §2.3.3: an uncompressed point is 4, x, y.
                let public_key = [&[4][..], &part(self.x)?, &part(self.y)?].concat();
                let key = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &part(self.d)?,
                    &public_key,
                );
                Key::P256(key.map_err(|_| KINDS)?)
            }
            ("RSA", _, alg @ (None | Some("RS256" | "PS256"))) => {
                let key = RsaKeyPair::from_components(&KeyPairComponents {
                    public_key: PublicKeyComponents { n: &*part(self.n)?, e: &*part(self.e)? },
                    d: &*part(self.d)?,
                    p: &*part(self.p)?,
                    q: &*part(self.q)?,
                    dP: &*part(self.dp)?,
                    dQ: &*part(self.dq)?,
                    qInv: &*part(self.qi)?,
                });
                let algorithm = if alg == Some("PS256") { RsaAlgorithm::Ps256 } else { RsaAlgorithm::Rs256 };
                Key::Rsa(key.map_err(|_| KINDS)?, algorithm)
            }
            _ => return Err(KINDS),
        };
        Ok(PrivateKey { key, key_id: self.kid })
    }
}
