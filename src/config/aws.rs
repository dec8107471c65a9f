//! The variables that Lambda and the AWS SDKs define.

use aws_credential_types::Credentials;

use super::ConfigError;
use crate::secret::{AwsCredentials, AwsSettings};

/// Reads region, endpoint and credentials. An empty value counts as unset.
///
/// # Errors
/// The variable that is missing.
pub fn aws_settings(lookup: impl Fn(&str) -> Option<String>) -> Result<AwsSettings, ConfigError> {
    let get = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let need = |name: &'static str| {
        get(name).ok_or_else(|| ConfigError::new(name, "not set; Lambda sets it, elsewhere set it yourself"))
    };
    let credentials = match get("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        Some(uri) => AwsCredentials::Container { uri, authorization: get("AWS_CONTAINER_AUTHORIZATION_TOKEN") },
        None => AwsCredentials::Environment(Credentials::new(
            need("AWS_ACCESS_KEY_ID")?,
            need("AWS_SECRET_ACCESS_KEY")?,
            get("AWS_SESSION_TOKEN"),
            None,
            "environment",
        )),
    };
    Ok(AwsSettings {
        region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")).map_or_else(|| need("AWS_REGION"), Ok)?,
        endpoint_url: get("AWS_ENDPOINT_URL_SECRETS_MANAGER").or_else(|| get("AWS_ENDPOINT_URL")),
        credentials,
    })
}
