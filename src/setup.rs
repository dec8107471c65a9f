//! The function, wired up from its environment.

use std::error::Error;
use std::mem;
use std::sync::Mutex;

use crate::aws;
use crate::config::{self, Config};
use crate::flow::Flow;
use crate::operator::{Member, Operators};
use crate::provider::{self, UsedCodes};
use crate::secret::{self, ClientSettings, SecretStore, secrets_manager};
use crate::telemetry::{self, Telemetry};
use crate::transport::Transport;
use crate::web::App;
use crate::web::pages::Pages;

/// Sets up logging from environment variables. Call it first, so that every later fault is logged.
pub fn logging(lookup: impl Fn(&str) -> Option<String>) {
    telemetry::init(config::telemetry(lookup));
}

/// Sets up the function from environment variables, which `lookup` finds. It makes no request, except that it reads the
/// discovery documents of the operators that have one.
///
/// # Errors
/// The first thing that is missing or cannot be used, in one line that says what to do.
pub async fn start(lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    let (config, operators) = read(lookup)?;
    // The connections serve the token requests too, if those go to the same hosts.
    operators.discover().await?;
    wire(config, operators)
}

/// Sets up the function from environment variables alone. A discovery document is read when it is first needed.
///
/// # Errors
/// The first thing that is missing or cannot be used, in one line that says what to do.
pub fn app(lookup: impl Fn(&str) -> Option<String>) -> Result<App, Box<dyn Error>> {
    let (config, operators) = read(lookup)?;
    wire(config, operators)
}

fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<(Config, Operators), Box<dyn Error>> {
    let mut config = Config::read(lookup)?;
    let settings = mem::take(&mut config.operators);
    let operators = Operators::new(settings, config.web.redirect_uri.as_ref(), &config.operator_ca)?;
    Ok((config, operators))
}

fn wire(config: Config, operators: Operators) -> Result<App, Box<dyn Error>> {
    // A transport of its own, because the owner may trust other roots on the way to AWS.
    let sdk = aws::sdk_config(Transport::new(&config.aws_ca)?, &config.aws)?;
    let secrets_manager = secrets_manager::client(&sdk, config.aws.secrets_manager_url.as_deref());
    let clients = client_settings(&operators, config.client_id);
    let state_ttl = config.flow.state_ttl;
    let secrets = secret::Settings { secret_id: config.secret_id, clients, state_ttl };
    let secrets = SecretStore::new(secrets_manager, secrets);
    let used_codes = match config.code_table {
        Some(table) => {
            UsedCodes::Table { client: provider::table_client(&sdk, config.aws.dynamodb_url.as_deref()), table }
        }
        None => UsedCodes::Memory(Mutex::default()),
    };
    let flow = Flow::new(operators, secrets, used_codes, config.flow);
    Ok(App::new(config.web, flow, Pages::new(config.branding), Telemetry::new(config.function)))
}

/// The clients that the secret must describe for these operators.
fn client_settings(operators: &Operators, client_id: Option<String>) -> ClientSettings {
    let method = |member: &Member| member.ready().map(|operator| operator.profile().token_endpoint_auth_method);
    if let Some(single) = operators.single() {
        return ClientSettings::One { client_id, auth_method: method(single) };
    }
    let named = operators.iter().filter_map(|member| Some((member.name()?.clone(), method(member))));
    ClientSettings::Several(named.collect())
}
