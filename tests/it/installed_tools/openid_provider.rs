//! A certified OpenID Provider as the operator: client authentication, PKCE, ID tokens and `iss`, checked by an
//! independent implementation of the specifications. `tests/openid_provider/provider.js` turns it into an operator.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use number_verification::transport::{self, Deadline, Transport};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sandbox::{Certificate, Sandbox};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;

use super::tools;
use crate::support::{Browser, Function, REDIRECT_URI, sandbox};

/// The subscriber's number at the provider.
pub(super) const SUBSCRIBER: &str = "+34600000001";
pub(super) const OTHER_NUMBER: &str = "+34600000009";
const OPENID: &str = "openid dpv:FraudPreventionAndDetection number-verification:verify";
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Provider {
    issuer: String,
    pub(super) clients: Vec<Client>,
    http: Transport,
    /// The file with the certificate of its authority.
    pub(super) ca: String,
    /// The wrapper around the provider. When it is dropped, the provider's standard input closes and the provider ends.
    _node: Child,
}

/// A client registered at the provider, and its secret in Secrets Manager.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) method: String,
    algorithm: Option<String>,
    pub(super) secret: Value,
}

/// Numbers the providers, for the names of their files.
static STARTED: AtomicUsize = AtomicUsize::new(0);

impl Provider {
    pub(super) async fn start() -> Self {
        Self::demanding(&[]).await
    }

    /// Starts a provider that demands more of every client.
    pub(super) async fn demanding(demands: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openid_provider");
        assert!(folder.join("node_modules").exists(), "oidc-provider is missing; `make test` installs it");
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let certificate = Certificate::for_this_machine().unwrap();
        let file = |name: &str, pem: &str| {
            let path = format!("{}/provider-{number}-{name}.pem", env!("CARGO_TARGET_TMPDIR"));
            std::fs::write(&path, pem).unwrap();
            path
        };
        let ca = file("ca", &certificate.ca_pem);
        let mut node = Command::new(tools::tool("node"))
            .current_dir(folder)
            .args(["provider.js", REDIRECT_URI])
            .args([file("certificate", &certificate.certificate_pem), file("key", &certificate.key_pem)])
            .args(demands)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(node.stdout.take().unwrap());
        tokio::time::timeout(PATIENCE, output.read_line(&mut line)).await.expect("the provider starts").unwrap();
        let started: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("the provider: {e}: {line}"));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let client = |client: &Value| Client {
            id: text(&client["client_id"]).unwrap(),
            method: text(&client["method"]).unwrap(),
            algorithm: text(&client["algorithm"]),
            secret: client["secret"].clone(),
        };
        Self {
            issuer: text(&started["issuer"]).unwrap(),
            clients: started["clients"].as_array().unwrap().iter().map(client).collect(),
            http: Transport::new(&[CertificateDer::from_pem_slice(certificate.ca_pem.as_bytes()).unwrap()]).unwrap(),
            ca,
            _node: node,
        }
    }

    pub(super) fn client(&self, id: &str) -> &Client {
        self.clients.iter().find(|client| client.id == id).unwrap_or_else(|| panic!("no client {id}"))
    }

    pub(super) fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The function as the client's owner deploys it with this secret, and these variables in addition.
    pub(super) async fn function(&self, client: &Client, secret: &Value, variables: &[(&str, &str)]) -> Function {
        let sandbox = sandbox().await;
        sandbox.set_secret_string(secret.to_string());
        self.function_of(client, sandbox, variables)
    }

    /// The same with the secret of this sandbox.
    pub(super) fn function_of(
        &self,
        client: &Client,
        sandbox: impl Into<Arc<Sandbox>>,
        variables: &[(&str, &str)],
    ) -> Function {
        let (authorization, token) = (self.endpoint("/auth"), self.endpoint("/token"));
        let verify = self.endpoint("/number-verification/v1/verify");
        let ours = [
            ("AUTHORIZATION_ENDPOINT", authorization.as_str()),
            ("TOKEN_ENDPOINT", &token),
            ("VERIFY_ENDPOINT", &verify),
            ("ISSUER", &self.issuer),
            ("OPERATOR_CA_FILE", &self.ca),
            ("SCOPE", OPENID),
            ("TOKEN_ENDPOINT_AUTH_METHOD", &client.method),
        ];
        Function::with_sandbox(sandbox, &[&ours, variables].concat())
    }

    pub(super) async fn send(&self, request: Request<String>) -> transport::Answer {
        self.http.send(request.try_into().unwrap(), Deadline::after(PATIENCE)).await.unwrap()
    }

    /// Opens the provider in a new browser, and returns the callback it redirects to.
    pub(super) async fn authorize(&self, authorization_url: Url) -> Callback {
        let mut cookies = BTreeMap::new();
        let mut url = authorization_url;
        // The redirects are the request, the identification of the subscriber, and the request again.
        for _ in 0..3 {
            let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = Request::get(url.as_str()).header("cookie", pairs.join("; ")).body(String::new()).unwrap();
            let answer = self.send(request).await;
            assert!((302..=303).contains(&answer.status), "{}", String::from_utf8_lossy(&answer.body));
            for line in answer.headers.get_all("set-cookie") {
                let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            url = url.join(answer.headers["location"].to_str().unwrap()).unwrap();
            if url.as_str().starts_with(REDIRECT_URI) {
                return Callback(url);
            }
        }
        panic!("the provider does not redirect back, but to {}", url.path());
    }

    /// The requests to the token endpoint so far, each with the reason if it was refused.
    pub(super) async fn token_requests(&self) -> Vec<Value> {
        let requests = self.send(Request::get(self.endpoint("/token-requests")).body(String::new()).unwrap()).await;
        serde_json::from_slice(&requests.body).unwrap()
    }
}

