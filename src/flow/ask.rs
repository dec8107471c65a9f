//! The operator's answer to a verification's question: the token request, then the call that uses the token.

use std::sync::Arc;

use super::accept::Accepted;
use super::callback::CallbackRequest;
use super::{Flow, Question, StateMode, now_seconds};
use crate::call_log::{Call, CallLog};
use crate::failure::Failure;
use crate::operator::{
    AccessToken, AskedNumber, AuthorizationCode, AuthorizationGrant, ClientCredentials, ExpectedIdToken, Operator,
};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::secret::Secret;
use crate::transport::Deadline;

impl Flow {
    /// Exchanges the code and asks the operator. This is the only source of *verified* and *not verified*. If the question
    /// is which number the SIM has, the answer goes to `retrieved`.
    pub(super) async fn finish(
        &self,
        request: &CallbackRequest<'_>,
        accepted: &Accepted<'_>,
        code: &AuthorizationCode,
        retrieved: &mut Option<PhoneNumber>,
        calls: &mut CallLog,
    ) -> Result<bool, Failure> {
        let &Accepted { operator, ref question, .. } = accepted;
        let profile = operator.profile();
        let grant = AuthorizationGrant {
            authorization_code: code.clone(),
            redirect_uri: accepted.redirect_uri.clone(),
            code_verifier: accepted.code_verifier.clone(),
            id_token: profile
                .openid(question)
                .then(|| ExpectedIdToken { nonce: accepted.nonce.clone(), issuer: profile.issuer.clone() }),
        };
        let secret = self.client_version(operator, request.deadline).await?;
        let access_token = self.exchange(request, accepted, &grant, &secret, &mut calls.token).await?;
        let (correlator, deadline) = (request.correlator, request.deadline);
        match question {
            Question::Verify(phone_number) => {
                let number = AskedNumber::Plain(phone_number.clone());
                operator.verify(access_token, &number, Some(correlator), deadline, &mut calls.verify).await
            }
            Question::Retrieve => {
                let number =
                    operator.device_phone_number(access_token, correlator, deadline, &mut calls.verify).await?;
                *retrieved = Some(number);
                Ok(true)
            }
        }
    }

    /// Exchanges the code. If the operator refuses the client, the secret is read again, and if it has changed the
    /// exchange is repeated once.
    async fn exchange(
        &self,
        request: &CallbackRequest<'_>,
        accepted: &Accepted<'_>,
        grant: &AuthorizationGrant,
        secret: &Secret,
        call: &mut Call,
    ) -> Result<AccessToken, Failure> {
        let deadline = request.deadline;
        self.count_attempt(accepted)?;
        let operator = accepted.operator;
        let refused = match operator.exchange(grant, &credentials(secret, operator)?, deadline, call).await {
            Err(refusal) => refusal,
            token => return token,
        };
        let Some(newer) = self.newer_secret(&refused, call, secret, deadline).await else { return Err(refused) };
        self.count_attempt(accepted)?;
        operator.exchange(grant, &credentials(&newer, operator)?, deadline, call).await
    }

    /// Reads the secret again if the operator refused the client. `None` if it did not, or if the secret is unchanged.
    pub(super) async fn newer_secret(
        &self,
        refusal: &Failure,
        call: &Call,
        secret: &Secret,
        deadline: Deadline,
    ) -> Option<Arc<Secret>> {
        if call.status != Some(401) && refusal.code != Some("invalid_client") {
            return None;
        }
        match self.secrets.changed_since(secret, deadline).await {
            Ok(newer) => {
                if newer.is_some() {
                    tracing::warn!(
                        "the operator refused the client, whose secret has changed; sending the request again"
                    );
                }
                newer
            }
            Err(unread) => {
                tracing::warn!(
                    reason = unread.reason,
                    "the operator refused the client, and its secret cannot be read"
                );
                None
            }
        }
    }

    /// Limits the number of codes that one started verification can send to the operator. A phone number as the state
    /// is not counted, because anyone could use up another person's attempts.
    fn count_attempt(&self, accepted: &Accepted<'_>) -> Result<(), Failure> {
        let counted = self.settings.state_mode == StateMode::Sealed;
        if !counted || self.attempts.count(accepted.state, accepted.binding.expires_at, now_seconds()) {
            return Ok(());
        }
        Err(Failure::new(Outcome::InvalidState, "state has no token requests left; start again"))
    }
}

/// Our credentials at an operator.
pub(super) fn credentials(secret: &Secret, operator: &Operator) -> Result<ClientCredentials, Failure> {
    let credentials = secret.client(operator.name())?.credentials(operator.profile().token_endpoint_auth_method);
    credentials.map_err(|fault| Failure::new(Outcome::Misconfigured, format!("the secret {fault}")))
}
