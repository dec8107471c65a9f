//! An ID token is accepted only if every claim has its required value.

#![no_main]

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use number_verification::operator::{ExpectedIdToken, Issuer, IssuerSource};
use serde_json::value::RawValue;

const NOW: u64 = 1_800_000_000;

fuzz_target!(|claims: &[u8]| {
    let issuer =
        Issuer { identifier: "https://operator.example".to_owned(), in_callback: true, source: IssuerSource::Variable };
    let expected = ExpectedIdToken { nonce: Some("n-1".to_owned()), issuer: Some(issuer) };
    let accepts = |id_token: &str| expected.check(Some(id_token), "us", NOW).is_ok();
    if let Ok(text) = std::str::from_utf8(claims) {
        assert!(!accepts(text), "a JWT has its claims encoded");
    }
    if !accepts(&format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))) {
        return;
    }
    let claims: HashMap<String, Box<RawValue>> = serde_json::from_str(&String::from_utf8_lossy(claims)).unwrap();
    let text = |name: &str| serde_json::from_str::<String>(claims[name].get()).ok();
    assert_eq!(text("iss").as_deref(), Some("https://operator.example"));
    assert_eq!(text("nonce").as_deref(), Some("n-1"));
    assert!(serde_json::from_str::<u64>(claims["exp"].get()).unwrap() > NOW - 60);
    if text("aud").as_deref() != Some("us") {
        let audiences: Vec<String> = serde_json::from_str(claims["aud"].get()).unwrap();
        assert!(audiences.iter().any(|audience| audience == "us"));
        assert!(audiences.len() == 1 || text("azp").as_deref() == Some("us"));
    }
});
