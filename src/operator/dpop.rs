//! Demonstrating proof of possession (RFC 9449): every request shows that its sender has the key to which the access
//! token is bound, so a stolen token is worth nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Body;
use serde_json::json;
use url::Url;

use super::profile::DpopClaims;
use super::refusal::Called;
use crate::jwt::{Header, PrivateKey, unique_id};
use crate::transport::{Answer, Request};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// In bytes. A longer nonce would make a request that servers refuse.
const MAX_NONCE: usize = 1024;

/// Writes proofs for the requests to one operator.
pub(super) struct Prover {
    claims: DpopClaims,
    /// The key of this environment, and the header of its proofs. A token is requested and used by one environment, so
    /// no other needs the key, and it is in no secret.
    key: OnceLock<(PrivateKey, Header)>,
    /// The newest nonce of each endpoint. Those of a token endpoint and of an API can differ, even at one origin (RFC
    /// 9449 §9).
    nonces: Mutex<HashMap<String, String>>,
}

impl Prover {
    pub fn new(claims: DpopClaims) -> Self {
        Self { claims, key: OnceLock::new(), nonces: Mutex::default() }
    }

    /// Adds a proof to a request, in place of an earlier one. A request with a Bearer token gets none.
    pub fn prove(&self, called: Called, request: &mut Request) -> Result<(), Unspecified> {
        let token = bound_token(request.headers());
        if token.is_none() && called != Called::Token {
            return Ok(());
        }
        let address = address(request.url());
        let mut claims = json!({
            "jti": unique_id()?,
            "htm": request.method().as_str(),
            "iat": SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs(),
        });
        if let Some(token) = token {
            claims["ath"] = hash(token).into();
        }
        if let Some(nonce) = self.nonces().get(&address) {
            claims["nonce"] = nonce.as_str().into();
        }
        if self.claims.body_hash {
            let body = request.body().and_then(Body::as_bytes).unwrap_or_default();
            claims["camara:bh"] = hash(body).into();
        }
        if let Some(query) = request.url().query().filter(|_| self.claims.query_hash) {
            claims["camara:qh"] = hash(query).into();
        }
        claims["htu"] = address.into();
        let (key, header) = self.key()?;
        let proof = HeaderValue::try_from(key.sign(header, &claims)?).map_err(|_| Unspecified)?;
        request.headers_mut().insert(DPOP, proof);
        Ok(())
    }

    /// Keeps the nonce of an answer for the next request to this endpoint (RFC 9449 §8.2). Returns whether the server
    /// wants the same request again with it (§8, §9).
    pub fn take_nonce(&self, called: Called, endpoint: &Url, answer: &Answer) -> bool {
        // RFC 9449 §8.1: NQCHAR is what a scope token consists of (RFC 6749, appendix A.4).
        let is_nonce = |text: &&str| {
            let mut bytes = text.bytes();
            (1..=MAX_NONCE).contains(&text.len()) && bytes.all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        };
        let nonce = answer.headers.get(NONCE).and_then(|nonce| nonce.to_str().ok()).filter(is_nonce);
        let Some(nonce) = nonce else { return false };
        self.nonces().insert(address(endpoint), nonce.to_owned());
        matches!(answer.status, 400 | 401) && called.refused(answer).code == Some("use_dpop_nonce")
    }

    fn key(&self) -> Result<&(PrivateKey, Header), Unspecified> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = PrivateKey::generate_p256()?;
        let header = key.header_with_public_key("dpop+jwt");
        Ok(self.key.get_or_init(|| (key, header)))
    }

    fn nonces(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The access token of a request, if it is bound to a key.
fn bound_token(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("DPoP ")
}

/// The `htu` of a request: its address without query and fragment (RFC 9449 §4.2).
fn address(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), url.authority(), url.path())
}

fn hash(data: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, data.as_ref()))
}

