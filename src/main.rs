//! The Lambda function: sets everything up once, and serves.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::process::ExitCode;

use lambda_http::{Request, service_fn};
use number_verification::{setup, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init(variable);
    let app = match setup::app(variable) {
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

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
