//! The settings, which are fixed for the life of a sandbox.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::dialect::Dialect;

/// The clients, the SIM, the lifetimes and the address of a sandbox. Every field has a default.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen on; `0.0.0.0`, all addresses of this machine, makes the sandbox reachable from a
    /// container.
    pub listen: IpAddr,
    /// The port; 0 takes any free one.
    pub port: u16,
    /// The ID of the OAuth client that the operator knows.
    pub client_id: String,
    /// The client's secret, for the operator and in Secrets Manager.
    pub client_secret: String,
    /// The secrets of other clients by ID, to test whether one client can use another's code.
    pub other_clients: BTreeMap<String, String>,
    /// The redirect URIs that the operator accepts. If empty, it accepts any, which a real operator never does.
    pub registered_redirect_uris: Vec<String>,
    /// The name of the secret in Secrets Manager.
    pub secret_id: String,
    /// `state_key` in that secret.
    pub state_key: String,
    /// Further members of that secret. One of the same name replaces the member above.
    pub secret_members: Map<String, Value>,
    /// True to put the client's private key into that secret as `private_key`, for operator tokens.
    pub private_key: bool,
    /// The operator that the sandbox plays.
    pub dialect: Dialect,
    /// The E.164 number of the SIM in the phone.
    pub sim: String,
    /// The lifetime of an authorization code. RFC 6749 §4.1.2 recommends at most ten minutes.
    pub code_lifetime: Duration,
    /// The lifetime of an access token. CAMARA Number Verification allows at most 300 s after r3.2.
    pub token_lifetime: Duration,
    /// The delay of the token endpoint in [`Scenario::OperatorSlow`](crate::Scenario::OperatorSlow).
    pub slow_for: Duration,
    /// True to serve `https`, with a certificate from an authority that is created at the start:
    /// [`Sandbox::ca_pem`](crate::Sandbox::ca_pem).
    pub tls: bool,
    /// True to print a line for each request.
    pub print: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            client_id: "my-app-id".into(),
            client_secret: "my-app-secret".into(),
            other_clients: BTreeMap::new(),
            registered_redirect_uris: Vec::new(),
            secret_id: "number-verification".into(),
            state_key: "the sandbox's state key, known to all".into(),
            secret_members: Map::new(),
            private_key: false,
            dialect: Dialect::CAMARA,
            sim: "+34600000001".into(),
            code_lifetime: Duration::from_mins(1),
            token_lifetime: Duration::from_mins(5),
            slow_for: Duration::from_mins(1),
            tls: false,
            print: false,
        }
    }
}
