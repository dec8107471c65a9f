//! A correct client of the sandbox. Tests change one thing at a time.

use std::collections::HashMap;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use sandbox::{Sandbox, Settings};
use serde_json::Value;

pub const REDIRECT_URI: &str = "https://app.example/numberverification-callback";
pub const SCOPE_V0: &str = "dpv:FraudPreventionAndDetection#number-verification-verify-read";
pub const SCOPE_V1: &str = "dpv:FraudPreventionAndDetection number-verification:verify";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const SIM: &str = "+34600000001";

pub type Form = Vec<(&'static str, String)>;
/// Fields to set in a form. An empty value removes the field.
pub type Changes<'a> = &'a [(&'static str, &'a str)];

pub struct Fixture {
    pub sandbox: Sandbox,
    pub http: Client,
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let sandbox = Sandbox::start(settings).await.expect("a free port");
        Self { sandbox, http: client() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    pub async fn authorize(&self, query: &Form) -> Response {
        send(self.get("/authorize").query(query)).await
    }

    /// A code for the valid authorization request with some parameters changed.
    pub async fn code(&self, changes: Changes<'_>) -> String {
        let response = self.authorize(&changed(authorization(), changes)).await;
        location(&response).1.remove("code").expect("a code in the redirect")
    }

    pub async fn token(&self, form: &Form) -> Response {
        send(self.post("/token").basic_auth("my-app-id", Some("my-app-secret")).form(form)).await
    }

    /// An access token for valid requests.
    pub async fn access_token(&self) -> String {
        self.access_token_for(SCOPE_V1).await
    }

    pub async fn access_token_for(&self, scope: &str) -> String {
        let code = self.code(&[("scope", scope)]).await;
        let response = self.token(&exchange(&code)).await;
        string(&json(response).await, "access_token")
    }

    /// `verify` with a fresh token.
    pub async fn verify(&self, body: &Value) -> Response {
        let token = self.access_token().await;
        send(self.post("/number-verification/v0/verify").bearer_auth(token).json(body)).await
    }
}

pub fn client() -> Client {
    // If the whole workspace is built, reqwest has TLS, and needs a crypto provider even for plain http.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client")
}

/// A valid authorization request.
pub fn authorization() -> Form {
    form(&[
        ("client_id", "my-app-id"),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", SCOPE_V1),
        ("state", "a state"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ])
}

/// A valid token request.
pub fn exchange(code: &str) -> Form {
    form(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ])
}

pub fn form(fields: &[(&'static str, &str)]) -> Form {
    fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

pub fn changed(mut fields: Form, changes: Changes<'_>) -> Form {
    for (name, value) in changes {
        fields.retain(|(found, _)| found != name);
        if !value.is_empty() {
            fields.push((name, (*value).to_owned()));
        }
    }
    fields
}

pub async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

pub async fn json(response: Response) -> Value {
    response.json().await.expect("a JSON body")
}

pub async fn status_and_json(response: Response) -> (u16, Value) {
    (response.status().as_u16(), json(response).await)
}

/// HTTP status, status and code of a CAMARA error.
pub fn camara(status: u16, body: &Value) -> (u16, u64, &str) {
    (status, body["status"].as_u64().unwrap_or_default(), body["code"].as_str().unwrap_or_default())
}

pub fn string(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("expected a string {name} in {json}")).to_owned()
}

pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned())
}

/// The target of a 302: the URL without its query, and the query's parameters.
pub fn location(response: &Response) -> (String, HashMap<String, String>) {
    assert_eq!(response.status(), StatusCode::FOUND);
    let mut url: Url = header(response, "location").expect("a location").parse().expect("a URL");
    let query = url.query_pairs().into_owned().collect();
    url.set_query(None);
    (url.into(), query)
}
