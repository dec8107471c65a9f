//! A simulated operator of the Open Gateway Number Verification API, and a Secrets Manager with the credentials for it,
//! on one local port. Development, tests and benchmarks use it.
//!
//! It shares no code with the product, so that an error in one shows up against the other. It is stricter than an
//! operator has to be: it refuses everything that the specifications forbid, and says why.
//!
//! The modules, in the order of a verification:
//!
//! - [`Settings`] (`settings.rs`): the clients, and the phone's SIM. `main.rs` reads them from flags. [`Dialect`]
//!   (`dialect.rs`): the addresses and requirements of an operator.
//! - `server.rs`: the routes, and the function every request passes through. `listener.rs` numbers the connections,
//!   `tls.rs` encrypts them if [`Settings::tls`] is set.
//! - `secrets_manager.rs`: `GetSecretValue`.
//! - `authorize.rs`: the authorization endpoint; `scope.rs`, `redirect_uri.rs` and `pkce.rs` judge its parameters.
//! - `discovery.rs`: the operator's metadata (OpenID Connect Discovery).
//! - `token.rs`: the token endpoint; `client.rs` authenticates the client, `grants.rs` keeps codes and tokens,
//!   `assertion.rs` takes operator tokens, `id_token.rs` signs ID tokens.
//! - `verify.rs`, `device_phone_number.rs`: the Number Verification API itself; `camara.rs` has what both share.
//! - [`Scenario`] (`scenario.rs`) and [`Scripted`] (`script.rs`): answers that differ from the usual ones.
//! - [`Served`] (`served.rs`): a request and its answer; `ledger.rs` keeps the list.
//! - `control.rs`: `/sandbox/…`, which controls the sandbox over HTTP; `page.rs`: the page for people.

#![forbid(unsafe_code)]

mod assertion;
mod authorize;
mod camara;
mod client;
mod control;
mod device_phone_number;
mod dialect;
mod discovery;
mod grants;
mod headers;
mod id_token;
mod ledger;
mod leg;
mod listener;
mod lock;
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
mod secret;
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

use crate::lock::lock;
use crate::operator::Operator;
use crate::tls::Tls;

pub use crate::assertion::SAMPLE_OPERATOR_TOKEN;
pub use crate::client::ClientAuth;
pub use crate::dialect::Dialect;
pub use crate::leg::Leg;
pub use crate::scenario::{Scenario, UnknownScenario};
pub use crate::script::{Reply, Scripted};
pub use crate::served::Served;
pub use crate::settings::Settings;
pub use crate::tls::{Certificate, Handshakes};
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
    /// The sandbox cannot listen on the address, for example [`io::ErrorKind::AddrInUse`].
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let socket = TcpListener::bind(SocketAddr::from((settings.listen, settings.port))).await?;
        let tls = settings.tls.then(Tls::new).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base_url = format!("{scheme}://{}", reachable(socket.local_addr()?));
        let operator = Arc::new(Operator::new(settings, base_url, tls));
        let server = tokio::spawn(server::serve(socket, Arc::clone(&operator)));
        Ok(Self { operator, server })
    }

    /// Scheme, host and port without a slash at the end, such as `http://127.0.0.1:41234`. It is also the issuer
    /// (`iss`).
    #[must_use]
    pub fn base_url(&self) -> String {
        self.operator.base_url.clone()
    }

    /// Sets the scenario, from the next request on.
    pub fn set_scenario(&self, scenario: Scenario) {
        lock(&self.operator.play).scenario = scenario;
    }

    /// Makes one leg answer with a script, whatever the scenario. `None` removes the script.
    pub fn script(&self, leg: Leg, scripted: Option<Scripted>) {
        lock(&self.operator.play).set_script(leg, scripted);
    }

    /// Changes the secret that the operator accepts from [`Settings::client_id`], as a rotation does.
    /// [`Sandbox::set_secret_string`] changes what Secrets Manager serves.
    pub fn set_client_secret(&self, client_secret: impl Into<String>) {
        lock(&self.operator.clients).set_secret(&self.operator.settings.client_id, client_secret.into());
    }

    /// Puts a new version of the secret into Secrets Manager; the one it replaces becomes `AWSPREVIOUS`.
    /// [`Sandbox::set_client_secret`] changes what the operator accepts.
    pub fn set_secret_string(&self, secret_string: impl Into<String>) {
        lock(&self.operator.secret).put(secret_string.into());
    }

    /// The private key (PEM) that belongs to the public key which the operator knows of [`Settings::client_id`].
    #[must_use]
    pub fn private_key_pem(&self) -> String {
        lock(&self.operator.assertions).private_key_pem.clone()
    }

    /// Makes the versions of the secret appear older, by moving their `CreatedDate` into the past.
    pub fn age_secret(&self, by: Duration) {
        lock(&self.operator.secret).age(by);
    }

    /// The requests to the operator and to Secrets Manager, in the order of arrival. Requests for the page and
    /// `/sandbox/…` are not listed. Only the last ten thousand are kept.
    #[must_use]
    pub fn requests(&self) -> Vec<Served> {
        self.operator.ledger.requests()
    }

    /// The number of requests to one leg, answered or not, since the start or the last [`Sandbox::clear_requests`].
    #[must_use]
    pub fn count(&self, leg: Leg) -> usize {
        self.operator.ledger.count(leg)
    }

    /// Empties the ledger and its counts.
    pub fn clear_requests(&self) {
        self.operator.ledger.clear();
    }

    /// The certificate (PEM) of the authority of an `https` sandbox, for `OPERATOR_CA_FILE`. `None` if the sandbox
    /// serves plain `http`.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.operator.tls.as_ref().map(Tls::ca_pem)
    }

    /// The number of TLS handshakes completed since the start; zero if the sandbox serves plain `http`.
    #[must_use]
    pub fn handshakes(&self) -> Handshakes {
        self.operator.tls.as_ref().map(Tls::handshakes).unwrap_or_default()
    }

    /// The number of TCP connections accepted since the start.
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

/// The address at which a client on this machine reaches a listener, which cannot be "all addresses".
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
