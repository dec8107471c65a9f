//! The AWS SDK's client for Secrets Manager. It uses the same transport as the operator's client: one TLS stack and
//! compiled-in roots, so nothing is read from disk.

use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::config::{
    BehaviorVersion, Config, Region, RuntimeComponents, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::container_credentials::ContainerCredentials;
use super::{AwsCredentials, AwsSettings};
use crate::transport::Deadline;
use crate::transport::{Transport, TransportError};

/// Timeout of one attempt. Secrets Manager usually answers in 10 ms, and the SDK makes up to three attempts. If Lambda
/// freezes the environment during an attempt, the answer may never arrive; after this time, the next invocation starts
/// another attempt.
const ATTEMPT: Duration = Duration::from_secs(3);
/// The longest pause before the second attempt; before the third it is twice as long. The SDK's default, one second, is
/// long for a waiting user.
const BACKOFF: Duration = Duration::from_millis(200);

/// Builds the SDK's client on `transport`.
///
/// # Errors
/// The variable that cannot be used, in one line.
pub fn client(transport: Transport, settings: &AwsSettings) -> Result<Client, String> {
    let credentials = match &settings.credentials {
        AwsCredentials::Environment(credentials) => SharedCredentialsProvider::new(credentials.clone()),
        AwsCredentials::Container { uri, authorization } => {
            SharedCredentialsProvider::new(ContainerCredentials::new(transport.clone(), uri, authorization.clone())?)
        }
    };
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::standard().with_initial_backoff(BACKOFF))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build())
        // An answer is a few hundred bytes and is read whole before the attempt times out.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(OverTransport(transport));
    config.set_endpoint_url(settings.endpoint_url.clone());
    Ok(Client::from_conf(config.build()))
}

/// Lets the SDK send its requests over [`Transport`].
#[derive(Debug, Clone)]
struct OverTransport(Transport);

impl HttpClient for OverTransport {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for OverTransport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(transport) = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
            let request = request.map(|body| body.bytes().map(<[u8]>::to_vec).unwrap_or_default());
            let answer = transport.send(request, Deadline::after(ATTEMPT)).await.map_err(|e| match e {
                TransportError::TimedOut => ConnectorError::timeout(e.into()),
                _ => ConnectorError::io(e.into()),
            })?;
            let mut response = http::Response::new(SdkBody::from(answer.body));
            *response.status_mut() =
                http::StatusCode::from_u16(answer.status).map_err(|e| ConnectorError::other(e.into(), None))?;
            *response.headers_mut() = answer.headers;
            HttpResponse::try_from(response).map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}
