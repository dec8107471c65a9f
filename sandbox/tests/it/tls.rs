//! The sandbox behind TLS.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore, version};
use sandbox::{Handshakes, Sandbox, Settings};

/// A client that makes a new connection for each request, and resumes earlier TLS sessions.
fn client(sandbox: &Sandbox, version: &'static rustls::SupportedProtocolVersion) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sandbox.ca_pem().unwrap().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
    let tls = tls.with_root_certificates(roots).with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_served_and_handshakes_counted() {
    for version in [&version::TLS13, &version::TLS12] {
        let sandbox = Sandbox::start(Settings { tls: true, ..Settings::default() }).await.unwrap();
        assert!(sandbox.base_url().starts_with("https://127.0.0.1:"));
        let client = client(&sandbox, version);
        for _ in 0..3 {
            let health = client.get(format!("{}/sandbox/health", sandbox.base_url())).send().await.unwrap();
            assert_eq!(health.status(), 204, "{version:?}");
        }
        assert_eq!(sandbox.handshakes(), Handshakes { full: 1, resumed: 2 }, "{version:?}");
    }
}

/// A client that does not trust the authority, or sends nothing at all, does not block others.
#[tokio::test]
async fn failed_or_hanging_handshake_does_not_affect_other_clients() {
    let sandbox = Sandbox::start(Settings { tls: true, ..Settings::default() }).await.unwrap();
    let address = sandbox.base_url().strip_prefix("https://").unwrap().to_owned();
    let _silent = tokio::net::TcpStream::connect(&address).await.unwrap();
    let stranger = Sandbox::start(Settings { tls: true, ..Settings::default() }).await.unwrap();
    let url = format!("{}/sandbox/health", sandbox.base_url());
    assert!(client(&stranger, &version::TLS13).get(&url).send().await.is_err());
    assert_eq!(client(&sandbox, &version::TLS13).get(&url).send().await.unwrap().status(), 204);
    assert_eq!(sandbox.handshakes(), Handshakes { full: 1, resumed: 0 });
}
