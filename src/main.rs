//! The Lambda function: reads its configuration, sets everything up once, and serves.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::error::Error;
use std::process::ExitCode;

use lambda_http::{Request, service_fn};
use number_verification::config::Config;
use number_verification::flow::Flow;
use number_verification::operator::Operator;
use number_verification::routes::App;
use number_verification::secret::SecretStore;
use number_verification::transport::Transport;
use number_verification::{secrets_manager, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init(variable);
    let app = match set_up() {
        Ok(app) => app,
        Err(fault) => {
            tracing::error!(reason = fault.to_string(), "the function cannot start");
            return ExitCode::FAILURE;
        }
    };
    let app = &app;
    let served = lambda_http::run(service_fn(async |request: Request| Ok::<_, Infallible>(app.handle(&request).await)));
    match served.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tracing::error!(reason = fault.to_string(), "the Lambda runtime ended");
            ExitCode::FAILURE
        }
    }
}

fn set_up() -> Result<App, Box<dyn Error>> {
    let config = Config::from_env()?;
    let operator = Operator::new(
        Transport::new(&config.operator_ca)?,
        config.endpoints.clone(),
        config.token_endpoint_auth_method,
        config.phone_number_format,
    );
    let secrets_manager = secrets_manager::client(Transport::new(&[])?, variable)?;
    let secrets = SecretStore::new(secrets_manager, config.client_secret_id.clone(), config.client_id.clone());
    let flow = Flow::new(operator, secrets, &config);
    Ok(App::new(config, flow))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
