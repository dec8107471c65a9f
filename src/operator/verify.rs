//! CAMARA Number Verification: `POST /verify`.

use aws_lc_rs::digest::{SHA256, digest};
use http::Method;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::json;

use super::refusal::Called;
use super::token::AccessToken;
use super::{JSON, Operator, PhoneNumberFormat};
use crate::call_log::Call;
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::phone_number::PhoneNumber;
use crate::transport::{Answer, Deadline, Request};

/// CAMARA's `NumberVerificationMatchResponse`: the only source of a verdict.
#[derive(Deserialize)]
struct MatchAnswer {
    #[serde(rename = "devicePhoneNumberVerified")]
    device_phone_number_verified: bool,
}

/// The number to ask about.
#[derive(Debug, Clone)]
pub enum AskedNumber {
    /// The number itself, which is sent as the profile says.
    Plain(PhoneNumber),
    /// Its SHA-256, which an app computed.
    Hashed(HashedPhoneNumber),
}

/// The SHA-256 of an E.164 number with its `+`, in hexadecimal (CAMARA's `hashedPhoneNumber`).
#[derive(Clone, PartialEq, Eq)]
pub struct HashedPhoneNumber(String);

impl HashedPhoneNumber {
    /// Reads a hash: 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| Self(text.to_ascii_lowercase()))
    }
}

redacted_debug!(HashedPhoneNumber);

impl Operator {
    /// Asks whether the device that the token stands for has this number, and records the call. Returns
    /// `devicePhoneNumberVerified`.
    ///
    /// # Errors
    /// There was no boolean in a 200 answer, so the number could not be checked.
    pub async fn verify(
        &self,
        access_token: AccessToken,
        number: &AskedNumber,
        correlator: Option<&Correlator>,
        deadline: Deadline,
        call: &mut Call,
    ) -> Result<bool, Failure> {
        let body = match (number, self.profile.phone_number_format) {
            (AskedNumber::Plain(number), PhoneNumberFormat::Plain) => json!({ "phoneNumber": number.expose() }),
            (AskedNumber::Plain(number), PhoneNumberFormat::Hashed) => json!({ "hashedPhoneNumber": hashed(number) }),
            (AskedNumber::Hashed(HashedPhoneNumber(hash)), _) => json!({ "hashedPhoneNumber": hash }),
        };
        let mut request = Request::new(Method::POST, self.profile.verify_endpoint.url().clone());
        *request.body_mut() = Some(body.to_string().into());
        *request.headers_mut() = access_token.into_headers(correlator);
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        read_match(&self.send(Called::Verify, request, deadline, call).await?)
    }
}

pub(super) fn read_match(answer: &Answer) -> Result<bool, Failure> {
    if answer.status != 200 {
        return Err(Called::Verify.refused(answer));
    }
    let verdict: MatchAnswer = answer
        .json_object()
        .ok_or_else(|| Called::Verify.malformed("not with a JSON boolean devicePhoneNumberVerified", answer))?;
    Ok(verdict.device_phone_number_verified)
}

/// Hashes the E.164 number with its `+`: SHA-256 in hexadecimal.
fn hashed(phone_number: &PhoneNumber) -> String {
    let hash = digest(&SHA256, phone_number.expose().as_bytes());
    hash.as_ref().iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_boolean_in_a_200_is_a_verdict() {
        for (name, status, body, verdict) in [
            ("true", 200, r#"{"devicePhoneNumberVerified":true}"#, Some(true)),
            ("false", 200, r#"{"devicePhoneNumberVerified":false}"#, Some(false)),
            ("more members", 200, r#"{"a":1,"devicePhoneNumberVerified":true}"#, Some(true)),
            ("the word", 200, r#"{"devicePhoneNumberVerified":"true"}"#, None),
            ("a number", 200, r#"{"devicePhoneNumberVerified":1}"#, None),
            ("null", 200, r#"{"devicePhoneNumberVerified":null}"#, None),
            ("twice", 200, r#"{"devicePhoneNumberVerified":true,"devicePhoneNumberVerified":false}"#, None),
            ("other letter case", 200, r#"{"devicephonenumberverified":true}"#, None),
            ("nested", 200, r#"{"data":{"devicePhoneNumberVerified":true}}"#, None),
            ("an array", 200, r#"[{"devicePhoneNumberVerified":true}]"#, None),
            ("an array in the order of the members", 200, "[true]", None),
            ("bare", 200, "true", None),
            ("truncated", 200, r#"{"devicePhoneNumberVerified":true"#, None),
            ("two documents", 200, r#"{"devicePhoneNumberVerified":true}{}"#, None),
            ("HTML", 200, "<html>true</html>", None),
            ("empty", 200, "", None),
            ("another 2xx", 203, r#"{"devicePhoneNumberVerified":true}"#, None),
            ("an error", 500, r#"{"devicePhoneNumberVerified":true}"#, None),
        ] {
            let answer = Answer { status, headers: http::HeaderMap::new(), body: body.into(), retried: false };
            assert_eq!(read_match(&answer).ok(), verdict, "{name}");
        }
    }

    #[test]
    fn hash_includes_the_plus() {
        // printf '+34600000001' | sha256sum
        let number = PhoneNumber::parse("+34600000001").unwrap();
        assert_eq!(hashed(&number).len(), 64);
        assert_eq!(hashed(&number), HASH_OF_34600000001);
    }

    const HASH_OF_34600000001: &str = "eb491b384e4fda4281634daa211e6e54a4cf7f82baa33a9f35980329e4ad95f3";
}
