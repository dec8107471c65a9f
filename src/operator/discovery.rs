//! The operator's discovery document (OpenID Connect Discovery 1.0, RFC 8414), read once.

use std::time::Duration;

use http::Method;
use http::header::ACCEPT;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::endpoint::Endpoint;
use super::profile::{DpopClaims, Issuer, IssuerSource, TokenEndpointAuthMethod};
use super::settings::SettingError;
use crate::transport::{Answer, Deadline, Request, Transport};

/// The members of an operator's document that this function uses, checked by [`read`].
#[derive(Debug, Clone)]
pub struct Metadata {
    /// `issuer`, and `authorization_response_iss_parameter_supported` (RFC 9207 §3).
    pub issuer: Issuer,
    /// `authorization_endpoint`.
    pub authorization_endpoint: Endpoint,
    /// `token_endpoint`.
    pub token_endpoint: Endpoint,
    /// The method chosen from `token_endpoint_auth_methods_supported`.
    pub auth_method: TokenEndpointAuthMethod,
    /// `camara_dpop_claims_required`.
    pub dpop_claims: DpopClaims,
}

/// The document before it is checked.
#[derive(Deserialize)]
struct Document {
    issuer: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    /// A list of names. Its type is open, because few operators have one, and few owners need it.
    #[serde(default)]
    camara_dpop_claims_required: Value,
}

const VARIABLE: &str = "OPERATOR_DISCOVERY_URL";

/// The longest wait for the document: half of Lambda's init phase (10 s).
const PATIENCE: Duration = Duration::from_secs(5);

/// The methods in order of preference. A document does not say which of them this client is registered for; developer
/// portals usually issue a client secret.
const METHODS: [(&str, TokenEndpointAuthMethod); 3] = [
    ("client_secret_basic", TokenEndpointAuthMethod::ClientSecretBasic),
    ("client_secret_post", TokenEndpointAuthMethod::ClientSecretPost),
    ("private_key_jwt", TokenEndpointAuthMethod::PrivateKeyJwt),
];

/// Reads the document at `url`.
///
/// # Errors
/// The document cannot be read or used. The text says why and how to fix it.
pub async fn read(transport: &Transport, url: &Url) -> Result<Metadata, SettingError> {
    let mut request = Request::new(Method::GET, url.clone());
    request.headers_mut().insert(ACCEPT, super::JSON);
    let answer = transport
        .send(request, Deadline::after(PATIENCE))
        .await
        .map_err(|e| fault(format!("the document cannot be read: {e}; or set the endpoints themselves")))?;
    understand(&answer, url)
}

fn understand(answer: &Answer, url: &Url) -> Result<Metadata, SettingError> {
    if answer.status != 200 {
        return Err(fault(format!(
            "the document cannot be read: expected 200, got {}; check the address",
            answer.status
        )));
    }
    let document: Document = answer
        .json_object()
        .ok_or_else(|| fault("the response is not a JSON document of OpenID Connect Discovery or RFC 8414"))?;
    let issuer = document.issuer.ok_or_else(|| fault("the document has no issuer (RFC 8414 §2)"))?;
    // RFC 8414 §3.3: otherwise one operator could pass itself off as another.
    if issuer_of(url).is_some_and(|expected| expected != issuer.strip_suffix('/').unwrap_or(&issuer)) {
        return Err(fault("the document's issuer is not the address it was read from (RFC 8414 §3.3)"));
    }
    let endpoint = |name: &str, value: Option<String>| {
        let value = value.ok_or_else(|| fault(format!("the document has no {name}")))?;
        Endpoint::parse_https(&value).map_err(|e| fault(format!("the document's {name} is unusable: {e}")))
    };
    let required = document.camara_dpop_claims_required.as_array().map(Vec::as_slice).unwrap_or_default();
    let requires = |claim: &str| required.iter().any(|required| required == claim);
    Ok(Metadata {
        dpop_claims: DpopClaims { body_hash: requires("camara:bh"), query_hash: requires("camara:qh") },
        issuer: Issuer {
            identifier: issuer,
            in_callback: document.authorization_response_iss_parameter_supported,
            source: IssuerSource::DiscoveryDocument,
        },
        authorization_endpoint: endpoint("authorization_endpoint", document.authorization_endpoint)?,
        token_endpoint: endpoint("token_endpoint", document.token_endpoint)?,
        auth_method: auth_method(document.token_endpoint_auth_methods_supported.as_deref())?,
    })
}

