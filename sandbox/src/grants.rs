//! The issued authorization codes and access tokens. Each can be used once, and expires.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::pkce::CodeChallenge;
use crate::random;
use crate::scope::Scope;

/// The authorization that a code represents (RFC 6749 §4.1.2).
#[derive(Debug)]
pub(crate) struct Authorization {
    pub client_id: String,
    pub redirect_uri: String,
    pub code_challenge: Option<CodeChallenge>,
    pub scope: Scope,
    pub nonce: Option<String>,
}

/// The values that a client sends to the token endpoint with the code (RFC 6749 §4.1.3, RFC 7636 §4.5).
pub(crate) struct Exchange<'a> {
    pub client_id: &'a str,
    pub redirect_uri: Option<&'a str>,
    pub code_verifier: Option<&'a str>,
}

/// An access token as the token endpoint returns it.
pub(crate) struct Issued {
    pub access_token: String,
    pub scope: Scope,
    /// The client, and the `nonce` of its authorization request, for an ID token.
    pub for_client: Option<(String, Option<String>)>,
}

#[derive(Debug)]
pub(crate) struct Grants {
    codes: Expiring<Code>,
    tokens: Expiring<Token>,
}

#[derive(Debug)]
struct Code {
    authorization: Authorization,
    /// The token it was exchanged for.
    spent_on: Option<String>,
}

#[derive(Debug)]
struct Token {
    scope: Scope,
    usable: bool,
}

impl Grants {
    pub(crate) fn new(code_lifetime: Duration, token_lifetime: Duration) -> Self {
        Self { codes: Expiring::new(code_lifetime), tokens: Expiring::new(token_lifetime) }
    }

    pub(crate) fn issue_code(&mut self, authorization: Authorization) -> String {
        self.codes.insert(Code { authorization, spent_on: None })
    }

    pub(crate) fn issue_token(&mut self, scope: Scope) -> Issued {
        self.tokens.issue(scope)
    }

    /// Exchanges a code for a token, or returns the reason it cannot. A failed exchange does not use up the code.
    pub(crate) fn exchange(&mut self, code: &str, exchange: &Exchange) -> Result<Issued, &'static str> {
        let found = self.codes.get_mut(code).ok_or("the code is unknown or has expired")?;
        let authorization = &found.authorization;
        if authorization.client_id != exchange.client_id {
            return Err("the code was issued to another client");
        }
        // RFC 6749 §4.1.2: a code used twice may have been stolen, so its token is revoked too.
        if let Some(access_token) = &found.spent_on {
            if let Some(token) = self.tokens.get_mut(access_token) {
                token.usable = false;
            }
            return Err("the code has already been used");
        }
        match exchange.redirect_uri {
            None => return Err("redirect_uri is missing, but the authorization request had one"),
            Some(redirect_uri) if redirect_uri != authorization.redirect_uri => {
                return Err("redirect_uri is not the one of the authorization request");
            }
            Some(_) => {}
        }
        match (&authorization.code_challenge, exchange.code_verifier) {
            (None, None) => {}
            (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => {}
            (Some(_), Some(_)) => return Err("code_verifier does not match the code_challenge"),
            (Some(_), None) => {
                return Err("code_verifier is missing, but the authorization request had a code_challenge");
            }
            // RFC 9700 §2.1.1: otherwise an attacker could strip the challenge from the authorization request.
            (None, Some(_)) => {
                return Err("code_verifier is present, but the authorization request had no code_challenge");
            }
        }
        let mut issued = self.tokens.issue(authorization.scope.clone());
        issued.for_client = Some((authorization.client_id.clone(), authorization.nonce.clone()));
        found.spent_on = Some(issued.access_token.clone());
        Ok(issued)
    }

    /// Uses up a token. Returns its scope, or the reason it cannot be used. CAMARA: a token works for one request,
    /// whatever its result.
    pub(crate) fn spend_token(&mut self, access_token: &str) -> Result<Scope, &'static str> {
        let token = self.tokens.get_mut(access_token).ok_or("the access token is unknown or has expired")?;
        if std::mem::replace(&mut token.usable, false) {
            Ok(token.scope.clone())
        } else {
            Err("the access token has already been used or revoked")
        }
    }
}

impl Expiring<Token> {
    fn issue(&mut self, scope: Scope) -> Issued {
        let access_token = self.insert(Token { scope: scope.clone(), usable: true });
        Issued { access_token, scope, for_client: None }
    }
}

/// Values with random keys, each removed when it expires.
#[derive(Debug)]
struct Expiring<T> {
    lifetime: Duration,
    values: HashMap<String, T>,
    /// Oldest first; all have the same lifetime.
    ends: VecDeque<(Instant, String)>,
}

impl<T> Expiring<T> {
    fn new(lifetime: Duration) -> Self {
        Self { lifetime, values: HashMap::new(), ends: VecDeque::new() }
    }

    fn insert(&mut self, value: T) -> String {
        self.remove_expired();
        let key = random::opaque();
        self.values.insert(key.clone(), value);
        self.ends.push_back((Instant::now() + self.lifetime, key.clone()));
        key
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        self.remove_expired();
        self.values.get_mut(key)
    }

    fn remove_expired(&mut self) {
        let now = Instant::now();
        while let Some((_, key)) = self.ends.pop_front_if(|(end, _)| *end <= now) {
            self.values.remove(&key);
        }
    }
}
