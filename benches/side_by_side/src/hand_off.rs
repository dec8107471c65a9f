//! The CPU time of an app's sign-in: `/authorize`, the callback and `/token`, each event counted by itself, in a
//! deployment of its own with an app.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use sandbox::{SAMPLE_CODE, Sandbox, Settings};
use serde_json::{Value, json};

use crate::environment::{Environment, Place};
use crate::figures::{median, milliseconds};
use crate::program::Program;

/// CPU milliseconds for one event: the median of all.
pub struct HandOff {
    pub algorithm: Algorithm,
    /// The hello world's, in turn with the others.
    pub floor: f64,
    pub authorize: f64,
    pub callback: f64,
    pub token: f64,
}

impl HandOff {
    pub fn total(&self) -> f64 {
        self.authorize + self.callback + self.token
    }
}

/// The algorithm of the ID token's signature.
#[derive(Debug, Clone, Copy)]
pub enum Algorithm {
    /// With a `signing_key` in the secret, as README sets it up.
    Rs256,
    /// Without one.
    Es256,
}

impl Algorithm {
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

pub const WARM_UP: usize = 30;
pub const COUNTED: usize = 200;

const CLIENT_SECRET: &str = "the secret of the app in the benchmark";
const REDIRECT_URI: &str = "https://shop.example/cb";
const FORM: &str = "application/x-www-form-urlencoded";

/// Signs users in, one after the other, in one environment.
pub async fn measure(floor: &Program, function: &Program, files: &Path, algorithm: Algorithm) -> io::Result<HandOff> {
    let mut secret = json!({
        "client_id": "my-app-id",
        "client_secret": "my-app-secret",
        "state_key": "the state key of the benchmark, long enough",
        "subject_key": "the subject key of the benchmark, long enough",
        "relying_parties": [{"client_id": "app", "client_secret": CLIENT_SECRET, "redirect_uris": [REDIRECT_URI]}],
    });
    if matches!(algorithm, Algorithm::Rs256) {
        // The RSA key of RFC 7515, appendix A.2.
        secret["signing_key"] = serde_json::from_str(include_str!("rfc7515_a2.json"))?;
    }
    let (sandbox, function) = deployment(function, files, "hand-off-ca.pem", &secret).await?;
    let request = [
        ("client_id", "app"),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "af0ifjsldkj"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("login_hint", "tel:+34600000001"),
    ];
    let authorize = event("/authorize", &request, None)?;
    let place = Place { operator: &sandbox.base_url(), quota: None };
    let (greeter, _) = Environment::start(floor, place).await?;
    let (environment, _) = Environment::start(&function, place).await?;
    greeter.pin().await?;
    environment.pin().await?;

    let (mut greeted, mut authorized, mut called_back, mut redeemed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..WARM_UP + COUNTED {
        // The first of two, because the function's other events find its code in the caches too.
        timed(&greeter, floor.event(0)).await?;
        let (_, hello) = timed(&greeter, floor.event(0)).await?;
        let (started, first) = timed(&environment, &authorize).await?;
        let state = parameter(&started, "state");
        let cookie = started["cookies"][0].as_str().and_then(|line| line.split(';').next());
        let callback = event("/numberverification-callback", &[("code", SAMPLE_CODE), ("state", &state)], cookie)?;
        let (back, second) = timed(&environment, &callback).await?;
        let (answer, third) = timed(&environment, &token(&parameter(&back, "code"))?).await?;
        if !answer["body"].as_str().unwrap_or_default().contains("id_token") {
            return Err(io::Error::other(format!("/token answered {answer}, without an ID token")));
        }
        if round >= WARM_UP {
            greeted.push(hello);
            authorized.push(first);
            called_back.push(second);
            redeemed.push(third);
        }
    }
    greeter.end().await?;
    environment.end().await?;
    Ok(HandOff {
        algorithm,
        floor: median(&greeted),
        authorize: median(&authorized),
        callback: median(&called_back),
        token: median(&redeemed),
    })
}

/// The function with an operator and a secret of its own.
pub async fn deployment(
    function: &Program,
    files: &Path,
    ca_file: &str,
    secret: &Value,
) -> io::Result<(Sandbox, Program)> {
    let sandbox = Sandbox::start(Settings { tls: true, ..Settings::default() }).await?;
    let ca = files.join(ca_file);
    fs::write(&ca, sandbox.ca_pem().unwrap_or_default())?;
    sandbox.set_secret_string(secret.to_string());
    let mut function = function.clone();
    for (name, value) in &mut function.variables {
        match *name {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER" => *value = sandbox.base_url().into(),
            "AWS_CA_BUNDLE" | "OPERATOR_CA_FILE" => *value = OsString::from(&ca),
            _ => {}
        }
    }
    // The first event of an environment must be answered with a page.
    function.events = vec![include_str!("../../../events/start-page.json").to_owned()];
    function.expected = "<form";
    Ok((sandbox, function))
}

/// The answer to an event, and the CPU milliseconds that it took.
pub async fn timed(environment: &Environment<'_>, event: &str) -> io::Result<(Value, f64)> {
    let before = environment.cpu()?;
    let answer = environment.answer(event).await?;
    Ok((answer, milliseconds(environment.cpu()?.saturating_sub(before).max(Duration::ZERO))))
}

/// A parameter of the address to which an answer redirects.
pub fn parameter(answer: &Value, name: &str) -> String {
    let location = answer["headers"]["location"].as_str().unwrap_or_default();
    let query = location.split_once('?').unwrap_or_default().1;
    form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).unwrap_or_default().1.into_owned()
}

pub fn event(path: &str, query: &[(&str, &str)], cookie: Option<&str>) -> io::Result<String> {
    let mut event: Value = serde_json::from_str(include_str!("../../../events/callback-phone-verified.json"))?;
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["rawQueryString"] = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish().into();
    event["queryStringParameters"] = query.iter().copied().collect();
    event["cookies"] = json!(cookie.as_slice());
    Ok(event.to_string())
}

fn token(code: &str) -> io::Result<String> {
    let mut event: Value = serde_json::from_str(include_str!("../../../events/start.json"))?;
    event["rawPath"] = "/token".into();
    event["requestContext"]["http"]["path"] = "/token".into();
    event["headers"] = json!({ "content-type": FORM, "accept": "application/json" });
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("client_secret", CLIENT_SECRET),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ("code", code),
    ];
    event["body"] = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into();
    event["isBase64Encoded"] = false.into();
    Ok(event.to_string())
}
