//! A value that is read over the network: one read at a time, shared by all requests that wait for it.
//!
//! Each read is a separate task, so it goes on for the others if one request runs out of time. The lock is held only
//! while fields are copied, never during a wait.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::transport::Deadline;

/// The longest wait for a read that a request can do without, counted from the start of the read.
pub(super) const SHORT_WAIT: Duration = Duration::from_secs(2);

/// The last value, and the last read.
#[derive(Debug)]
pub(super) struct Slot<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    /// The result of the last read that succeeded.
    value: Option<T>,
    /// The last read: under way, succeeded or failed.
    last: Option<Read<T>>,
}

/// A read, under way or done.
#[derive(Debug, Clone)]
pub(super) struct Read<T> {
    started: Instant,
    done: watch::Receiver<Option<Done<T>>>,
}

#[derive(Debug)]
struct Done<T> {
    at: Instant,
    result: Result<T, Failure>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::new(State { value: None, last: None }))
    }
}

impl<T: Clone + Send + Sync + 'static> Slot<T> {
    /// The last value that was read, without waiting.
    pub(super) fn value(&self) -> Option<T> {
        self.lock().value.clone()
    }

    /// Returns the last read if it is under way, if it succeeded less than `reuse_success` ago or if it failed less
    /// than `reuse_failure` ago; otherwise starts a new one with `read`. A `read` that returns `None` leaves no result,
    /// and a request that waited for it may start another.
    pub(super) fn read<F>(
        self: &Arc<Self>,
        reuse_success: Duration,
        reuse_failure: Duration,
        read: impl FnOnce() -> F,
    ) -> Read<T>
    where
        F: Future<Output = Option<Result<T, Failure>>> + Send + 'static,
    {
        let mut state = self.lock();
        if let Some(last) = state.last.as_ref().filter(|last| last.can_be_reused(reuse_success, reuse_failure)) {
            return last.clone();
        }
        let (sender, done) = watch::channel(None);
        let started = Read { started: Instant::now(), done };
        state.last = Some(started.clone());
        drop(state);
        let (slot, read) = (Arc::clone(self), read());
        tokio::spawn(async move {
            let Some(result) = read.await else { return };
            if let Ok(value) = &result {
                slot.lock().value = Some(value.clone());
            }
            sender.send_replace(Some(Done { at: Instant::now(), result }));
        });
        started
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Read<T> {
    /// The time at which it started.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Waits for the result; `None` if the read ended without one.
    pub(super) async fn result(mut self) -> Option<Result<T, Failure>> {
        let done = self.done.wait_for(Option::is_some).await.ok()?;
        done.as_ref().map(|done| done.result.clone())
    }

    /// Waits for the value until [`SHORT_WAIT`] after the start of the read, but not beyond the deadline. `None` if the
    /// read failed or took longer.
    pub(super) async fn soon(self, deadline: Deadline) -> Option<T> {
        if let Some(done) = &*self.done.borrow() {
            return done.result.clone().ok();
        }
        let wait = SHORT_WAIT.saturating_sub(self.started.elapsed());
        deadline.sooner(wait).bound(self.result()).await.ok()??.ok()
    }

    fn can_be_reused(&self, reuse_success: Duration, reuse_failure: Duration) -> bool {
        match &*self.done.borrow() {
            Some(Done { at, result: Ok(_) }) => at.elapsed() < reuse_success,
            Some(Done { at, result: Err(_) }) => at.elapsed() < reuse_failure,
            // The sender is gone if the read ended without a result.
            None => self.done.has_changed().is_ok(),
        }
    }
}
