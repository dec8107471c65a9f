//! Lambda freezes the environment between invocations, whatever it is doing.

use std::future::Future;
use std::time::{Duration, Instant};

/// How often the time is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A look that comes later than this comes after a freeze, and not because the CPU was busy: at the smallest memory size
/// it is withheld for some 20 ms.
const FREEZE: Duration = Duration::from_secs(1);

/// Waits for `future`, and gives it up where a freeze came in between: what it waited for may have gone by, and the far
/// side may have forgotten it. `None` then.
pub async fn unless_frozen<F: Future>(future: F) -> Option<F::Output> {
    tokio::select! {
        output = future => Some(output),
        () = frozen() => None,
    }
}

/// Completes after a freeze.
async fn frozen() {
    loop {
        let before = Instant::now();
        tokio::time::sleep(LOOK).await;
        if before.elapsed() > FREEZE {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_awaited_comes_out() {
        assert_eq!(unless_frozen(async { 1 }).await, Some(1));
    }

    /// Nothing in this process runs for a while: to it, that is what a freeze looks like.
    #[tokio::test]
    async fn a_freeze_ends_the_wait() {
        let frozen = unless_frozen(std::future::pending::<()>());
        let freeze = async {
            tokio::task::yield_now().await;
            std::thread::sleep(FREEZE + LOOK);
        };
        let (waited, ()) = tokio::join!(frozen, freeze);
        assert_eq!(waited, None);
    }
}
