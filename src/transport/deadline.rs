//! The time by which an answer must be on its way.

use std::future::Future;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The time at which waiting must end. It bounds every upstream wait, so that the user gets a page and never the
/// gateway's bare 503 or 504.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

/// The deadline passed before the answer arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut;

/// The part of the invocation's time that is reserved for rendering and returning a page at the smallest memory size,
/// which has 7 % of a CPU.
const MARGIN: Duration = Duration::from_millis(750);

/// The time that gateways allow an integration, whatever the function's own timeout: API Gateway's REST APIs 29 s by
/// default, its HTTP APIs at most 30 s. After that the user gets their bare 504.
const GATEWAY: Duration = Duration::from_secs(29);

impl Deadline {
    /// The deadline that is `time` from now.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// The deadline of an invocation that Lambda ends at `deadline_ms`, in milliseconds since the epoch
    /// (the `Lambda-Runtime-Deadline-Ms` header of the Runtime API).
    #[must_use]
    pub fn of_invocation(deadline_ms: u64) -> Self {
        let header = Duration::from_millis(deadline_ms);
        // `cargo lambda watch` sends the remaining time instead, which as a point in time would be in January 1970.
        let left = if header < Duration::from_hours(24) {
            header
        } else {
            (SystemTime::UNIX_EPOCH + header).duration_since(SystemTime::now()).unwrap_or_default()
        };
        Self::after(left.min(GATEWAY).saturating_sub(MARGIN))
    }

    /// The earlier of this deadline and `time` from now.
    #[must_use]
    pub fn sooner(self, time: Duration) -> Self {
        Self(self.0.min(Instant::now() + time))
    }

    /// Waits for `future` until the deadline. After the deadline nothing is started, because a token request whose
    /// answer cannot be used would spend the code.
    ///
    /// # Errors
    /// [`TimedOut`] if the deadline comes first.
    pub async fn bound<F: Future>(self, future: F) -> Result<F::Output, TimedOut> {
        if self.0 <= Instant::now() {
            return Err(TimedOut);
        }
        tokio::time::timeout_at(self.0, future).await.map_err(|_| TimedOut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passed_deadline_ends_the_wait() {
        for deadline in [Deadline::of_invocation(0), Deadline::after(Duration::ZERO)] {
            assert_eq!(deadline.bound(std::future::pending::<()>()).await, Err(TimedOut));
        }
    }

    #[tokio::test]
    async fn nothing_is_started_after_the_deadline() {
        let passed = Deadline::after(Duration::ZERO);
        assert_eq!(passed.bound(std::future::ready(())).await, Err(TimedOut));
    }

    #[test]
    fn deadline_of_an_invocation_leaves_a_margin() {
        for (name, given, left) in [
            ("the template's timeout", 20_000, 19_250),
            ("longer than a gateway waits", 900_000, 28_250),
            ("no time", 0, 0),
            ("less than the margin", 500, 0),
        ] {
            let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
            let deadline = Deadline::of_invocation(u64::try_from(now.as_millis()).unwrap() + given);
            let off = deadline.0.saturating_duration_since(Instant::now()).abs_diff(Duration::from_millis(left));
            assert!(off < Duration::from_millis(200), "{name}: off by {off:?}");
        }
    }
}
