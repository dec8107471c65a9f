//! The callback URL of the Open Gateway **Number Verification** API.
//!
//! A mobile operator can tell from the data connection which SIM a phone uses. This crate is the address to which it
//! redirects the browser: an AWS Lambda function that exchanges the code for a token, asks whether the number is that
//! of the SIM, and answers with a page.
//!
//! # The three rings
//!
//! **web** speaks HTTP and HTML. **flow** decides. **operator** and **secret** talk to the outside world. A request goes in, a
//! [conclusion](flow::Conclusion) comes out, and each ring only imports the rings further in;
//! `tests/it/architecture.rs` checks that, and that this map is complete.
//!
//! ```text
//! event → web (route → handler → reply) → flow → operator | secret → transport
//!                       └── pages
//! ```
//!
//! | module | files | what it does |
//! |---|---|---|
//! | [`setup`] | | wires the function up from its environment |
//! | [`config`] | `variables`, `web`, `branding`, `aws` | reads and checks all environment variables; each ring declares its own settings |
//! | [`web`] | `event`, `incoming`, `place`, `accept` | makes a request readable: which route, which format and language, below which address |
//! | | `start`, `callback` | the two handlers |
//! | | `reply`, `cookies`, `origin`, `origin_header` | replies in HTML or JSON; what browsers and `CloudFront` require |
//! | | `pages` | the pages and their texts in four languages |
//! | [`flow`] | `start`, `callback`, `conclusion` | a verification from its start to its conclusion |
//! | | `state`, `binding`, `mark` | what goes to the operator and comes back, and what ties it to whoever started it |
//! | | `pkce`, `nonce`, `attempts` | what makes a stolen or repeated code useless |
//! | [`operator`] | `profile`, `settings`, `merge`, `endpoint`, `endpoints`, `presets`, `discovery` | one operator, merged from variables, a preset and its discovery document |
//! | | `authorization_request`, `authorization_response` | the redirect to the operator and back |
//! | | `token`, `client_authentication`, `private_key`, `id_token` | the token request |
//! | | `verify` | the verify call, the only place where a verdict is made |
//! | | `codes`, `refusal`, `www_authenticate`, `redacted` | what the operator's errors mean; strings that never show in a log |
//! | [`secret`] | `store`, `shared_read`, `value`, `failures` | the secret, its versions, and why it cannot be read |
//! | | `seal` | keys and sealed texts |
//! | | `secrets_manager`, `container_credentials`, `settings` | the AWS SDK's client |
//! | [`transport`] | `connections`, `deadline` | HTTP with bounds, over `reqwest` |
//! | [`telemetry`] | `verification`, `metrics` | log lines and CloudWatch metrics |
//! | [`outcome`], [`failure`], [`call_log`] | | the answers in one table; why there is none; what the calls took |
//! | [`phone_number`], [`correlator`] | `characters`, `country` | numbers as people write them; the reference for support |
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

pub mod call_log;
pub mod config;
pub mod correlator;
pub mod failure;
pub mod flow;
pub mod number_verification;
pub mod operator;
pub mod outcome;
pub mod phone_number;
pub mod secret;
pub mod setup;
pub mod telemetry;
pub mod transport;
pub mod web;

pub use failure::Failure;
pub use number_verification::{NumberVerification, UnusableOperator};
pub use operator::{AuthorizationCode, ClientCredentials, CodeVerifier};
pub use phone_number::PhoneNumber;
