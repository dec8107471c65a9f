//! The variables that Lambda and the AWS SDKs define.

use aws_credential_types::Credentials;

use super::variables::{Variables, bad};
use crate::operator::SettingError;
use crate::secret::{AwsCredentials, AwsSettings};

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    pub(super) fn aws(&self) -> Result<AwsSettings, SettingError> {
        let get = |name: &str| self.get(name);
        let need = |name: &'static str| {
            get(name).ok_or_else(|| bad(name, "not set; Lambda sets it, elsewhere set it yourself"))
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
}
