//! The way to the API behind the gateway: kept connections, HTTP/1.1 or, where TLS settles on it, HTTP/2.

use std::collections::HashSet;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::uri::{Authority, InvalidUriParts, PathAndQuery, Scheme, Uri};
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::net::TcpStream;
use tower::{BoxError, Service};

use super::outgoing::Outgoing;
use crate::server::config::gateway::Upstream;

/// A connection that nobody uses is kept so long: shorter than servers keep theirs (two seconds at the least, in the common ones), so that no request goes out
/// on one that is being closed.
const IDLE: Duration = Duration::from_millis(1_500);
/// Bytes of an answer's head.
const MAX_HEAD: usize = 256 << 10;
/// So many names may HTTP/2 be spoken under: each has a connection of its own.
const MAX_NAMES: usize = 64;
/// How often a connection that is in use is asked whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// What can be sent to.
pub(super) struct Api {
    to: Upstream,
    http1: Client<Connector, Outgoing>,
    /// Speaks HTTP/2 where the upstream does; none where it is reached without TLS.
    any: Option<Client<Connector, Outgoing>>,
    names: Mutex<HashSet<Authority>>,
}

/// Why there is no way to an upstream.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// TLS cannot be spoken.
    #[error("TLS cannot be spoken to the upstream: {0}")]
    Tls(#[from] rustls::Error),
    /// Its address is none.
    #[error("the upstream's address is none: {0}")]
    Address(#[from] InvalidUriParts),
}

impl Api {
    pub(super) fn new(to: Upstream, patience: Duration) -> Result<Self, ApiError> {
        let tls = tls(to.is_https)?;
        let at = uri(&to, to.authority.clone(), PathAndQuery::from_static("/"))?;
        let connector = |http2: bool| {
            let mut http = HttpConnector::new();
            http.enforce_http(false);
            http.set_nodelay(true);
            http.set_keepalive(Some(KEEPALIVE));
            let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
            let inner = if http2 {
                https.enable_all_versions().wrap_connector(http)
            } else {
                https.enable_http1().wrap_connector(http)
            };
            Connector {
                inner,
                to: at.clone(),
                patience,
            }
        };
        Ok(Self {
            http1: client(connector(false)),
            any: to.is_https.then(|| client(connector(true))),
            names: Mutex::default(),
            to,
        })
    }

    /// What the upstream is called where a client names no host.
    pub(super) const fn authority(&self) -> &Authority {
        &self.to.authority
    }

    /// Sends a request whose URI is a path alone. HTTP/2 names the host twice, as its authority too, so that one is the `Host` that goes along.
    pub(super) async fn send(&self, mut request: Request<Outgoing>, only_http1: bool) -> Result<Response<Incoming>, SendError> {
        let path = request
            .uri()
            .path_and_query()
            .cloned()
            .unwrap_or_else(|| PathAndQuery::from_static("/"));
        let named = match &self.any {
            Some(any) if !only_http1 => self.name_of(&request).map(|name| (any, name)),
            _ => None,
        };
        let (client, name) = named.unwrap_or_else(|| (&self.http1, self.to.authority.clone()));
        *request.uri_mut() = uri(&self.to, name, path)?;
        Ok(client.request(request).await?)
    }

    /// The host that is asked for, where there are few enough of them.
    fn name_of(&self, request: &Request<Outgoing>) -> Option<Authority> {
        let host = request.headers().get(axum::http::header::HOST)?;
        let name = Authority::try_from(host.as_bytes()).ok()?;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() < MAX_NAMES {
            names.insert(name.clone());
        }
        names.contains(&name).then_some(name)
    }
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error(transparent)]
    Uri(#[from] InvalidUriParts),
    #[error(transparent)]
    Exchange(#[from] Error),
}

/// TLS as the system trusts it. Where none is spoken, a machine without certificates will do.
fn tls(is_spoken: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let verifying = if is_spoken {
        builder.with_platform_verifier()?
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    Ok(verifying.with_no_client_auth())
}

fn uri(to: &Upstream, authority: Authority, path: PathAndQuery) -> Result<Uri, InvalidUriParts> {
    let mut parts = axum::http::uri::Parts::default();
    parts.scheme = Some(if to.is_https { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(authority);
    parts.path_and_query = Some(path);
    Uri::from_parts(parts)
}

fn client(connector: Connector) -> Client<Connector, Outgoing> {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .set_host(false)
        .http1_preserve_header_case(true)
        .http1_max_buf_size(MAX_HEAD)
        .http2_adaptive_window(true)
        .build(connector)
}

/// Connects to the upstream, whatever host a request names.
#[derive(Clone)]
struct Connector {
    inner: HttpsConnector<HttpConnector>,
    to: Uri,
    patience: Duration,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, _named: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.patience, self.inner.call(self.to.clone()));
        Box::pin(async move {
            connecting
                .await
                .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        })
    }
}
