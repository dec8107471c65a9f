//! The Lambda function: sets everything up once, and serves.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_http::{Adapter, Request};
use lambda_runtime::{Error, LambdaEvent, Service as _, service_fn};
use number_verification::setup;
use number_verification::web::event;
use serde_json::Value;

#[cfg(not(panic = "unwind"))]
compile_error!("App::answer catches panics, which takes panic = \"unwind\": see [profile.release] in Cargo.toml");

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    setup::logging(variable);
    let app = match setup::start(variable).await {
        Ok(app) => Arc::new(app),
        Err(fault) => {
            tracing::error!(reason = fault.to_string(), "the function cannot start");
            return ExitCode::FAILURE;
        }
    };
    app.prepare();
    let http = Adapter::from(service_fn(move |request: Request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(app.answer(request).await) }
    }));
    // One event at a time, or up to AWS_LAMBDA_MAX_CONCURRENCY at once (Lambda Managed Instances).
    let served = lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<Value>| {
        let mut http = http.clone();
        async move {
            let request = event::read(event.payload)?;
            let Ok(answer) = http.call(LambdaEvent::new(request, event.context)).await;
            Ok::<_, Error>(answer)
        }
    }));
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
