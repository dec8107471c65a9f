//! What the clients of the AWS SDK share: the region, the credentials and our transport. One TLS stack with compiled-in
//! roots serves all of them, so nothing is read from disk.

mod container_credentials;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::StalledStreamProtectionConfig;

use crate::transport::{Deadline, Request, Transport, TransportError};
use container_credentials::ContainerCredentials;

/// Region, endpoints and credentials.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub region: String,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, else `AWS_ENDPOINT_URL`; `None` for AWS's own endpoint.
    pub secrets_manager_url: Option<String>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL`; `None` for AWS's own endpoint.
    pub dynamodb_url: Option<String>,
    /// The credentials of the function's role.
    pub credentials: CredentialsSource,
}

/// The source of the credentials of the function's role.
#[derive(Clone)]
pub enum CredentialsSource {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, which live as long as the environment.
    Environment(Credentials),
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`, an address that returns credentials with an expiry.
    Container {
        /// The address.
        uri: String,
        /// `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
        authorization: Option<String>,
    },
}

redacted_debug!(CredentialsSource);

/// Timeout of one attempt. AWS's services usually answer in 10 ms, and the SDK makes up to three attempts. If Lambda
/// freezes the environment during an attempt, the answer may never arrive; after this time, the next invocation starts
/// another attempt.
const ATTEMPT: Duration = Duration::from_secs(3);
/// The longest pause before the second attempt; before the third it is twice as long. The SDK's default, one second, is
/// long for a waiting user.
const BACKOFF: Duration = Duration::from_millis(200);

/// The configuration of every client of the SDK, on `transport`. The endpoint is the client's own.
///
/// # Errors
/// The variable that cannot be used, in one line.
pub fn sdk_config(transport: Transport, settings: &Settings) -> Result<SdkConfig, String> {
    let credentials = match &settings.credentials {
        CredentialsSource::Environment(credentials) => SharedCredentialsProvider::new(credentials.clone()),
        CredentialsSource::Container { uri, authorization } => {
            SharedCredentialsProvider::new(ContainerCredentials::new(transport.clone(), uri, authorization.clone())?)
        }
    };
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::standard().with_initial_backoff(BACKOFF))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build())
        // An answer is a few hundred bytes and is read whole before the attempt times out.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(OverTransport(transport))
        .build())
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
            let request = Request::try_from(request).map_err(|e| ConnectorError::user(e.into()))?;
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
