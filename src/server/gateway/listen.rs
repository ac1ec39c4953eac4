//! The gateway's door: connections of clients, HTTP/1.1 or HTTP/2, with TLS where it has a certificate. What may be sent before a request begins is bounded; what flows has no limit.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use recorder::Recorder;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::interim::{Between, Interim};
use super::observe::Observer;
use super::proxy::{OfConnection, Peer, Proxy};
use crate::server::http::serve::{HEAD_PATIENCE, MAX_HEAD, accept, speaks};

/// A request's head must have come whole within this time, and a connection on which none comes is closed after it: later than load balancers close theirs (a minute, mostly), so
/// that none of them sends on one that is being closed.
const IDLE: Duration = Duration::from_secs(90);

/// What answers, and how it is spoken to.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) service: Recorder<Observer, Proxy>,
    pub(super) tls: Option<TlsAcceptor>,
    /// Ends connections that are still there when patience is over.
    pub(super) cut: CancellationToken,
    pub(super) connections: TaskTracker,
}

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has no certificate or key.
    #[error("{file}: {error}")]
    File {
        /// Which.
        file: String,
        /// Why.
        error: rustls::pki_types::pem::Error,
    },
    /// They do not belong together, or are of a kind that is not known.
    #[error("the gateway's certificate or its key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// TLS by the certificates and the key in these files.
pub(super) fn tls(certificates: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let failed = |path: &Path| {
        let file = path.display().to_string();
        move |error| TlsError::File { file, error }
    };
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(failed(certificates))?;
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(failed(key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key_der)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes connections until `stop`, then waits until those that run have been answered.
pub(super) async fn listen(listener: TcpListener, front: Front, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    while let Some((stream, address)) = accept(&listener, &stop).await {
        let peer = Peer {
            address,
            is_tls: front.tls.is_some(),
        };
        let conversation = greet(front.clone(), stream, peer, graceful.watcher(), stop.clone());
        let cut = front.cut.clone();
        front.connections.spawn(async move {
            tokio::select! {
                () = conversation => {}
                () = cut.cancelled() => {}
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// A connection's whole life.
async fn greet(front: Front, stream: TcpStream, peer: Peer, watcher: Watcher, stop: CancellationToken) {
    // Small packets wait for nothing.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let builder = builder();
    let Some(acceptor) = &front.tls else {
        let speaks = tokio::select! {
            // Whoever has begun by now is answered.
            biased;
            speaks = speaks(&stream) => speaks,
            () = stop.cancelled() => false,
        };
        if speaks {
            converse(&builder, stream, front.service, peer, watcher).await;
        }
        return;
    };
    let Ok(Ok(stream)) = tokio::time::timeout(HEAD_PATIENCE, acceptor.accept(stream)).await else {
        tracing::debug!(%peer.address, "a client did not come to speak TLS");
        return;
    };
    let builder = if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        builder.http2_only()
    } else {
        builder.http1_only()
    };
    converse(&builder, stream, front.service, peer, watcher).await;
}

async fn converse<S>(
    builder: &Builder<TokioExecutor>,
    stream: S,
    service: Recorder<Observer, Proxy>,
    peer: Peer,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let interim = Interim::default();
    let stream = Between::new(stream, interim.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        let of_connection = OfConnection {
            peer,
            interim: (request.version() == Version::HTTP_11).then(|| interim.clone()),
        };
        request.extensions_mut().insert(of_connection);
        service.clone().call(request)
    });
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(error, "a connection broke");
    }
}

/// Heads go on as they came, and no date is added to an answer that has none.
fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(MAX_HEAD)
        .preserve_header_case(true)
        .auto_date_header(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD as u32)
        .keep_alive_interval(HEAD_PATIENCE)
        .adaptive_window(true)
        .auto_date_header(false);
    builder
}
