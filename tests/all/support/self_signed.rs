//! A receiver that speaks TLS under a certificate that nobody vouches for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Listens on a loopback port; gone with the runtime.
pub struct SelfSigned {
    pub port: u16,
    refused: Arc<AtomicUsize>,
    trusted: Arc<AtomicUsize>,
}

impl SelfSigned {
    /// Makes the certificate, for 127.0.0.1, and listens there.
    pub async fn start() -> Self {
        let (acceptor, _) = acceptor("127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            refused: Arc::default(),
            trusted: Arc::default(),
        };
        let (refused, trusted) = (receiver.refused.clone(), receiver.trusted.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let count = if acceptor.accept(stream).await.is_ok() {
                    &trusted
                } else {
                    &refused
                };
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        receiver
    }

    /// How many connections ended at the certificate, and how many were trusted.
    pub fn counts(&self) -> (usize, usize) {
        (self.refused.load(Ordering::SeqCst), self.trusted.load(Ordering::SeqCst))
    }
}

/// Speaks TLS under a new certificate for a name, which is given as well (DER).
pub fn acceptor(name: &str) -> (TlsAcceptor, Vec<u8>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), cert.der().to_vec())
}

/// What a file of a certificate or a key holds (RFC 7468).
pub fn pem(what: &str, der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", lines.join("\n"))
}
