//! The credentials of the function's role if Lambda does not put them into the environment. With `SnapStart`, and
//! whenever an environment outlives its credentials, Lambda gives an address from which to renew them before they
//! expire.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use http::Method;
use http::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use crate::transport::{Deadline, Request, Transport};

/// Requests credentials from `AWS_CONTAINER_CREDENTIALS_FULL_URI`, with `AWS_CONTAINER_AUTHORIZATION_TOKEN` as
/// `Authorization`. The SDK keeps the credentials until shortly before they expire.
#[derive(Debug)]
pub(super) struct ContainerCredentials {
    transport: Transport,
    url: Url,
    authorization: Option<HeaderValue>,
}

/// The timeout; it is short because the endpoint is on this machine.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    token: Zeroizing<String>,
    expiration: String,
}

impl ContainerCredentials {
    /// Creates the provider from the values of the two variables.
    ///
    /// # Errors
    /// The variable that cannot be used, in one line.
    pub(super) fn new(transport: Transport, uri: &str, authorization: Option<String>) -> Result<Self, String> {
        let bad = |variable: &str| format!("environment variable {variable}: not usable; Lambda sets it");
        let url = uri.parse().map_err(|_| bad("AWS_CONTAINER_CREDENTIALS_FULL_URI"))?;
        let authorization = authorization
            .map(|token| {
                let mut header = HeaderValue::try_from(token).map_err(|_| bad("AWS_CONTAINER_AUTHORIZATION_TOKEN"))?;
                header.set_sensitive(true);
                Ok::<_, String>(header)
            })
            .transpose()?;
        Ok(Self { transport, url, authorization })
    }

    async fn ask(&self) -> provider::Result {
        let mut request = Request::new(Method::GET, self.url.clone());
        request.headers_mut().extend(self.authorization.clone().map(|authorization| (AUTHORIZATION, authorization)));
        let answer = self.transport.send(request, Deadline::after(PATIENCE)).await;
        let answer = answer.map_err(CredentialsError::provider_error)?;
        let document = (answer.status == 200).then(|| answer.json_object::<Document>()).flatten();
        let document = document.ok_or_else(|| CredentialsError::unhandled("not JSON with credentials"))?;
        let expires = DateTime::from_str(&document.expiration, Format::DateTime)
            .ok()
            .and_then(|time| SystemTime::try_from(time).ok())
            .ok_or_else(|| CredentialsError::unhandled("no expiration time"))?;
        Ok(Credentials::new(
            document.access_key_id,
            document.secret_access_key.as_str(),
            Some(document.token.as_str().to_owned()),
            Some(expires),
            "container",
        ))
    }
}

impl ProvideCredentials for ContainerCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.ask())
    }
}
