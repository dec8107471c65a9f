//! The time by which an answer must be on its way.

use std::future::Future;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// When waiting must end. Every upstream wait is bounded by it, so that the user gets a page and never the
/// gateway's bare 503 or 504.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

/// The deadline came before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut;

/// Kept back from the invocation's own time: enough to render a page and hand it over at the smallest
/// memory size, where a Lambda has 7 % of a CPU.
const MARGIN: Duration = Duration::from_millis(750);

/// What gateways give an integration, whatever the function's own timeout: API Gateway's REST APIs 29 s by default,
/// its HTTP APIs 30 s at most. After that the user has their bare 504.
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
        // `cargo lambda watch` sends the time that is left, which as a time of day would be in January 1970.
        let left = if header < Duration::from_hours(24) {
            header
        } else {
            (SystemTime::UNIX_EPOCH + header).duration_since(SystemTime::now()).unwrap_or_default()
        };
        Self::after(left.min(GATEWAY).saturating_sub(MARGIN))
    }

    /// This deadline, or the one that is `time` from now where that comes sooner.
    #[must_use]
    pub fn sooner(self, time: Duration) -> Self {
        Self(self.0.min(Instant::now() + time))
    }

    /// Waits for `future`, but no longer than the deadline. Once that is past, nothing is begun: a token request that
    /// nobody waits for would spend the code.
    ///
    /// # Errors
    /// [`TimedOut`] when the deadline comes first.
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
    async fn a_deadline_that_has_passed_still_ends_the_wait() {
        for deadline in [Deadline::of_invocation(0), Deadline::after(Duration::ZERO)] {
            assert_eq!(deadline.bound(std::future::pending::<()>()).await, Err(TimedOut));
        }
    }

    #[tokio::test]
    async fn nothing_is_begun_after_the_deadline() {
        let passed = Deadline::after(Duration::ZERO);
        assert_eq!(passed.bound(std::future::ready(())).await, Err(TimedOut));
    }

    #[test]
    fn the_deadline_is_the_invocation_s_or_the_gateway_s_less_a_margin() {
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
