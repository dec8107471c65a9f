//! The secret in Secrets Manager: the client's credentials, the source of the keys for sealing, and the provider's apps
//! and keys.
//!
//! - [`SecretStore`] (`store.rs`): reads the secret, keeps it and decides which versions of it may be used;
//!   `shared_read.rs` lets concurrent requests share a read, `failures.rs` explains why one failed.
//! - [`Secret`] (here and `value.rs`): the value, parsed.
//! - [`secrets_manager`]: the AWS SDK's client; `settings.rs`: the settings of this ring.

mod failures;
pub mod secrets_manager;
mod settings;
mod shared_read;
mod store;
mod value;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use crate::jwt::PrivateKey;
use crate::operator::{ClientCredentials, TokenEndpointAuthMethod};
use crate::provider::Provider;
use crate::seal::Sealer;
pub use settings::Settings;
pub use store::{SecretStore, Versions};
use value::Members;

/// One version of the secret, parsed and ready for use.
#[derive(Debug)]
pub struct Secret {
    /// The client's identifier and credentials.
    pub credentials: ClientCredentials,
    /// The client's own key, which signs the assertions for operator tokens; or why there is none.
    pub private_key: Result<Arc<PrivateKey>, String>,
    /// The keys derived from `state_key`, or from the client secret if there is no `state_key`.
    pub sealer: Sealer,
    /// The apps and keys of the OpenID Provider, if an app is registered.
    pub provider: Option<Provider>,
    /// The reasons that an app, or all of them, cannot be served.
    provider_faults: Vec<String>,
    /// SHA-256 of the value, to detect changes.
    sha256: [u8; 32],
}

impl Secret {
    /// Parses the secret's value. `client_id` is the configured one, which takes precedence over the secret's own.
    ///
    /// # Errors
    /// The missing or malformed part, for the log. It never contains the value.
    pub fn parse(value: &str, client_id: Option<&str>, method: TokenEndpointAuthMethod) -> Result<Self, String> {
        let value = value::trim(value);
        let members = Members::read(value)?;
        let client_id = members.client_id(client_id)?.to_owned();
        let private_key = members.private_key();
        let authentication = members.authentication(&client_id, method, &private_key)?;
        let sealer = Sealer::of(members.sealing_secret()?).map_err(|_| "cannot be made into keys".to_owned())?;
        let (provider, provider_faults) = Provider::read(members.provider());
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, value.as_bytes()).as_ref());
        let credentials = ClientCredentials { client_id, authentication };
        Ok(Self { credentials, private_key, sealer, provider, provider_faults, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let value = r#"{"client_id":"id","client_secret":"hush"}"#;
        let secret = Secret::parse(value, None, TokenEndpointAuthMethod::ClientSecretBasic).unwrap();
        assert!(!format!("{secret:?}").contains("hush"));
    }
}
