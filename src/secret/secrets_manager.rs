//! The AWS SDK's client for Secrets Manager.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_types::SdkConfig;

/// Builds the client; `endpoint_url` replaces AWS's own endpoint.
#[must_use]
pub fn client(sdk: &SdkConfig, endpoint_url: Option<&str>) -> Client {
    let mut config = Builder::from(sdk);
    config.set_endpoint_url(endpoint_url.map(str::to_owned));
    Client::from_conf(config.build())
}
