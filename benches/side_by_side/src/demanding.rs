//! The CPU time of a verification with everything that an operator can demand: a signed request object, a client
//! assertion, and a proof of possession for each of the two calls. Each of them is one signature.

use std::io;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sandbox::{Leg, SAMPLE_CODE, Scripted};
use serde_json::{Value, json};

use crate::environment::{Environment, Place};
use crate::figures::median;
use crate::hand_off::{self, COUNTED, WARM_UP, event, parameter, timed};
use crate::program::Program;

/// CPU milliseconds for one event: the median of all.
pub struct Demanding {
    pub start: f64,
    pub callback: f64,
}

const EVERYTHING: [(&str, &str); 3] =
    [("REQUEST_OBJECT", "signed"), ("TOKEN_ENDPOINT_AUTH_METHOD", "private_key_jwt"), ("DPOP", "on")];

/// Verifies a number again and again in one environment, with everything on or nothing.
pub async fn measure(function: &Program, files: &Path, everything: bool) -> io::Result<Demanding> {
    // The P-256 key of RFC 7515, appendix A.3.
    let private_key = json!({
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    });
    let state_key = "the state key of the benchmark, long enough";
    let secret = json!({
        "client_id": "my-app-id", "client_secret": "my-app-secret", "private_key": private_key, "state_key": state_key,
    });
    let (sandbox, mut function) = hand_off::deployment(function, files, "demanding-ca.pem", &secret).await?;
    // The previous version of the secret has no key, and is not looked for.
    sandbox.age_secret(Duration::from_hours(1));
    let token_type = if everything { "DPoP" } else { "Bearer" };
    let token = json!({ "access_token": "the-access-token-of-the-benchmark", "token_type": token_type });
    sandbox.script(Leg::Token, Some(Scripted::json(200, &token)));
    sandbox.script(Leg::Verify, Some(Scripted::json(200, &json!({ "devicePhoneNumberVerified": true }))));
    if everything {
        function.variables.extend(EVERYTHING.map(|(name, value)| (name, value.into())));
    }

    let mut start: Value = serde_json::from_str(include_str!("../../../events/start.json"))?;
    start["headers"]["sec-fetch-site"] = "same-origin".into();
    let start = start.to_string();
    let (environment, _) = Environment::start(&function, Place { operator: &sandbox.base_url(), quota: None }).await?;
    environment.pin().await?;
    let (mut started, mut called_back) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + COUNTED {
        let (answer, first) = timed(&environment, &start).await?;
        let state =
            if everything { state_inside(&parameter(&answer, "request"))? } else { parameter(&answer, "state") };
        let cookie = answer["cookies"][0].as_str().and_then(|line| line.split(';').next());
        let callback = event("/numberverification-callback", &[("code", SAMPLE_CODE), ("state", &state)], cookie)?;
        let (answer, second) = timed(&environment, &callback).await?;
        if !answer["body"].as_str().unwrap_or_default().contains("Phone number verified") {
            return Err(io::Error::other(format!("the callback answered {answer}")));
        }
        if round >= WARM_UP {
            started.push(first);
            called_back.push(second);
        }
    }
    environment.end().await?;
    let requests = [Leg::Token, Leg::Verify].map(|leg| sandbox.count(leg));
    if requests != [WARM_UP + COUNTED; 2] {
        return Err(io::Error::other(format!("{requests:?} requests, so something was sent and signed twice")));
    }
    Ok(Demanding { start: median(&started), callback: median(&called_back) })
}

/// The state in a request object.
fn state_inside(object: &str) -> io::Result<String> {
    let claims = object.split('.').nth(1).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).map_err(io::Error::other)?)?;
    Ok(claims["state"].as_str().unwrap_or_default().to_owned())
}
