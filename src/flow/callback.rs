//! The callback, from the operator's redirect to the conclusion (RFC 6749 §4.1.2).

use super::accept::Accepted;
use super::binding::{Binding, Finished, SealedBinding};
use super::conclusion::{Conclusion, Unspent, outcome_of};
use super::hand_off::Asker;
use super::state::Holder;
use super::{Flow, now_seconds};
use crate::call_log::CallLog;
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::operator::{AuthorizationResponse, Member};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::provider::{AppRequest, BoundTo, Verified};
use crate::transport::Deadline;

/// A callback as it was received.
#[derive(Clone, Copy)]
pub struct CallbackRequest<'a> {
    /// The parameters of the operator's redirect.
    pub parameters: &'a [(&'a str, &'a str)],
    /// Finds the text that is kept under a handle.
    pub kept: &'a (dyn Fn(&str) -> Option<&'a str> + Sync),
    /// The kind of client that sent the request.
    pub holder: Holder,
    /// The public address of our callback, without an operator's name.
    pub callback: &'a str,
    /// The operator's name that ended the path of the callback. A program does not say at which one it arrived.
    pub operator: Option<&'a str>,
    /// Our issuer, for the app that asked.
    pub issuer: &'a str,
    /// The reference for the operator, the page and the log.
    pub correlator: &'a Correlator,
    /// The time by which the answer must be on its way.
    pub deadline: Deadline,
}

redacted_debug!(CallbackRequest<'_>);

impl Flow {
    /// Takes a callback to its conclusion, before the deadline.
    pub async fn callback(&self, request: &CallbackRequest<'_>) -> Conclusion {
        let parameters = || request.parameters.iter().copied();
        let (response, malformed) = match AuthorizationResponse::from_parameters(parameters()) {
            Ok(response) => (response, None),
            Err(failure) => (AuthorizationResponse::with_state_alone(parameters()), Some(failure)),
        };
        let (mut accepted, mut finished, mut reloaded) = (None, None, false);
        let mut calls = CallLog::default();
        let result = async {
            let checked = self.accept(request, &response, &mut calls.secret).await;
            if let Some(failure) = malformed {
                // An app that asked for a genuine verification is told.
                accepted = checked.ok();
                return Err(failure);
            }
            let accepted = accepted.insert(checked?);
            accepted.operator.profile().check_issuer(response.iss.as_deref())?;
            if let Some(refusal) = response.refusal() {
                return Err(refusal);
            }
            let code = response.code.as_ref().ok_or_else(|| invalid("parameter code is missing"))?;
            let earlier = accepted.binding.finished.as_ref();
            if let Some((earlier, outcome)) = earlier.and_then(|f| Some((f, f.outcome_of(code.expose())?))) {
                finished = Some(earlier.clone());
                reloaded = true;
                let shown_again = || Failure::new(outcome, "a reload: the first result is shown again");
                return outcome.device_phone_number_verified().ok_or_else(shown_again);
            }
            let mut retrieved = None;
            let result = self.finish(request, accepted, code, &mut retrieved, &mut calls).await;
            finished = Some(Finished::new(code.expose(), outcome_of(&result), now_seconds(), retrieved));
            result
        }
        .await;
        let outcome = outcome_of(&result);
        let (mut phone_number, mut binding, mut hand_off) = (None, None, None);
        // The callback's path names the operator even if its state does not open.
        let mut operator = self.operators.at(request.operator).and_then(Member::name).cloned();
        if let Some(accepted) = &accepted {
            operator = accepted.operator.name().cloned();
            let retrieved = finished.as_ref().and_then(|finished| finished.retrieved.as_ref());
            phone_number = accepted.question.phone_number().or(retrieved).cloned();
            if let Some(app) = &accepted.binding.app {
                let code = finished.as_ref().zip(phone_number.as_ref()).filter(|_| outcome == Outcome::Verified);
                let code = code.and_then(|(finished, number)| app_code(request, accepted, app, number, finished));
                let asker = Asker { app, holder: request.holder, issuer: request.issuer, deadline: request.deadline };
                let asked_about = accepted.question.phone_number();
                hand_off = Box::pin(self.hand_off(asker, outcome, asked_about, code)).await;
            }
            binding = finished.filter(|_| !reloaded).and_then(|finished| finished_binding(accepted, finished, &calls));
        }
        let is_unspent = outcome == Outcome::WrongBrowser;
        let unspent = response.code.zip(response.state).filter(|_| is_unspent);
        let unspent = unspent.map(|(code, state)| Unspent { code, state });
        Conclusion { result, phone_number, operator, binding, unspent, hand_off, reloaded, calls }
    }
}

/// The text to keep once the operator has accepted the code. Before that, a reload may try the code again. A verdict
/// that this state already has is not replaced by a failure.
fn finished_binding(accepted: &Accepted<'_>, finished: Finished, calls: &CallLog) -> Option<SealedBinding> {
    let earlier_is_verdict = accepted.binding.finished.as_ref().is_some_and(Finished::is_verdict);
    if calls.token.status != Some(200) || (earlier_is_verdict && !finished.is_verdict()) {
        return None;
    }
    let audience = accepted.audience().ok()?;
    let binding = Binding { finished: Some(finished), ..accepted.binding.clone() };
    let text = binding.seal(&accepted.started_with.sealer, audience, accepted.state).ok()?;
    let handle = accepted.handle.clone()?;
    Some(SealedBinding { handle, text })
}

/// The app's code for one answer of the operator: the same one for a minute, then none.
fn app_code(
    request: &CallbackRequest<'_>,
    accepted: &Accepted<'_>,
    app: &AppRequest,
    phone_number: &PhoneNumber,
    finished: &Finished,
) -> Option<String> {
    let verified = Verified {
        phone_number: phone_number.clone(),
        answered_at: finished.answered_at,
        nonce: app.nonce.clone(),
        phone_scope: app.phone_scope,
    };
    let seed = [accepted.binding.mark.bytes().as_slice(), finished.seed()];
    let bound_to = BoundTo::request(request.issuer, app);
    verified.to_code(&accepted.started_with.sealer, bound_to, &seed, now_seconds())
}

pub(super) fn invalid(reason: impl Into<String>) -> Failure {
    Failure::new(Outcome::InvalidRequest, reason)
}
