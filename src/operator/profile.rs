//! The profile of one operator: its addresses, and its requirements for a client.

use std::fmt;

use super::device_phone_number::Retrieval;
use super::endpoint::Endpoint;
use super::{OperatorName, Question};
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;

/// One operator. [`Settings::profile`](super::Settings::profile) builds it, and every value in it is valid.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The name in `OPERATORS`; `None` for the only operator.
    pub name: Option<OperatorName>,
    /// The beginnings of the numbers that the operator serves; empty if it serves every number.
    pub prefixes: Vec<String>,
    /// The address to which the browser is sent.
    pub authorization_endpoint: Endpoint,
    /// The address that exchanges a code for a token.
    pub token_endpoint: Endpoint,
    /// The address of CAMARA's `verify`.
    pub verify_endpoint: Endpoint,
    /// The method by which the client authenticates at the token endpoint.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// The `scope` of the authorization request.
    pub scope: String,
    /// True if a `code_challenge` is sent (RFC 7636, method `S256`).
    pub pkce: bool,
    /// True if `prompt=none` is sent.
    pub prompt_none: bool,
    /// True if the number is sent as `login_hint=tel:+…`.
    pub login_hint_tel: bool,
    /// The operator's issuer, if it is known.
    pub issuer: Option<Issuer>,
    /// The form in which the number is sent to `verify`.
    pub phone_number_format: PhoneNumberFormat,
    /// The requirements for asking the operator for the number; `None` unless `RETRIEVE_NUMBER` is on.
    pub retrieval: Option<Retrieval>,
    /// The form in which the parameters of an authorization request are sent.
    pub request_object: RequestObject,
    /// The requirements for access tokens that are bound to a key of ours; `None` if they are not bound.
    pub dpop: Option<Dpop>,
}

/// The form in which the parameters of an authorization request are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestObject {
    /// As they are.
    Off,
    /// In a signed request object (RFC 9101).
    Signed,
}

/// The requirements for access tokens that are bound to a key of ours (RFC 9449).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dpop {
    /// True if a Bearer token is accepted from an operator that binds none.
    pub accepts_bearer: bool,
    /// The claims that the operator wants in each proof.
    pub claims: DpopClaims,
}

/// The claims of CAMARA's Security and Interoperability Profile that tie a proof to the content of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DpopClaims {
    /// `camara:bh`, the hash of the body.
    pub body_hash: bool,
    /// `camara:qh`, the hash of the query.
    pub query_hash: bool,
}

/// The methods of client authentication at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenEndpointAuthMethod {
    /// HTTP Basic (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body.
    ClientSecretPost,
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt,
    /// A signed JWT as Bearer token, which only Vonage takes.
    VonageJwt,
}

impl TokenEndpointAuthMethod {
    /// Every method.
    pub(super) const ALL: [Self; 4] =
        [Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt, Self::VonageJwt];

    /// The name in `TOKEN_ENDPOINT_AUTH_METHOD`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::VonageJwt => "vonage_jwt",
        }
    }
}

/// How the number is sent to `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneNumberFormat {
    /// `phoneNumber`: E.164 with `+`.
    Plain,
    /// `hashedPhoneNumber`: SHA-256 of the number in E.164 with `+`, in hexadecimal.
    Hashed,
}

/// The operator's identity, as stated by its `iss` values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The required value of a callback's `iss` (RFC 9207) and of an ID token's `iss`.
    pub identifier: String,
    /// True if every callback must have an `iss`. A discovery document states this itself (RFC 9207 §3).
    pub in_callback: bool,
    /// The place where the identifier is configured.
    pub source: IssuerSource,
}

/// The place where an issuer is configured, so that a message can name the place to correct.
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
    /// The `scope` of the authorization request for a question.
    #[must_use]
    pub fn scope(&self, question: &Question) -> &str {
        match (question, &self.retrieval) {
            (Question::Retrieve, Some(retrieval)) => &retrieval.scope,
            _ => &self.scope,
        }
    }

    /// Returns whether the scope asks for an ID token (OpenID Connect Core §3.1.2.1).
    #[must_use]
    pub fn openid(&self, question: &Question) -> bool {
        self.scope(question).split(' ').any(|token| token == "openid")
    }

    /// Returns whether the operator may vouch for a number.
    #[must_use]
    pub fn serves(&self, phone_number: &PhoneNumber) -> bool {
        let begins = |prefix: &String| phone_number.expose().starts_with(prefix.as_str());
        self.prefixes.is_empty() || self.prefixes.iter().any(begins)
    }

    /// Checks a callback's `iss` (RFC 9207 §2.4). If the issuer is known, a response from another issuer is not for us,
    /// and could be part of a mix-up attack.
    ///
    /// # Errors
    /// `iss` names another issuer, or is missing although this operator always sends it.
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
    fn iss_must_be_the_known_issuer_and_the_message_names_its_source() {
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
