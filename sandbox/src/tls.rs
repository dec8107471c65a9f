//! TLS for the sandbox, with a certificate from an authority that is created at the start.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{HandshakeKind, ServerConfig, version};

/// A connection, encrypted or not.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Accepts clients of TLS 1.3 and 1.2, and counts full and resumed handshakes.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    ca_pem: String,
    full: AtomicUsize,
    resumed: AtomicUsize,
}

/// The number of TLS handshakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handshakes {
    /// The number of handshakes with an exchange of certificates.
    pub full: usize,
    /// The number of handshakes with a ticket from an earlier connection.
    pub resumed: usize,
}

impl Tls {
    /// Creates an authority, and a certificate from it for `localhost`, `127.0.0.1` and `::1`.
    pub(crate) fn new() -> io::Result<Self> {
        let certificate = Certificate::for_this_machine()?;
        let config = server_config(&certificate).map_err(io::Error::other)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_pem: certificate.ca_pem,
            full: AtomicUsize::new(0),
            resumed: AtomicUsize::new(0),
        })
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub(crate) fn handshakes(&self) -> Handshakes {
        Handshakes { full: self.full.load(Ordering::Relaxed), resumed: self.resumed.load(Ordering::Relaxed) }
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Box<dyn Duplex>> {
        let stream = self.acceptor.accept(stream).await?;
        let count = match stream.get_ref().1.handshake_kind() {
            Some(HandshakeKind::Resumed) => &self.resumed,
            _ => &self.full,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(stream))
    }
}

/// A certificate for `localhost`, `127.0.0.1` and `::1`, and the authority that issued it, all in PEM.
#[derive(Debug)]
pub struct Certificate {
    /// The authority's certificate, which clients have to trust.
    pub ca_pem: String,
    /// The server's certificate.
    pub certificate_pem: String,
    /// The server's private key (PKCS #8).
    pub key_pem: String,
}

impl Certificate {
    /// Creates an authority, and a certificate from it.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn for_this_machine() -> io::Result<Self> {
        let issue = || -> Result<Self, rcgen::Error> {
            let mut authority = CertificateParams::default();
            authority.distinguished_name.push(DnType::CommonName, "sandbox");
            authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

            let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
            let key = KeyPair::generate()?;
            let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
            Ok(Self { ca_pem: authority.pem(), certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
        };
        issue().map_err(io::Error::other)
    }
}

fn server_config(certificate: &Certificate) -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let chain = vec![CertificateDer::from_pem_slice(certificate.certificate_pem.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.as_bytes())?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(config)
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("handshakes", &self.handshakes()).finish_non_exhaustive()
    }
}
