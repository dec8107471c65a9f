//! What is known of one operator: its addresses, and what it expects of a client.

use std::fmt;

use super::endpoint::Endpoint;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// One operator. It is made by [`Settings::profile`](super::Settings::profile); every value in it is valid.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The address to which the browser is sent.
    pub authorization_endpoint: Endpoint,
    /// The address that exchanges a code for a token.
    pub token_endpoint: Endpoint,
    /// The address of CAMARA's `verify`.
    pub verify_endpoint: Endpoint,
    /// How the client authenticates at the token endpoint.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// The `scope` of the authorization request.
    pub scope: String,
    /// Whether to send a `code_challenge` (RFC 7636, method `S256`).
    pub pkce: bool,
    /// Whether to send `prompt=none`.
    pub prompt_none: bool,
    /// Whether to send the number as `login_hint=tel:+…`.
    pub login_hint_tel: bool,
    /// The operator's issuer, if it is known.
    pub issuer: Option<Issuer>,
    /// How the number is sent to `verify`.
    pub phone_number_format: PhoneNumberFormat,
}

/// How the client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenEndpointAuthMethod {
    /// HTTP Basic (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body.
    ClientSecretPost,
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt,
}

/// How the number is sent to `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneNumberFormat {
    /// `phoneNumber`: E.164 with `+`.
    Plain,
    /// `hashedPhoneNumber`: SHA-256 of that, in hexadecimal.
    Hashed,
}

/// The operator's identity, as its `iss` values state it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// What a callback's `iss` (RFC 9207) and the `iss` of an ID token must equal.
    pub identifier: String,
    /// Whether every callback must have an `iss`. A discovery document says so itself (RFC 9207 §3).
    pub in_callback: bool,
    /// Where the identifier was configured.
    pub source: IssuerSource,
}

/// Where an issuer was configured, so that a message can name the place to correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerSource {
    /// The variable `ISSUER`.
    Variable,
    /// The document at `OPERATOR_DISCOVERY_URL`.
    DiscoveryDocument,
}

impl fmt::Display for IssuerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable => "ISSUER",
            Self::DiscoveryDocument => "the discovery document (OPERATOR_DISCOVERY_URL)",
        })
    }
}

impl Profile {
    /// Whether the scope asks for an ID token (OpenID Connect Core §3.1.2.1).
    #[must_use]
    pub fn openid(&self) -> bool {
        self.scope.split(' ').any(|token| token == "openid")
    }

    /// Checks a callback's `iss` (RFC 9207 §2.4): if the issuer is known, a response of another one is not for us, and
    /// could be part of a mix-up attack.
    ///
    /// # Errors
    /// `iss` is another issuer, or it is missing although this operator always sends it.
    pub fn check_issuer(&self, iss: Option<&str>) -> Result<(), Failure> {
        let Some(issuer) = &self.issuer else { return Ok(()) };
        let fault = match iss {
            Some(iss) if iss == issuer.identifier => return Ok(()),
            None if !issuer.in_callback => return Ok(()),
            Some(_) => "is not the issuer given by",
            None => "is missing, although the issuer is given by",
        };
        Err(Failure::new(Outcome::InvalidRequest, format!("parameter iss {fault} {} (RFC 9207 §2.4)", issuer.source)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::Settings;
    use super::*;

    #[test]
    fn an_iss_must_be_the_known_issuer_and_the_message_says_who_knows_it() {
        let mut profile = Settings::default().profile(None, None).unwrap();
        for (known, in_callback, iss, reason) in [
            (None, false, None, None),
            (None, false, Some("https://evil.example"), None),
            (Some(IssuerSource::Variable), true, Some("https://op.example"), None),
            (Some(IssuerSource::Variable), true, Some("https://op.example/"), Some("not the issuer given by ISSUER ")),
            (Some(IssuerSource::Variable), true, None, Some("missing, although the issuer is given by ISSUER ")),
            (Some(IssuerSource::DiscoveryDocument), false, None, None),
            (
                Some(IssuerSource::DiscoveryDocument),
                false,
                Some("https://evil.example"),
                Some("not the issuer given by the discovery document"),
            ),
        ] {
            profile.issuer =
                known.map(|source| Issuer { identifier: "https://op.example".to_owned(), in_callback, source });
            let failure = profile.check_issuer(iss).err();
            assert_eq!(failure.is_some(), reason.is_some(), "{known:?} {iss:?}: {failure:?}");
            if let (Some(failure), Some(reason)) = (failure, reason) {
                assert_eq!(failure.outcome, Outcome::InvalidRequest);
                assert!(failure.reason.contains(reason) && !failure.reason.contains(".example"), "{failure}");
            }
        }
    }
}
