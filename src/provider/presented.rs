//! The credentials with which an app calls us (RFC 6749 §2.3.1).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::{RelyingParty, TokenError};

/// The credentials as they were received, which are not checked yet.
pub struct Presented {
    /// The app that the request claims to come from.
    pub client_id: String,
    client_secret: Option<Zeroizing<String>>,
    /// The secret of HTTP Basic before it was decoded. Authlib, like many others, does not encode it, and one in Base64
    /// can have a `+`.
    undecoded_secret: Option<Zeroizing<String>>,
}

impl Presented {
    /// Reads the credentials from the `Authorization` header or from the form. Empty ones count as missing.
    ///
    /// # Errors
    /// There are none, they are not HTTP Basic, or they are in both places.
    pub fn read(
        authorization: Option<&str>,
        client_id: Option<&str>,
        client_secret: Option<&str>,
    ) -> Result<Self, TokenError> {
        let secret = |secret: Zeroizing<String>| Some(secret).filter(|secret| !secret.is_empty());
        let Some(authorization) = authorization else {
            let client_id = client_id.ok_or(TokenError::InvalidClient)?.to_owned();
            return Ok(Self {
                client_id,
                client_secret: client_secret.map(|secret| Zeroizing::new(secret.to_owned())),
                undecoded_secret: None,
            });
        };
        let basic = basic_credentials(authorization).ok_or(TokenError::InvalidClient)?;
        let (basic_id, basic_secret) = basic.split_once(':').ok_or(TokenError::InvalidClient)?;
        let basic_id = form_decoded(basic_id);
        if client_secret.is_some() || client_id.is_some_and(|client_id| client_id != *basic_id) {
            return Err(TokenError::InvalidRequest("send the credentials once, in the header or in the form"));
        }
        Ok(Self {
            client_id: basic_id.to_string(),
            client_secret: secret(form_decoded(basic_secret)),
            undecoded_secret: secret(Zeroizing::new(basic_secret.to_owned())),
        })
    }

    /// Returns whether these are this app's credentials.
    #[must_use]
    pub fn are_of(&self, party: &RelyingParty) -> bool {
        let is_of = |secret: &Option<Zeroizing<String>>| party.is_authenticated_by(secret.as_ref().map(|s| s.as_str()));
        is_of(&self.client_secret) || (self.undecoded_secret.is_some() && is_of(&self.undecoded_secret))
    }
}

/// The identifier and the secret of HTTP Basic, with a colon between them. Each is form-urlencoded.
fn basic_credentials(authorization: &str) -> Option<Zeroizing<String>> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(encoded.trim()))?.ok()?;
    String::from_utf8(decoded).ok().map(Zeroizing::new)
}

fn form_decoded(text: &str) -> Zeroizing<String> {
    // A name alone, so that = and & in the text are kept.
    let escaped = Zeroizing::new(text.replace('=', "%3D").replace('&', "%26"));
    let decoded = form_urlencoded::parse(escaped.as_bytes()).next().map(|(name, _)| name.into_owned());
    Zeroizing::new(decoded.unwrap_or_default())
}

redacted_debug!(Presented);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::RelyingParties;

    fn basic(pair: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    #[test]
    fn credentials_are_read_from_the_header_or_the_form() {
        let (simple, odd, empty) = (basic("shop:secret"), basic("my+app:p%3A%C3%A4%2B=&"), basic("spa:"));
        for (name, authorization, client_id, client_secret, expected) in [
            ("basic", Some(simple.as_str()), None, None, Ok(("shop", Some("secret")))),
            ("basic, encoded", Some(&odd), None, None, Ok(("my app", Some("p:ä+=&")))),
            ("basic, and the same client_id", Some(&simple), Some("shop"), None, Ok(("shop", Some("secret")))),
            ("basic with an empty secret", Some(&empty), None, None, Ok(("spa", None))),
            ("form", None, Some("shop"), Some("s+"), Ok(("shop", Some("s+")))),
            ("public", None, Some("spa"), None, Ok(("spa", None))),
            ("none", None, None, None, Err("invalid_client")),
            ("a secret alone", None, None, Some("secret"), Err("invalid_client")),
            ("bearer", Some("Bearer x"), Some("shop"), None, Err("invalid_client")),
            ("basic that is not base64", Some("Basic %"), None, None, Err("invalid_client")),
            ("both", Some(&simple), Some("shop"), Some("secret"), Err("invalid_request")),
            ("two clients", Some(&simple), Some("bank"), None, Err("invalid_request")),
        ] {
            let read = Presented::read(authorization, client_id, client_secret);
            let found = read.as_ref().map_err(|error| error.words().0).map(|presented| {
                (presented.client_id.as_str(), presented.client_secret.as_ref().map(|secret| secret.as_str()))
            });
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn secret_of_http_basic_may_be_encoded_or_not() {
        let secret = "q+7xk/3Z%41 a secret of 32 characters=";
        let entry = json!([{"client_id": "shop", "client_secret": secret, "redirect_uris": ["https://shop.example/"]}]);
        let (parties, _) = RelyingParties::read(&entry);
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for (name, sent, expected) in [
            ("as RFC 6749 has it", encoded.as_str(), true),
            ("as it is", secret, true),
            ("decoded once too often", "q 7xk/3ZA a secret of 32 characters=", false),
            ("none", "", false),
        ] {
            let presented = Presented::read(Some(&basic(&format!("shop:{sent}"))), None, None).unwrap();
            assert_eq!(presented.are_of(parties.get("shop").unwrap()), expected, "{name}");
        }
    }
}