/// The issuer whose document belongs at this address. Its path is the part before or after the well-known path
/// (OpenID Connect Discovery §4.1, RFC 8414 §3.1). `None` if the address has no well-known path.
fn issuer_of(url: &Url) -> Option<String> {
    const OPENID: &str = "/.well-known/openid-configuration";
    const OAUTH: &str = "/.well-known/oauth-authorization-server";
    let path = url.path();
    let issuer_path = path
        .strip_suffix(OPENID)
        .or_else(|| path.strip_prefix(OAUTH))
        .or_else(|| path.strip_prefix(OPENID))?
        .trim_end_matches('/');
    Some(format!("{}{issuer_path}", url.origin().ascii_serialization()))
}

fn auth_method(supported: Option<&[String]>) -> Result<TokenEndpointAuthMethod, SettingError> {
    // RFC 8414 §2: the default if the member is omitted.
    let Some(supported) = supported else { return Ok(TokenEndpointAuthMethod::ClientSecretBasic) };
    METHODS
        .iter()
        .find(|(name, _)| supported.iter().any(|listed| listed == name))
        .map(|(_, method)| *method)
        .ok_or_else(|| {
            let names = METHODS.map(|(name, _)| name).join(", ");
            fault(format!("the document's token_endpoint_auth_methods_supported has none of {names}"))
        })
}

fn fault(text: impl Into<String>) -> SettingError {
    SettingError::new(VARIABLE, text)
}

