//! Where the operator is willing to send the browser back to.

use axum::http::Uri;
use axum::http::uri::Scheme;

/// The redirect URI to use, or why there is none. RFC 6749 §3.1.2: an absolute URI without a fragment;
/// RFC 9700 §2.1: compared with the registered ones character by character.
pub(crate) fn resolve(requested: &str, registered: &[String]) -> Result<String, String> {
    // The HTML form of Telefónica's documentation sends "/numberverification-callback": a path alone.
    if requested.starts_with('/') && !requested.starts_with("//") {
        return registered
            .iter()
            .find(|registered| registered.parse::<Uri>().is_ok_and(|uri| uri.path() == requested))
            .cloned()
            .ok_or_else(|| format!("redirect_uri {requested} is relative, and no registered one has that path"));
    }
    check_absolute(requested)?;
    if registered.is_empty() || registered.iter().any(|registered| registered == requested) {
        Ok(requested.to_owned())
    } else {
        Err(format!("redirect_uri {requested} is not one of the registered: {}", registered.join(" ")))
    }
}

fn check_absolute(requested: &str) -> Result<(), String> {
    if requested.contains('#') {
        return Err(format!("redirect_uri {requested} has a fragment"));
    }
    let uri: Uri = requested.parse().map_err(|error| format!("redirect_uri {requested} is not a URI: {error}"))?;
    let web = uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    // `Uri` lets bytes above ASCII pass; RFC 3986 does not, nor does a Location header.
    if web && requested.is_ascii() {
        Ok(())
    } else {
        Err(format!("redirect_uri {requested} is not an absolute http or https URI"))
    }
}

/// The redirect URI with the answer's parameters; a query it has already is kept (RFC 6749 §3.1.2).
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
