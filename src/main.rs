//! The Lambda function: sets everything up once, and serves.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;

use lambda_http::RequestExt as _;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use number_verification::setup;
use number_verification::web::event::{self, Gateway, UnknownEvent};
use number_verification::web::event_answer::EventAnswer;
use serde_json::value::RawValue;

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
    // One event at a time, or up to AWS_LAMBDA_MAX_CONCURRENCY at once (Lambda Managed Instances). The runtime would make a
    // path to each member of an event that it reads itself, for errors.
    let served = lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let app = Arc::clone(&app);
        async move {
            let request = event::read(&mut serde_json::Deserializer::from_str(event.payload.get()))?;
            let kind = request.extensions().get::<Gateway>().ok_or(UnknownEvent)?.kind;
            let response = app.answer(request.with_lambda_context(event.context)).await;
            Ok::<_, Error>(EventAnswer { kind, response })
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
