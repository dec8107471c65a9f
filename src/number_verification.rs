//! A client for programs that receive the callback themselves.

use std::fmt;
use std::time::Duration;

use crate::call_log::CallLog;
use crate::failure::Failure;
use crate::operator::{
    AskedNumber, AuthorizationCode, AuthorizationGrant, ClientCredentials, CodeVerifier, Operator, Settings,
};
use crate::phone_number::PhoneNumber;
use crate::transport::{Deadline, Transport};

/// A client of one operator, for a program that receives the callback itself. Create it once: it reuses its
/// connections.
///
/// It does not check `state`. The program itself must bind each callback to the browser that started the verification.
#[derive(Debug, Clone)]
pub struct NumberVerification {
    operator: Operator,
    credentials: ClientCredentials,
    redirect_uri: String,
}

/// The reason a client of an operator cannot be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableOperator(String);

impl fmt::Display for UnusableOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the operator cannot be used: {}", self.0)
    }
}

impl std::error::Error for UnusableOperator {}

/// The longest wait for one verification.
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
        let settings = Settings { base_url: Some(operator_base_url.to_owned()), ..Settings::default() };
        let profile =
            settings.profile(None, None).map_err(|error| UnusableOperator(format!("its base URL: {}", error.fault)))?;
        let operator = Operator::new(Transport::new(&[]).map_err(UnusableOperator)?, profile);
        Ok(Self { operator, credentials, redirect_uri: redirect_uri.into() })
    }

    /// Returns whether the device that returned with `code` has this number. A code is valid for one call.
    ///
    /// # Errors
    /// The number could not be checked. This never means that it does not match.
    pub async fn verify(&self, code: AuthorizationCode, phone_number: &PhoneNumber) -> Result<bool, Failure> {
        self.verify_with_pkce(code, None, phone_number).await
    }

    /// Like [`verify`](Self::verify), for an authorization request that had a `code_challenge` (RFC 7636).
    ///
    /// # Errors
    /// See [`verify`](Self::verify).
    pub async fn verify_with_pkce(
        &self,
        authorization_code: AuthorizationCode,
        code_verifier: Option<CodeVerifier>,
        phone_number: &PhoneNumber,
    ) -> Result<bool, Failure> {
        let deadline = Deadline::after(PATIENCE);
        let grant = AuthorizationGrant {
            authorization_code,
            redirect_uri: self.redirect_uri.clone(),
            code_verifier,
            id_token: None,
        };
        let mut calls = CallLog::default();
        let access_token = self.operator.exchange(&grant, &self.credentials, deadline, &mut calls.token).await?;
        self.operator
            .verify(access_token, &AskedNumber::Plain(phone_number.clone()), None, deadline, &mut calls.verify)
            .await
    }
}
