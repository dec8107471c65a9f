//! The back channel of the OpenID Provider: `/token`, `/userinfo`, and the two documents that libraries read; and the
//! keys of our own client, which operators read.

use std::time::Instant;

use http::Method;
use http::header::AUTHORIZATION;

use super::body::MAX_BODY;
use super::incoming::Incoming;
use super::pages::Notice;
use super::place::ProviderRoute;
use super::provider_answer::ProviderAnswer;
use super::reply::{Content, Reply};
use super::{App, header};
use crate::failure::Failure;
use crate::flow::{Redeemed, TokenCall};
use crate::telemetry::Event;

impl App {
    /// Serves a route of the provider. Without a registered app, none of them exists, whatever the method.
    pub(super) async fn provider(&self, route: ProviderRoute, incoming: &Incoming<'_>) -> Reply {
        let allowed = match route {
            ProviderRoute::Authorize => "GET, HEAD, POST",
            ProviderRoute::Token => "OPTIONS, POST",
            ProviderRoute::Userinfo => "GET, HEAD, OPTIONS, POST",
            ProviderRoute::Discovery | ProviderRoute::Jwks => "GET, HEAD",
        };
        let method = incoming.request.method();
        let is_allowed = allowed.split(", ").any(|allowed| allowed == method.as_str());
        match self.flow.has_provider(incoming.deadline).await {
            Ok(false) => return Notice::NotFound.into(),
            // People read what `/authorize` says, so it answers with a page.
            Err(failure) if route != ProviderRoute::Authorize => return Self::unavailable(&failure, incoming),
            Ok(true) | Err(_) => {}
        }
        match (route, method) {
            _ if !is_allowed => Reply::method_not_allowed(allowed),
            (ProviderRoute::Authorize, &Method::GET | &Method::POST) => self.authorize(incoming).await,
            (ProviderRoute::Token, &Method::POST) => self.token(incoming).await,
            (_, &Method::OPTIONS) => ProviderAnswer::preflight(allowed).into(),
            // The client of a HEAD request does not see the page, so the request starts nothing.
            (ProviderRoute::Authorize, _) => Content::Nothing.into(),
            _ => {
                let answer = match incoming.issuer() {
                    Ok(issuer) => self.read(route, incoming, issuer).await,
                    Err(failure) => Err(failure),
                };
                answer.unwrap_or_else(|failure| Self::unavailable(&failure, incoming))
            }
        }
    }

    /// Answers the routes that change nothing.
    async fn read(&self, route: ProviderRoute, incoming: &Incoming<'_>, issuer: &str) -> Result<Reply, Failure> {
        let deadline = incoming.deadline;
        let document = match route {
            ProviderRoute::Discovery => self.flow.discovery(issuer, deadline).await?,
            ProviderRoute::Jwks => self.flow.jwks(deadline).await?,
            _ => {
                let claims = match bearer(incoming) {
                    Some(token) => self.flow.userinfo(token, issuer, deadline).await?,
                    None => None,
                };
                return Ok(claims.map_or_else(ProviderAnswer::invalid_token, ProviderAnswer::secret).into());
            }
        };
        Ok(document.map_or_else(|| Notice::NotFound.into(), |document| ProviderAnswer::document(document).into()))
    }

    /// Serves the public keys of our own client, for an operator's `jwks_uri`.
    pub(super) async fn client_jwks(&self, incoming: &Incoming<'_>) -> Reply {
        let correlator = incoming.correlator.as_str();
        match self.flow.client_jwks(incoming.deadline).await {
            Ok(Ok(keys)) => match *incoming.request.method() {
                Method::GET | Method::HEAD => ProviderAnswer::document(keys).into(),
                _ => Reply::method_not_allowed("GET, HEAD"),
            },
            Ok(Err(fault)) => {
                tracing::info!(correlator, reason = fault, "the client has no public key");
                Notice::NotFound.into()
            }
            Err(failure) => {
                let outcome = failure.outcome.name();
                tracing::error!(
                    correlator,
                    outcome,
                    reason = failure.reason,
                    "the client's public keys cannot be read"
                );
                ProviderAnswer::failed(&failure).into()
            }
        }
    }

    async fn token(&self, incoming: &Incoming<'_>) -> Reply {
        let began = Instant::now();
        let form: &[u8] = incoming.request.body();
        let redeemed = match incoming.issuer() {
            Ok(issuer) => {
                // An unreadable body has no parameters, and an unreadable header no credentials.
                let is_readable = incoming.has_form() && form.len() <= MAX_BODY;
                let authorization =
                    incoming.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
                let form = if is_readable { form } else { &[] };
                self.flow.redeem(TokenCall { authorization, form, issuer, deadline: incoming.deadline }).await
            }
            Err(failure) => Redeemed::Failed(None, failure),
        };
        let event = |client| Event { client, ..self.event(incoming, began, None) };
        match redeemed {
            Redeemed::Tokens(client_id, tokens) => {
                self.telemetry.redeemed(&event(Some(&client_id)));
                ProviderAnswer::secret(tokens).into()
            }
            Redeemed::Refused(client_id, error) => {
                let (code, description) = error.words();
                self.telemetry.redemption_refused(&event(client_id.as_deref()), code, description);
                ProviderAnswer::refused(error).into()
            }
            Redeemed::Failed(client_id, failure) => {
                self.telemetry.not_redeemed(&event(client_id.as_deref()), &failure);
                ProviderAnswer::failed(&failure).into()
            }
        }
    }

    fn unavailable(failure: &Failure, incoming: &Incoming<'_>) -> Reply {
        let (correlator, outcome) = (incoming.correlator.as_str(), failure.outcome.name());
        tracing::error!(correlator, outcome, reason = failure.reason, "the OpenID Provider cannot answer");
        ProviderAnswer::failed(failure).into()
    }
}

/// The access token in the `Authorization` header (RFC 6750 §2.1).
fn bearer<'i>(incoming: &Incoming<'i>) -> Option<&'i str> {
    let (scheme, token) = header(incoming.headers(), AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
