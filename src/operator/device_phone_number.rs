//! CAMARA Number Verification: `GET /device-phone-number`, which names the number of the device's SIM.

use http::Method;
use serde::Deserialize;

use super::Operator;
use super::endpoint::Endpoint;
use super::merge::{choice, scope_tokens};
use super::refusal::Called;
use super::settings::{DEVICE_PHONE_NUMBER, RETRIEVE_NUMBER, RETRIEVE_SCOPE, SettingError, Settings};
use super::token::AccessToken;
use crate::call_log::Call;
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::transport::{Answer, Deadline, Request};

/// The requirements for asking an operator for a number.
#[derive(Debug, Clone)]
pub struct Retrieval {
    /// The `scope` of the authorization request.
    pub scope: String,
    /// The address of CAMARA's `device-phone-number`.
    pub endpoint: Endpoint,
}

/// CAMARA's `NumberVerificationShareResponse`.
#[derive(Deserialize)]
struct ShareAnswer {
    #[serde(rename = "devicePhoneNumber")]
    device_phone_number: zeroize::Zeroizing<String>,
}

/// CAMARA's scopes for `verify`, each with the one for `device-phone-number`. In version 0 a scope is part of the token
/// that names the purpose.
const SCOPES: [(&str, &str); 2] = [
    ("number-verification:verify", "number-verification:device-phone-number:read"),
    ("#number-verification-verify-read", "#number-verification-share-read"),
];

impl Settings {
    /// The requirements for asking the operator for a number; `None` unless `RETRIEVE_NUMBER` is on. `scope` and `verify`
    /// are the operator's for verifying one, and `preset` is the scope for the number that the operator documents.
    pub(super) fn retrieval(
        &self,
        scope: &str,
        verify: &Endpoint,
        preset: Option<&str>,
    ) -> Result<Option<Retrieval>, SettingError> {
        if !choice(RETRIEVE_NUMBER, self.retrieve_number.as_deref(), false, &[("on", true), ("off", false)])? {
            return Ok(None);
        }
        // A scope of the owner's own has the owner's purpose, so the preset's does not belong beside it.
        let preset = preset.filter(|_| self.scope.is_none());
        let scope = match self.retrieve_scope.as_deref().or(preset) {
            Some(scope) => scope_tokens(RETRIEVE_SCOPE, scope)?,
            None => retrieve_scope(scope).ok_or_else(|| {
                let fault = "not set, and SCOPE has no token for verify that could be replaced; give the operator's scope \
                             for device-phone-number";
                SettingError::new(RETRIEVE_SCOPE, fault)
            })?,
        };
        let fault = |fault: String| SettingError::new(DEVICE_PHONE_NUMBER, fault);
        let endpoint = match &self.device_phone_number_endpoint {
            Some(text) => Endpoint::parse(text).map_err(fault)?,
            None => verify.beside("verify", "device-phone-number").ok_or_else(|| {
                fault("not set, and the address of verify does not end in /verify; give the address".to_owned())
            })?,
        };
        if endpoint.same_origin(verify) {
            Ok(Some(Retrieval { scope, endpoint }))
        } else {
            Err(fault("is on a different host from verify, so a token could go to another operator".to_owned()))
        }
    }
}

/// The scope for `device-phone-number` that stands for a scope for `verify`.
fn retrieve_scope(scope: &str) -> Option<String> {
    let replaced = |token: &str| {
        SCOPES.iter().find_map(|(verify, retrieve)| {
            let before = token.strip_suffix(verify).filter(|before| before.is_empty() || verify.starts_with('#'))?;
            Some(format!("{before}{retrieve}"))
        })
    };
    scope.split(' ').any(|token| replaced(token).is_some()).then(|| {
        let tokens: Vec<_> =
            scope.split(' ').map(|token| replaced(token).unwrap_or_else(|| token.to_owned())).collect();
        tokens.join(" ")
    })
}

