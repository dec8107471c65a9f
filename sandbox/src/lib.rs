//! An operator of the Open Gateway Number Verification API, and the Secrets Manager that holds the
//! credentials for it, on one local port: to develop against, to test against, to measure against.
//!
//! It shares no code with the product, so that the two can disagree. It is stricter than an operator
//! has to be: what the specifications forbid, it refuses, and says why.
//!
//! A map of the house, in the order a verification passes through it:
//!
//! - [`Settings`] (`settings.rs`): who may call, which SIM the phone has. `main.rs` reads them from flags.
//! - `server.rs`: the routes, and the one funnel every request goes through; `listener.rs` numbers the connections,
//!   `tls.rs` encrypts them where [`Settings::tls`] says so.
//! - `secrets_manager.rs`: `GetSecretValue`.
//! - `authorize.rs`: the authorization endpoint; `scope.rs`, `redirect_uri.rs` and `pkce.rs` judge its parameters.
//! - `discovery.rs`: what the operator says about itself (OpenID Connect Discovery).
//! - `token.rs`: the token endpoint; `client.rs` authenticates the client, `grants.rs` keeps codes and tokens.
//! - `verify.rs`: the Number Verification API itself.
//! - [`Scenario`] (`scenario.rs`) and [`Scripted`] (`script.rs`): what happens instead of the usual.
//! - [`Served`] (`served.rs`): what was asked and answered; `ledger.rs` keeps the list.
//! - `control.rs`: `/sandbox/…`, all of that over HTTP; `page.rs`: the same for people.

#![forbid(unsafe_code)]

mod authorize;
mod client;
mod control;
mod discovery;
mod grants;
mod headers;
mod ledger;
mod leg;
mod listener;
mod oauth_error;
mod operator;
mod page;
mod parameters;
mod pkce;
mod random;
mod redirect_uri;
mod scenario;
mod scope;
mod script;
mod secrets_manager;
mod served;
mod server;
mod settings;
mod tls;
mod token;
mod verify;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::operator::{Operator, lock};
use crate::tls::Tls;

pub use crate::client::ClientAuth;
pub use crate::leg::Leg;
pub use crate::scenario::{Scenario, UnknownScenario};
pub use crate::script::{Reply, Scripted};
pub use crate::served::Served;
pub use crate::settings::Settings;
pub use crate::tls::Handshakes;
pub use crate::token::SAMPLE_CODE;

/// A running sandbox. Dropping it closes the port and every idle connection.
#[derive(Debug)]
pub struct Sandbox {
    operator: Arc<Operator>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Listens and serves from a task of the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// If it cannot listen there, for example [`io::ErrorKind::AddrInUse`].
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let socket = TcpListener::bind(SocketAddr::from((settings.listen, settings.port))).await?;
        let tls = settings.tls.then(Tls::new).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base_url = format!("{scheme}://{}", reachable(socket.local_addr()?));
        let operator = Arc::new(Operator::new(settings, base_url, tls));
        let server = tokio::spawn(server::serve(socket, Arc::clone(&operator)));
        Ok(Self { operator, server })
    }

    /// Scheme, host and port, without a slash at the end: `http://127.0.0.1:41234`. Also the issuer (`iss`).
    #[must_use]
    pub fn base_url(&self) -> String {
        self.operator.base_url.clone()
    }

    /// Chooses what happens from the next request on.
    pub fn set_scenario(&self, scenario: Scenario) {
        lock(&self.operator.play).scenario = scenario;
    }

    /// Makes one leg answer what the script says, whatever the scenario; `None` takes the script away.
    pub fn script(&self, leg: Leg, scripted: Option<Scripted>) {
        lock(&self.operator.play).set_script(leg, scripted);
    }

    /// Changes the secret that the operator accepts from [`Settings::client_id`], as a rotation does.
    /// What Secrets Manager serves stays as it is: see [`Sandbox::set_secret_string`].
    pub fn set_client_secret(&self, client_secret: impl Into<String>) {
        lock(&self.operator.clients).set_secret(&self.operator.settings.client_id, client_secret.into());
    }

    /// Puts a new version of the secret into Secrets Manager; the one it replaces becomes `AWSPREVIOUS`.
    /// What the operator accepts stays as it is: see [`Sandbox::set_client_secret`].
    pub fn set_secret_string(&self, secret_string: impl Into<String>) {
        lock(&self.operator.secret).put(secret_string.into());
    }

    /// Makes the versions of the secret older than they are: moves their `CreatedDate` into the past.
    pub fn age_secret(&self, by: Duration) {
        lock(&self.operator.secret).age(by);
    }

    /// What was asked of the operator and of Secrets Manager, in the order of arrival. The page and
    /// `/sandbox/…` are not listed. The oldest are forgotten beyond ten thousand.
    #[must_use]
    pub fn requests(&self) -> Vec<Served> {
        self.operator.ledger.requests()
    }

    /// How many requests one leg got, answered or not, since the start or the last [`Sandbox::clear_requests`].
    #[must_use]
    pub fn count(&self, leg: Leg) -> usize {
        self.operator.ledger.count(leg)
    }

    /// Empties the ledger and its counts.
    pub fn clear_requests(&self) {
        self.operator.ledger.clear();
    }

    /// The certificate, in PEM, of the authority behind an `https` sandbox: what `OPERATOR_CA_FILE` is to hold.
    /// `None` where it serves plain `http`.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.operator.tls.as_ref().map(Tls::ca_pem)
    }

    /// How many TLS handshakes were completed since the start; none where it serves plain `http`.
    #[must_use]
    pub fn handshakes(&self) -> Handshakes {
        self.operator.tls.as_ref().map(Tls::handshakes).unwrap_or_default()
    }

    /// How many TCP connections were accepted since the start.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.operator.connections()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Where a client on this machine reaches a listener: "all addresses" is not one.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
