//! A finished callback, kept by the browser in a sealed cookie: phones reload pages, and the code is already spent.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;

use super::browser::Browser;
use super::now_seconds;
use super::state::Binding;
use crate::outcome::Outcome;
use crate::secret::seal::{Purpose, Sealer};

/// The callback that a result belongs to.
pub(super) struct FinishedCallback<'a> {
    pub binding: Binding<'a>,
    pub authorization_code: &'a str,
    pub state: &'a str,
    pub browser: Option<Browser>,
}

/// A state is accepted a moment before its result is looked for, and both run out in the same second: without this the
/// spent code would be sent again.
const GRACE_SECONDS: u64 = 5;

impl FinishedCallback<'_> {
    /// Seals the outcome; it opens for this code, state and browser only. The text is the expiry in 8 bytes and the
    /// outcome's name.
    pub fn seal(&self, sealer: &Sealer, outcome: Outcome, expires_at: u64) -> Result<String, Unspecified> {
        let text = [&expires_at.to_be_bytes()[..], outcome.name().as_bytes()].concat();
        self.with_parts(|parts| sealer.seal(Purpose::Result, parts, &text)).map(|(sealed, _)| sealed)
    }

    /// The outcome that this callback came to before, if the cookie is of this callback and still in time.
    pub fn open(&self, sealer: &Sealer, cookie: &str) -> Option<Outcome> {
        let (text, _) = self.with_parts(|parts| sealer.open(Purpose::Result, parts, cookie)).ok()?;
        let (expires_at, name) = text.split_first_chunk::<8>()?;
        if u64::from_be_bytes(*expires_at).saturating_add(GRACE_SECONDS) <= now_seconds() {
            return None;
        }
        Outcome::from_name(std::str::from_utf8(name).ok()?)
    }

    fn with_parts<T>(&self, f: impl FnOnce(&[&[u8]]) -> T) -> T {
        let [client_id, redirect_uri] = self.binding.parts();
        let code = digest(&SHA256, self.authorization_code.as_bytes());
        let state = digest(&SHA256, self.state.as_bytes());
        let browser = self.browser.as_ref().map_or(&[][..], Browser::bytes);
        f(&[client_id, redirect_uri, code.as_ref(), state.as_ref(), browser])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_opens_for_its_own_callback_only() {
        let sealer = Sealer::derive(b"key").unwrap();
        let browser = Browser::random().unwrap();
        let callback = |code, state, browser| FinishedCallback {
            binding: Binding { client_id: "my-app-id", redirect_uri: "https://a.example/callback" },
            authorization_code: code,
            state,
            browser,
        };
        let ours = callback("code", "state", Some(browser));
        let cookie = ours.seal(&sealer, Outcome::Verified, u64::MAX).unwrap();
        assert_eq!(ours.open(&sealer, &cookie), Some(Outcome::Verified));
        for (name, other) in [
            ("another code", callback("other", "state", Some(browser))),
            ("another state", callback("code", "other", Some(browser))),
            ("another browser", callback("code", "state", Browser::random().ok())),
            ("no browser", callback("code", "state", None)),
        ] {
            assert_eq!(other.open(&sealer, &cookie), None, "{name}");
        }
        let past = ours.seal(&sealer, Outcome::Verified, 1).unwrap();
        assert_eq!(ours.open(&sealer, &past), None);
        assert_eq!(ours.open(&sealer, "rubbish"), None);
    }
}
