//! The token request: RFC 6749 §4.1.3.

use std::borrow::Cow;
use std::mem;
use std::time::SystemTime;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, HeaderName, Method};
use serde::Deserialize;

use super::refusal::Called;
use super::{AuthorizationGrant, ClientCredentials, Dpop, ExpectedIdToken, JSON, Operator};
use crate::call_log::Call;
use crate::correlator::Correlator;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::transport::{Answer, Deadline, Request};

const X_CORRELATOR: HeaderName = HeaderName::from_static("x-correlator");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// An access token, ready to be sent. The call that uses it consumes it: after r3.2, CAMARA Number Verification makes
/// access tokens single-use.
#[derive(Debug)]
pub struct AccessToken {
    pub(super) authorization: HeaderValue,
    /// The client's own headers, which go with it.
    pub(super) headers: HeaderMap,
}

impl AccessToken {
    /// The headers of the call that uses the token.
    pub(super) fn into_headers(self, correlator: Option<&Correlator>) -> HeaderMap {
        let Self { authorization, mut headers } = self;
        headers.extend([(ACCEPT, JSON), (AUTHORIZATION, authorization)]);
        // Every correlator can be sent.
        let correlator = correlator.and_then(|correlator| HeaderValue::from_str(correlator.as_str()).ok());
        headers.extend(correlator.map(|correlator| (X_CORRELATOR, correlator)));
        headers
    }
}

/// The members of RFC 6749 §5.1 that are used.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: zeroize::Zeroizing<String>,
    token_type: String,
    id_token: Option<zeroize::Zeroizing<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFormat {
    Form,
    Json,
}

impl Operator {
    /// Exchanges an authorization code for an access token, and records the call.
    ///
    /// # Errors
    /// The token endpoint did not issue a token of the right type. If [`Call::status`] is 401, it refused the client, and the code
    /// is still unused.
    pub async fn exchange(
        &self,
        grant: &AuthorizationGrant,
        credentials: &ClientCredentials,
        deadline: Deadline,
        call: &mut Call,
    ) -> Result<AccessToken, Failure> {
        self.open_verify_ahead();
        let mut format = BodyFormat::Form;
        let mut may_add_nonce = true;
        loop {
            let (answer, wants_nonce) = self.request_by_code(grant, credentials, format, deadline, call).await?;
            if answer.status == 415 && format == BodyFormat::Form {
                // Telefónica's own SDK does the same: some gateways in front of operators accept only JSON.
                format = BodyFormat::Json;
            } else if !wants_nonce || !mem::take(&mut may_add_nonce) {
                return read_token(
                    &answer,
                    grant.id_token.as_ref(),
                    &credentials.client_id,
                    &credentials.headers,
                    self.profile.dpop,
                );
            }
            call.retried = true;
        }
    }

    /// Opens a connection for the verify call, if the one for the token request will not do.
    pub(super) fn open_verify_ahead(&self) {
        let (token_endpoint, verify_endpoint) = (&self.profile.token_endpoint, &self.profile.verify_endpoint);
        if !verify_endpoint.same_origin(token_endpoint) {
            self.transport.open_ahead(verify_endpoint.url());
        }
    }

    async fn request_by_code(
        &self,
        grant: &AuthorizationGrant,
        credentials: &ClientCredentials,
        format: BodyFormat,
        deadline: Deadline,
        call: &mut Call,
    ) -> Result<(Answer, bool), Failure> {
        let proof = credentials.prove(self.profile.token_endpoint.url()).map_err(|_| unsendable())?;
        let mut fields: Vec<(&str, Cow<str>)> = vec![
            ("grant_type", "authorization_code".into()),
            ("code", grant.authorization_code.expose().into()),
            ("redirect_uri", grant.redirect_uri.as_str().into()),
        ];
        if let Some(code_verifier) = &grant.code_verifier {
            fields.push(("code_verifier", code_verifier.expose().into()));
        }
        fields.extend(proof.fields);
        let mut headers = credentials.headers.clone();
        headers.extend(proof.authorization.map(|authorization| (AUTHORIZATION, authorization)));
        self.request_token(fields, headers, format, deadline, call).await
    }

    /// Requests a token. Returns also whether the operator wants the request again, with the nonce that it gave. The
    /// caller writes it anew, because its assertion must not be used twice.
    pub(super) async fn request_token(
        &self,
        fields: Vec<(&str, Cow<'_, str>)>,
        headers: HeaderMap,
        format: BodyFormat,
        deadline: Deadline,
        call: &mut Call,
    ) -> Result<(Answer, bool), Failure> {
        let mut request = Request::new(Method::POST, self.profile.token_endpoint.url().clone());
        let (content_type, body) = match format {
            BodyFormat::Form => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields);
                (FORM, form.finish())
            }
            BodyFormat::Json => {
                let object =
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned().into())).collect();
                (JSON, serde_json::Value::Object(object).to_string())
            }
        };
        *request.body_mut() = Some(body.into());
        *request.headers_mut() = headers;
        request.headers_mut().extend([(ACCEPT, JSON), (CONTENT_TYPE, content_type)]);
        self.send_once(Called::Token, request, deadline, call).await
    }
}

