//! The ID token that accompanies the access token if the scope has `openid` (OpenID Connect Core §3.1.3.7).

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::profile::Issuer;

/// The claims an ID token must have. Its signature is not checked: §3.1.3.7 (6) accepts TLS instead if the token comes
/// directly from the token endpoint.
#[derive(Clone, Default)]
pub struct ExpectedIdToken {
    /// The `nonce` of the authorization request, if this function created that request.
    pub nonce: Option<String>,
    /// The operator's issuer, if it is known.
    pub issuer: Option<Issuer>,
}

redacted_debug!(ExpectedIdToken);

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    /// RFC 7519 §2, `NumericDate`: seconds since the epoch, which may have a fraction.
    exp: f64,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The tolerated inaccuracy of an operator's clock, in seconds.
const LEEWAY_SECONDS: f64 = 60.0;

impl ExpectedIdToken {
    /// Checks a token for `client_id` at `now`, in seconds since the epoch.
    ///
    /// # Errors
    /// The claim that is wrong, without its value. The text is a clause that follows "the operator answered, but".
    pub fn check(&self, id_token: Option<&str>, client_id: &str, now: u64) -> Result<(), Cow<'static, str>> {
        let id_token = id_token.ok_or("without the id_token that scope openid asks for")?;
        let claims = read(id_token).ok_or("its id_token is not a JWT with iss, aud and exp")?;
        if let Some(issuer) = self.issuer.as_ref().filter(|issuer| issuer.identifier != claims.iss) {
            return Err(format!("the iss of its id_token is not the issuer given by {}", issuer.source).into());
        }
        let for_us = match &claims.aud {
            Audience::One(audience) => audience == client_id,
            // §3.1.3.7 (4, 5): if there are several, it must have been issued to us.
            Audience::Several(audiences) => {
                audiences.iter().any(|audience| audience == client_id)
                    && (audiences.len() == 1 || claims.azp.as_deref() == Some(client_id))
            }
        };
        if !for_us {
            return Err("the aud of its id_token is not our client_id".into());
        }
        if claims.exp + LEEWAY_SECONDS <= Duration::from_secs(now).as_secs_f64() {
            return Err("its id_token has expired".into());
        }
        if self.nonce.is_some() && self.nonce != claims.nonce {
            return Err("the nonce of its id_token is not the one that was sent".into());
        }
        Ok(())
    }
}

fn read(id_token: &str) -> Option<Claims> {
    let mut parts = id_token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok().filter(|_| parts.next().is_none())?;
    claims.starts_with(b"{").then(|| serde_json::from_slice(&claims).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::profile::IssuerSource;
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn token(change: &Value) -> String {
        let mut claims = json!({ "iss": "https://op.example", "aud": "us", "exp": NOW + 60, "nonce": "n-1" });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn expected(source: IssuerSource) -> ExpectedIdToken {
        let issuer = Issuer { identifier: "https://op.example".to_owned(), in_callback: true, source };
        ExpectedIdToken { nonce: Some("n-1".to_owned()), issuer: Some(issuer) }
    }

    #[test]
    fn wrong_issuer_is_reported_with_the_source_of_the_right_one() {
        for (source, named) in [
            (IssuerSource::Variable, "given by ISSUER"),
            (IssuerSource::DiscoveryDocument, "by the discovery document"),
        ] {
            let wrong = token(&json!({ "iss": "https://evil.example" }));
            let fault = expected(source).check(Some(&wrong), "us", NOW).unwrap_err();
            assert!(fault.contains(named) && !fault.contains("evil"), "{fault}");
        }
    }

    #[test]
    fn every_claim_is_checked() {
        let expected = expected(IssuerSource::Variable);
        for (name, change, ok) in [
            ("correct", json!({}), true),
            ("several audiences, issued to us", json!({ "aud": ["us", "them"], "azp": "us" }), true),
            ("a list of one", json!({ "aud": ["us"] }), true),
            ("a slightly inaccurate clock", json!({ "exp": NOW - 30 }), true),
            ("an exp that no clock reaches", json!({ "exp": u64::MAX }), true),
            ("an exp with a fraction", json!({ "exp": 1_800_000_060.5 }), true),
            ("another nonce", json!({ "nonce": "n-2" }), false),
            ("no nonce", json!({ "nonce": null }), false),
            ("another issuer", json!({ "iss": "https://evil.example" }), false),
            ("another audience", json!({ "aud": "them" }), false),
            ("several audiences, issued to another", json!({ "aud": ["us", "them"], "azp": "them" }), false),
            ("several audiences, issued to nobody", json!({ "aud": ["us", "them"] }), false),
            ("expired", json!({ "exp": NOW - 61 }), false),
            ("expired by a fraction", json!({ "exp": 1_799_999_939.5 }), false),
            ("exp as text", json!({ "exp": "tomorrow" }), false),
            ("no exp", json!({ "exp": null }), false),
        ] {
            assert_eq!(expected.check(Some(&token(&change)), "us", NOW).is_ok(), ok, "{name}");
        }
        for (name, id_token) in [("none", None), ("rubbish", Some("rubbish")), ("two parts", Some("e30.e30"))] {
            assert!(expected.check(id_token, "us", NOW).is_err(), "{name}");
        }
    }

    #[test]
    fn unknown_issuer_or_nonce_is_not_checked() {
        let other = json!({ "iss": "https://other.example", "nonce": "other" });
        assert_eq!(ExpectedIdToken::default().check(Some(&token(&other)), "us", NOW), Ok(()));
    }
}
