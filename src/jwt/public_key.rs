//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6).

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The public half of a signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The members that define the key: those of its thumbprint.
    members: BTreeMap<String, String>,
    algorithm: &'static str,
    thumbprint: String,
    /// The `kid` if it is not the thumbprint.
    key_id: Option<String>,
}

impl PublicKey {
    /// An RSA key, from its modulus and exponent: big-endian, without leading zeros.
    pub(super) fn rsa(algorithm: &'static str, modulus: &[u8], exponent: &[u8]) -> Self {
        Self::new(algorithm, [("kty", "RSA".to_owned()), ("n", encode(modulus)), ("e", encode(exponent))])
    }

    /// A P-256 key, from its uncompressed point: 4, x, y (SEC 1 §2.3.3).
    pub(super) fn p256(point: &[u8]) -> Self {
        let half = |range| encode(point.get(range).unwrap_or_default());
        let (x, y) = (half(1..33), half(33..65));
        Self::new("ES256", [("kty", "EC".to_owned()), ("crv", "P-256".to_owned()), ("x", x), ("y", y)])
    }

    fn new<const N: usize>(algorithm: &'static str, members: [(&str, String); N]) -> Self {
        let members: BTreeMap<_, _> = members.map(|(name, value)| (name.to_owned(), value)).into();
        // RFC 7638 §3: the members in alphabetical order, as the map has them, without spaces.
        let canonical = json!(members).to_string();
        Self { members, algorithm, thumbprint: encode(digest(&SHA256, canonical.as_bytes()).as_ref()), key_id: None }
    }

    /// The key with this `kid`, or with its thumbprint.
    pub(super) fn named(self, key_id: Option<&str>) -> Self {
        Self { key_id: key_id.map(str::to_owned), ..self }
    }

    /// The members that define the key.
    pub(super) fn members(&self) -> &BTreeMap<String, String> {
        &self.members
    }

    /// The key's thumbprint (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The key as an entry of a JWK Set.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = json!(self.members);
        jwk["use"] = "sig".into();
        jwk["alg"] = self.algorithm.into();
        jwk["kid"] = self.key_id.as_ref().unwrap_or(&self.thumbprint).as_str().into();
        jwk
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprint_matches_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = PublicKey::rsa("RS256", &BASE64_URL_SAFE_NO_PAD.decode(n).unwrap(), &[1, 0, 1]);
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let jwk = key.to_jwk();
        assert_eq!((&jwk["kty"], &jwk["n"], &jwk["e"]), (&json!("RSA"), &json!(n), &json!("AQAB")));
        assert_eq!((&jwk["use"], &jwk["alg"]), (&json!("sig"), &json!("RS256")));
    }

    #[test]
    fn p256_key_has_its_coordinates_and_nothing_private() {
        let key = crate::jwt::PrivateKey::parse(&crate::jwt::tests::ES256_JWK.into()).unwrap();
        let jwk = key.public_key().to_jwk();
        let members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        assert_eq!(jwk["x"], "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        assert_eq!(jwk["y"], "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    }
}
