//! The keys that sign ID tokens: their rotation breaks no login, and a leaked one is out of use.

use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sandbox::{Sandbox, Settings};
use serde_json::Value;

use crate::support::Function;
use crate::support::app::{secret, shop_code, shop_tokens, verified_claims};

/// A version of the secret with a new signing key.
fn with_signing_key() -> Value {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let body = BASE64_STANDARD.encode(key.to_pkcs8v1().unwrap().as_ref());
    let mut secret = secret();
    secret["signing_key"] = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n").into();
    secret
}

/// The `kid` that signs, and those that are published.
async fn keys(function: &Function) -> (String, Vec<String>) {
    let tokens = shop_tokens(function, &shop_code(function, &[]).await).await.json();
    let (header, _) = verified_claims(function, tokens["id_token"].as_str().unwrap()).await;
    let jwks = function.get("/.well-known/jwks.json", &[]).await.json();
    let text = |kid: &Value| kid.as_str().unwrap().to_owned();
    (text(&header["kid"]), jwks["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"])).collect())
}

#[tokio::test]
async fn first_version_of_the_secret_signs_alone() {
    let secret_members = with_signing_key().as_object().unwrap().clone();
    let sandbox = Sandbox::start(Settings { secret_members, ..Settings::default() }).await.unwrap();
    let (signs, published) = keys(&Function::with_sandbox(sandbox, &[])).await;
    assert_eq!(published, [signs]);
}

#[tokio::test]
async fn rotation_of_the_signing_key_breaks_no_login() {
    let old = Function::start(&[]).await;
    let sandbox = old.sandbox.clone();
    sandbox.set_secret_string(with_signing_key().to_string());
    // Before there was a signing key, no app was registered.
    let (first, published) = keys(&old).await;
    assert_eq!(published, std::slice::from_ref(&first));

    sandbox.set_secret_string(with_signing_key().to_string());
    let fresh = || Function::with_sandbox(sandbox.clone(), &[]);
    let (signs, published) = keys(&fresh()).await;
    assert_eq!(signs, first, "the previous key keeps signing");
    let [second, also] = &published[..] else { panic!("{published:?}") };
    assert_eq!(*also, first, "both are published");

    sandbox.age_secret(Duration::from_mins(21));
    let (signs, published) = keys(&fresh()).await;
    assert_eq!((&signs, published.len()), (second, 2), "after 20 minutes the new one signs");
    sandbox.age_secret(Duration::from_mins(10));
    assert_eq!(keys(&fresh()).await, (second.clone(), vec![second.clone()]), "after 30 minutes it is alone");
}

#[tokio::test]
async fn storing_the_new_secret_twice_ends_a_leaked_key_at_once() {
    let function = Function::start(&[]).await;
    let sandbox = function.sandbox.clone();
    sandbox.set_secret_string(with_signing_key().to_string());
    let (leaked, _) = keys(&function).await;
    let new = with_signing_key().to_string();
    sandbox.set_secret_string(new.clone());
    sandbox.set_secret_string(new);
    let (signs, published) = keys(&Function::with_sandbox(sandbox, &[])).await;
    assert_ne!(signs, leaked);
    assert_eq!(published, [signs]);
}
