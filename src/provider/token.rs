//! The token endpoint: RFC 6749 §3.2, §4.1.3 and §5, OpenID Connect Core §3.1.3.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::access_token::{AccessToken, TOKEN_LIFETIME};
use super::app_request::scope;
use super::code::{BoundTo, Verified};
use super::{Presented, Provider};
use crate::jwt::PrivateKey;
use crate::seal::Sealer;

/// A token request as it was received, with the client's credentials.
pub struct TokenRequest {
    /// The credentials.
    pub client: Presented,
    /// The code.
    pub code: Zeroizing<String>,
    redirect_uri: String,
    code_verifier: Option<Zeroizing<String>>,
}

/// An error of RFC 6749 §5.2, with a description for the app's developer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest(&'static str),
    /// The client is not registered, or its credentials are wrong.
    InvalidClient,
    /// The code is not valid for this request.
    InvalidGrant(&'static str),
    /// The grant is not `authorization_code`.
    UnsupportedGrantType,
}

impl TokenError {
    /// `error` and `error_description`.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidRequest(description) => ("invalid_request", description),
            Self::InvalidClient => ("invalid_client", "the client is unknown or its credentials are wrong"),
            Self::InvalidGrant(description) => ("invalid_grant", description),
            Self::UnsupportedGrantType => ("unsupported_grant_type", "grant_type must be authorization_code"),
        }
    }
}

/// The parameters that have a meaning here.
const KNOWN: [&str; 6] = ["grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier"];

impl TokenRequest {
    /// Reads the `Authorization` header and the form.
    ///
    /// # Errors
    /// The error for the app.
    pub fn read(authorization: Option<&str>, form: &[u8]) -> Result<Self, TokenError> {
        let mut fields: [Option<Zeroizing<String>>; KNOWN.len()] = [const { None }; KNOWN.len()];
        for (name, value) in form_urlencoded::parse(form) {
            let Some(field) = KNOWN.iter().zip(&mut fields).find(|(known, _)| **known == name) else { continue };
            if field.1.replace(Zeroizing::new(value.into_owned())).is_some() {
                return Err(TokenError::InvalidRequest("a parameter came more than once"));
            }
        }
        // RFC 6749 §3.2: a parameter without a value counts as omitted.
        let [grant_type, code, redirect_uri, client_id, client_secret, code_verifier] =
            fields.map(|field| field.filter(|value| !value.is_empty()));
        let text = |field: &Option<Zeroizing<String>>| field.as_ref().map(|text| text.to_string());
        let client = Presented::read(authorization, text(&client_id).as_deref(), text(&client_secret).as_deref())?;
        let missing = |parameter| TokenError::InvalidRequest(parameter);
        let request = Self {
            client,
            code: code.clone().unwrap_or_default(),
            redirect_uri: redirect_uri.as_ref().map(|uri| uri.to_string()).unwrap_or_default(),
            code_verifier,
        };
        // The order of the checks is that of RFC 6749 §5.2, but the client is authenticated by the caller.
        match grant_type.as_ref().map(|grant_type| grant_type.as_str()) {
            None => Err(missing("grant_type is missing; it must be authorization_code")),
            Some("authorization_code") if code.is_none() => Err(missing("code is missing")),
            Some("authorization_code") if redirect_uri.is_none() => Err(missing("redirect_uri is missing")),
            Some("authorization_code") => Ok(request),
            Some(_) => Err(TokenError::UnsupportedGrantType),
        }
    }

    /// Returns whether there is a `code_verifier`. A public client has nothing else that ties a code to it.
    #[must_use]
    pub fn has_verifier(&self) -> bool {
        self.code_verifier.is_some()
    }

    /// Opens the code for this request at `now`, in seconds since the epoch.
    #[must_use]
    pub fn open(&self, sealer: &Sealer, issuer: &str, now: u64) -> Option<Verified> {
        if self.code_verifier.as_ref().is_some_and(|verifier| !is_verifier(verifier)) {
            return None;
        }
        // RFC 7636 §4.6. A verifier that was not expected, or is missing, binds the code to something else too.
        let challenge = self
            .code_verifier
            .as_ref()
            .map(|verifier| BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
        let bound_to = BoundTo {
            issuer,
            client_id: &self.client.client_id,
            redirect_uri: &self.redirect_uri,
            code_challenge: challenge.as_deref(),
        };
        Verified::from_code(sealer, bound_to, &self.code, now)
    }
}

impl Provider {
    /// The answer to a token request whose code has been used up. `key` signs, which may be that of another version of
    /// the secret, and `now` is in seconds since the epoch.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn tokens(
        &self,
        sealer: &Sealer,
        key: &PrivateKey,
        issuer: &str,
        client_id: &str,
        verified: &Verified,
        now: u64,
    ) -> Result<Value, Unspecified> {
        let phone_number = &verified.phone_number;
        let subject = self.subject_key.subject(client_id, phone_number.expose());
        let token = AccessToken {
            subject: subject.clone(),
            phone_number: phone_number.clone(),
            expires_at: now + TOKEN_LIFETIME,
        };
        let access_token = token.seal(sealer, issuer)?;
        let hash = digest(&SHA256, access_token.as_bytes());
        let (half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
        let mut claims = json!({
            "iss": issuer,
            "sub": subject,
            "aud": client_id,
            "exp": now + TOKEN_LIFETIME,
            "iat": now,
            "auth_time": verified.answered_at,
            "at_hash": BASE64_URL_SAFE_NO_PAD.encode(half),
            // Network-based authentication: the operator recognised the SIM.
            "amr": ["nba"],
            "phone_number": phone_number.expose(),
            "phone_number_verified": true,
        });
        if let Some(nonce) = &verified.nonce {
            claims["nonce"] = nonce.as_str().into();
        }
        Ok(json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME,
            "scope": scope(verified.phone_scope),
            "id_token": key.sign_jwt(&claims)?,
        }))
    }
}

/// Returns whether a text may be a `code_verifier` (RFC 7636 §4.1). A shorter one could be guessed from its challenge.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

redacted_debug!(TokenRequest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_requests_have_the_errors_of_rfc_6749() {
        for (name, form, error) in [
            ("no grant_type", "client_id=a&code=c&redirect_uri=r", "invalid_request"),
            ("another grant", "client_id=a&grant_type=refresh_token&code=c", "unsupported_grant_type"),
            ("no code", "client_id=a&grant_type=authorization_code&redirect_uri=r", "invalid_request"),
            ("an empty code", "client_id=a&grant_type=authorization_code&code=&redirect_uri=r", "invalid_request"),
            ("no redirect_uri", "client_id=a&grant_type=authorization_code&code=c", "invalid_request"),
            ("a repeated code", "client_id=a&grant_type=authorization_code&code=c&code=c", "invalid_request"),
        ] {
            assert_eq!(TokenRequest::read(None, form.as_bytes()).unwrap_err().words().0, error, "{name}");
        }
    }
}