#[cfg(test)]
impl Metadata {
    /// The document of `https://op.example`, for tests.
    pub(super) fn example() -> Self {
        Self {
            issuer: Issuer {
                identifier: "https://op.example".to_owned(),
                in_callback: false,
                source: IssuerSource::DiscoveryDocument,
            },
            authorization_endpoint: Endpoint::parse("https://op.example/oauth/auth").unwrap(),
            token_endpoint: Endpoint::parse("https://op.example/oauth/token").unwrap(),
            auth_method: TokenEndpointAuthMethod::PrivateKeyJwt,
            dpop_claims: DpopClaims::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(url: &str, change: impl Fn(&mut Value)) -> Result<Metadata, String> {
        let mut document = json!({
            "issuer": "https://op.example",
            "authorization_endpoint": "https://op.example/authorize",
            "token_endpoint": "https://op.example/token",
        });
        change(&mut document);
        answered(url, 200, &document.to_string())
    }

    fn answered(url: &str, status: u16, body: &str) -> Result<Metadata, String> {
        let answer = Answer { status, headers: http::HeaderMap::new(), body: body.into(), retried: false };
        understand(&answer, &Url::parse(url).unwrap()).map_err(|e| e.to_string())
    }

    const WELL_KNOWN: &str = "https://op.example/.well-known/openid-configuration";

    #[test]
    fn required_members_are_enough() {
        let metadata = read(WELL_KNOWN, |_| ()).unwrap();
        assert_eq!(metadata.token_endpoint.url().as_str(), "https://op.example/token");
        assert_eq!(metadata.auth_method, TokenEndpointAuthMethod::ClientSecretBasic);
        assert!(!metadata.issuer.in_callback);
    }

    #[test]
    fn issuer_must_own_the_address() {
        for (url, issuer, ok) in [
            (WELL_KNOWN, "https://op.example", true),
            (WELL_KNOWN, "https://op.example/", true),
            (WELL_KNOWN, "https://op.example/other", false),
            (WELL_KNOWN, "https://evil.example", false),
            (WELL_KNOWN, "http://op.example", false),
            ("https://op.example/gw/.well-known/openid-configuration", "https://op.example/gw", true),
            ("https://op.example/gw/.well-known/openid-configuration", "https://op.example", false),
            ("https://op.example/.well-known/oauth-authorization-server", "https://op.example", true),
            ("https://op.example/.well-known/oauth-authorization-server/gw", "https://op.example/gw", true),
            ("https://op.example/.well-known/openid-configuration/gw", "https://op.example/gw", true),
            ("https://op.example:8443/.well-known/openid-configuration", "https://op.example:8443", true),
            ("https://op.example:8443/.well-known/openid-configuration", "https://op.example", false),
            // Without a well-known path there is nothing to compare with.
            ("https://op.example/discovery.json", "https://issuer.example", true),
        ] {
            let read = read(url, |document| document["issuer"] = issuer.into());
            assert_eq!(read.is_ok(), ok, "{url} {issuer}: {read:?}");
        }
    }

    #[test]
    fn supported_authentication_method_is_chosen() {
        use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost, PrivateKeyJwt};
        for (listed, chosen) in [
            (json!(["private_key_jwt", "client_secret_basic"]), Some(ClientSecretBasic)),
            (json!(["client_secret_jwt", "private_key_jwt", "client_secret_post"]), Some(ClientSecretPost)),
            (json!(["private_key_jwt"]), Some(PrivateKeyJwt)),
            (json!(["tls_client_auth"]), None),
            (json!([]), None),
        ] {
            let read = read(WELL_KNOWN, |document| document["token_endpoint_auth_methods_supported"] = listed.clone());
            assert_eq!(read.ok().map(|metadata| metadata.auth_method), chosen, "{listed}");
        }
    }

    #[test]
    fn claims_that_camaras_profile_adds_to_a_proof_are_read() {
        for (listed, body_hash, query_hash) in [
            (json!([]), false, false),
            (json!(["camara:bh"]), true, false),
            (json!(["camara:qh", "something:new"]), false, true),
            (json!(["camara:bh", "camara:qh"]), true, true),
            (json!("camara:bh"), false, false),
            (json!(null), false, false),
        ] {
            let read = read(WELL_KNOWN, |document| document["camara_dpop_claims_required"] = listed.clone());
            assert_eq!(read.unwrap().dpop_claims, DpopClaims { body_hash, query_hash }, "{listed}");
        }
        assert_eq!(read(WELL_KNOWN, |_| ()).unwrap().dpop_claims, DpopClaims::default());
    }

    #[test]
    fn unusable_document_says_why() {
        let without = |member: &'static str| {
            read(WELL_KNOWN, move |document| drop(document.as_object_mut().unwrap().remove(member)))
        };
        let with = |member: &'static str, value: &'static str| {
            read(WELL_KNOWN, move |document| document[member] = value.into())
        };
        for (read, reason) in [
            (answered(WELL_KNOWN, 404, "{}"), "got 404; check the address"),
            (answered(WELL_KNOWN, 302, ""), "got 302"),
            (answered(WELL_KNOWN, 200, "<html>"), "not a JSON document"),
            (answered(WELL_KNOWN, 200, r#"{"issuer": 1}"#), "not a JSON document"),
            (without("issuer"), "no issuer"),
            (without("token_endpoint"), "no token_endpoint"),
            (without("authorization_endpoint"), "no authorization_endpoint"),
            (with("token_endpoint", "http://op.example/token"), "token_endpoint is unusable: http"),
            (with("token_endpoint", "http://127.0.0.1:8080/token"), "token_endpoint is unusable: not an https URL"),
            (
                with("authorization_endpoint", "http://localhost/a"),
                "authorization_endpoint is unusable: not an https URL",
            ),
            (with("token_endpoint", "/token"), "token_endpoint is unusable: not a URL"),
            (
                with("authorization_endpoint", "javascript:alert(1)"),
                "authorization_endpoint is unusable: not an https URL",
            ),
        ] {
            let error = read.expect_err(reason);
            assert!(error.starts_with("environment variable OPERATOR_DISCOVERY_URL: "), "{error}");
            assert!(error.contains(reason) && !error.contains('\n'), "{reason}: {error}");
        }
    }
}
