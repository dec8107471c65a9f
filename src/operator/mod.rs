//! The operator: authorization request and response, token exchange (RFC 6749) and CAMARA's verify call.

mod authorization_request;
mod authorization_response;
mod client_authentication;
pub mod codes;
mod device_phone_number;
pub mod discovery;
mod dpop;
mod endpoint;
mod endpoints;
#[cfg(fuzzing)]
pub mod fuzzing;
mod id_token;
mod jwt_bearer;
mod merge;
mod name;
mod operators;
pub mod presets;
mod profile;
mod redacted;
mod refusal;
mod request_object;
mod settings;
mod token;
mod verify;
mod www_authenticate;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use url::Url;

pub use authorization_request::AuthorizationRequest;
pub use authorization_response::AuthorizationResponse;
pub use client_authentication::{BasicAuthorization, ClientAuthentication};
pub use device_phone_number::Retrieval;
pub use endpoint::{Endpoint, secure_url};
pub use id_token::ExpectedIdToken;
pub use name::OperatorName;
pub use operators::{Member, Operators};
pub use profile::{
    Dpop, DpopClaims, Issuer, IssuerSource, PhoneNumberFormat, Profile, RequestObject, TokenEndpointAuthMethod,
};
pub use settings::{OPERATORS, RETRIEVE_NUMBER, SettingError, Settings, member_of};
pub use token::AccessToken;
pub use verify::{AskedNumber, HashedPhoneNumber};

use crate::call_log::Call;
use crate::failure::Failure;
use crate::phone_number::PhoneNumber;
use crate::transport::{Answer, Deadline, Request, Transport};
use dpop::Prover;
use redacted::redacted_strings;
use refusal::Called;

redacted_strings! {
    /// The `code` an operator sends to the callback (RFC 6749 §4.1.2). It is single-use.
    AuthorizationCode;
    /// The client's password at the token endpoint.
    ClientSecret;
    /// The token by which an operator recognises a SIM without the mobile data connection (TS.43).
    OperatorToken;
    /// The `code_verifier` of PKCE (RFC 7636 §4.1).
    CodeVerifier;
}

/// A client's identity and credentials.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// The OAuth `client_id`.
    pub client_id: String,
    /// The method and credentials by which the client authenticates at the token endpoint.
    pub authentication: ClientAuthentication,
    /// Headers that a gateway in front of the operator wants with every call, such as an API key.
    pub headers: HeaderMap,
}

impl ClientCredentials {
    /// Creates credentials as an operator's developer portal shows them. They are sent with HTTP Basic.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        let client_id = client_id.into();
        let authentication =
            ClientAuthentication::ClientSecretBasic(ClientAuthentication::basic(&client_id, &client_secret.into()));
        Self { client_id, authentication, headers: HeaderMap::new() }
    }
}

/// An authorization code with everything that must accompany it to the token endpoint.
#[derive(Debug, Clone)]
pub struct AuthorizationGrant {
    /// The code of the callback.
    pub authorization_code: AuthorizationCode,
    /// The `redirect_uri` of the authorization request, unchanged.
    pub redirect_uri: String,
    /// The verifier, if the authorization request had a challenge.
    pub code_verifier: Option<CodeVerifier>,
    /// The claims that the ID token must have, if the scope has `openid`.
    pub id_token: Option<ExpectedIdToken>,
}

/// The question that a verification asks the operator. It is part of the state, so that one never answers the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Does the SIM have this number?
    Verify(PhoneNumber),
    /// Which number does the SIM have?
    Retrieve,
}

impl Question {
    /// The number to verify.
    #[must_use]
    pub fn phone_number(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Verify(phone_number) => Some(phone_number),
            Self::Retrieve => None,
        }
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An operator's API.
#[derive(Debug, Clone)]
pub struct Operator {
    transport: Transport,
    profile: Profile,
    /// The authorization endpoint with the parameters that every request to verify a number has.
    verification_url: Url,
    /// The same for every request to retrieve one.
    retrieval_url: Option<Url>,
    /// Present if the profile asks for proofs.
    prover: Option<Arc<Prover>>,
}

impl Operator {
    /// Creates an operator that is called through `transport`.
    #[must_use]
    pub fn new(transport: Transport, profile: Profile) -> Self {
        let fixed_part = |scope: &str| authorization_request::fixed_part(&profile, scope);
        let verification_url = fixed_part(&profile.scope);
        let retrieval_url = profile.retrieval.as_ref().map(|retrieval| fixed_part(&retrieval.scope));
        let prover = profile.dpop.map(|dpop| Arc::new(Prover::new(dpop.claims)));
        Self { transport, profile, verification_url, retrieval_url, prover }
    }

    /// The operator's profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Opens a connection for the next token request, in the background.
    pub fn open_ahead(&self) {
        self.transport.open_ahead(self.profile.token_endpoint.url());
    }

    /// The name in `OPERATORS`; `None` for the only operator.
    #[must_use]
    pub fn name(&self) -> Option<&OperatorName> {
        self.profile.name.as_ref()
    }

    /// The host of `verify`, for the log.
    #[must_use]
    pub fn host(&self) -> &str {
        self.profile.verify_endpoint.url().host_str().unwrap_or_default()
    }

    /// Sends a request and records the call. If its access token is bound to our key, the request has a proof, and is
    /// sent again if the operator wants a nonce in the proof.
    async fn send(
        &self,
        called: Called,
        request: Request,
        deadline: Deadline,
        call: &mut Call,
    ) -> Result<Answer, Failure> {
        let again = self.prover.as_ref().and_then(|_| request.try_clone());
        let (answer, wants_nonce) = self.send_once(called, request, deadline, call).await?;
        let Some(again) = again.filter(|_| wants_nonce) else { return Ok(answer) };
        call.retried = true;
        Ok(self.send_once(called, again, deadline, call).await?.0)
    }

    /// Sends a request with a proof, and records the call. Returns also whether the operator wants the request again, with
    /// the nonce that it gave.
    async fn send_once(
        &self,
        called: Called,
        mut request: Request,
        deadline: Deadline,
        call: &mut Call,
    ) -> Result<(Answer, bool), Failure> {
        let endpoint = self.prover.is_some().then(|| request.url().clone());
        if let Some(prover) = &self.prover {
            prover.prove(called, &mut request).map_err(|_| called.unprovable())?;
        }
        call.status = None;
        let answer = call.measure(self.transport.send(request, deadline)).await.map_err(|e| called.unanswered(&e))?;
        call.status = Some(answer.status);
        call.retried |= answer.retried;
        let bound = self.prover.as_ref().zip(endpoint);
        let wants_nonce = bound.is_some_and(|(prover, endpoint)| prover.take_nonce(called, &endpoint, &answer));
        Ok((answer, wants_nonce))
    }
}
