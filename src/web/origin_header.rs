//! The header that proves that a request came through `CloudFront`, so that its rate limit cannot be bypassed.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::HeaderMap;
use zeroize::Zeroizing;

const NAME: &str = "x-origin-verify";

/// `ORIGIN_HEADER`: the value that `x-origin-verify` must have.
#[derive(Clone)]
pub struct OriginHeader(Zeroizing<String>);

impl OriginHeader {
    /// Wraps the configured value.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Returns whether the request has exactly one such header, with this value.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(NAME).into_iter();
        let first =
            values.next().is_some_and(|value| verify_slices_are_equal(value.as_bytes(), self.0.as_bytes()).is_ok());
        first && values.next().is_none()
    }
}

redacted_debug!(OriginHeader);
