//! The secret in Secrets Manager: the client's credentials, the source of the keys for sealing, and the provider's apps
//! and keys.
//!
//! - [`SecretStore`] (`store.rs`): reads the secret, keeps it and decides which versions of it may be used;
//!   `shared_read.rs` lets concurrent requests share a read, `failures.rs` explains why one failed.
//! - [`Secret`] (here and `value.rs`): the value, parsed.
//! - [`secrets_manager`]: the AWS SDK's client; `settings.rs`: the settings of this ring.

mod client;
mod failures;
pub mod secrets_manager;
mod settings;
mod shared_read;
mod store;
mod value;

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};

use crate::failure::Failure;
use crate::operator::OperatorName;
use crate::outcome::Outcome;
use crate::provider::Provider;
use crate::seal::Sealer;
pub use client::Client;
pub use settings::{ClientSettings, Settings};
pub use store::{SecretStore, Versions};
use value::Members;

/// One version of the secret, parsed and ready for use.
#[derive(Debug)]
pub struct Secret {
    clients: Clients,
    /// The keys derived from `state_key`, or from the client secret if there is no `state_key`.
    pub sealer: Sealer,
    /// The apps and keys of the OpenID Provider, if an app is registered.
    pub provider: Option<Provider>,
    /// The reasons that an app, or all of them, cannot be served.
    provider_faults: Vec<String>,
    /// SHA-256 of the value, to detect changes.
    sha256: [u8; 32],
}

/// Our clients at the operators.
#[derive(Debug)]
enum Clients {
    /// At the only operator.
    One(Box<Client>),
    /// At each operator in `OPERATORS`; or why it cannot be called.
    Several(BTreeMap<OperatorName, Result<Client, String>>),
}

impl Secret {
    /// Parses the secret's value.
    ///
    /// # Errors
    /// The missing or malformed part, for the log. It never contains the value.
    pub fn parse(value: &str, clients: &ClientSettings) -> Result<Self, String> {
        let value = value::trim(value);
        let members = Members::read(value)?;
        let sealing_secret = members.sealing_secret(clients);
        let clients = members.clients(clients)?;
        let sealer = Sealer::of(sealing_secret?).map_err(|_| "cannot be made into keys".to_owned())?;
        let (provider, provider_faults) = Provider::read(members.provider());
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, value.as_bytes()).as_ref());
        Ok(Self { clients, sealer, provider, provider_faults, sha256 })
    }

    /// Our client at the operator with this name; without a name, at the only one.
    ///
    /// # Errors
    /// [`Outcome::Misconfigured`]: the secret does not describe the client as it should.
    pub fn client(&self, operator: Option<&OperatorName>) -> Result<&Client, Failure> {
        let misconfigured = |fault: &str| Failure::new(Outcome::Misconfigured, format!("the secret {fault}"));
        match (&self.clients, operator) {
            (Clients::One(client), _) => Ok(client),
            (Clients::Several(clients), Some(name)) => match clients.get(name) {
                Some(client) => client.as_ref().map_err(|fault| misconfigured(fault)),
                None => Err(misconfigured("has no client for this operator")),
            },
            (Clients::Several(_), None) => Err(misconfigured("has no client for this operator")),
        }
    }

    /// All clients that the secret describes as it should.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        let (one, several) = match &self.clients {
            Clients::One(client) => (Some(&**client), None),
            Clients::Several(clients) => (None, Some(clients.values().filter_map(|client| client.as_ref().ok()))),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }

    /// Logs the parts that cannot be used, although the rest can.
    fn log_faults(&self) {
        if let Clients::Several(clients) = &self.clients {
            for fault in clients.values().filter_map(|client| client.as_ref().err()) {
                tracing::error!(reason = fault, "an operator cannot be called");
            }
        }
        for fault in &self.provider_faults {
            tracing::error!(reason = fault, "an app of the secret's relying_parties cannot be served");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let value = r#"{"client_id":"id","client_secret":"hush"}"#;
        let secret = Secret::parse(value, &ClientSettings::One { client_id: None, auth_method: None }).unwrap();
        assert!(!format!("{secret:?}").contains("hush"));
    }
}
