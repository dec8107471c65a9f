//! A request before its route is served.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use lambda_http::{Request, RequestExt as _};

use super::accept::{self, Format};
use super::place::{Place, ProviderRoute, Route};
use super::{Settings, header};
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::flow::Holder;
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
        let place = Place::of(request, &settings.callback_path, settings.redirect_uri.as_ref());
        let format = match place.route {
            // Only browsers have business here, and they are redirected whatever they accept.
            Route::Provider(ProviderRoute::Authorize) => Format::Html,
            // Only programs do.
            Route::Complete | Route::Verify => Format::Json,
            _ => accept::format(headers),
        };
        Self {
            request,
            place,
            format,
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

    /// The kind of client: a program sends neither header, and keeps no cookies.
    pub fn holder(&self) -> Holder {
        if self.format == Format::Json && !self.is_from_browser() { Holder::Program } else { Holder::Browser }
    }

    /// The callback's public address.
    ///
    /// # Errors
    /// The address is unknown.
    pub fn redirect_uri(&self) -> Result<&str, Failure> {
        self.place.redirect_uri.as_deref().ok_or_else(no_address)
    }

    /// Our issuer.
    ///
    /// # Errors
    /// The public address is unknown.
    pub fn issuer(&self) -> Result<&str, Failure> {
        self.place.issuer.as_deref().ok_or_else(no_address)
    }

    /// The public address of our callback, and our issuer.
    ///
    /// # Errors
    /// The public address is unknown.
    pub fn addresses(&self) -> Result<(&str, &str), Failure> {
        Ok((self.redirect_uri()?, self.issuer()?))
    }

    /// The media type of the body, without its parameters; a form's if there is none.
    pub fn media_type(&self) -> &'r str {
        let media_type = header(self.headers(), CONTENT_TYPE.as_str()).unwrap_or(FORM);
        media_type.split(';').next().unwrap_or_default().trim()
    }

    /// Returns whether the body is a form.
    pub fn has_form(&self) -> bool {
        self.media_type().eq_ignore_ascii_case(FORM)
    }

    /// Returns whether a person opened the request's address as a page of its own, as far as the browser says. Older
    /// browsers and programs do not say.
    pub fn is_top_level(&self) -> bool {
        header(self.headers(), "sec-fetch-dest").is_none_or(|destination| destination == "document")
    }

    /// Returns whether the browser prefetches the page (`Sec-Purpose`, and the headers that older browsers send instead).
    pub fn is_prefetch(&self) -> bool {
        let names = ["purpose", "x-purpose", "x-moz"];
        header(self.headers(), "sec-purpose").is_some()
            || names.iter().filter_map(|name| header(self.headers(), name)).any(|purpose| {
                let purpose = purpose.to_ascii_lowercase();
                purpose.contains("prefetch") || purpose.contains("preview")
            })
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn no_address() -> Failure {
    Failure::new(
        Outcome::Misconfigured,
        "the event names no domain, as behind a load balancer; set REDIRECT_URI to the callback's public address",
    )
}
