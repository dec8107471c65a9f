//! A verification with an operator token (TS.43), for a phone on Wi-Fi. An app's back end asks, so no browser is involved.

use std::fmt;

use super::{Flow, StateMode};
use crate::call_log::{Call, CallLog};
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::operator::{AccessToken, AskedNumber, OperatorToken};
use crate::outcome::Outcome;
use crate::provider::{Presented, TokenError};
use crate::secret::Secret;
use crate::transport::Deadline;

/// An app's question.
#[derive(Clone, Copy)]
pub struct VerifyRequest<'a> {
    /// The number to verify.
    pub number: &'a AskedNumber,
    /// The token that the phone got from its operator.
    pub operator_token: &'a OperatorToken,
    /// The reference for the operator, the answer and the log.
    pub correlator: &'a Correlator,
    /// The time by which the answer must be on its way.
    pub deadline: Deadline,
}

impl Flow {
    /// Returns the `client_id` of the confidential app with these credentials; `None` if no app is registered at all.
    ///
    /// # Errors
    /// The credentials are wrong, or belong to a public client, for which anyone could ask.
    pub async fn confidential_client(
        &self,
        client: &Presented,
        deadline: Deadline,
    ) -> Result<Option<Result<String, TokenError>>, Failure> {
        if self.settings.state_mode == StateMode::Phone || !self.has_provider(deadline).await? {
            return Ok(None);
        }
        let party = self.authenticate(client, deadline).await?.filter(|party| !party.is_public());
        Ok(Some(party.map(|party| party.client_id).ok_or(TokenError::InvalidClient)))
    }

    /// Asks the operator about the number. The app must have been authenticated.
    ///
    /// # Errors
    /// The number could not be checked.
    pub async fn verify_operator_token(
        &self,
        request: VerifyRequest<'_>,
        calls: &mut CallLog,
    ) -> Result<bool, Failure> {
        let VerifyRequest { number, operator_token, correlator, deadline } = request;
        let secret = calls.secret.measure(self.secrets.get(deadline)).await?;
        let token = match self.exchange_with(&secret, operator_token, deadline, &mut calls.token).await {
            Err(refused) => match self.newer_secret(&refused, &calls.token, &secret, deadline).await {
                Some(newer) => self.exchange_with(&newer, operator_token, deadline, &mut calls.token).await?,
                None => return Err(refused),
            },
            Ok(token) => token,
        };
        self.operator.verify(token, number, Some(correlator), deadline, &mut calls.verify).await
    }

    async fn exchange_with(
        &self,
        secret: &Secret,
        operator_token: &OperatorToken,
        deadline: Deadline,
        call: &mut Call,
    ) -> Result<AccessToken, Failure> {
        let key = secret.private_key.as_ref().map_err(|fault| {
            let reason = format!("the secret {fault}; `/verify` signs its token request with private_key");
            Failure::new(Outcome::Misconfigured, reason)
        })?;
        let client_id = &secret.credentials.client_id;
        self.operator.exchange_operator_token(operator_token, client_id, key, deadline, call).await
    }
}

impl fmt::Debug for VerifyRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyRequest([redacted])")
    }
}
