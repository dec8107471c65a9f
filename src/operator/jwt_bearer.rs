//! The token request for a phone on Wi-Fi: an operator token (TS.43) in place of the mobile data connection, by the JWT
//! bearer grant of CAMARA's Security and Interoperability Profile (RFC 7523 §2.1).

use std::mem;

use http::HeaderMap;

use super::client_authentication::assertion_claims;
use super::token::{AccessToken, BodyFormat, read_token, unsendable};
use super::{Operator, OperatorToken};
use crate::call_log::Call;
use crate::failure::Failure;
use crate::jwt::PrivateKey;
use crate::transport::Deadline;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

impl Operator {
    /// Exchanges an operator token for an access token, and records the call. The assertion authenticates the client, so
    /// no other credentials are sent except `headers`; the scope is one of its claims, and not a parameter.
    ///
    /// # Errors
    /// The token endpoint did not issue a token of the right type.
    pub async fn exchange_operator_token(
        &self,
        operator_token: &OperatorToken,
        client_id: &str,
        headers: &HeaderMap,
        key: &PrivateKey,
        deadline: Deadline,
        call: &mut Call,
    ) -> Result<AccessToken, Failure> {
        self.open_verify_ahead();
        let subject = format!("operatortoken:{}", operator_token.expose());
        let mut may_add_nonce = true;
        loop {
            let claims = assertion_claims(client_id, &subject, self.profile.token_endpoint.url());
            let assertion = claims.and_then(|mut claims| {
                claims["scope"] = self.profile.scope.as_str().into();
                key.sign_jwt(&claims)
            });
            let assertion = assertion.map_err(|_| unsendable())?;
            let fields = vec![("grant_type", GRANT.into()), ("assertion", assertion.into())];
            let (answer, wants_nonce) =
                self.request_token(fields, headers.clone(), BodyFormat::Form, deadline, call).await?;
            if !wants_nonce || !mem::take(&mut may_add_nonce) {
                return read_token(&answer, None, client_id, headers, self.profile.dpop);
            }
            call.retried = true;
        }
    }
}
