//! The function, put together from its environment.

use std::error::Error;

use crate::config::{Config, DiscoverySource};
use crate::flow::Flow;
use crate::operator::Operator;
use crate::operator::discovery;
use crate::secret::SecretStore;
use crate::secret::secrets_manager;
use crate::transport::Transport;
use crate::web::App;

/// Sets up the function from environment variables, which `lookup` finds, and from the operator's discovery document
/// where `OPERATOR_DISCOVERY_URL` is set. Otherwise nothing is waited for.
///
/// # Errors
/// The first thing that is missing or cannot be used, in one line that says what to do.
pub async fn start(lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    let Some(source) = DiscoverySource::from_lookup(&lookup)? else { return app(lookup) };
    // The connection that it opens is the token request's next, where that goes to the same host.
    let transport = Transport::new(&source.operator_ca)?;
    let metadata = discovery::read(&transport, &source.url).await?;
    put_together(Config::discovered(&lookup, Some(&metadata))?, transport, lookup)
}

/// The same from variables alone, without discovery.
///
/// # Errors
/// The first thing that is missing or cannot be used, in one line that says what to do.
pub fn app(lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    let config = Config::from_lookup(&lookup)?;
    let transport = Transport::new(&config.operator_ca)?;
    put_together(config, transport, lookup)
}

fn put_together(
    config: Config,
    to_operator: Transport,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<App, Box<dyn Error>> {
    let operator = Operator::new(to_operator, config.operator.clone());
    // A transport of its own: the owner may trust more roots on the way to the one than on the way to the other.
    let secrets_manager = secrets_manager::client(Transport::new(&config.aws_ca)?, &lookup)?;
    let secrets = SecretStore::new(secrets_manager, &config);
    let flow = Flow::new(operator, secrets, &config);
    Ok(App::new(config, flow))
}