impl Operator {
    /// Asks which number the device has that the token stands for, and records the call.
    ///
    /// # Errors
    /// There was no E.164 number in a 200 answer, or one that does not begin with a prefix of this operator.
    pub async fn device_phone_number(
        &self,
        access_token: AccessToken,
        correlator: &Correlator,
        deadline: Deadline,
        call: &mut Call,
    ) -> Result<PhoneNumber, Failure> {
        let unsendable = || {
            let reason = format!("{}: the request cannot be written; check RETRIEVE_NUMBER", Called::DevicePhoneNumber);
            Failure::new(Outcome::Misconfigured, reason)
        };
        let retrieval = self.profile.retrieval.as_ref().ok_or_else(unsendable)?;
        let mut request = Request::new(Method::GET, retrieval.endpoint.url().clone());
        *request.headers_mut() = access_token.into_headers(Some(correlator));
        let number = read_number(&self.send(Called::DevicePhoneNumber, request, deadline, call).await?)?;
        if self.profile.serves(&number) {
            Ok(number)
        } else {
            let reason =
                format!("{}: the number does not begin with the operator's prefixes", Called::DevicePhoneNumber);
            Err(Failure::new(Outcome::OperatorError, reason))
        }
    }
}

fn read_number(answer: &Answer) -> Result<PhoneNumber, Failure> {
    let called = Called::DevicePhoneNumber;
    if answer.status != 200 {
        return Err(called.refused(answer));
    }
    let answered: Option<ShareAnswer> = answer.json_object();
    let number = answered.and_then(|answered| {
        // A number that people would have to interpret is not taken from an operator.
        PhoneNumber::parse(&answered.device_phone_number).ok().filter(|n| n.expose() == *answered.device_phone_number)
    });
    number.ok_or_else(|| called.malformed("not with an E.164 number as devicePhoneNumber", answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_for_verify_becomes_the_one_for_the_number() {
        for (scope, expected) in [
            (
                "openid dpv:FraudPreventionAndDetection number-verification:verify",
                Some("openid dpv:FraudPreventionAndDetection number-verification:device-phone-number:read"),
            ),
            (
                "dpv:FraudPreventionAndDetection#number-verification-verify-read",
                Some("dpv:FraudPreventionAndDetection#number-verification-share-read"),
            ),
            ("number-verification:verify", Some("number-verification:device-phone-number:read")),
            ("my-number-verification:verify", None),
            ("openid dpv:FraudPreventionAndDetection", None),
        ] {
            assert_eq!(retrieve_scope(scope).as_deref(), expected, "{scope}");
        }
    }

    #[test]
    fn retrieval_needs_an_address_of_the_same_operator() {
        const ON: (&str, &str) = ("RETRIEVE_NUMBER", "on");
        let beside = "https://op.example/number-verification/v0/device-phone-number";
        let elsewhere = ("VERIFY_ENDPOINT", "https://op.example/check");
        for (name, variables, expected) in [
            ("beside verify", vec![ON], Ok(beside)),
            (
                "explicit",
                vec![ON, elsewhere, ("DEVICE_PHONE_NUMBER_ENDPOINT", "https://op.example/number")],
                Ok("https://op.example/number"),
            ),
            ("a verify with another name", vec![ON, elsewhere], Err("DEVICE_PHONE_NUMBER_ENDPOINT: not set")),
            (
                "another host",
                vec![ON, ("DEVICE_PHONE_NUMBER_ENDPOINT", "https://other.example/device-phone-number")],
                Err("DEVICE_PHONE_NUMBER_ENDPOINT: is on a different host"),
            ),
            (
                "not a URL",
                vec![ON, ("DEVICE_PHONE_NUMBER_ENDPOINT", "number")],
                Err("DEVICE_PHONE_NUMBER_ENDPOINT: not a URL"),
            ),
            ("another scope", vec![ON, ("SCOPE", "openid")], Err("RETRIEVE_SCOPE: not set")),
            ("a malformed scope", vec![ON, ("RETRIEVE_SCOPE", "two  spaces")], Err("RETRIEVE_SCOPE: not scope tokens")),
            ("another value", vec![("RETRIEVE_NUMBER", "yes")], Err("RETRIEVE_NUMBER: not one of its values")),
        ] {
            let settings = Settings::from_variables(|variable| {
                let variables = [&[("OPERATOR_BASE_URL", "https://op.example")], &variables[..]].concat();
                variables.iter().find(|(name, _)| *name == variable).map(|(_, value)| (*value).to_owned())
            });
            let retrieval = settings.profile(None, None).map(|profile| profile.retrieval);
            match (retrieval, expected) {
                (Ok(Some(retrieval)), Ok(address)) => assert_eq!(retrieval.endpoint.url().as_str(), address, "{name}"),
                (Err(error), Err(fault)) => {
                    let error = error.to_string();
                    assert!(error.contains(fault) && !error.contains('\n'), "{name}: {error}");
                }
                (retrieval, expected) => panic!("{name}: {retrieval:?} instead of {expected:?}"),
            }
        }
        assert!(Settings::default().profile(None, None).unwrap().retrieval.is_none(), "off by default");
    }

    #[test]
    fn scope_of_a_preset_gives_way_to_one_of_the_owner() {
        let own = "dpv:ServiceProvision number-verification:device-phone-number:read";
        let of_scope = "openid dpv:X number-verification:device-phone-number:read";
        for (name, scope, retrieve_scope, expected) in [
            ("the preset's", None, None, own),
            ("made from SCOPE", Some("openid dpv:X number-verification:verify"), None, of_scope),
            ("RETRIEVE_SCOPE", None, Some("my:scope"), "my:scope"),
        ] {
            let settings = Settings {
                operator: Some("telefonica-sandbox-v2".to_owned()),
                retrieve_number: Some("on".to_owned()),
                scope: scope.map(str::to_owned),
                retrieve_scope: retrieve_scope.map(str::to_owned),
                ..Settings::default()
            };
            assert_eq!(settings.profile(None, None).unwrap().retrieval.unwrap().scope, expected, "{name}");
        }
    }

    #[test]
    fn only_an_e164_number_in_a_200_is_accepted() {
        for (name, status, body, number) in [
            ("a number", 200, r#"{"devicePhoneNumber":"+34600000001"}"#, Some("+34600000001")),
            ("more members", 200, r#"{"a":1,"devicePhoneNumber":"+34600000001"}"#, Some("+34600000001")),
            ("spaces", 200, r#"{"devicePhoneNumber":"+34 600 000 001"}"#, None),
            ("no plus", 200, r#"{"devicePhoneNumber":"34600000001"}"#, None),
            ("two zeros for the plus", 200, r#"{"devicePhoneNumber":"0034600000001"}"#, None),
            ("a tel URI", 200, r#"{"devicePhoneNumber":"tel:+34600000001"}"#, None),
            ("too short", 200, r#"{"devicePhoneNumber":"+3460"}"#, None),
            ("too long", 200, r#"{"devicePhoneNumber":"+3460000000000001"}"#, None),
            ("a number as a number", 200, r#"{"devicePhoneNumber":34600000001}"#, None),
            ("null", 200, r#"{"devicePhoneNumber":null}"#, None),
            ("empty", 200, r#"{"devicePhoneNumber":""}"#, None),
            ("twice", 200, r#"{"devicePhoneNumber":"+34600000001","devicePhoneNumber":"+34600000002"}"#, None),
            ("a verdict", 200, r#"{"devicePhoneNumberVerified":true}"#, None),
            ("an array", 200, r#"["+34600000001"]"#, None),
            ("bare", 200, r#""+34600000001""#, None),
            ("HTML", 200, "<html>+34600000001</html>", None),
            ("nothing", 200, "", None),
            ("another 2xx", 203, r#"{"devicePhoneNumber":"+34600000001"}"#, None),
            ("an error", 500, r#"{"devicePhoneNumber":"+34600000001"}"#, None),
        ] {
            let answer = Answer { status, headers: http::HeaderMap::new(), body: body.into(), retried: false };
            let read = read_number(&answer);
            assert_eq!(read.as_ref().ok().map(PhoneNumber::expose), number, "{name}");
            assert!(read.err().is_none_or(|failure| !failure.reason.contains("600000001")), "{name}");
        }
    }
}
