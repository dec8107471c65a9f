//! The scopes a client may ask for, and what each allows.

use std::fmt;

/// The purpose this client is registered for, in the W3C Data Privacy Vocabulary.
const PURPOSE: &str = "dpv:FraudPreventionAndDetection";

/// The scopes that may be combined with the purpose.
const API_SCOPES: [&str; 2] = [VERIFY, DEVICE_PHONE_NUMBER];
const VERIFY: &str = "number-verification:verify";
const DEVICE_PHONE_NUMBER: &str = "number-verification:device-phone-number:read";

/// The older notation of these scopes, as a fragment of the purpose, which version 0 of the API uses.
const PURPOSE_FRAGMENTS: [&str; 2] = [VERIFY_FRAGMENT, DEVICE_PHONE_NUMBER_FRAGMENT];
const VERIFY_FRAGMENT: &str = "number-verification-verify-read";
const DEVICE_PHONE_NUMBER_FRAGMENT: &str = "number-verification-share-read";

/// A granted scope, which is always the one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope(String);

impl Scope {
    /// Reads a scope, which must have exactly one `dpv:` value (CAMARA Security and Interoperability Profile, "Purpose
    /// definition").
    pub(crate) fn parse(scope: &str) -> Result<Self, String> {
        let mut purposes = 0;
        let mut api_scopes = 0;
        for value in scope.split(' ') {
            if value.starts_with("dpv:") {
                let (purpose, fragment) = value.split_once('#').unwrap_or((value, ""));
                if purpose != PURPOSE {
                    return Err(format!("this client is registered for the purpose {PURPOSE}, not {purpose}"));
                }
                purposes += 1;
                if PURPOSE_FRAGMENTS.contains(&fragment) {
                    api_scopes += 1;
                } else if !fragment.is_empty() {
                    return Err(format!("#{fragment} is unknown"));
                }
            } else if API_SCOPES.contains(&value) {
                api_scopes += 1;
            } else if value != "openid" {
                return Err(format!("the scope '{value}' is unknown"));
            }
        }
        if purposes != 1 {
            return Err(format!("scope must contain exactly one dpv: purpose, not {purposes}"));
        }
        if api_scopes == 0 {
            return Err(format!("scope has a purpose but no API scope; add {VERIFY}"));
        }
        Ok(Self(scope.to_owned()))
    }

    /// The scope that [`SAMPLE_CODE`](crate::SAMPLE_CODE) grants.
    pub(crate) fn verify() -> Self {
        Self(format!("{PURPOSE} {VERIFY}"))
    }

    /// Returns whether the client asked for an ID token.
    pub(crate) fn has_openid(&self) -> bool {
        self.0.split(' ').any(|value| value == "openid")
    }

    pub(crate) fn allows_verify(&self) -> bool {
        self.has(VERIFY, VERIFY_FRAGMENT)
    }

    pub(crate) fn allows_device_phone_number(&self) -> bool {
        self.has(DEVICE_PHONE_NUMBER, DEVICE_PHONE_NUMBER_FRAGMENT)
    }

    fn has(&self, api_scope: &str, fragment: &str) -> bool {
        self.0
            .split(' ')
            .any(|value| value == api_scope || value.split_once('#').is_some_and(|(_, found)| found == fragment))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
