//! The callback URL of the Open Gateway **Number Verification** API.
//!
//! A mobile operator can tell from the data connection which SIM a phone uses. This crate is the address to which it
//! redirects the browser: an AWS Lambda function that exchanges the code for a token, asks whether the number is that
//! of the SIM, and answers with a page.
//!
//! Data flows one way:
//!
//! ```text
//! event → routes → flow → operator → outcome → pages
//!                   └──→ secret → Secrets Manager
//! ```
//!
//! | module | |
//! |---|---|
//! | [`config`] | environment variables, checked at start-up; `presets` are the operators it knows by name |
//! | [`discovery`] | what an operator's own document says, where a variable does not |
//! | [`event`] | events of API Gateway, Function URLs and load balancers, made readable |
//! | [`routes`] | requests in, responses out; what API Gateway and browsers need |
//! | [`flow`] | a verification from start to outcome; state, PKCE, reload |
//! | [`operator`] | token request and verify call, and what their errors mean |
//! | [`outcome`] | the fourteen answers, in one table |
//! | [`secret`], [`secrets_manager`] | the client secret, and the AWS SDK's client |
//! | [`seal`] | keys and sealed texts |
//! | [`transport`] | HTTP with bounds, over `reqwest` |
//! | [`setup`] | all of it put together |
//! | [`pages`] | HTML and words |
//! | [`telemetry`] | log lines and metrics |
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
