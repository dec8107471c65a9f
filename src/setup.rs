//! The function, put together from its environment.

use std::error::Error;

use crate::config::Config;
use crate::flow::Flow;
use crate::operator::Operator;
use crate::routes::App;
use crate::secret::SecretStore;
use crate::secrets_manager;
use crate::transport::Transport;

/// Sets up the function from environment variables, which `lookup` finds.
///
/// # Errors
/// The first thing that is missing or cannot be used, in one line that says what to do.
pub fn app(lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    let config = Config::from_lookup(&lookup)?;
    let operator =
        Operator::new(Transport::new(&config.operator_ca)?, config.endpoints.clone(), config.phone_number_format);
    let secrets_manager = secrets_manager::client(Transport::new(&[])?, &lookup)?;
    let secrets = SecretStore::new(secrets_manager, &config);
    let flow = Flow::new(operator, secrets, &config);
    Ok(App::new(config, flow))
}
