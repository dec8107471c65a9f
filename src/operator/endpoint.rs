//! The addresses of an operator, and the rule for every URL that an owner configures.

use http::Uri;
use url::{Host, Url};

/// An address that requests can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Parses an address that a person configured: `https`, or `http` to this machine.
    ///
    /// # Errors
    /// The fault of the address, without the address itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::from_url(secure_url(text)?)
    }

    /// Parses an address from a document on the network: `https` only, because such a document must not be able to send
    /// requests to this machine in plain text.
    ///
    /// # Errors
    /// The fault of the address, without the address itself.
    pub fn parse_https(text: &str) -> Result<Self, String> {
        let url = secure_url(text)?;
        if url.scheme() == "https" { Self::from_url(url) } else { Err("not an https URL".into()) }
    }

    fn from_url(url: Url) -> Result<Self, String> {
        // RFC 6749 §3.1 and §3.2.
        if url.fragment().is_some() {
            return Err("has a fragment; take out the part from # on".into());
        }
        is_usable(&url)?;
        Ok(Self(url))
    }

    /// Adds `path` to the path of `base`.
    pub(super) fn below(base: &Url, path: &str) -> Result<Self, String> {
        if base.query().is_some() || base.fragment().is_some() {
            return Err("cannot have a query or fragment; give the part before /authorize".into());
        }
        let mut url = base.clone();
        url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        Self::from_url(url)
    }

    /// The address whose path ends in `other` instead of `last`; `None` if this one does not end in `last`.
    pub(super) fn beside(&self, last: &str, other: &str) -> Option<Self> {
        let before = self.0.path().strip_suffix(last).filter(|before| before.ends_with('/'))?;
        let mut url = self.0.clone();
        url.set_path(&format!("{before}{other}"));
        Self::from_url(url).ok()
    }

    /// The address as a URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Returns whether both addresses have the same scheme, host and port, so that they can share a connection.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }
}

/// Parses a URL of the configuration: `https`, or `http` to this machine.
///
/// # Errors
/// The fault of the address, without the address itself.
pub fn secure_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("not a URL ({e})"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has credentials in it; take them out, they would reach logs".into());
    }
    match url.scheme() {
        "https" => {}
        "http" if is_this_machine(&url) => {}
        "http" => return Err("http is only for localhost; use https".into()),
        _ => return Err("not an https URL".into()),
    }
    is_usable(&url)?;
    Ok(url)
}

/// The `http` crate has stricter limits than the `url` crate, for example on the length.
fn is_usable(url: &Url) -> Result<(), String> {
    Uri::try_from(url.as_str()).map(drop).map_err(|e| format!("not a URL to send requests to ({e})"))
}

/// Returns whether a URL points to this machine, or from a container to the machine it runs on.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name == "host.docker.internal",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_only_for_configured_addresses_on_this_machine() {
        for (text, configured, in_a_document) in [
            ("https://operator.example/token", true, true),
            ("http://localhost:9901/token", true, false),
            ("http://127.0.0.1:9901/token", true, false),
            ("http://127.8.8.8/token", true, false),
            ("http://[::1]:9901/token", true, false),
            ("http://host.docker.internal:9901/token", true, false),
            ("http://operator.example/token", false, false),
            ("http://localhost.example/token", false, false),
            ("http://10.0.0.1/token", false, false),
            ("https://localhost/token", true, true),
        ] {
            assert_eq!(Endpoint::parse(text).is_ok(), configured, "{text}");
            assert_eq!(Endpoint::parse_https(text).is_ok(), in_a_document, "{text}");
        }
    }

    #[test]
    fn unusable_addresses_say_what_is_wrong() {
        let too_long = format!("https://operator.example/{}", "a".repeat(1 << 16));
        for (text, reason) in [
            ("operator.example", "not a URL"),
            ("/token", "not a URL"),
            ("ftp://operator.example/token", "not an https URL"),
            ("javascript:alert(1)", "not an https URL"),
            ("https://user:s3cr3t@operator.example/token", "credentials"),
            ("https://user@operator.example/token", "credentials"),
            ("https://:s3cr3t@operator.example/token", "credentials"),
            ("https://operator.example/token#part", "fragment"),
            (&too_long, "URL to send requests to"),
        ] {
            let error = Endpoint::parse(text).expect_err(text);
            assert!(error.contains(reason) && !error.contains("s3cr3t"), "{text}: {error}");
        }
    }

    #[test]
    fn endpoint_below_a_base_keeps_the_path_of_the_base() {
        for base in ["https://operator.example/gw", "https://operator.example/gw/"] {
            let endpoint = Endpoint::below(&Url::parse(base).unwrap(), "/token").unwrap();
            assert_eq!(endpoint.url().as_str(), "https://operator.example/gw/token");
        }
    }
}
