//! The hello world of `lambda_http`'s documentation, which only measures the runtime. It runs on one thread, as the
//! function does: tokio's many would pay for waking each other.

#![forbid(unsafe_code)]

use std::convert::Infallible;

use lambda_http::{Error, Request, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_http::run(service_fn(async |_: Request| Ok::<_, Infallible>("hello, world"))).await
}
