//! The hello world of `lambda_http`'s documentation, which only measures the runtime.

#![forbid(unsafe_code)]

use std::convert::Infallible;

use lambda_http::{Error, Request, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_http::run(service_fn(async |_: Request| Ok::<_, Infallible>("hello, world"))).await
}
