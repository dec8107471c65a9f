//! Checks the address to which the operator redirects the browser.

use axum::http::Uri;
use axum::http::uri::Scheme;

/// The redirect URI to use, or the reason there is none. It must be an absolute URI without a fragment (RFC 6749
/// §3.1.2), and equal a registered one character by character (RFC 9700 §2.1).
pub(crate) fn resolve(requested: &str, registered: &[String]) -> Result<String, String> {
    // The HTML form of Telefónica's documentation sends only a path, "/numberverification-callback".
    if requested.starts_with('/') && !requested.starts_with("//") {
        return registered
            .iter()
            .find(|registered| registered.parse::<Uri>().is_ok_and(|uri| uri.path() == requested))
            .cloned()
            .ok_or_else(|| {
                format!("redirect_uri {requested} is relative, and no registered redirect URI has that path")
            });
    }
    check_absolute(requested)?;
    if registered.is_empty() || registered.iter().any(|registered| registered == requested) {
        Ok(requested.to_owned())
    } else {
        Err(format!("redirect_uri {requested} is not registered; registered are: {}", registered.join(" ")))
    }
}

fn check_absolute(requested: &str) -> Result<(), String> {
    if requested.contains('#') {
        return Err(format!("redirect_uri {requested} has a fragment"));
    }
    let uri: Uri = requested.parse().map_err(|error| format!("redirect_uri {requested} is not a URI: {error}"))?;
    let web = uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    // `Uri` accepts bytes above ASCII; RFC 3986 and the Location header do not.
    if web && requested.is_ascii() {
        Ok(())
    } else {
        Err(format!("redirect_uri {requested} is not an absolute http or https URI"))
    }
}

/// Scheme, host and port.
pub(crate) fn origin(redirect_uri: &str) -> Option<String> {
    let uri: Uri = redirect_uri.parse().ok()?;
    Some(format!("{}://{}", uri.scheme()?, uri.authority()?))
}

/// Adds the answer's parameters to the redirect URI. An existing query is kept (RFC 6749 §3.1.2).
pub(crate) fn with_parameters(redirect_uri: &str, parameters: &[(&str, &str)]) -> String {
    let separator = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    let added = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{redirect_uri}{separator}{added}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_to_an_existing_query() {
        for (redirect_uri, expected) in [
            ("https://app/cb", "https://app/cb?state=%2B34+%26"),
            ("https://app/cb?", "https://app/cb?state=%2B34+%26"),
            ("https://app/cb?a=b", "https://app/cb?a=b&state=%2B34+%26"),
        ] {
            assert_eq!(with_parameters(redirect_uri, &[("state", "+34 &")]), expected);
        }
    }
}
