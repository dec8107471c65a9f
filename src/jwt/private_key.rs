//! A private key, which signs JSON Web Tokens (RFC 7515, RFC 7518).

use aws_lc_rs::agreement::{self, ECDH_P256};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaSignatureEncoding,
};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::PublicKey;
use super::jwk::Jwk;

/// A key whose kind determines the algorithm: RSA signs with `RS256`, or with `PS256` if a JWK says so; P-256 signs
/// with `ES256`.
pub struct PrivateKey {
    pub(super) key: Key,
    /// The `kid` in the header of every JWT, by which a reader that has several of our keys finds the right one.
    pub(super) key_id: Option<String>,
}

/// The encoded header of a JWT.
#[derive(Debug, Clone)]
pub struct Header(String);

pub(super) enum Key {
    Rsa(RsaKeyPair, RsaAlgorithm),
    P256(EcdsaKeyPair),
}

#[derive(Clone, Copy)]
pub(super) enum RsaAlgorithm {
    Rs256,
    Ps256,
}

pub(super) const NOT_A_KEY: &str = "is not a private key; give PEM (PKCS #8, PKCS #1 or SEC 1) or a private JWK";
pub(super) const KINDS: &str = "is not of a supported kind; give RSA of 2048 bits or more, or P-256";

impl PrivateKey {
    /// Reads a key: PEM, or a JWK as text or as JSON.
    ///
    /// # Errors
    /// The fault of the key, without any part of the key.
    pub fn parse(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::String(text) if text.trim_start().starts_with('{') => {
                serde_json::from_str::<Jwk>(text).map_err(|_| NOT_A_KEY)?.key()
            }
            Value::String(pem) => Self::from_pem(pem),
            Value::Object(_) => Jwk::deserialize(value).map_err(|_| NOT_A_KEY)?.key(),
            _ => Err(NOT_A_KEY),
        }
    }

    fn from_pem(pem: &str) -> Result<Self, &'static str> {
        let rsa = |key| Key::Rsa(key, RsaAlgorithm::Rs256);
        let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| NOT_A_KEY)? {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).map(rsa).ok(),
            PrivateKeyDer::Sec1(der) => {
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_sec1_der())
                    .map(Key::P256)
                    .ok()
            }
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map(rsa).ok().or_else(|| {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der()).map(Key::P256).ok()
            }),
            _ => None,
        };
        Ok(Self { key: key.ok_or(KINDS)?, key_id: None })
    }

    /// Makes a P-256 key of 32 bytes; `None` if they are not a private key, as one in four billion is not.
    #[must_use]
    pub fn from_p256_scalar(scalar: &[u8; 32]) -> Option<Self> {
        let public_key = agreement::PrivateKey::from_private_key(&ECDH_P256, scalar).ok()?.compute_public_key().ok()?;
        let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_private_key_and_public_key(signing, scalar, public_key.as_ref()).ok()?;
        Some(Self { key: Key::P256(key), key_id: None })
    }

    /// Makes a new P-256 key.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate_p256() -> Result<Self, Unspecified> {
        Ok(Self { key: Key::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?), key_id: None })
    }

    /// The key with the thumbprint of its public half as `kid` in the header of every JWT.
    #[must_use]
    pub fn with_thumbprint(self) -> Self {
        let key_id = Some(self.public_key().thumbprint().to_owned());
        Self { key_id, ..self }
    }

    /// The algorithm (RFC 7518 §3.1).
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        self.key.algorithm()
    }

    /// The public half, with the `kid` that the header of a JWT has.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let public_key = match &self.key {
            Key::Rsa(key, _) => {
                let public_key = key.public_key();
                let (modulus, exponent) = (public_key.modulus(), public_key.exponent());
                PublicKey::rsa(
                    self.algorithm(),
                    modulus.big_endian_without_leading_zero(),
                    exponent.big_endian_without_leading_zero(),
                )
            }
            Key::P256(key) => PublicKey::p256(key.public_key().as_ref()),
        };
        public_key.named(self.key_id.as_deref())
    }

    /// The header of a JWT of this type, which names the key by its `kid`, if it has one.
    #[must_use]
    pub fn header(&self, typ: &str) -> Header {
        let mut header = json!({ "typ": typ, "alg": self.algorithm() });
        if let Some(key_id) = &self.key_id {
            header["kid"] = key_id.as_str().into();
        }
        Header(encode(&header))
    }

    /// The header of a JWT of this type, with the public key itself (RFC 7515 §4.1.3).
    #[must_use]
    pub fn header_with_public_key(&self, typ: &str) -> Header {
        Header(encode(&json!({ "typ": typ, "alg": self.algorithm(), "jwk": self.public_key().members() })))
    }

    /// Signs claims into a JWT in compact form (RFC 7515 §7.1).
    ///
    /// # Errors
    /// The cryptographic library cannot sign with this key.
    pub fn sign_jwt(&self, claims: &Value) -> Result<String, Unspecified> {
        self.sign(&self.header("JWT"), claims)
    }

    /// The same with another header.
    ///
    /// # Errors
    /// See [`sign_jwt`](Self::sign_jwt).
    pub fn sign(&self, Header(header): &Header, claims: &Value) -> Result<String, Unspecified> {
        let signed = format!("{header}.{}", encode(claims));
        let signature = self.key.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Encodes a part of a JWT (RFC 7515 §7.1).
fn encode(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
}

impl Key {
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_, RsaAlgorithm::Rs256) => "RS256",
            Self::Rsa(_, RsaAlgorithm::Ps256) => "PS256",
            Self::P256(_) => "ES256",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::P256(key) => key.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Self::Rsa(key, algorithm) => {
                let padding: &'static RsaSignatureEncoding = match algorithm {
                    RsaAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
                    RsaAlgorithm::Ps256 => &RSA_PSS_SHA256,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

redacted_debug!(PrivateKey);

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
        VerificationAlgorithm,
    };

    use super::*;

    /// The private key of RFC 7515 appendix A.3 (ES256).
    pub const ES256_JWK: &str = r#"{"kty":"EC","crv":"P-256","kid":"key-1",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

    /// The private key of RFC 7515 appendix A.2 (RS256).
    const RSA_JWK: &str = r#"{"kty":"RSA","e":"AQAB",
        "n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
        "p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
        "q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
        "dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
        "dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
        "qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}"#;

    fn key(text: &str) -> PrivateKey {
        PrivateKey::parse(&text.into()).unwrap()
    }

    fn verify(jwt: &str, algorithm: &'static dyn VerificationAlgorithm, public_key: &[u8]) -> bool {
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        ParsedPublicKey::new(algorithm, public_key).unwrap().verify_sig(signed.as_bytes(), &signature).is_ok()
    }

    #[test]
    fn key_type_decides_the_algorithm() {
        let ps256 = RSA_JWK.replacen('{', r#"{"alg":"PS256","#, 1);
        let algorithms: [(&str, &str, &'static dyn VerificationAlgorithm); 3] = [
            (ES256_JWK, "ES256", &ECDSA_P256_SHA256_FIXED),
            (RSA_JWK, "RS256", &RSA_PKCS1_2048_8192_SHA256),
            (&ps256, "PS256", &RSA_PSS_2048_8192_SHA256),
        ];
        for (jwk, name, algorithm) in algorithms {
            let key = key(jwk);
            let jwt = key.sign_jwt(&json!({ "sub": "my-app-id" })).unwrap();
            let header = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').next().unwrap()).unwrap();
            let header: Value = serde_json::from_slice(&header).unwrap();
            assert_eq!(header["alg"], name);
            let public_key = match &key.key {
                Key::Rsa(key, _) => key.public_key().as_ref().to_vec(),
                Key::P256(key) => key.public_key().as_ref().to_vec(),
            };
            assert!(verify(&jwt, algorithm, &public_key), "{name}");
            assert!(!verify(&jwt.replacen("ey", "eZ", 1), algorithm, &public_key), "{name}, altered");
        }
        let header = key(ES256_JWK).sign_jwt(&json!({})).unwrap();
        assert!(
            BASE64_URL_SAFE_NO_PAD.decode(header.split('.').next().unwrap()).unwrap().ends_with(br#""typ":"JWT"}"#)
        );
    }

    #[test]
    fn pem_is_read_in_all_three_forms() {
        use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
        let pem = |label: &str, der: &[u8]| {
            let body = base64::prelude::BASE64_STANDARD.encode(der);
            format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
        };
        let Key::P256(ec) = key(ES256_JWK).key else { panic!("a P-256 key") };
        let Key::Rsa(rsa, _) = key(RSA_JWK).key else { panic!("an RSA key") };
        let rsa_pkcs8 = rsa.as_der().map(|der: Pkcs8V1Der<'_>| der.as_ref().to_vec()).unwrap();
        for (name, pem, algorithm) in [
            ("PKCS #8, P-256", pem("PRIVATE KEY", ec.to_pkcs8v1().unwrap().as_ref()), "ES256"),
            (
                "SEC 1",
                pem("EC PRIVATE KEY", AsDer::<EcPrivateKeyRfc5915Der<'_>>::as_der(&ec.private_key()).unwrap().as_ref()),
                "ES256",
            ),
            ("PKCS #8, RSA", pem("PRIVATE KEY", &rsa_pkcs8), "RS256"),
            // PKCS #8 wraps PKCS #1 behind 26 bytes for a key of this size (RFC 5958 §2).
            ("PKCS #1", pem("RSA PRIVATE KEY", &rsa_pkcs8[26..]), "RS256"),
        ] {
            assert_eq!(key(&pem).key.algorithm(), algorithm, "{name}");
        }
    }

    #[test]
    fn unusable_keys_are_refused_without_quoting_them() {
        for (name, text) in [
            ("empty", String::new()),
            ("words", "hush".to_owned()),
            ("a public JWK", ES256_JWK.replace(r#""d":"#, r#""x5t":"#)),
            ("another curve", ES256_JWK.replace("P-256", "P-521")),
            ("another algorithm", RSA_JWK.replacen('{', r#"{"alg":"HS256","#, 1)),
            ("a certificate", "-----BEGIN CERTIFICATE-----\naHVzaA==\n-----END CERTIFICATE-----\n".to_owned()),
            ("not DER", "-----BEGIN PRIVATE KEY-----\naHVzaA==\n-----END PRIVATE KEY-----\n".to_owned()),
        ] {
            let fault = PrivateKey::parse(&text.into()).expect_err(name);
            assert!(!fault.contains("hush"), "{name}");
        }
        assert!(PrivateKey::parse(&json!(1)).is_err());
    }
}
