//! The callback URL of the Open Gateway **Number Verification** API.
//!
//! A mobile operator knows from the data connection which SIM a phone uses. This crate is the callback to which the
//! operator redirects the browser: an AWS Lambda function that exchanges the code for a token, asks whether the SIM has
//! the user's number, and answers with a page.
//!
//! # The three rings
//!
//! **web** speaks HTTP and HTML. **flow** decides. **operator** and **secret** talk to the outside world. A request
//! goes in and a [conclusion](flow::Conclusion) comes out. Each ring imports only the rings further in;
//! `tests/it/architecture.rs` checks this, and that this map is complete.
//!
//! ```text
//! event → web (route → handler → reply) → flow → operator | secret → transport
//!                       └── pages            └── provider
//! ```
//!
//! | module | files | what it does |
//! |---|---|---|
//! | [`setup`] | | wires the function up from its environment |
//! | [`config`] | `variables`, `operators`, `web`, `branding`, `aws` | reads and checks all environment variables; each ring declares its own settings |
//! | [`web`] | `event`, `pairs`, `incoming`, `place`, `accept`, `body`, `json_members` | reads a request: its route, format, language, address and fields |
//! | | `start`, `callback` | the handlers of a verification |
//! | | `authorize`, `provider`, `provider_answer` | the handlers for apps |
//! | | `complete`, `verify` | the handlers for native apps, and for phones on Wi-Fi |
//! | | `reply`, `event_answer`, `cookies`, `origin`, `origin_header` | replies in HTML or JSON; the rules of browsers and `CloudFront` |
//! | | `pages` | the pages and their texts in four languages |
//! | [`flow`] | `start`, `callback`, `accept`, `ask`, `conclusion` | a verification from its start to its conclusion |
//! | | `state`, `binding`, `mark` | the state that the operator returns, and its tie to the browser that started it |
//! | | `pkce`, `nonce`, `attempts` | the protection against stolen and repeated codes |
//! | | `client_key` | the client's key that signs, and its public keys |
//! | | `authorize`, `hand_off`, `redeem` | the same for an app: its request, the way back to it, and its tokens |
//! | | `complete`, `operator_token` | the same without a cookie, and without mobile data |
//! | [`operator`] | `operators`, `name` | which of several operators serves a number |
//! | | `profile`, `settings`, `merge`, `endpoint`, `endpoints`, `presets`, `discovery` | one operator, merged from variables, a preset and its discovery document |
//! | | `authorization_request`, `request_object`, `authorization_response` | the redirect to the operator and back |
//! | | `token`, `jwt_bearer`, `client_authentication`, `id_token` | the token requests |
//! | | `dpop` | the proofs that tie an access token to a key of ours |
//! | | `verify`, `device_phone_number` | the two calls that answer a verification's question, the only sources of a verdict |
//! | | `codes`, `refusal`, `www_authenticate`, `redacted` | the meaning of the operator's errors; strings that never appear in a log |
//! | [`provider`] | `registration`, `relying_party` | the OpenID Provider: the apps and the keys in the secret |
//! | | `app_request`, `kept_request`, `return_address` | an app's request, kept by the browser, and the redirect back |
//! | | `code`, `used_codes`, `presented`, `token`, `access_token`, `metadata` | the code, its exchange for tokens, and the documents |
//! | [`secret`] | `store`, `shared_read`, `value`, `client`, `failures` | the secret, its versions, our client at each operator, and the reasons a secret cannot be read |
//! | | `secrets_manager`, `settings` | the AWS SDK's client |
//! | [`seal`] | `key_derivation` | sealed texts, and the keys for them |
//! | [`jwt`] | `private_key`, `public_key`, `jwk` | JSON Web Tokens that this function signs |
//! | [`aws`] | `container_credentials` | the AWS SDK over our transport |
//! | [`transport`] | `connections`, `deadline` | HTTP within limits, over `reqwest` |
//! | [`telemetry`] | `verification`, `event`, `line`, `report`, `metrics` | log lines and CloudWatch metrics |
//! | [`outcome`], [`failure`], [`call_log`] | | the outcomes in one table; failures; the durations of the calls |
//! | [`phone_number`], [`correlator`], [`language`] | `characters`, `country` | numbers as people write them; the reference for support; the pages' languages |
//! | `number_verification` | | see below |
//!
//! # Without a Lambda
//!
//! A program that receives the callback itself needs [`NumberVerification`] alone:
//!
//! ```
//! use number_verification::{AuthorizationCode, ClientCredentials, NumberVerification, PhoneNumber};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = sandbox::Sandbox::start(sandbox::Settings::default()).await?;
//! # let operator = sandbox.base_url();
//! # let operator = operator.as_str();
//! # let code = sandbox::SAMPLE_CODE;
//! let credentials = ClientCredentials::new("my-app-id", "my-app-secret");
//! let api_client =
//!     NumberVerification::new(operator, credentials, "https://my_app_server/numberverification-callback")?;
//!
//! // In the callback, with its `code`:
//! let phone_number = PhoneNumber::parse("+34 600 000 001")?;
//! let result = api_client.verify(AuthorizationCode::new(code), &phone_number).await?;
//! println!("Phone number {}", if result { "verified" } else { "does not match mobile line" });
//! # assert!(result);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

/// Implements `Debug` without a value, for types that hold data of a person or a secret: `Name([redacted])`.
macro_rules! redacted_debug {
    ($($name:ident $(<$lifetime:lifetime>)?),+) => {$(
        impl std::fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )+};
}

pub mod aws;
pub mod call_log;
pub mod config;
pub mod correlator;
pub mod failure;
pub mod flow;
pub mod jwt;
pub mod language;
pub mod number_verification;
pub mod operator;
pub mod outcome;
pub mod phone_number;
pub mod provider;
pub mod seal;
pub mod secret;
pub mod setup;
pub mod telemetry;
pub mod transport;
pub mod web;

pub use failure::Failure;
pub use number_verification::{NumberVerification, UnusableOperator};
pub use operator::{AuthorizationCode, ClientCredentials, CodeVerifier};
pub use phone_number::PhoneNumber;