redacted_debug!(Prover);

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const TOKEN: &str = "https://op.example/token";
    const VERIFY: &str = "https://op.example:8443/nv/verify?tenant=a%20b";

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn prover() -> Prover {
        Prover::new(DpopClaims::default())
    }

    fn request(method: &str, uri: &str, authorization: &str, body: &str) -> Request {
        let mut request = Request::new(method.parse().unwrap(), url(uri));
        request.headers_mut().insert(AUTHORIZATION, authorization.parse().unwrap());
        *request.body_mut() = Some(body.to_owned().into());
        request
    }

    /// The header and the claims of the proof in a request.
    fn proof(prover: &Prover, called: Called, mut request: Request) -> Option<[Value; 2]> {
        prover.prove(called, &mut request).unwrap();
        let proof = request.headers().get(DPOP)?.to_str().unwrap();
        let part = |part| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let mut parts = proof.split('.').map(str::to_owned);
        Some([part(parts.next().unwrap()), part(parts.next().unwrap())])
    }

    fn names(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn answer(status: u16, nonce: &'static str, body: &str) -> Answer {
        let headers = HeaderMap::from_iter([(NONCE, HeaderValue::from_static(nonce))]);
        Answer { status, headers, body: body.into(), retried: false }
    }

    #[test]
    fn proof_of_a_token_request_has_the_claims_of_rfc_9449_section_4_2() {
        let prover = prover();
        let again = || proof(&prover, Called::Token, request("POST", TOKEN, "Basic x", "a=b")).unwrap();
        let ([header, claims], [_, second]) = (again(), again());
        assert_eq!((&header["typ"], &header["alg"]), (&json!("dpop+jwt"), &json!("ES256")));
        assert_eq!(names(&header), ["alg", "jwk", "typ"]);
        assert_eq!(names(&header["jwk"]), ["crv", "kty", "x", "y"], "nothing private");
        assert_eq!(names(&claims), ["htm", "htu", "iat", "jti"]);
        assert_eq!((&claims["htm"], &claims["htu"]), (&json!("POST"), &json!(TOKEN)));
        assert_ne!(claims["jti"], second["jti"]);
    }

    #[test]
    fn proof_of_an_api_call_names_its_token_and_has_the_same_key() {
        let prover = prover();
        let [first, _] = proof(&prover, Called::Token, request("POST", TOKEN, "Basic x", "")).unwrap();
        for method in ["POST", "GET"] {
            let [header, claims] = proof(&prover, Called::Verify, request(method, VERIFY, "DPoP abc", "")).unwrap();
            assert_eq!(header, first, "{method}");
            assert_eq!(claims["htm"], method);
            assert_eq!(claims["htu"], "https://op.example:8443/nv/verify");
            // printf abc | openssl dgst -sha256 -binary | basenc --base64url
            assert_eq!(claims["ath"], "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0", "{method}");
        }
        let bearer = request("POST", VERIFY, "Bearer abc", "");
        assert_eq!(proof(&prover, Called::Verify, bearer), None, "a Bearer token is bound to nothing");
    }

    #[test]
    fn hashes_of_body_and_query_are_there_if_they_are_asked_for() {
        let hashes = |body_hash, query_hash, uri| {
            let prover = Prover::new(DpopClaims { body_hash, query_hash });
            let [_, claims] = proof(&prover, Called::Verify, request("POST", uri, "DPoP t", "abc")).unwrap();
            ["camara:bh", "camara:qh"].map(|name| claims.get(name).map(|hash| hash.as_str().unwrap().to_owned()))
        };
        // printf abc, and printf tenant=a%%20b
        let body = Some("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0".to_owned());
        let query = Some("WuTAQI7q2GUUbAYqTQR_UKsPUWAc0H0Tn_vZw2ajYF8".to_owned());
        assert_eq!(hashes(true, true, VERIFY), [body.clone(), query.clone()]);
        assert_eq!(hashes(true, false, VERIFY), [body.clone(), None]);
        assert_eq!(hashes(false, true, VERIFY), [None, query]);
        assert_eq!(hashes(true, true, TOKEN), [body, None], "without a query");
    }

    #[test]
    fn nonce_is_kept_for_its_endpoint() {
        let prover = prover();
        let (token, verify) = (url(TOKEN), url(VERIFY));
        let nonce = |called, uri| {
            let [_, claims] = proof(&prover, called, request("POST", uri, "DPoP t", "")).unwrap();
            claims.get("nonce").map(|nonce| nonce.as_str().unwrap().to_owned())
        };
        assert!(!prover.take_nonce(Called::Token, &token, &answer(200, "one", "{}")), "a 200 was accepted");
        assert_eq!(nonce(Called::Token, TOKEN).as_deref(), Some("one"));
        assert_eq!(nonce(Called::Verify, VERIFY), None);
        let demand = r#"{"error":"use_dpop_nonce"}"#;
        assert!(prover.take_nonce(Called::Verify, &verify, &answer(401, "two", demand)));
        assert!(prover.take_nonce(Called::Token, &token, &answer(400, "three", demand)));
        assert_eq!(nonce(Called::Verify, VERIFY).as_deref(), Some("two"));
        assert_eq!(nonce(Called::Token, TOKEN).as_deref(), Some("three"), "the newest");
    }

    #[test]
    fn only_a_demand_with_a_nonce_is_a_reason_to_send_again() {
        let endpoint = url(TOKEN);
        let demand = r#"{"error":"use_dpop_nonce"}"#;
        for (name, answer, expected) in [
            ("RFC 9449 §8", answer(400, "n-1", demand), true),
            ("another error", answer(400, "n-1", r#"{"error":"invalid_grant"}"#), false),
            ("another status", answer(500, "n-1", demand), false),
            ("an empty nonce", answer(400, "", demand), false),
            ("a nonce with a space", answer(400, "n 1", demand), false),
            ("a nonce with a quotation mark", answer(400, "n\"1", demand), false),
            ("a long nonce", answer(400, "x".repeat(MAX_NONCE + 1).leak(), demand), false),
        ] {
            assert_eq!(prover().take_nonce(Called::Token, &endpoint, &answer), expected, "{name}");
        }
    }

    #[test]
    fn debug_shows_neither_key_nor_nonce() {
        let prover = prover();
        prover.take_nonce(Called::Token, &url(TOKEN), &answer(200, "hush", ""));
        assert_eq!(format!("{prover:?}"), "Prover([redacted])");
    }
}
