//! The provider's part of the secret: the apps, and the keys.

use serde_json::Value;

use super::RelyingParties;
use crate::jwt::PrivateKey;
use crate::seal::{MasterKey, SubjectKey};

/// The apps and keys in one version of the secret.
#[derive(Debug)]
pub struct Provider {
    /// `relying_parties`.
    pub relying_parties: RelyingParties,
    /// `signing_key`, else a P-256 key derived from `state_key`.
    pub signing_key: PrivateKey,
    /// The key of every `sub`.
    pub subject_key: SubjectKey,
    /// True if there is no `subject_key`, so that a new `state_key` changes every `sub`.
    pub subject_key_is_derived: bool,
}

/// The members of the secret that concern the provider.
#[derive(Clone, Copy)]
pub struct Members<'a> {
    /// `relying_parties`.
    pub relying_parties: Option<&'a Value>,
    /// `state_key`.
    pub state_key: Option<&'a str>,
    /// `signing_key`: PEM or JWK.
    pub signing_key: Option<&'a Value>,
    /// `subject_key`.
    pub subject_key: Option<&'a Value>,
}

/// In characters. All keys of the provider come from `state_key`.
const MIN_KEY: usize = 32;

impl Provider {
    /// Reads the provider; `None` if no app is registered, or if a key cannot be used. The second value has a line for
    /// each fault, without any part of the secret.
    #[must_use]
    pub fn read(members: Members) -> (Option<Self>, Vec<String>) {
        let Some(relying_parties) = members.relying_parties else { return (None, Vec::new()) };
        let (relying_parties, mut faults) = RelyingParties::read(relying_parties);
        if relying_parties.is_empty() {
            return (None, faults);
        }
        match Self::with_keys(relying_parties, members) {
            Ok(provider) => (Some(provider), faults),
            Err(fault) => {
                faults.push(format!("no app can be served: the secret {fault}"));
                (None, faults)
            }
        }
    }

    fn with_keys(relying_parties: RelyingParties, members: Members) -> Result<Self, String> {
        const FAILED: &str = "cannot be made into keys";
        let long_enough = |key: &&str| key.len() >= MIN_KEY;
        let state_key = members.state_key.filter(long_enough).ok_or(
            "has no state_key of at least 32 random characters, which an OpenID Provider needs; `make keys` adds one",
        )?;
        let subject_key = match members.subject_key {
            None => state_key,
            Some(key) => key
                .as_str()
                .filter(long_enough)
                .ok_or("has a subject_key that is not text of at least 32 characters")?,
        };
        let signing_key = match members.signing_key {
            Some(key) => PrivateKey::parse(key).map_err(|fault| format!("has a signing_key that {fault}"))?,
            None => derived_signing_key(state_key).ok_or(FAILED)?,
        };
        Ok(Self {
            relying_parties,
            signing_key: signing_key.with_thumbprint(),
            subject_key: SubjectKey::of(subject_key.as_bytes()).map_err(|_| FAILED)?,
            subject_key_is_derived: members.subject_key.is_none(),
        })
    }
}

/// A P-256 key that every environment derives alike. One of four billion texts is not a key, and the next one is taken.
fn derived_signing_key(state_key: &str) -> Option<PrivateKey> {
    let master = MasterKey::extract(state_key.as_bytes());
    (0_u8..4).find_map(|attempt| {
        let scalar = master.derive(&[b"signing key ".as_slice(), &[attempt]].concat()).ok()?;
        PrivateKey::from_p256_scalar(&scalar)
    })
}

redacted_debug!(Members<'_>);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STATE_KEY: &str = "hush: at least 32 random characters";

    fn read(secret: &Value) -> (Option<Provider>, Vec<String>) {
        Provider::read(Members {
            relying_parties: secret.get("relying_parties"),
            state_key: secret["state_key"].as_str(),
            signing_key: secret.get("signing_key"),
            subject_key: secret.get("subject_key"),
        })
    }

    fn secret(change: &Value) -> Value {
        let uris = ["https://shop.example/cb"];
        let mut secret = json!({
            "state_key": STATE_KEY,
            "relying_parties": [{"client_id": "shop", "client_secret": "x".repeat(32), "redirect_uris": uris}],
        });
        for (name, value) in change.as_object().unwrap() {
            secret[name] = value.clone();
        }
        secret
    }

    #[test]
    fn without_apps_there_is_no_provider_and_no_fault() {
        for parties in [json!([]), Value::Null] {
            let mut secret = secret(&json!({}));
            secret["relying_parties"] = parties.clone();
            if parties.is_null() {
                secret.as_object_mut().unwrap().remove("relying_parties");
            }
            let (provider, faults) = read(&secret);
            assert!(provider.is_none() && faults.is_empty(), "{parties}: {faults:?}");
        }
    }

    #[test]
    fn unusable_keys_are_faults_that_quote_nothing() {
        for (name, change, fault) in [
            ("no state_key", json!({"state_key": null}), "at least 32 random characters"),
            ("a short state_key", json!({"state_key": "hush"}), "at least 32 random characters"),
            ("a short subject_key", json!({"subject_key": "hush"}), "subject_key that is not text"),
            ("a subject_key that is a list", json!({"subject_key": ["hush"]}), "subject_key that is not text"),
            ("a signing_key that is not one", json!({"signing_key": "hush"}), "signing_key that is not a private key"),
            ("apps that are not a list", json!({"relying_parties": {"hush": 1}}), "not a list"),
        ] {
            let (provider, faults) = read(&secret(&change));
            let [said] = &faults[..] else { panic!("{name}: {faults:?}") };
            assert!(provider.is_none() && said.contains(fault) && !said.contains("hush"), "{name}: {said}");
        }
    }

    #[test]
    fn copying_the_state_key_keeps_every_sub() {
        let subject = |change: &Value| {
            let provider = read(&secret(change)).0.unwrap();
            (provider.subject_key.subject("shop", "+34600000001"), provider.subject_key_is_derived)
        };
        let (before, derived) = subject(&json!({}));
        assert!(derived);
        let copied = json!({"subject_key": STATE_KEY, "state_key": "another key of at least 32 characters"});
        assert_eq!(subject(&copied), (before.clone(), false));
        assert_ne!(subject(&json!({"state_key": "another key of at least 32 characters"})).0, before);
    }

    #[test]
    fn derived_signing_key_is_stable_and_belongs_to_the_state_key() {
        let kid = |change: &Value| {
            let key = read(&secret(change)).0.unwrap().signing_key;
            (key.algorithm(), key.public_key().thumbprint().to_owned())
        };
        assert_eq!(kid(&json!({})), kid(&json!({})));
        assert_eq!(kid(&json!({})).0, "ES256");
        assert_ne!(kid(&json!({})), kid(&json!({"state_key": "another key of at least 32 characters"})));
    }
}
