//! The same without a Lambda: credentials and a code in, an answer out.

use std::time::Duration;

use url::Url;

use crate::deadline::Deadline;
use crate::operator::{
    AuthorizationCode, AuthorizationGrant, ClientCredentials, CodeVerifier, Endpoints, Operator, OperatorError,
    PhoneNumberFormat, TokenEndpointAuthMethod,
};
use crate::phone_number::PhoneNumber;
use crate::transport::Transport;

/// A client of one operator, for a program that receives the callback itself. Make one and keep it: it keeps its
/// connections.
///
/// It holds no state: tying a callback to the browser that started it is the program's own work.
#[derive(Debug, Clone)]
pub struct NumberVerification {
    operator: Operator,
    credentials: ClientCredentials,
    redirect_uri: String,
}

/// Longer than any operator takes that still answers.
const PATIENCE: Duration = Duration::from_secs(20);

impl NumberVerification {
    /// A client of the operator whose `/authorize`, `/token` and `/number-verification/v0/verify` are below
    /// `operator_base_url`. `redirect_uri` is the one of the authorization request.
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn new(
        operator_base_url: &str,
        credentials: ClientCredentials,
        redirect_uri: impl Into<String>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let endpoints = Endpoints::below(&Url::parse(operator_base_url)?)
            .ok_or("the operator's base URL cannot have a query or fragment")?;
        let operator = Operator::new(
            Transport::new(&[])?,
            endpoints,
            TokenEndpointAuthMethod::ClientSecretBasic,
            PhoneNumberFormat::Plain,
        );
        Ok(Self { operator, credentials, redirect_uri: redirect_uri.into() })
    }

    /// Whether the device that brought `code` back has this number. A code is good for one answer.
    ///
    /// # Errors
    /// The number could not be checked. That is never "it does not match".
    pub async fn verify(&self, code: AuthorizationCode, phone_number: &PhoneNumber) -> Result<bool, OperatorError> {
        self.verify_with_pkce(code, None, phone_number).await
    }

    /// The same, with the verifier of the challenge that the authorization request had (RFC 7636).
    ///
    /// # Errors
    /// See [`verify`](Self::verify).
    pub async fn verify_with_pkce(
        &self,
        authorization_code: AuthorizationCode,
        code_verifier: Option<CodeVerifier>,
        phone_number: &PhoneNumber,
    ) -> Result<bool, OperatorError> {
        let deadline = Deadline::after(PATIENCE);
        let grant = AuthorizationGrant { authorization_code, redirect_uri: self.redirect_uri.clone(), code_verifier };
        let (access_token, _) = self.operator.exchange(&grant, &self.credentials, deadline).await?;
        let (verified, _) = self.operator.verify(access_token, phone_number, None, deadline).await?;
        Ok(verified)
    }
}
