//! The apps that the owner registers in the secret's `relying_parties`, with the names of RFC 7591 §2.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::Deserialize;
use serde_json::Value;
use url::{Host, Url};
use zeroize::Zeroizing;

/// A registered app.
#[derive(Clone)]
pub struct RelyingParty {
    /// `client_id`.
    pub client_id: String,
    /// `client_name`, else the `client_id`: the name that users read.
    pub client_name: String,
    /// `None` for a public client.
    client_secret: Option<Zeroizing<String>>,
    redirect_uris: Vec<String>,
    /// `retrieve_number`: true if the app may take the number from the operator without our page (`prompt=none`).
    pub retrieve_number: bool,
}

/// All registered apps, by `client_id`.
#[derive(Debug, Clone, Default)]
pub struct RelyingParties(BTreeMap<String, RelyingParty>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    client_id: String,
    client_secret: Option<Zeroizing<String>>,
    token_endpoint_auth_method: Option<String>,
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    #[serde(default)]
    retrieve_number: bool,
}

/// In characters.
const MIN_SECRET: usize = 32;
/// In bytes. With [`MAX_REDIRECT_URI`] it keeps a browser's cookie, which has both, below 4,096 bytes.
const MAX_CLIENT_ID: usize = 100;
/// In bytes.
const MAX_REDIRECT_URI: usize = 500;
/// In characters.
const MAX_NAME: usize = 100;

const SHAPE: &str = "is not of the expected shape: client_id, client_secret or token_endpoint_auth_method \"none\", \
     redirect_uris (a list), client_name?, retrieve_number?, and nothing else";

impl RelyingParties {
    /// Reads the secret's `relying_parties`. An entry with a fault disables only itself. The second value has a line for
    /// each fault, without any part of the secret.
    #[must_use]
    pub fn read(value: &Value) -> (Self, Vec<String>) {
        let Value::Array(entries) = value else {
            return (Self::default(), vec!["relying_parties is not a list".to_owned()]);
        };
        let (mut parties, mut faults) = (BTreeMap::new(), Vec::new());
        // The `client_id` of a faulty entry too: the entry after it may not be as strict about who the client is.
        let mut seen = BTreeSet::new();
        for (index, entry) in entries.iter().enumerate() {
            let is_new = entry["client_id"].as_str().is_none_or(|client_id| seen.insert(client_id));
            let party = if is_new { RelyingParty::read(entry) } else { Err("has a client_id seen before") };
            match party {
                Ok(party) => {
                    parties.insert(party.client_id.clone(), party);
                }
                Err(fault) => faults.push(format!("relying_parties[{index}] {fault}")),
            }
        }
        (Self(parties), faults)
    }

    /// The app with this `client_id`.
    #[must_use]
    pub fn get(&self, client_id: &str) -> Option<&RelyingParty> {
        self.0.get(client_id)
    }

    /// Returns whether no app is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl RelyingParty {
    fn read(entry: &Value) -> Result<Self, &'static str> {
        let entry = Entry::deserialize(entry).map_err(|_| SHAPE)?;
        if !is_text(&entry.client_id, MAX_CLIENT_ID) || !entry.client_id.is_ascii() {
            return Err("has a client_id that is empty, longer than 100 bytes or not printable ASCII");
        }
        match (&entry.client_secret, entry.token_endpoint_auth_method.as_deref()) {
            (Some(secret), None) if secret.len() < MIN_SECRET => {
                return Err("has a client_secret shorter than 32 characters");
            }
            (Some(secret), None) if !secret.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) => {
                return Err("has a client_secret with a character other than printable ASCII");
            }
            (Some(_), None) | (None, Some("none")) => {}
            _ => return Err("needs either a client_secret or token_endpoint_auth_method \"none\", and not both"),
        }
        if entry.redirect_uris.is_empty() {
            return Err("has no redirect_uris");
        }
        if !entry.redirect_uris.iter().all(|uri| is_redirect_uri(uri)) {
            return Err(
                "has a redirect_uri that is not https, a private-use scheme with a dot, or http on this machine; \
                 without fragment and user name, of at most 500 bytes",
            );
        }
        let client_name = entry.client_name.unwrap_or_else(|| entry.client_id.clone());
        if !is_text(&client_name, MAX_NAME) {
            return Err("has a client_name that is empty, longer than 100 characters or has control characters");
        }
        Ok(Self {
            client_id: entry.client_id,
            client_name,
            client_secret: entry.client_secret,
            redirect_uris: entry.redirect_uris,
            retrieve_number: entry.retrieve_number,
        })
    }

    /// Returns whether a redirect URI is registered. They are compared as strings (RFC 9700 §4.1.3).
    #[must_use]
    pub fn has_redirect_uri(&self, redirect_uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| registered == redirect_uri)
    }

    /// Returns whether the app cannot keep a secret, so that anyone can act in its name (RFC 6749 §2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.client_secret.is_none()
    }

    /// Returns whether these are the app's credentials. A public client has none.
    #[must_use]
    pub fn is_authenticated_by(&self, client_secret: Option<&str>) -> bool {
        match (&self.client_secret, client_secret) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => verify_slices_are_equal(ours.as_bytes(), theirs.as_bytes()).is_ok(),
            _ => false,
        }
    }
}

