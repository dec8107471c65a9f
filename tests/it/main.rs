//! The product from outside: every test that crosses a process or a socket, one module for each subject.

mod browser_binding;
mod cargo_lambda;
mod causes;
mod credentials;
mod deployment;
mod discovery;
mod documents;
mod event_sources;
mod faults;
mod faults_events;
mod faults_secret;
mod freeze_thaw;
mod hostile;
mod lambda_runtime;
mod logs;
mod openid_provider;
mod outcomes;
mod published_samples;
mod rotation;
mod soak;
mod start;
mod support;
mod telemetry;
