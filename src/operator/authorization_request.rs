//! The authorization request: RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1, RFC 7636 §4.3.

use std::borrow::Cow;

use url::Url;

use super::profile::{Profile, RequestObject};
use super::{Operator, Question, request_object};
use crate::failure::Failure;
use crate::jwt::PrivateKey;
use crate::outcome::Outcome;

/// The parameters that differ from one verification to the next.
#[derive(Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// Our client at the operator.
    pub client_id: &'a str,
    /// The address of our callback.
    pub redirect_uri: &'a str,
    /// The value that the operator returns unchanged.
    pub state: &'a str,
    /// The value that the ID token must repeat; sent only with the scope `openid`.
    pub nonce: Option<&'a str>,
    /// The `S256` challenge of PKCE.
    pub code_challenge: Option<&'a str>,
    /// The question, which decides the scope. Its number is sent only if the profile asks for a `login_hint`.
    pub question: &'a Question,
    /// True to send `prompt=none` even if the profile does not.
    pub prompt_none: bool,
    /// The client's key. It is needed only if the profile asks for a signed request object.
    pub key: Option<&'a PrivateKey>,
}

impl Operator {
    /// The address to which the browser is sent.
    ///
    /// # Errors
    /// The profile asks for a signed request object, and it cannot be signed; or it does not say how to retrieve a number.
    pub fn authorization_url(&self, request: &AuthorizationRequest<'_>) -> Result<Url, Failure> {
        let fixed_part = match request.question {
            Question::Verify(_) => &self.verification_url,
            Question::Retrieve => self.retrieval_url.as_ref().ok_or_else(|| {
                Failure::new(
                    Outcome::Misconfigured,
                    "RETRIEVE_NUMBER is off, so the operator is not asked for a number",
                )
            })?,
        };
        let mut query = Query::of(fixed_part);
        query.push("client_id", request.client_id);
        query.push("redirect_uri", request.redirect_uri);
        let parameters = request.parameters(&self.profile);
        if self.profile.request_object == RequestObject::Signed {
            let required = required(self.profile.scope(request.question)).map(|(name, value)| (name, value.into()));
            let repeated = [("client_id", request.client_id.into()), ("redirect_uri", request.redirect_uri.into())];
            let all = required.into_iter().chain(repeated).chain(parameters).collect();
            let object = request.key.map(|key| request_object::sign(&self.profile, request.client_id, all, key));
            let object = object.and_then(Result::ok).ok_or_else(|| {
                Failure::new(Outcome::Misconfigured, "the request object cannot be signed; check private_key")
            })?;
            query.push("request", &object);
        } else {
            for (name, value) in parameters {
                query.push(name, &value);
            }
        }
        Ok(query.added_to(fixed_part))
    }
}

impl AuthorizationRequest<'_> {
    /// The parameters that a signed request object hides.
    fn parameters(&self, profile: &Profile) -> Vec<(&'static str, Cow<'_, str>)> {
        let mut parameters: Vec<(_, Cow<str>)> = vec![("state", self.state.into())];
        if let Some(nonce) = self.nonce {
            parameters.push(("nonce", nonce.into()));
        }
        if let Some(code_challenge) = self.code_challenge {
            parameters.push(("code_challenge", code_challenge.into()));
            parameters.push(("code_challenge_method", "S256".into()));
        }
        if self.prompt_none || profile.prompt_none {
            parameters.push(("prompt", "none".into()));
        }
        if let Some(phone_number) = self.question.phone_number().filter(|_| profile.login_hint_tel) {
            // CAMARA Security and Interoperability Profile: a tel URI (RFC 3966).
            parameters.push(("login_hint", format!("tel:{}", phone_number.expose()).into()));
        }
        parameters
    }
}

/// The parameters that every request with this scope has.
fn required(scope: &str) -> [(&'static str, &str); 2] {
    [("response_type", "code"), ("scope", scope)]
}

/// The authorization endpoint with the parameters that every request with this scope has.
pub(super) fn fixed_part(profile: &Profile, scope: &str) -> Url {
    let endpoint = profile.authorization_endpoint.url();
    let mut query = Query::of(endpoint);
    for (name, value) in required(scope) {
        query.push(name, value);
    }
    query.added_to(endpoint)
}

/// A query string. A space is written as `%20`, because some operators do not decode `+`.
struct Query(String);

impl Query {
    fn of(url: &Url) -> Self {
        Self(url.query().unwrap_or_default().to_owned())
    }

    fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        for part in form_urlencoded::byte_serialize(value.as_bytes()) {
            self.0.push_str(if part == "+" { "%20" } else { part });
        }
    }

    fn added_to(self, url: &Url) -> Url {
        let mut url = url.clone();
        url.set_query(Some(&self.0));
        url
    }
}

redacted_debug!(AuthorizationRequest<'_>);

#[cfg(test)]
mod tests {
    use super::super::settings::Settings;
    use super::*;
    use crate::phone_number::PhoneNumber;
    use crate::transport::Transport;

    fn url(settings: &Settings, nonce: Option<&str>, code_challenge: Option<&str>) -> String {
        let operator = Operator::new(Transport::new(&[]).unwrap(), settings.profile(None, None).unwrap());
        let request = AuthorizationRequest {
            client_id: "my app",
            redirect_uri: "https://shop.example/callback",
            state: "A-b_c",
            nonce,
            code_challenge,
            question: &Question::Verify(PhoneNumber::parse("+34600000001").unwrap()),
            prompt_none: false,
            key: None,
        };
        assert_eq!(format!("{request:?}"), "AuthorizationRequest([redacted])");
        operator.authorization_url(&request).unwrap().to_string()
    }

    #[test]
    fn request_has_the_parameters_of_the_profile_and_the_flow() {
        let base = Settings { base_url: Some("https://op.example".to_owned()), ..Settings::default() };
        let mine = "client_id=my%20app&redirect_uri=https%3A%2F%2Fshop.example%2Fcallback&state=A-b_c";
        let scope = "scope=dpv%3AFraudPreventionAndDetection%23number-verification-verify-read";
        assert_eq!(url(&base, None, None), format!("https://op.example/authorize?response_type=code&{scope}&{mine}"));
        let everything = Settings {
            scope: Some("openid dpv:FraudPreventionAndDetection number-verification:verify".to_owned()),
            prompt: Some("none".to_owned()),
            login_hint: Some("tel".to_owned()),
            ..base
        };
        assert_eq!(
            url(&everything, Some("n-1"), Some("challenge")),
            format!(
                "https://op.example/authorize?response_type=code\
                 &scope=openid%20dpv%3AFraudPreventionAndDetection%20number-verification%3Averify&{mine}&nonce=n-1\
                 &code_challenge=challenge&code_challenge_method=S256&prompt=none&login_hint=tel%3A%2B34600000001"
            )
        );
    }

    #[test]
    fn query_of_the_endpoint_is_kept() {
        let settings = Settings {
            authorization_endpoint: Some("https://op.example/authorize?tenant=a%20b".to_owned()),
            token_endpoint: Some("https://op.example/token".to_owned()),
            verify_endpoint: Some("https://op.example/verify".to_owned()),
            ..Settings::default()
        };
        let url = url(&settings, None, None);
        assert!(url.starts_with("https://op.example/authorize?tenant=a%20b&response_type=code&"), "{url}");
    }
}
