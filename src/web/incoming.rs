//! A request before its route is served.

use http::HeaderMap;
use lambda_http::{Request, RequestExt as _};

use super::accept::{self, Format};
use super::place::Place;
use super::{Settings, header};
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::transport::Deadline;

/// A request, with everything that is known before its route is served.
pub(super) struct Incoming<'r> {
    pub request: &'r Request,
    pub place: Place,
    pub format: Format,
    pub language: Language,
    pub correlator: Correlator,
    pub deadline: Deadline,
}

impl<'r> Incoming<'r> {
    pub fn new(request: &'r Request, settings: &Settings) -> Self {
        let headers = request.headers();
        let context = request.lambda_context_ref();
        let request_id = context.map_or("", |context| context.request_id.as_str());
        Self {
            request,
            place: Place::of(request, &settings.callback_path, settings.redirect_uri.as_ref()),
            format: accept::format(headers),
            language: accept::language(headers),
            correlator: Correlator::from_header(header(headers, "x-correlator"), request_id),
            deadline: Deadline::of_invocation(context.map_or(0, |context| context.deadline)),
        }
    }

    pub fn headers(&self) -> &'r HeaderMap {
        self.request.headers()
    }

    /// Returns whether a browser sent the request for a page. Programs send neither header.
    pub fn is_from_browser(&self) -> bool {
        ["origin", "sec-fetch-site"].iter().any(|name| self.headers().contains_key(*name))
    }

    /// The callback's public address.
    ///
    /// # Errors
    /// The address is unknown.
    pub fn redirect_uri(&self) -> Result<&str, Failure> {
        self.place.redirect_uri.as_deref().ok_or_else(|| {
            Failure::new(
                Outcome::Misconfigured,
                "the event names no domain, as behind a load balancer; set REDIRECT_URI to the callback's public address",
            )
        })
    }
}
