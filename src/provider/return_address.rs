//! The redirect back to an app: RFC 6749 §4.1.2, RFC 9207.

/// The app's redirect URI, with the state that it gets back.
#[derive(Clone, PartialEq, Eq)]
pub struct ReturnAddress {
    /// The app.
    pub client_id: String,
    /// The registered redirect URI.
    pub redirect_uri: String,
    /// The app's own `state`, which is returned unchanged.
    pub state: Option<String>,
}

impl ReturnAddress {
    /// The address that brings the app its code.
    #[must_use]
    pub fn with_code(&self, issuer: &str, code: &str) -> String {
        self.with(&[("code", code)], issuer)
    }

    /// The address that tells the app an error. The description is ASCII without quotes and backslashes (RFC 6749
    /// §4.1.2.1).
    #[must_use]
    pub fn with_error(&self, issuer: &str, error: &str, description: &str) -> String {
        self.with(&[("error", error), ("error_description", description)], issuer)
    }

    /// Appends the parameters to the registered text, which is otherwise left as it is.
    fn with(&self, parameters: &[(&str, &str)], issuer: &str) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        let mut address = self.redirect_uri.clone();
        for (name, value) in parameters.iter().copied().chain(state).chain([("iss", issuer)]) {
            let separator = if !address.contains('?') {
                "?"
            } else if address.ends_with(['?', '&']) {
                ""
            } else {
                "&"
            };
            address.push_str(separator);
            address.push_str(name);
            address.push('=');
            for part in form_urlencoded::byte_serialize(value.as_bytes()) {
                // Not every platform decodes a + in a query.
                address.push_str(if part == "+" { "%20" } else { part });
            }
        }
        address
    }
}

redacted_debug!(ReturnAddress);

#[cfg(test)]
mod tests {
    use super::*;

    fn address(redirect_uri: &str, state: Option<&str>) -> ReturnAddress {
        ReturnAddress {
            client_id: "shop".to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            state: state.map(str::to_owned),
        }
    }

    #[test]
    fn parameters_are_appended_to_the_registered_text() {
        for (redirect_uri, expected) in [
            ("https://shop.example/cb", "https://shop.example/cb?code=c&iss=i"),
            ("https://shop.example/cb?a=%2f", "https://shop.example/cb?a=%2f&code=c&iss=i"),
            ("https://shop.example?", "https://shop.example?code=c&iss=i"),
            ("https://shop.example/?a&", "https://shop.example/?a&code=c&iss=i"),
            ("com.example.app:/cb", "com.example.app:/cb?code=c&iss=i"),
        ] {
            assert_eq!(address(redirect_uri, None).with_code("i", "c"), expected);
        }
    }

    #[test]
    fn state_comes_back_unchanged() {
        for state in ["a b+c", "&code=evil#x", "\u{e9}\u{1f600}\"<>\\", "%41%zz", "line\nbreak\0", &"x".repeat(2000)] {
            let location = address("https://shop.example/cb", Some(state)).with_error("https://op.example", "e", "a b");
            let url = url::Url::parse(&location).unwrap();
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            let expected =
                [("error", "e"), ("error_description", "a b"), ("state", state), ("iss", "https://op.example")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(pairs, expected);
            assert!(!location.contains('+') && http::HeaderValue::from_str(&location).is_ok(), "{location}");
        }
    }
}
