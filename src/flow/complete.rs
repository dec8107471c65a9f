//! `/complete`: the callback for a program that holds the `binding` instead of a cookie.
//!
//! A program cannot be given a new text as a browser gets a new cookie, so the environment remembers the result for a
//! minute, in case the answer is lost on the way.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};

use super::callback::CallbackRequest;
use super::{Conclusion, Flow, HandOff, Holder, OperatorName};
use crate::call_log::CallLog;
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::phone_number::PhoneNumber;
use crate::transport::Deadline;

/// The time for which a result is remembered.
const REMEMBERED_FOR: Duration = Duration::from_mins(1);
/// The number of results that are remembered at once.
const REMEMBERED: usize = 1024;

/// A program's request to finish a verification.
#[derive(Clone, Copy)]
pub struct CompleteRequest<'a> {
    /// The parameters of the operator's redirect.
    pub parameters: &'a [(&'a str, &'a str)],
    /// The text that `/start` gave to the program; empty if it is missing.
    pub binding: &'a str,
    /// The public address of our callback, without an operator's name.
    pub callback: &'a str,
    /// Our issuer, for the app that asked.
    pub issuer: &'a str,
    /// The reference for the operator, the answer and the log.
    pub correlator: &'a Correlator,
    /// The time by which the answer must be on its way.
    pub deadline: Deadline,
}

/// The results of the last minute.
#[derive(Debug, Default)]
pub(super) struct Completed(Mutex<HashMap<[u8; 32], Remembered>>);

#[derive(Debug, Clone)]
struct Remembered {
    at: Instant,
    result: Result<bool, Failure>,
    phone_number: Option<PhoneNumber>,
    operator: Option<OperatorName>,
    hand_off: Option<HandOff>,
}

impl Flow {
    /// Takes what a program sends to its conclusion, with the same checks as the callback.
    pub async fn complete(&self, request: &CompleteRequest<'_>) -> Conclusion {
        let key = key(request);
        if let Some(Remembered { result, phone_number, operator, hand_off, .. }) = self.completed.get(&key) {
            let (binding, unspent, calls) = (None, None, CallLog::default());
            return Conclusion { result, phone_number, operator, binding, unspent, hand_off, reloaded: true, calls };
        }
        let CompleteRequest { parameters, binding, callback, issuer, correlator, deadline } = *request;
        let kept = move |_: &str| Some(binding);
        let callback = CallbackRequest {
            parameters,
            kept: &kept,
            holder: Holder::Program,
            callback,
            operator: None,
            issuer,
            correlator,
            deadline,
        };
        let conclusion = self.callback(&callback).await;
        // Before the operator has accepted the code, the program may try again.
        if conclusion.calls.token.status == Some(200) {
            self.completed.insert(key, &conclusion);
        }
        conclusion
    }
}

impl Remembered {
    fn is_recent(&self) -> bool {
        self.at.elapsed() < REMEMBERED_FOR
    }
}

impl Completed {
    fn get(&self, key: &[u8; 32]) -> Option<Remembered> {
        let completed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        completed.get(key).filter(|remembered| remembered.is_recent()).cloned()
    }

    fn insert(&self, key: [u8; 32], conclusion: &Conclusion) {
        // No entry can be left half changed.
        let mut completed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        completed.retain(|_, remembered| remembered.is_recent());
        if completed.len() >= REMEMBERED {
            let first = completed.iter().min_by_key(|(_, remembered)| remembered.at).map(|(key, _)| *key);
            first.map(|first| completed.remove(&first));
        }
        let Conclusion { result, phone_number, operator, hand_off, .. } = conclusion;
        let (result, phone_number) = (result.clone(), phone_number.clone());
        let (operator, hand_off) = (operator.clone(), hand_off.clone());
        completed.insert(key, Remembered { at: Instant::now(), result, phone_number, operator, hand_off });
    }
}

/// A hash of everything that decides the result, so that nobody gets a result without having all of it.
fn key(request: &CompleteRequest) -> [u8; 32] {
    let mut text = Vec::new();
    let pairs = request.parameters.iter().flat_map(|(name, value)| [*name, *value]);
    for part in pairs.chain([request.binding, request.callback]) {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, &text).as_ref());
    key
}

redacted_debug!(CompleteRequest<'_>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;

    #[test]
    fn oldest_result_makes_room_for_a_new_one_and_each_is_forgotten_after_a_minute() {
        let completed = Completed::default();
        let key = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            key
        };
        let insert = |number| completed.insert(key(number), &Failure::new(Outcome::OperatorError, "").into());
        let is_remembered = |number| completed.get(&key(number)).is_some();
        let number_remembered = || completed.0.lock().unwrap().len();
        for number in 0..=REMEMBERED {
            insert(number);
        }
        assert!(!is_remembered(0) && (1..=REMEMBERED).all(is_remembered));
        assert_eq!(number_remembered(), REMEMBERED);

        for remembered in completed.0.lock().unwrap().values_mut() {
            remembered.at -= REMEMBERED_FOR;
        }
        assert!(!(0..=REMEMBERED).any(is_remembered));
        insert(0);
        assert!(is_remembered(0));
        assert_eq!(number_remembered(), 1);
    }
}
