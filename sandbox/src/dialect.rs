//! The differences between operators: their addresses, and their requirements for a request. Each value is what the
//! operator's public documentation says; the product's presets name the sources.

use crate::client::ClientAuth;

/// The addresses and requirements of an operator.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The path of the authorization endpoint.
    pub authorize: &'static str,
    /// The path of the token endpoint.
    pub token: &'static str,
    /// The part of the API's paths before `/number-verification`.
    pub api: &'static str,
    /// The only method by which a client can authenticate; `None` if Basic and the form are both accepted.
    pub client_auth: Option<ClientAuth>,
    /// True if the authorization request must name the number as `login_hint=tel:+…`.
    pub login_hint: bool,
}

impl Dialect {
    /// An operator that follows CAMARA and asks for nothing else.
    pub const CAMARA: Self =
        Self { authorize: "/authorize", token: "/token", api: "", client_auth: None, login_hint: false };

    /// Telefónica's sandbox in production mode, in which `login_hint` is required.
    pub const TELEFONICA: Self = Self {
        authorize: "/apigateway/authorize",
        token: "/apigateway/token",
        api: "/apigateway",
        client_auth: Some(ClientAuth::ClientSecretBasic),
        login_hint: true,
    };

    /// Orange's playground.
    pub const ORANGE_PLAYGROUND: Self = Self {
        authorize: "/openidconnect/playground/v1.0/authorize",
        token: "/openidconnect/playground/v1.0/token",
        api: "/camara/playground/api",
        client_auth: Some(ClientAuth::ClientSecretBasic),
        login_hint: true,
    };

    /// Konera's gateway.
    pub const KONERA: Self = Self {
        authorize: "/camara/api/auth/v1/authorize",
        token: "/camara/api/auth/v1/token",
        api: "/camara/api",
        client_auth: Some(ClientAuth::ClientSecretPost),
        login_hint: false,
    };
}
