//! The function with a sandbox, and browsers to use it with.
//!
//! Everything between the function and the sandbox is real: the SDK, the HTTP client, the sockets.
//! [`Function::deployed`] is the whole program in a Lambda environment; any other function leaves out only the Lambda
//! runtime.

mod answer;
pub mod app;
mod browser;
pub mod far_side;
mod function;
pub mod several;

pub use answer::{Answer, send};
pub use browser::Browser;
pub use function::{Function, http_api_event};
pub use number_verification::outcome::Outcome;
use sandbox::{SAMPLE_CODE, Sandbox, Settings};

pub const DOMAIN: &str = "abc123.execute-api.eu-west-1.amazonaws.com";
pub const REDIRECT_URI: &str = "https://abc123.execute-api.eu-west-1.amazonaws.com/numberverification-callback";
pub const CALLBACK: &str = "/numberverification-callback";
pub const PHONE_MODE: &[(&str, &str)] = &[("STATE_MODE", "phone")];
/// The request header of a program that wants JSON.
pub const AS_JSON: (&str, &str) = ("accept", "application/json");

/// A sandbox with the default settings.
pub async fn sandbox() -> Sandbox {
    Sandbox::start(Settings::default()).await.unwrap()
}

/// A sandbox that is reached over TLS, and the file with the certificate of its authority.
pub async fn sandbox_behind_tls() -> (Sandbox, String) {
    let sandbox = Sandbox::start(Settings { tls: true, ..Settings::default() }).await.unwrap();
    let port = sandbox.base_url().rsplit(':').next().unwrap().to_owned();
    let file = format!("{}/ca-{port}.pem", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, sandbox.ca_pem().unwrap()).unwrap();
    (sandbox, file)
}

/// The path and query of a callback in `phone` mode, which needs no start and makes all three upstream calls.
pub fn sample_callback(phone: &str) -> String {
    let query = [("code", SAMPLE_CODE), ("state", phone)];
    format!("{CALLBACK}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish())
}
