//! The function, wired up from its environment.

use std::error::Error;
use std::sync::Mutex;

use crate::aws;
use crate::config::{self, Config, DiscoverySource};
use crate::flow::Flow;
use crate::operator::{Operator, discovery};
use crate::provider::{self, UsedCodes};
use crate::secret::{SecretStore, secrets_manager};
use crate::telemetry::{self, Telemetry};
use crate::transport::Transport;
use crate::web::App;
use crate::web::pages::Pages;

/// Sets up logging from environment variables. Call it first, so that every later fault is logged.
pub fn logging(lookup: impl Fn(&str) -> Option<String>) {
    telemetry::init(config::telemetry(lookup));
}

/// Sets up the function from environment variables, which `lookup` finds. It makes no request, except that it reads the
/// operator's discovery document if `OPERATOR_DISCOVERY_URL` is set.
///
/// # Errors
/// The first thing that is missing or cannot be used, in one line that says what to do.
pub async fn start(lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    let Some(source) = DiscoverySource::read(&lookup)? else { return app(lookup) };
    // Its connection serves the token request too, if that goes to the same host.
    let transport = Transport::new(&source.operator_ca)?;
    let metadata = discovery::read(&transport, &source.url).await?;
    wire(Config::read(&lookup, Some(&metadata))?, transport)
}

/// Sets up the function from environment variables alone, without a discovery document.
///
/// # Errors
/// The first thing that is missing or cannot be used, in one line that says what to do.
pub fn app(lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    let config = Config::read(lookup, None)?;
    let transport = Transport::new(&config.operator_ca)?;
    wire(config, transport)
}

fn wire(config: Config, to_operator: Transport) -> Result<App, Box<dyn Error>> {
    let operator = Operator::new(to_operator, config.operator);
    // A transport of its own, because the owner may trust other roots on the way to AWS.
    let sdk = aws::sdk_config(Transport::new(&config.aws_ca)?, &config.aws)?;
    let secrets_manager = secrets_manager::client(&sdk, config.aws.secrets_manager_url.as_deref());
    let secrets = SecretStore::new(secrets_manager, config.secret);
    let used_codes = match config.code_table {
        Some(table) => {
            UsedCodes::Table { client: provider::table_client(&sdk, config.aws.dynamodb_url.as_deref()), table }
        }
        None => UsedCodes::Memory(Mutex::default()),
    };
    let flow = Flow::new(operator, secrets, used_codes, config.flow);
    Ok(App::new(config.web, flow, Pages::new(config.branding), Telemetry::new(config.function)))
}
