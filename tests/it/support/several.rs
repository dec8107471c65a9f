//! A deployment with several operators. Each is a sandbox of its own, with a client and a callback of its own.

use std::sync::Arc;

use sandbox::{Leg, Sandbox, Settings};
use serde_json::{Map, Value, json};

use super::{Function, REDIRECT_URI, app, sandbox};

/// The operators of a deployment, before the function starts.
pub struct Several {
    /// `OPERATORS`.
    pub operators: Value,
    /// The secret, with the apps of [`app::secret`].
    pub secret: Value,
    /// Secrets Manager. It is not an operator of this deployment, so it must receive requests for the secret only.
    pub vault: Arc<Sandbox>,
    sandboxes: Vec<(&'static str, Arc<Sandbox>)>,
}

impl Several {
    /// Starts an operator for each name, which serves these prefixes.
    pub async fn start(served: &[(&'static str, &[&str])]) -> Self {
        let mut secret = app::secret();
        for member in ["client_id", "client_secret"] {
            secret.as_object_mut().unwrap().remove(member);
        }
        let mut several =
            Self { operators: Map::new().into(), secret, vault: Arc::new(sandbox().await), sandboxes: Vec::new() };
        for (name, prefixes) in served {
            let settings = Settings {
                client_id: client_id(name),
                client_secret: format!("the secret at {name}"),
                registered_redirect_uris: vec![redirect_uri(name)],
                ..Settings::default()
            };
            several.add(name, prefixes, settings).await;
        }
        several
    }

    /// Adds an operator with these settings.
    pub async fn add(&mut self, name: &'static str, prefixes: &[&str], settings: Settings) {
        self.secret["operators"][name] =
            json!({ "client_id": settings.client_id, "client_secret": settings.client_secret });
        let sandbox = Sandbox::start(settings).await.unwrap();
        self.operators[name] = json!({ "prefixes": prefixes, "base_url": sandbox.base_url() });
        self.sandboxes.push((name, Arc::new(sandbox)));
    }

    /// Gives an operator's endpoints one by one, of which the token endpoint is at another address.
    pub fn move_token_endpoint(&mut self, name: &str, url: &str) {
        let base_url = self.at(name).base_url();
        let settings = self.operators[name].as_object_mut().unwrap();
        settings.remove("base_url");
        settings.insert("authorization_endpoint".to_owned(), format!("{base_url}/authorize").into());
        settings.insert("token_endpoint".to_owned(), format!("{url}/token").into());
        settings.insert("verify_endpoint".to_owned(), format!("{base_url}/number-verification/v0/verify").into());
    }

    /// Stores the secret.
    pub fn store_secret(&self) {
        self.vault.set_secret_string(self.secret.to_string());
    }

    /// The function in this process, with these operators and more variables.
    pub fn function(&self, variables: &[(&str, &str)]) -> Function {
        self.store_secret();
        let operators = self.operators.to_string();
        Function::with_sandbox(
            Arc::clone(&self.vault),
            &[&[("OPERATORS", &*operators), ("OPERATOR_BASE_URL", "")], variables].concat(),
        )
    }

    /// The real program with these operators and more variables.
    pub async fn deployed(&self, variables: &[(&str, &str)]) -> Function {
        self.store_secret();
        let operators = self.operators.to_string();
        Function::deployed(
            Arc::clone(&self.vault),
            &[&[("OPERATORS", &*operators), ("OPERATOR_BASE_URL", "")], variables].concat(),
        )
        .await
    }

    /// An operator.
    pub fn at(&self, name: &str) -> &Arc<Sandbox> {
        &self.sandboxes.iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// The operator to which an authorization request goes.
    pub fn operator_of(&self, authorization_url: &str) -> &'static str {
        let (endpoint, _) = authorization_url.split_once('?').unwrap();
        let of = |(_, sandbox): &&(_, Arc<Sandbox>)| endpoint == format!("{}/authorize", sandbox.base_url());
        self.sandboxes.iter().find(of).unwrap_or_else(|| panic!("{endpoint}")).0
    }

    /// The token and verify requests that each operator got, by name, without those that got none.
    pub fn calls(&self) -> Vec<(&'static str, usize, usize)> {
        let calls = self.sandboxes.iter().map(|(name, at)| (*name, at.count(Leg::Token), at.count(Leg::Verify)));
        calls.filter(|(_, token, verify)| token + verify > 0).collect()
    }
}

/// Our client at an operator.
pub fn client_id(operator: &str) -> String {
    format!("client-of-{operator}")
}

/// Our callback for an operator.
pub fn redirect_uri(operator: &str) -> String {
    format!("{REDIRECT_URI}/{operator}")
}