/// A callback URL to inspect and to tamper with.
#[derive(Clone)]
pub(super) struct Callback(Url);

impl Callback {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        parameter(&self.0, name)
    }

    fn with(&self, name: &str, value: Option<&str>) -> Self {
        Self(with_parameter(&self.0, name, value))
    }

    pub(super) async fn open(&self, browser: &mut Browser, function: &Function) -> &'static str {
        let path_and_query = &self.0[url::Position::BeforePath..];
        let answer = browser.open_json(function, path_and_query).await;
        answer.outcome()
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// The URL with another value of a parameter, or without it.
fn with_parameter(url: &Url, name: &str, value: Option<&str>) -> Url {
    let others: Vec<_> = url.query_pairs().into_owned().filter(|(n, _)| n != name).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(others).extend_pairs(value.map(|value| (name, value)));
    url
}

pub(super) async fn start(browser: &mut Browser, function: &Function, phone: &str) -> Url {
    browser.start(function, phone).await.parse().unwrap()
}

/// Verifies a number in a new browser.
pub(super) async fn verify(provider: &Provider, function: &Function, phone: &str) -> &'static str {
    let mut browser = Browser::default();
    let authorization_url = start(&mut browser, function, phone).await;
    provider.authorize(authorization_url).await.open(&mut browser, function).await
}

