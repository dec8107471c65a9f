//! The ID token that accompanies an access token if the scope has `openid` (OpenID Connect Core §3.1.3.3), signed with the
//! client's secret (HS256).

use std::time::SystemTime;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

/// In seconds.
const LIFETIME: u64 = 300;

/// Issues a token for the client that sent this `nonce`.
pub(crate) fn issue(issuer: &str, client_id: &str, client_secret: &str, nonce: Option<&str>) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let mut claims = json!({ "iss": issuer, "sub": "the SIM", "aud": client_id, "iat": now, "exp": now + LIFETIME });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    let [header, claims] = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{claims}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, client_secret.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    format!("{signed}.{signature}")
}
