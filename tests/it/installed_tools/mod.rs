//! Tests with the tools that `make test` installs: AWS's Runtime Interface Emulator, moto, cargo-lambda, sam, and an
//! OpenID Provider. They are built with the feature `installed-tools`.

mod apps;
mod cargo_lambda;
mod code_table;
mod dashboard;
mod demanding_operator;
mod deployment;
mod lambda_runtime;
mod make_deploy;
mod make_keys;
mod openid_provider;
mod release;
mod smoke;
mod template;
mod tools;
mod waf;