/// Returns whether a text has 1 to `longest` characters, none of which is a control character.
fn is_text(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= longest && !text.contains(char::is_control)
}

/// Returns whether a redirect URI may be registered: `https`, a private-use scheme (RFC 8252 §7.1), or `http` on this
/// machine for development.
fn is_redirect_uri(text: &str) -> bool {
    // The characters of RFC 3986: anything else would be written differently in the `Location` header.
    let is_plain = text.len() <= MAX_REDIRECT_URI
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte));
    let Ok(url) = Url::parse(text) else { return false };
    // A browser would take `https:/path` and `https:path` for addresses of this function.
    let has_authority = |scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.starts_with('/'));
    let is_safe = match url.scheme() {
        "https" => url.has_host() && has_authority("https://"),
        "http" if !has_authority("http://") => false,
        "http" => match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
            Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
            None => false,
        },
        scheme => scheme.contains('.'),
    };
    let authority = text.split_once("//").and_then(|(_, rest)| rest.split(['/', '?']).next());
    is_plain && is_safe && !authority.is_some_and(|authority| authority.contains('@'))
}

redacted_debug!(RelyingParty);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "a secret of at least 32 characters";

    fn entry(change: &Value) -> Value {
        let mut entry =
            json!({"client_id": "shop", "client_secret": SECRET, "redirect_uris": ["https://shop.example/cb"]});
        for (name, value) in change.as_object().unwrap() {
            if value.is_null() {
                entry.as_object_mut().unwrap().remove(name);
            } else {
                entry[name] = value.clone();
            }
        }
        entry
    }

    #[test]
    fn entries_that_follow_the_rules_are_registered() {
        for (name, change) in [
            ("a confidential client", json!({})),
            ("a public client", json!({"client_secret": null, "token_endpoint_auth_method": "none"})),
            ("with a name", json!({"client_name": "Caf\u{e9} & Söhne"})),
            ("with retrieve_number", json!({"retrieve_number": true})),
            ("several redirect URIs", json!({"redirect_uris": ["https://a.example/?x=1", "https://b.example"]})),
            ("a private-use scheme", json!({"redirect_uris": ["com.example.app:/cb"]})),
            ("this machine", json!({"redirect_uris": ["http://127.0.0.1:9902/cb"]})),
            ("this machine by name", json!({"redirect_uris": ["http://localhost/cb"]})),
            ("this machine in IPv6", json!({"redirect_uris": ["http://[::1]:80/cb"]})),
        ] {
            let (parties, faults) = RelyingParties::read(&json!([entry(&change)]));
            assert_eq!(faults, Vec::<String>::new(), "{name}");
            assert!(parties.get("shop").is_some(), "{name}");
        }
    }

    #[test]
    fn faulty_entry_disables_only_itself_and_its_fault_quotes_nothing() {
        let uri = |uri: &str| json!({ "redirect_uris": [uri] });
        let long = format!("https://hush.example/{}", "x".repeat(500));
        for (name, faulty, fault) in [
            ("not an object", json!("hush"), "expected shape"),
            ("an unknown member", entry(&json!({"scope": "hush"})), "expected shape"),
            ("no client_id", entry(&json!({"client_id": null})), "expected shape"),
            ("a list as client_id", entry(&json!({"client_id": ["hush"]})), "expected shape"),
            ("an empty client_id", entry(&json!({"client_id": ""})), "client_id"),
            ("a long client_id", entry(&json!({"client_id": "hush".repeat(30)})), "client_id"),
            ("a client_id that is not ASCII", entry(&json!({"client_id": "hüsh"})), "client_id"),
            ("a short secret", entry(&json!({"client_secret": "hush"})), "shorter than 32"),
            ("a secret with a line break", entry(&json!({"client_secret": format!("{SECRET}\nhush")})), "printable"),
            ("neither secret nor none", entry(&json!({"client_secret": null})), "either"),
            ("both secret and none", entry(&json!({"token_endpoint_auth_method": "none"})), "either"),
            ("another method", entry(&json!({"token_endpoint_auth_method": "client_secret_post"})), "either"),
            ("no redirect_uris", entry(&json!({"redirect_uris": []})), "no redirect_uris"),
            ("http elsewhere", entry(&uri("http://hush.example/cb")), "redirect_uri that"),
            ("a scheme without a dot", entry(&uri("hush:/cb")), "redirect_uri that"),
            ("javascript", entry(&uri("javascript:alert(1)")), "redirect_uri that"),
            ("a fragment", entry(&uri("https://hush.example/cb#x")), "redirect_uri that"),
            ("a user name", entry(&uri("https://hush@shop.example/cb")), "redirect_uri that"),
            ("an empty user name", entry(&uri("https://@hush.example/cb")), "redirect_uri that"),
            ("one slash", entry(&uri("https:/hush.example/cb")), "redirect_uri that"),
            ("no slash", entry(&uri("https:hush.example/cb")), "redirect_uri that"),
            ("three slashes", entry(&uri("https:///hush.example/cb")), "redirect_uri that"),
            ("no slash, on this machine", entry(&uri("http:localhost/hush")), "redirect_uri that"),
            ("a space", entry(&uri("https://hush.example/a b")), "redirect_uri that"),
            ("not a URL", entry(&uri("/hush")), "redirect_uri that"),
            ("too long", entry(&uri(&long)), "redirect_uri that"),
            ("an empty name", entry(&json!({"client_name": " "})), "client_name"),
            ("a name with a line break", entry(&json!({"client_name": "hush\n"})), "client_name"),
            ("a client_id seen before", entry(&json!({"client_id": "bank"})), "seen before"),
        ] {
            let bank = entry(&json!({"client_id": "bank"}));
            let (parties, faults) = RelyingParties::read(&json!([bank, faulty, entry(&json!({"client_id": "other"}))]));
            let [said] = &faults[..] else { panic!("{name}: {faults:?}") };
            assert!(said.starts_with("relying_parties[1] ") && said.contains(fault), "{name}: {said}");
            assert!(!said.contains("hush") && !said.contains("hüsh"), "{name}: {said}");
            assert!(parties.get("bank").is_some() && parties.get("other").is_some(), "{name}");
            assert_eq!(parties.0.len(), 2, "{name}");
        }
    }

    #[test]
    fn second_entry_of_a_faulty_client_is_faulty_too() {
        let faulty = entry(&json!({"client_secret": "too short"}));
        let public = entry(&json!({"client_secret": null, "token_endpoint_auth_method": "none"}));
        let (parties, faults) = RelyingParties::read(&json!([faulty, public]));
        assert!(parties.is_empty());
        assert_eq!(faults.len(), 2);
    }

    #[test]
    fn redirect_uris_are_compared_as_strings() {
        let (parties, _) = RelyingParties::read(&json!([entry(&json!({}))]));
        let party = parties.get("shop").unwrap();
        for (uri, known) in [
            ("https://shop.example/cb", true),
            ("https://shop.example/cb/", false),
            ("https://shop.example/cb?x", false),
            ("https://SHOP.example/cb", false),
            ("https://shop.example:443/cb", false),
            ("https://shop.example.evil.example/cb", false),
        ] {
            assert_eq!(party.has_redirect_uri(uri), known, "{uri}");
        }
    }

    #[test]
    fn only_the_registered_credentials_authenticate() {
        let public = entry(&json!({"client_id": "spa", "client_secret": null, "token_endpoint_auth_method": "none"}));
        let (parties, _) = RelyingParties::read(&json!([entry(&json!({})), public]));
        for (client_id, secret, expected) in [
            ("shop", Some(SECRET), true),
            ("shop", Some("another secret of 32 characters!!!"), false),
            ("shop", Some(""), false),
            ("shop", None, false),
            ("spa", None, true),
            ("spa", Some(SECRET), false),
        ] {
            let party = parties.get(client_id).unwrap();
            assert_eq!(party.is_authenticated_by(secret), expected, "{client_id} {secret:?}");
        }
        assert!(!format!("{parties:?}").contains(SECRET));
    }
}
