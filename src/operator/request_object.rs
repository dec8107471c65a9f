//! The authorization request as a signed request object: OpenID Connect Core §6.1 and RFC 9101, as CAMARA's Security and
//! Interoperability Profile narrows them.

use std::borrow::Cow;

use aws_lc_rs::error::Unspecified;
use serde_json::Value;

use super::client_authentication::short_lived_claims;
use super::profile::Profile;
use crate::jwt::PrivateKey;

/// The longest lifetime that CAMARA's profile allows, in seconds. An app may pass the address on before a browser opens
/// it.
const LIFETIME: u64 = 300;

/// Signs the parameters of a request. There is no `sub`, so that nobody can use the object as a client assertion, and
/// the type says that it is none (RFC 9101 §10.8).
pub(super) fn sign(
    profile: &Profile,
    client_id: &str,
    parameters: Vec<(&str, Cow<'_, str>)>,
    key: &PrivateKey,
) -> Result<String, Unspecified> {
    let mut claims = short_lived_claims(LIFETIME)?;
    claims["iss"] = client_id.into();
    claims["aud"] = audience(profile);
    for (name, value) in parameters {
        claims[name] = value.into();
    }
    key.sign(&key.header("oauth-authz-req+jwt"), &claims)
}

/// CAMARA's profile recommends the authorization endpoint. OpenID Connect Core §6.1 wants the issuer to be in it, and
/// some providers insist, so it is added if it is known.
fn audience(profile: &Profile) -> Value {
    let endpoint = profile.authorization_endpoint.url().as_str();
    match &profile.issuer {
        Some(issuer) => vec![endpoint, &issuer.identifier].into(),
        None => endpoint.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AuthorizationRequest, Operator, Question, Settings};
    use super::*;
    use crate::jwt::tests::ES256_JWK;
    use crate::outcome::Outcome;
    use crate::phone_number::PhoneNumber;
    use crate::transport::Transport;
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::json;
    use url::Url;

    const SCOPE: &str = "openid dpv:FraudPreventionAndDetection number-verification:verify";

    fn url(key: Option<&PrivateKey>, issuer: Option<&str>) -> Result<Url, Outcome> {
        let settings = Settings {
            base_url: Some("https://op.example".to_owned()),
            scope: Some(SCOPE.to_owned()),
            prompt: Some("none".to_owned()),
            login_hint: Some("tel".to_owned()),
            issuer: issuer.map(str::to_owned),
            request_object: Some("signed".to_owned()),
            ..Settings::default()
        };
        let operator = Operator::new(Transport::new(&[]).unwrap(), settings.profile(None, None).unwrap());
        let request = AuthorizationRequest {
            client_id: "my app",
            redirect_uri: "https://shop.example/callback",
            state: "A-b_c",
            nonce: Some("n-1"),
            code_challenge: Some("challenge"),
            question: &Question::Verify(PhoneNumber::parse("+34600000001").unwrap()),
            prompt_none: true,
            key,
        };
        operator.authorization_url(&request).map_err(|failure| failure.outcome)
    }

    fn decoded(url: &Url) -> [Value; 2] {
        let object = url.query_pairs().find(|(name, _)| name == "request").unwrap().1.into_owned();
        let part = |number| BASE64_URL_SAFE_NO_PAD.decode(object.split('.').nth(number).unwrap()).unwrap();
        [0, 1].map(|number| serde_json::from_slice(&part(number)).unwrap())
    }

    #[test]
    fn four_parameters_are_repeated_outside_and_the_rest_is_only_inside() {
        let key = PrivateKey::parse(&ES256_JWK.into()).unwrap();
        let url = url(Some(&key), None).unwrap();
        let [header, mut claims] = decoded(&url);
        assert_eq!(header, json!({ "typ": "oauth-authz-req+jwt", "alg": "ES256", "kid": "key-1" }));

        let outside: Vec<_> = url.query_pairs().filter(|(name, _)| name != "request").collect();
        let names: Vec<_> = outside.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, ["response_type", "scope", "client_id", "redirect_uri"]);
        for (name, value) in &outside {
            assert_eq!(claims[name.as_ref()], value.as_ref(), "{name}");
        }
        let (issued, expires) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
        assert!((1..=300).contains(&(expires - issued)), "{claims}");
        assert!(claims["jti"].as_str().unwrap().len() > 20);
        for name in ["iat", "exp", "jti", "response_type", "scope", "client_id", "redirect_uri"] {
            claims.as_object_mut().unwrap().remove(name);
        }
        let rest = json!({
            "iss": "my app",
            "aud": "https://op.example/authorize",
            "state": "A-b_c",
            "nonce": "n-1",
            "code_challenge": "challenge",
            "code_challenge_method": "S256",
            "prompt": "none",
            "login_hint": "tel:+34600000001",
        });
        assert_eq!(claims, rest, "without sub");
    }

    #[test]
    fn known_issuer_is_a_second_audience() {
        let key = PrivateKey::parse(&ES256_JWK.into()).unwrap();
        let [_, claims] = decoded(&url(Some(&key), Some("https://issuer.example")).unwrap());
        assert_eq!(claims["aud"], json!(["https://op.example/authorize", "https://issuer.example"]));
    }

    #[test]
    fn every_object_is_another() {
        let key = PrivateKey::parse(&ES256_JWK.into()).unwrap();
        let id = || decoded(&url(Some(&key), None).unwrap())[1]["jti"].clone();
        assert_ne!(id(), id());
    }

    #[test]
    fn without_a_key_nothing_is_sent_unsigned() {
        assert_eq!(url(None, None), Err(Outcome::Misconfigured));
    }
}
