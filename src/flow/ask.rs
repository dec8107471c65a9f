//! The operator's answer to a verification's question: the token request, then the call that uses the token.

use super::accept::Accepted;
use super::callback::CallbackRequest;
use super::{Flow, Question, StateMode, now_seconds};
use crate::call_log::{Call, CallLog};
use crate::failure::Failure;
use crate::operator::{AccessToken, AskedNumber, AuthorizationCode, AuthorizationGrant, ExpectedIdToken};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;

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
        let access_token = self.exchange(request, accepted, &grant, &mut calls.token).await?;
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

    /// Exchanges the code, once more if the operator refuses the client and there is another key or a newer secret to try.
    async fn exchange(
        &self,
        request: &CallbackRequest<'_>,
        accepted: &Accepted<'_>,
        grant: &AuthorizationGrant,
        call: &mut Call,
    ) -> Result<AccessToken, Failure> {
        let (operator, deadline) = (accepted.operator, request.deadline);
        let used = self.authenticating(operator, deadline).await?;
        self.count_attempt(accepted)?;
        let refused = match operator.exchange(grant, &used.credentials(operator)?, deadline, call).await {
            Err(refusal) => refusal,
            token => return token,
        };
        let Some(again) = self.after_refusal(&refused, call, &used, deadline).await else { return Err(refused) };
        self.count_attempt(accepted)?;
        operator.exchange(grant, &again.credentials(operator)?, deadline, call).await
    }

    /// Limits the number of codes that one started verification can send to the operator. A phone number as the state
    /// is not counted, because anyone could use up another person's attempts.
    fn count_attempt(&self, accepted: &Accepted<'_>) -> Result<(), Failure> {
        let counted = self.settings.state_mode == StateMode::Sealed;
        let has_left = |handle: &String| self.attempts.count(handle, accepted.binding.expires_at, now_seconds());
        if !counted || accepted.handle.as_ref().is_none_or(has_left) {
            return Ok(());
        }
        Err(Failure::new(Outcome::InvalidState, "state has no token requests left; start again"))
    }
}
