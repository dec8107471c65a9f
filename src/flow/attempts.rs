//! Counts the token requests for each state.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Enough for a few reloads while an operator is down, and too few to flood one.
const PER_STATE: u8 = 5;
/// The number of states remembered at once, about 250 KB. One environment finishes far fewer within a state's lifetime.
const REMEMBERED: usize = 4096;

/// The token requests of this environment, by state.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<String, Used>>);

#[derive(Debug)]
struct Used {
    times: u8,
    expires_at: u64,
}

impl Attempts {
    /// Counts one token request for the state with this handle, which expires at `expires_at`. Returns `false` if no
    /// request is left for it. Both times are in seconds since the epoch.
    pub fn count(&self, handle: &str, expires_at: u64, now: u64) -> bool {
        // No entry can be left half changed.
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if states.len() >= REMEMBERED && !states.contains_key(handle) {
            states.retain(|_, used| used.expires_at > now);
            if states.len() >= REMEMBERED {
                let first = states.iter().min_by_key(|(_, used)| used.expires_at).map(|(handle, _)| handle.clone());
                first.map(|first| states.remove(&first));
            }
        }
        let used = states.entry(handle.to_owned()).or_insert(Used { times: 0, expires_at });
        let allowed = used.times < PER_STATE;
        used.times += u8::from(allowed);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_allows_five_requests() {
        let attempts = Attempts::default();
        for state in ["one", "two"] {
            let allowed: Vec<_> = (0..7).map(|_| attempts.count(state, 100, 0)).collect();
            assert_eq!(allowed, [true, true, true, true, true, false, false], "{state}");
        }
    }

    #[test]
    fn states_that_expire_first_are_forgotten_first() {
        let attempts = Attempts::default();
        for number in 0..REMEMBERED as u64 + 10 {
            assert!(attempts.count(&number.to_string(), 1000 + number, 0));
        }
        assert_eq!(attempts.0.lock().unwrap().len(), REMEMBERED);
        assert!(attempts.count("another", 10_000, 9000), "expired states make room");
        assert_eq!(attempts.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn full_memory_forgets_nothing_for_a_state_that_it_knows_and_what_expires_now_for_another() {
        let attempts = Attempts::default();
        for number in 0..REMEMBERED as u64 {
            assert!(attempts.count(&number.to_string(), 1000 + number, 0));
        }
        let remembered = || attempts.0.lock().unwrap().len();
        assert!(attempts.count("7", 1007, 0));
        assert_eq!(remembered(), REMEMBERED, "a known state needs no room");
        assert!(attempts.count("another", 10_000, 1001));
        assert_eq!(remembered(), REMEMBERED - 1, "two expired, one came");
    }
}
