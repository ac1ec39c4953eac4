//! Connections: taken, answered, and closed in order. What a client may keep waiting, and how much it may send before a request begins, is bounded here.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// While a connection may still become either, it is looked at so often.
const LOOK: Duration = Duration::from_millis(50);
/// A request's head must have come whole within this time, which also ends connections that are kept open for nothing.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a request's head: the 64 KB of headers that a log may have, and its URL.
pub(crate) const MAX_HEAD: usize = 128 << 10;
/// After a failure that is the machine's (no more files), the next try waits so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves connections until `stop`, then takes no more and waits until those that run have been answered.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = GracefulShutdown::new();
    let builder = builder();
    while let Some(accepted) = accept(&listener, &stop).await {
        tokio::spawn(answer(&builder, &connections, accepted, router.clone(), stop.clone()));
    }
    drop(listener);
    connections.shutdown().await;
}

/// The next connection; none once it is to stop.
pub(crate) async fn accept(listener: &TcpListener, stop: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => return Some(accepted),
                Err(error) => pause_after(&error).await,
            },
            () = stop.cancelled() => return None,
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD as u32)
        .keep_alive_interval(HEAD_PATIENCE);
    builder
}

/// A connection's whole life.
fn answer(
    builder: &Builder<TokioExecutor>,
    connections: &GracefulShutdown,
    (stream, peer): (TcpStream, SocketAddr),
    router: Router,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    // Without this the small last packet of a page waits for the other side's delayed acknowledgement, 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move {
            let answered: Result<_, Infallible> = router.oneshot(request).await;
            answered
        }
    });
    let (builder, watcher) = (builder.clone(), connections.watcher());
    async move {
        let speaks = tokio::select! {
            // Whoever has begun by now is answered.
            biased;
            speaks = speaks(&stream) => speaks,
            () = stop.cancelled() => false,
        };
        if !speaks {
            return;
        }
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error, "a connection broke");
        }
    }
}

/// Waits until a connection says which HTTP it speaks; false where it does not in time: what decides between them, below, would wait for ever.
pub(crate) async fn speaks(stream: &TcpStream) -> bool {
    let said = async {
        let mut begun = [0; PREFACE.len()];
        loop {
            match stream.peek(&mut begun).await {
                Ok(0) | Err(_) => return false,
                Ok(read) if read == PREFACE.len() || !PREFACE.starts_with(&begun[..read]) => return true,
                Ok(_) => tokio::time::sleep(LOOK).await,
            }
        }
    };
    tokio::time::timeout(HEAD_PATIENCE, said).await.unwrap_or(false)
}

/// A connection that was gone before it was taken is nothing; everything else needs a moment.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be taken");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
