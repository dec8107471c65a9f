//! Tests of the product from outside, across a process or a socket, with one module for each subject.

mod app_keys;
mod app_logs;
mod app_registrations;
mod app_requests;
mod app_tokens;
mod app_verifications;
mod architecture;
mod browser_binding;
mod causes;
mod credentials;
mod discovery;
mod documents;
mod dpop;
mod event_sources;
mod faults;
mod faults_events;
mod faults_secret;
mod freeze_thaw;
mod hostile;
#[cfg(feature = "installed-tools")]
mod installed_tools;
mod logs;
mod native_apps;
mod operator_answers;
mod operator_tokens;
mod outcomes;
mod presets;
mod published_samples;
mod retrieve;
mod retrieve_answers;
mod retrieve_for_apps;
mod rotation;
mod soak;
mod start;
mod support;
mod telemetry;