pub(super) fn read_token(
    answer: &Answer,
    expected_id_token: Option<&ExpectedIdToken>,
    client_id: &str,
    headers: &HeaderMap,
    dpop: Option<Dpop>,
) -> Result<AccessToken, Failure> {
    if answer.status != 200 {
        return Err(Called::Token.refused(answer));
    }
    let malformed = |expected: &str| Called::Token.malformed(expected, answer);
    let token: TokenAnswer = answer
        .json_object()
        .ok_or_else(|| malformed("not with access_token and token_type in JSON (RFC 6749 §5.1)"))?;
    let is_type = |name: &str| token.token_type.eq_ignore_ascii_case(name);
    let scheme = match dpop {
        Some(_) if is_type("DPoP") => "DPoP",
        None | Some(Dpop { accepts_bearer: true, .. }) if is_type("Bearer") => "Bearer",
        // CAMARA's profile lets an operator that has no DPoP answer like this.
        Some(_) if is_type("Bearer") => return Err(Called::Token.unbound()),
        Some(_) => return Err(malformed("its token_type is neither DPoP nor Bearer")),
        None => return Err(malformed("its token_type is not Bearer")),
    };
    // RFC 6750 §2.1: b64token consists of these characters.
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.access_token.is_empty() || !token.access_token.bytes().all(is_token) {
        return Err(malformed("its access_token has characters that RFC 6750 §2.1 does not allow"));
    }
    if let Some(expected) = expected_id_token {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        expected
            .check(token.id_token.as_ref().map(|id_token| id_token.as_str()), client_id, now)
            .map_err(|fault| malformed(&fault))?;
    }
    let mut authorization = HeaderValue::try_from(format!("{scheme} {}", *token.access_token))
        .map_err(|_| malformed("its access_token cannot be sent in a header"))?;
    authorization.set_sensitive(true);
    Ok(AccessToken { authorization, headers: headers.clone() })
}

/// Every part of the request was already checked, so this is a defect of this program and not the operator's fault.
pub(super) fn unsendable() -> Failure {
    Failure::new(
        Outcome::Misconfigured,
        format!("{}: the request cannot be written; check the client_id, the secret and the endpoint", Called::Token),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::DpopClaims;

    #[test]
    fn only_a_bearer_token_in_a_200_is_accepted() {
        for (name, status, body, ok) in [
            ("RFC 6749 §5.1", 200, r#"{"access_token":"abc","token_type":"Bearer","expires_in":300}"#, true),
            ("letter case", 200, r#"{"access_token":"abc","token_type":"bearer"}"#, true),
            ("DPoP although it was not asked for", 200, r#"{"access_token":"abc","token_type":"DPoP"}"#, false),
            ("another type", 200, r#"{"access_token":"abc","token_type":"mac"}"#, false),
            ("no type", 200, r#"{"access_token":"abc"}"#, false),
            ("no token", 200, r#"{"token_type":"Bearer"}"#, false),
            ("empty token", 200, r#"{"access_token":"","token_type":"Bearer"}"#, false),
            ("null token", 200, r#"{"access_token":null,"token_type":"Bearer"}"#, false),
            (
                "a token that would split the header",
                200,
                r#"{"access_token":"a\r\nb: c","token_type":"Bearer"}"#,
                false,
            ),
            ("truncated", 200, r#"{"access_token":"abc","token_type":"Bear"#, false),
            ("HTML", 200, "<html>", false),
            ("empty", 200, "", false),
            ("created", 201, r#"{"access_token":"abc","token_type":"Bearer"}"#, false),
        ] {
            let answer = Answer { status, headers: http::HeaderMap::new(), body: body.into(), retried: false };
            assert_eq!(read_token(&answer, None, "my-app-id", &HeaderMap::new(), None).is_ok(), ok, "{name}");
        }
    }

    #[test]
    fn type_of_the_token_is_the_one_that_the_owner_accepts() {
        const ON: Option<Dpop> =
            Some(Dpop { accepts_bearer: false, claims: DpopClaims { body_hash: false, query_hash: false } });
        const PREFERRED: Option<Dpop> =
            Some(Dpop { accepts_bearer: true, claims: DpopClaims { body_hash: false, query_hash: false } });
        for (dpop, token_type, expected) in [
            (None, "Bearer", Ok("Bearer abc")),
            (None, "DPoP", Err(Outcome::OperatorError)),
            (ON, "DPoP", Ok("DPoP abc")),
            (ON, "dpop", Ok("DPoP abc")),
            (ON, "Bearer", Err(Outcome::Misconfigured)),
            (ON, "mac", Err(Outcome::OperatorError)),
            (PREFERRED, "DPoP", Ok("DPoP abc")),
            (PREFERRED, "bearer", Ok("Bearer abc")),
            (PREFERRED, "mac", Err(Outcome::OperatorError)),
        ] {
            let body = format!(r#"{{"access_token":"abc","token_type":"{token_type}"}}"#).into();
            let answer = Answer { status: 200, headers: http::HeaderMap::new(), body, retried: false };
            let token = read_token(&answer, None, "my-app-id", &HeaderMap::new(), dpop);
            let header =
                token.as_ref().map(|token| token.authorization.to_str().unwrap()).map_err(|failure| failure.outcome);
            assert_eq!(header, expected, "{dpop:?} {token_type}");
        }
    }
}
