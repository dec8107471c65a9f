//! The function, put together from its environment.

use std::error::Error;

use crate::config::{Config, DiscoverySource};
use crate::discovery;
use crate::flow::Flow;
use crate::operator::Operator;
use crate::routes::App;
use crate::secret::SecretStore;
use crate::secrets_manager;
use crate::transport::Transport;

/// Sets up the function from environment variables, which `lookup` finds, and from the operator's discovery document
/// where `OPERATOR_DISCOVERY_URL` is set. Otherwise nothing is waited for.
///
/// # Errors
/// The first thing that is missing or cannot be used, in one line that says what to do.
pub async fn start(lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    let metadata = match DiscoverySource::from_lookup(&lookup)? {
        Some(source) => Some(discovery::read(&Transport::new(&source.operator_ca)?, &source.url).await?),
        None => None,
    };
    put_together(Config::discovered(&lookup, metadata.as_ref())?, lookup)
}

/// The same from variables alone, without discovery.
///
/// # Errors
/// The first thing that is missing or cannot be used, in one line that says what to do.
pub fn app(lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    put_together(Config::from_lookup(&lookup)?, lookup)
}

fn put_together(config: Config, lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    let operator =
        Operator::new(Transport::new(&config.operator_ca)?, config.endpoints.clone(), config.phone_number_format)?;
    let secrets_manager = secrets_manager::client(Transport::new(&config.aws_ca)?, &lookup)?;
    let secrets = SecretStore::new(secrets_manager, &config);
    let flow = Flow::new(operator, secrets, &config);
    Ok(App::new(config, flow))
}
