//! The sandbox from outside: its library over sockets, and its program.

mod assertion;
mod authorize;
mod binary;
mod device_phone_number;
mod ledger;
mod page;
mod scenarios;
mod secrets_manager;
mod support;
mod tls;
mod token;
mod verify;
