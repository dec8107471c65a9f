//! The operator: token exchange (RFC 6749 §4.1.3) and verify call (CAMARA Number Verification).

mod client_authentication;
pub mod discovery;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod id_token;
pub mod presets;
mod private_key;
mod redacted;
mod token;
mod verify;

use http::{HeaderValue, Uri};
use url::Url;

pub use client_authentication::{BasicAuthorization, ClientAuthentication};
pub use error::{ErrorCode, Evidence, OperatorError, outcome_of};
pub use id_token::ExpectedIdToken;
pub use private_key::PrivateKey;
pub use token::AccessToken;

use crate::transport::Transport;
use redacted::redacted_strings;

redacted_strings! {
    /// The `code` an operator sends to the callback (RFC 6749 §4.1.2). Single-use.
    AuthorizationCode;
    /// The client's password at the token endpoint.
    ClientSecret;
    /// The `code_verifier` of PKCE (RFC 7636 §4.1).
    CodeVerifier;
}

/// The three addresses of an operator.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Where the browser is sent.
    pub authorization: Url,
    /// Where a code becomes a token.
    pub token: Url,
    /// CAMARA's `verify`.
    pub verify: Url,
}

impl Endpoints {
    /// The endpoints where Open Gateway operators have them below one base address, or `None` where the address
    /// has a query or a fragment.
    #[must_use]
    pub fn below(base: &Url) -> Option<Self> {
        if base.query().is_some() || base.fragment().is_some() {
            return None;
        }
        let endpoint = |path: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
            url
        };
        Some(Self {
            authorization: endpoint("/authorize"),
            token: endpoint("/token"),
            verify: endpoint("/number-verification/v0/verify"),
        })
    }
}

/// How the client proves who it is at the token endpoint (RFC 7591 §2).
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

/// Who the client is.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// The OAuth `client_id`.
    pub client_id: String,
    /// How it proves that.
    pub authentication: ClientAuthentication,
}

impl ClientCredentials {
    /// Credentials as an operator's developer portal shows them, sent with HTTP Basic.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        let client_id = client_id.into();
        let authentication = ClientAuthentication::client_secret_basic(&client_id, &client_secret.into());
        Self { client_id, authentication }
    }
}

/// What came back from the browser, ready to be exchanged.
#[derive(Debug, Clone)]
pub struct AuthorizationGrant {
    /// The code in the callback.
    pub authorization_code: AuthorizationCode,
    /// The `redirect_uri` of the authorization request, to the letter.
    pub redirect_uri: String,
    /// The verifier, where the authorization request had a challenge.
    pub code_verifier: Option<CodeVerifier>,
    /// What the ID token must say, where the scope has `openid`.
    pub id_token: Option<ExpectedIdToken>,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An operator's API.
#[derive(Debug, Clone)]
pub struct Operator {
    transport: Transport,
    token_endpoint: Uri,
    verify_endpoint: Uri,
    /// Whether `verify` is on another host than the token endpoint, so that it needs a connection of its own.
    verify_is_elsewhere: bool,
    phone_number_format: PhoneNumberFormat,
}

impl Operator {
    /// An operator reached through `transport`.
    ///
    /// # Errors
    /// An endpoint to which no request can be sent; the text says which.
    pub fn new(
        transport: Transport,
        endpoints: &Endpoints,
        phone_number_format: PhoneNumberFormat,
    ) -> Result<Self, String> {
        let uri = |what, endpoint: &Url| {
            Uri::try_from(endpoint.as_str()).map_err(|_| format!("no request can be sent to the {what} endpoint's URL"))
        };
        Ok(Self {
            transport,
            token_endpoint: uri("token", &endpoints.token)?,
            verify_endpoint: uri("verify", &endpoints.verify)?,
            verify_is_elsewhere: endpoints.verify.origin() != endpoints.token.origin(),
            phone_number_format,
        })
    }

    /// Opens a connection for the token request to come.
    pub fn open_ahead(&self) {
        self.transport.open_ahead(&self.token_endpoint);
    }

    /// The host that answers `verify`, for the log.
    #[must_use]
    pub fn host(&self) -> &str {
        self.verify_endpoint.host().unwrap_or_default()
    }
}
