//! The one secret of the sandbox's Secrets Manager.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::random;
use crate::settings::Settings;

/// One secret, with its last two versions.
#[derive(Debug)]
pub(crate) struct Secret {
    name: String,
    current: Version,
    previous: Option<Version>,
}

#[derive(Debug)]
pub(crate) struct Version {
    pub id: String,
    pub secret_string: String,
    /// The time since the epoch.
    pub created: Duration,
}

impl Secret {
    pub(crate) fn new(settings: &Settings, private_key: &str) -> Self {
        let members = [
            ("client_id", &settings.client_id),
            ("client_secret", &settings.client_secret),
            ("state_key", &settings.state_key),
        ];
        let members = members.map(|(name, value)| (name.to_owned(), Value::from(value.as_str())));
        let private_key = settings.private_key.then(|| ("private_key".to_owned(), private_key.into()));
        let members: Map<_, _> =
            members.into_iter().chain(private_key).chain(settings.secret_members.clone()).collect();
        let current = Version::new(Value::from(members).to_string());
        Self { name: settings.secret_id.clone(), current, previous: None }
    }

    /// `PutSecretValue`: the new version gets the label AWSCURRENT, and the one before it AWSPREVIOUS.
    pub(crate) fn put(&mut self, secret_string: String) {
        self.previous = Some(std::mem::replace(&mut self.current, Version::new(secret_string)));
    }

    /// Moves the `CreatedDate` of both versions into the past.
    pub(crate) fn age(&mut self, by: Duration) {
        for version in std::iter::once(&mut self.current).chain(&mut self.previous) {
            version.created = version.created.saturating_sub(by);
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:secretsmanager:eu-west-1:000000000000:secret:{}-SanBox", self.name)
    }

    /// Returns whether this is the secret's name or its ARN, which ends in six random characters.
    pub(crate) fn is_called(&self, secret_id: &str) -> bool {
        if secret_id == self.name {
            return true;
        }
        let resource = secret_id.starts_with("arn:").then(|| secret_id.rsplit_once(":secret:")).flatten();
        resource
            .and_then(|(_, resource)| resource.strip_prefix(&self.name)?.strip_prefix('-'))
            .is_some_and(|suffix| suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    }

    pub(crate) fn staged(&self, stage: &str) -> Option<&Version> {
        match stage {
            "AWSCURRENT" => Some(&self.current),
            "AWSPREVIOUS" => self.previous.as_ref(),
            _ => None,
        }
    }
}

impl Version {
    fn new(secret_string: String) -> Self {
        let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { id: random::uuid(), secret_string, created }
    }
}
