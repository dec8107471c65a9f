//! The variables about addresses and origins.

use url::Url;

use super::variables::{Variables, bad, parse_url};
use crate::operator::SettingError;
use crate::web::{self, OriginHeader};

const DEFAULT_CALLBACK_PATH: &str = "/numberverification-callback";
/// In characters. A shorter value could be guessed.
const MIN_ORIGIN_HEADER: usize = 16;

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    pub(super) fn web(&self) -> Result<web::Settings, SettingError> {
        let callback_path = self.callback_path()?;
        Ok(web::Settings {
            redirect_uri: self.redirect_uri(&callback_path)?,
            callback_path,
            allowed_origins: self.allowed_origins()?,
            origin_header: self.origin_header()?,
        })
    }

    fn callback_path(&self) -> Result<String, SettingError> {
        const NAME: &str = "CALLBACK_PATH";
        let path = self.get(NAME).unwrap_or_else(|| DEFAULT_CALLBACK_PATH.to_owned());
        let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b));
        if !plain || !path.starts_with('/') || path.ends_with('/') || path.contains("//") || path.contains("/.") {
            return Err(bad(NAME, "not a path; give one like /numberverification-callback"));
        }
        if web::RESERVED_PATHS.contains(&path.as_str()) {
            return Err(bad(NAME, "is the path of another route; give another one"));
        }
        Ok(path)
    }

    fn redirect_uri(&self, callback_path: &str) -> Result<Option<Url>, SettingError> {
        const NAME: &str = "REDIRECT_URI";
        let Some(url) = self.url(NAME)? else { return Ok(None) };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad(NAME, "cannot have a query or fragment (RFC 6749 §3.1.2)"));
        }
        if !url.path().ends_with(callback_path) {
            return Err(bad(
                NAME,
                format!("does not end in {callback_path}, so the answer would reach no route; set CALLBACK_PATH too"),
            ));
        }
        Ok(Some(url))
    }

    fn allowed_origins(&self) -> Result<Vec<String>, SettingError> {
        const NAME: &str = "ALLOWED_ORIGINS";
        let listed = self.get(NAME).unwrap_or_default();
        let mut origins = Vec::new();
        for origin in listed.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
            let exact = parse_url(NAME, origin)?.origin().ascii_serialization();
            if exact != origin {
                return Err(bad(NAME, "must be exact origins such as https://shop.example, comma-separated"));
            }
            origins.push(exact);
        }
        Ok(origins)
    }

    fn origin_header(&self) -> Result<Option<OriginHeader>, SettingError> {
        const NAME: &str = "ORIGIN_HEADER";
        let Some(value) = self.get(NAME) else { return Ok(None) };
        if value.len() < MIN_ORIGIN_HEADER || !value.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(bad(NAME, format!("must be at least {MIN_ORIGIN_HEADER} characters of ASCII without spaces")));
        }
        Ok(Some(OriginHeader::new(value)))
    }
}
