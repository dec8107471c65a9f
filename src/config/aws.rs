//! The variables that Lambda and the AWS SDKs define.

use aws_credential_types::Credentials;

use super::variables::{Variables, bad};
use crate::aws::{CredentialsSource, Settings};
use crate::operator::SettingError;

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    pub(super) fn aws(&self) -> Result<Settings, SettingError> {
        let get = |name: &str| self.get(name);
        let need = |name: &'static str| {
            get(name).ok_or_else(|| bad(name, "not set; Lambda sets it, elsewhere set it yourself"))
        };
        let credentials = match get("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            Some(uri) => CredentialsSource::Container { uri, authorization: get("AWS_CONTAINER_AUTHORIZATION_TOKEN") },
            None => CredentialsSource::Environment(Credentials::new(
                need("AWS_ACCESS_KEY_ID")?,
                need("AWS_SECRET_ACCESS_KEY")?,
                get("AWS_SESSION_TOKEN"),
                None,
                "environment",
            )),
        };
        Ok(Settings {
            region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")).map_or_else(|| need("AWS_REGION"), Ok)?,
            secrets_manager_url: get("AWS_ENDPOINT_URL_SECRETS_MANAGER").or_else(|| get("AWS_ENDPOINT_URL")),
            dynamodb_url: get("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| get("AWS_ENDPOINT_URL")),
            credentials,
        })
    }
}
