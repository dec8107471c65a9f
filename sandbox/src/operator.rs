//! The state of a running sandbox.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::assertion::Assertions;
use crate::client::Clients;
use crate::grants::Grants;
use crate::ledger::Ledger;
use crate::scenario::Play;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::tls::Tls;

#[derive(Debug)]
pub(crate) struct Operator {
    pub base_url: String,
    pub clients: Mutex<Clients>,
    pub assertions: Mutex<Assertions>,
    pub grants: Mutex<Grants>,
    pub play: Mutex<Play>,
    pub secret: Mutex<Secret>,
    pub ledger: Ledger,
    pub settings: Settings,
    /// Present if the sandbox serves `https`.
    pub tls: Option<Tls>,
    connections: AtomicUsize,
}

impl Operator {
    pub(crate) fn new(settings: Settings, base_url: String, tls: Option<Tls>) -> Self {
        let assertions = Assertions::new();
        let secret = Secret::new(&settings, &assertions.private_key_pem);
        Self {
            base_url,
            clients: Mutex::new(Clients::new(&settings)),
            assertions: Mutex::new(assertions),
            grants: Mutex::new(Grants::new(settings.code_lifetime, settings.token_lifetime)),
            play: Mutex::new(Play::new(settings.slow_for)),
            secret: Mutex::new(secret),
            ledger: Ledger::new(settings.print),
            settings,
            tls,
            connections: AtomicUsize::new(0),
        }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Counts a connection and gives it its number; the first is 1.
    pub(crate) fn number_connection(&self) -> usize {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }
}
