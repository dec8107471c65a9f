//! An app that uses the function as its OpenID Provider, as a relying party does it: with its own requests, and an
//! independent check of the ID token's signature.

use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use sandbox::Sandbox;
use serde_json::{Value, json};

use super::{Answer, Browser, Function};

pub const ISSUER: &str = "https://abc123.execute-api.eu-west-1.amazonaws.com";
pub const SHOP_SECRET: &str = "the shop's secret has 32 characters";
pub const SHOP_URI: &str = "https://shop.example/cb";
/// The verifier and the challenge of RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The secret of a deployment with a shop, a bank, a single-page app and a native app.
pub fn secret() -> Value {
    json!({
        "client_id": "my-app-id",
        "client_secret": "my-app-secret",
        "state_key": "a random state key of 32 characters",
        "relying_parties": [
            {"client_id": "shop", "client_secret": SHOP_SECRET, "redirect_uris": [SHOP_URI], "client_name": "The Shop"},
            {"client_id": "bank", "client_secret": "the bank's secret has 32 characters", "redirect_uris": ["https://bank.example/cb"]},
            {"client_id": "spa", "token_endpoint_auth_method": "none", "redirect_uris": ["https://spa.example/"]},
            {"client_id": "native", "token_endpoint_auth_method": "none", "redirect_uris": ["com.example.app:/cb"], "client_name": "Native App"},
        ],
    })
}

/// A function with those apps, and more variables.
pub async fn provider(variables: &[(&str, &str)]) -> Function {
    let function = Function::start(variables).await;
    function.sandbox.set_secret_string(secret().to_string());
    function
}

/// The deployed program with those apps, and more variables.
pub async fn deployed_provider(sandbox: Arc<Sandbox>, variables: &[(&str, &str)]) -> Function {
    sandbox.set_secret_string(secret().to_string());
    Function::deployed(sandbox, variables).await
}

/// Percent-encodes the parameters of a request; a later value of the same name replaces an earlier one, and an empty one
/// removes it.
pub fn query(parameters: &[(&str, &str)]) -> String {
    let mut chosen: Vec<(&str, &str)> = Vec::new();
    for (name, value) in parameters {
        chosen.retain(|(known, _)| known != name);
        if !value.is_empty() {
            chosen.push((name, value));
        }
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(chosen).finish()
}

/// The shop's request, with these changes.
pub fn shop_request(changes: &[(&str, &str)]) -> String {
    let usual = [
        ("client_id", "shop"),
        ("redirect_uri", SHOP_URI),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "s-1"),
        ("nonce", "n-1"),
        ("login_hint", "tel:+34600000001"),
    ];
    format!("/authorize?{}", query(&[&usual[..], changes].concat()))
}

/// The parameters of the redirect in an answer, which must go to this address.
pub fn sent_back(answer: &Answer, redirect_uri: &str) -> Vec<(String, String)> {
    assert_eq!(answer.status, 303, "{}", answer.body);
    let location = answer.header("location");
    let query = location.strip_prefix(redirect_uri).and_then(|rest| rest.strip_prefix('?'));
    let query = query.unwrap_or_else(|| panic!("{location} is not below {redirect_uri}"));
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The value of a parameter; empty if it is missing.
pub fn parameter<'p>(parameters: &'p [(String, String)], name: &str) -> &'p str {
    parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

impl Browser {
    /// Opens an app's request as a page, follows the redirect to the operator, and returns the callback's path and query.
    pub async fn authorize(&mut self, function: &Function, request: &str) -> String {
        let answer = self.open(function, request).await;
        assert_eq!(answer.status, 303, "{request}: {}", answer.body);
        function.at_operator(answer.header("location")).await
    }

    /// A whole sign-in of the shop's user: returns the parameters with which the browser comes back to the shop.
    pub async fn sign_in(&mut self, function: &Function, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let callback = self.authorize(function, &shop_request(changes)).await;
        sent_back(&self.open(function, &callback).await, SHOP_URI)
    }
}

/// The shop's code for a verified number.
pub async fn shop_code(function: &Function, changes: &[(&str, &str)]) -> String {
    let back = Browser::default().sign_in(function, changes).await;
    parameter(&back, "code").to_owned()
}

/// A sealed text with another character in its middle. The last one would not do: it has few bits, and the other one could
/// be the same.
pub fn altered(text: &str) -> String {
    let (before, rest) = text.split_at(text.len() / 2);
    let other = if rest.starts_with('A') { 'B' } else { 'A' };
    format!("{before}{other}{}", &rest[1..])
}

/// A token request with these form fields; an empty value removes a field.
pub async fn token(function: &Function, authorization: Option<&str>, fields: &[(&str, &str)]) -> Answer {
    let usual = [("grant_type", "authorization_code"), ("redirect_uri", SHOP_URI)];
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(authorization.map(|authorization| ("authorization", authorization)));
    function.post("/token", &query(&[&usual[..], fields].concat()), &headers).await
}

/// The shop's credentials for HTTP Basic.
pub fn shop_basic() -> String {
    let secret: String = form_urlencoded::byte_serialize(SHOP_SECRET.as_bytes()).collect();
    format!("Basic {}", BASE64_STANDARD.encode(format!("shop:{secret}")))
}

/// The shop's token request for a code.
pub async fn shop_tokens(function: &Function, code: &str) -> Answer {
    token(function, Some(&shop_basic()), &[("code", code)]).await
}

/// The header and the claims of an ID token whose signature one of the published keys verifies.
pub async fn verified_claims(function: &Function, id_token: &str) -> (Value, Value) {
    let keys = function.get("/.well-known/jwks.json", &[]).await.json();
    let (signed, signature) = id_token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let decode = |text: &Value| BASE64_URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    let json = |part: &str| serde_json::from_slice::<Value>(&decode(&part.into())).unwrap();
    let (header, claims) = (json(header), json(claims));
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]);
    let key = key.unwrap_or_else(|| panic!("no key {} in {keys}", header["kid"]));
    assert_eq!((&key["alg"], &key["use"]), (&header["alg"], &json!("sig")));
    let signature = decode(&signature.into());
    let is_valid = match header["alg"].as_str().unwrap() {
        "RS256" => {
            let key = RsaPublicKeyComponents { n: decode(&key["n"]), e: decode(&key["e"]) };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok()
        }
        "ES256" => {
            let point = [&[4][..], &decode(&key["x"]), &decode(&key["y"])].concat();
            let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap();
            key.verify_sig(signed.as_bytes(), &signature).is_ok()
        }
        other => panic!("algorithm {other}"),
    };
    assert!(is_valid, "the signature");
    (header, claims)
}
