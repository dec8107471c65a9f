//! A verification with an operator token (TS.43), for a phone on Wi-Fi. An app's back end asks, so no browser is involved.

use super::client_key::Signing;
use super::{Flow, OperatorName, StateMode, not_covered};
use crate::call_log::{Call, CallLog};
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::operator::{AccessToken, AskedNumber, Member, Operator, OperatorToken};
use crate::outcome::Outcome;
use crate::provider::{Presented, TokenError};
use crate::transport::Deadline;

/// An app's question.
#[derive(Clone, Copy)]
pub struct VerifyRequest<'a> {
    /// The number to verify.
    pub number: &'a AskedNumber,
    /// The name of the operator to ask, if the app chose one.
    pub operator: Option<&'a str>,
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

    /// Asks the operator about the number. The app must have been authenticated. The second value is the operator that was
    /// asked, if there are several.
    pub async fn verify_operator_token(
        &self,
        request: VerifyRequest<'_>,
        calls: &mut CallLog,
    ) -> (Result<bool, Failure>, Option<OperatorName>) {
        let member = match (request.number, self.operators.single(), request.operator) {
            (AskedNumber::Plain(number), ..) => self.operators.serving(number, request.operator),
            (AskedNumber::Hashed(_), Some(single), _) => Some(single),
            (AskedNumber::Hashed(_), None, Some(name)) => self.operators.at(Some(name)),
            (AskedNumber::Hashed(_), None, None) => {
                let reason = "operator is missing; with several operators, a hash does not say which one to ask";
                return (Err(Failure::new(Outcome::InvalidRequest, reason)), None);
            }
        };
        match member {
            Some(member) => (self.verify_at(member, request, calls).await, member.name().cloned()),
            None => (Err(not_covered()), None),
        }
    }

    async fn verify_at(
        &self,
        member: &Member,
        request: VerifyRequest<'_>,
        calls: &mut CallLog,
    ) -> Result<bool, Failure> {
        let VerifyRequest { number, operator_token, correlator, deadline, .. } = request;
        let operator = member.operator(deadline).await?;
        let used = calls.secret.measure(self.signing(operator, deadline)).await?;
        let token = match exchange(operator, &used, operator_token, deadline, &mut calls.token).await {
            Err(refused) => {
                // RFC 7523 §3.1: an assertion that is not accepted is an `invalid_grant`, as an unknown token is.
                let again = match used.instead_of_previous_key() {
                    Some(own) if refused.code == Some("invalid_grant") => Some(own),
                    _ => self.after_refusal(&refused, &calls.token, &used, deadline).await,
                };
                let Some(again) = again else { return Err(refused) };
                exchange(operator, &again, operator_token, deadline, &mut calls.token).await?
            }
            Ok(token) => token,
        };
        operator.verify(token, number, Some(correlator), deadline, &mut calls.verify).await
    }
}

async fn exchange(
    operator: &Operator,
    signing: &Signing,
    operator_token: &OperatorToken,
    deadline: Deadline,
    call: &mut Call,
) -> Result<AccessToken, Failure> {
    let client = signing.secret.client(operator.name())?;
    let key = signing.key(operator)?.map_err(|fault| {
        let reason = format!("the secret {fault}; `/verify` signs its token request with private_key");
        Failure::new(Outcome::Misconfigured, reason)
    })?;
    operator.exchange_operator_token(operator_token, &client.client_id, &client.headers, &key, deadline, call).await
}

redacted_debug!(VerifyRequest<'_>);
