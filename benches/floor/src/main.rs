//! A `lambda_http` hello world: no function on this runtime starts faster or answers with less work.

#![forbid(unsafe_code)]

use std::convert::Infallible;

use lambda_http::{Error, Request, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_http::run(service_fn(async |_: Request| Ok::<_, Infallible>("hello, world"))).await
}
