//! The same without a Lambda: credentials and a code in, an answer out.

use std::fmt;
use std::time::Duration;

use crate::config;
use crate::transport::Deadline;
use crate::operator::{
    AuthorizationCode, AuthorizationGrant, ClientCredentials, CodeVerifier, Endpoints, Operator, OperatorError,
    PhoneNumberFormat,
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

/// Why a client of an operator cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableOperator(String);

impl fmt::Display for UnusableOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the operator cannot be used: {}", self.0)
    }
}

impl std::error::Error for UnusableOperator {}

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
    ) -> Result<Self, UnusableOperator> {
        let base_url = config::secure_url(operator_base_url)
            .map_err(|fault| UnusableOperator(format!("its base URL is {fault}")))?;
        let endpoints = Endpoints::below(&base_url)
            .ok_or_else(|| UnusableOperator("its base URL cannot have a query or fragment".to_owned()))?;
        let operator = Transport::new(&[])
            .and_then(|transport| Operator::new(transport, &endpoints, PhoneNumberFormat::Plain))
            .map_err(UnusableOperator)?;
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
        let grant = AuthorizationGrant {
            authorization_code,
            redirect_uri: self.redirect_uri.clone(),
            code_verifier,
            id_token: None,
        };
        let (access_token, _) = self.operator.exchange(&grant, &self.credentials, deadline).await?;
        let (verified, _) = self.operator.verify(access_token, phone_number, None, deadline).await?;
        Ok(verified)
    }
}