/// The header of a JWT.
pub(super) fn jwt_header(jwt: &Value) -> Value {
    use base64::Engine as _;
    let header = jwt.as_str().unwrap().split('.').next().unwrap();
    serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

#[tokio::test]
async fn every_client_authentication_method_is_accepted() {
    let provider = Provider::start().await;
    let mut ways = Vec::new();
    for client in &provider.clients {
        let function = provider.function(client, &client.secret, &[]).await;
        for (phone, outcome) in [(SUBSCRIBER, "verified"), (OTHER_NUMBER, "not_verified")] {
            assert_eq!(verify(&provider, &function, phone).await, outcome, "{}", client.id);
        }
        let asked = provider.token_requests().await.pop().unwrap();
        let form = &asked["form"];
        assert_eq!(form["code_verifier"].as_str().map(str::len), Some(43), "{}", client.id);
        let algorithm = form.get("client_assertion").map(|assertion| jwt_header(assertion)["alg"].clone());
        assert_eq!(algorithm, client.algorithm.clone().map(Value::from), "{}", client.id);
        assert_eq!(form.get("client_secret").is_some(), client.method == "client_secret_post", "{}", client.id);
        ways.push((client.method.as_str(), client.algorithm.as_deref().unwrap_or_default()));
    }
    ways.dedup();
    let expected = [
        ("client_secret_basic", ""),
        ("client_secret_post", ""),
        ("private_key_jwt", "RS256"),
        ("private_key_jwt", "PS256"),
        ("private_key_jwt", "ES256"),
        ("client_secret_basic", ""),
    ];
    assert_eq!(ways, expected, "every method was used");
}

#[tokio::test]
async fn scopes_work_with_and_without_openid() {
    let provider = Provider::start().await;
    let client = provider.client("ES256 from a JWK, one of two keys");
    for (name, scope) in [
        ("v0", "dpv:FraudPreventionAndDetection#number-verification-verify-read"),
        ("v1, v2", "dpv:FraudPreventionAndDetection number-verification:verify"),
        ("v0 with openid", "openid dpv:FraudPreventionAndDetection#number-verification-verify-read"),
        ("v1, v2 with openid", OPENID),
    ] {
        let function = provider.function(client, &client.secret, &[("SCOPE", scope)]).await;
        assert_eq!(verify(&provider, &function, SUBSCRIBER).await, "verified", "{name}");
    }
}

#[tokio::test]
async fn discovery_document_is_enough_to_configure_the_provider() {
    let provider = Provider::start().await;
    let discovery = provider.endpoint("/.well-known/openid-configuration");
    let verify_endpoint = provider.endpoint("/number-verification/v1/verify");
    for (name, client, method) in [
        ("the method of the document", "my app:basic+%", &[][..]),
        ("another method that it lists", "ES256 from PKCS #8", &[("TOKEN_ENDPOINT_AUTH_METHOD", "private_key_jwt")]),
    ] {
        let sandbox = sandbox().await;
        sandbox.set_secret_string(provider.client(client).secret.to_string());
        let variables = [
            ("OPERATOR_BASE_URL", ""),
            ("OPERATOR_DISCOVERY_URL", &discovery),
            ("VERIFY_ENDPOINT", &verify_endpoint),
            ("SCOPE", OPENID),
            ("OPERATOR_CA_FILE", &provider.ca),
        ];
        let function = Function::deployed(sandbox, &[&variables, method].concat()).await;
        assert_eq!(verify(&provider, &function, SUBSCRIBER).await, "verified", "{name}");

        let mut browser = Browser::default();
        let callback = provider.authorize(start(&mut browser, &function, SUBSCRIBER).await).await;
        // The document says that callbacks have an `iss`, and gives its value.
        assert_eq!(callback.with("iss", None).open(&mut browser, &function).await, "invalid_request", "{name}");
    }
}

#[tokio::test]
async fn configuration_mistakes_are_never_reported_as_a_mismatch() {
    let provider = Provider::start().await;
    let [basic, post, rs256, ps256, es256] =
        ["my app:basic+%", "my app:post+%", "RS256 from PKCS #8", "PS256 from a JWK", "ES256 from PKCS #8"]
            .map(|id| provider.client(id));
    let with = |client: &Client, member: &str, value: &Value| {
        let mut secret = client.secret.clone();
        secret[member] = value.clone();
        secret
    };
    let other_key = &provider.client("ES256 from a JWK, one of two keys").secret["private_key"];
    let jwk_without_alg = &provider.client("RS256 from a JWK").secret["private_key"];
    for (name, client, secret, variables, outcome) in [
        ("another key", es256, with(es256, "private_key", other_key), &[][..], "misconfigured"),
        ("a key of another type", rs256, with(rs256, "private_key", other_key), &[], "misconfigured"),
        ("another algorithm", ps256, with(ps256, "private_key", jwk_without_alg), &[], "misconfigured"),
        ("another secret, basic", basic, with(basic, "client_secret", &json!("wrong")), &[], "misconfigured"),
        ("another secret, post", post, with(post, "client_secret", &json!("wrong")), &[], "misconfigured"),
        (
            "a secret where a key is registered",
            es256,
            with(es256, "client_secret", &json!("wrong")),
            &[("TOKEN_ENDPOINT_AUTH_METHOD", "client_secret_basic")],
            "misconfigured",
        ),
        (
            "a scope that the client may not ask for",
            es256,
            es256.secret.clone(),
            &[("SCOPE", "openid dpv:FraudPreventionAndDetection sim-swap:check")],
            "operator_refused",
        ),
        (
            "a scope that does not allow verification",
            es256,
            es256.secret.clone(),
            &[("SCOPE", "openid dpv:FraudPreventionAndDetection")],
            "misconfigured",
        ),
        ("no PKCE although it is required", es256, es256.secret.clone(), &[("PKCE", "off")], "operator_refused"),
        (
            "prompt=none although the provider must ask",
            es256,
            es256.secret.clone(),
            &[("PROMPT", "none")],
            "not_on_mobile_network",
        ),
        (
            "another issuer (mix-up)",
            es256,
            es256.secret.clone(),
            &[("ISSUER", "https://operator.example")],
            "invalid_request",
        ),
    ] {
        let function = provider.function(client, &secret, variables).await;
        assert_eq!(verify(&provider, &function, SUBSCRIBER).await, outcome, "{name}");
    }
}

#[tokio::test]
async fn tampering_with_the_authorization_request_is_detected() {
    let provider = Provider::start().await;
    let client = provider.client("PS256 from a JWK");
    let function = provider.function(client, &client.secret, &[]).await;
    for (name, parameter, outcome) in [
        ("nothing", "", "verified"),
        ("the nonce, which the ID token then repeats", "nonce", "operator_error"),
        ("the PKCE challenge, which the verifier then does not match", "code_challenge", "expired_code"),
    ] {
        let mut browser = Browser::default();
        let mut authorization_url = start(&mut browser, &function, SUBSCRIBER).await;
        if !parameter.is_empty() {
            let other = start(&mut Browser::default(), &function, SUBSCRIBER).await;
            let value = self::parameter(&other, parameter);
            authorization_url = with_parameter(&authorization_url, parameter, value.as_deref());
        }
        let callback = provider.authorize(authorization_url).await;
        assert_eq!(callback.open(&mut browser, &function).await, outcome, "{name}");
    }
}

#[tokio::test]
async fn callbacks_from_other_issuers_or_browsers_are_refused() {
    let provider = Provider::start().await;
    let client = provider.client("ES256 from SEC 1");
    let function = provider.function(client, &client.secret, &[]).await;

    let mut thief = Browser::default();
    let stolen = provider.authorize(start(&mut thief, &function, SUBSCRIBER).await).await;
    let mut browser = Browser::default();
    let callback = provider.authorize(start(&mut browser, &function, SUBSCRIBER).await).await;
    assert_eq!(callback.get("iss").as_deref(), Some(provider.issuer.as_str()), "RFC 9207");
    let before = provider.token_requests().await.len();
    for (name, callback, outcome, token_requests) in [
        ("no iss", callback.with("iss", None), "invalid_request", 0),
        ("another iss", callback.with("iss", Some("https://evil.example")), "invalid_request", 0),
        ("another browser's state", callback.with("state", stolen.get("state").as_deref()), "wrong_browser", 0),
        // PKCE (RFC 9700 §4.5): the code belongs to another flow's challenge.
        ("another browser's code", callback.with("code", stolen.get("code").as_deref()), "expired_code", 1),
        ("unchanged", callback.clone(), "verified", 2),
    ] {
        assert_eq!(callback.open(&mut browser, &function).await, outcome, "{name}");
        assert_eq!(provider.token_requests().await.len() - before, token_requests, "{name}");
    }
}

#[tokio::test]
async fn each_token_request_has_a_new_client_assertion() {
    let provider = Provider::start().await;
    let client = provider.client("RS256 from a JWK");
    let function = provider.function(client, &client.secret, &[]).await;
    for _ in 0..2 {
        assert_eq!(verify(&provider, &function, SUBSCRIBER).await, "verified");
    }
    let [first, second] = &provider.token_requests().await[..] else { panic!("two verifications, two requests") };
    assert_ne!(first["form"]["client_assertion"], second["form"]["client_assertion"]);

    let fields = second["form"].as_object().unwrap();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields.iter().map(|(name, value)| (name, value.as_str().unwrap())));
    let replay = Request::post(provider.endpoint("/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.finish());
    assert_eq!(provider.send(replay.unwrap()).await.status, 401);
    let refused = provider.token_requests().await.pop().unwrap();
    assert_eq!(refused["detail"], "client assertion tokens must only be used once");
}

#[tokio::test]
async fn replaced_private_key_is_read_again_without_losing_the_code() {
    let provider = Provider::start().await;
    let client = provider.client("ES256 from a JWK, one of two keys");
    let mut old = client.secret.clone();
    old["private_key"] = provider.client("RS256 from a JWK").secret["private_key"].clone();
    let function = provider.function(client, &old, &[]).await;

    let mut browser = Browser::default();
    let authorization_url = start(&mut browser, &function, SUBSCRIBER).await;
    let callback = provider.authorize(authorization_url).await;
    function.sandbox.set_secret_string(client.secret.to_string());
    assert_eq!(callback.open(&mut browser, &function).await, "verified");
    let errors: Vec<_> = provider.token_requests().await.iter().map(|request| request["error"].clone()).collect();
    assert_eq!(errors, [json!("invalid_client"), Value::Null]);
}
