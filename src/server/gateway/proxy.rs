//! One request: on to the upstream, and its answer back. Nothing of either is held, and nothing is changed but what `headers` says.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::OnUpgrade;
use ipnet::IpNet;
use recorder::Watched;
use serde::Serialize;
use tower::Service;

use super::breaking::Breaking;
use super::headers::{self, Asker};
use super::interim::Interim;
use super::observe::{Counters, Recording};
use super::outgoing::{self, Outgoing};
use super::tunnel::Tunnels;
use super::upstream::{Api, SendError};

/// An answer's body: the upstream's, or our own where there is none.
pub(super) type Answer = Either<Breaking<Incoming>, Full<Bytes>>;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) is_tls: bool,
}

/// What a request's connection is, in the request's extensions.
#[derive(Clone, Debug)]
pub(super) struct OfConnection {
    pub(super) peer: Peer,
    /// Where its client can be told something before the answer.
    pub(super) interim: Option<Interim>,
}

/// How requests are passed on.
pub(super) struct Passing {
    pub(super) api: Api,
    /// The `Host` that the upstream sees, where it is not the client's.
    pub(super) host: Option<HeaderValue>,
    /// Whether the upstream is told who asked.
    pub(super) tells_asker: bool,
    pub(super) trusted_proxies: Vec<IpNet>,
    pub(super) tunnels: Tunnels,
    pub(super) counters: Counters,
    /// Whether the last request found no answer: said once, not for each.
    pub(super) is_away: AtomicBool,
}

/// The service that passes requests on.
#[derive(Clone)]
pub(super) struct Proxy(pub(super) Arc<Passing>);

/// The client broke off its own request: there is nobody to answer.
#[derive(Debug, thiserror::Error)]
#[error("the client broke off its request")]
pub(super) struct Gone;

impl Service<Request<Watched<Incoming>>> for Proxy {
    type Response = Response<Answer>;
    type Error = Gone;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Gone>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Watched<Incoming>>) -> Self::Future {
        let passing = Arc::clone(&self.0);
        Box::pin(async move {
            let answer = passing.pass(request).await;
            match &answer {
                Ok(answer) => passing.counters.answered(answer.status()),
                Err(Gone) => passing.counters.gone(),
            }
            answer
        })
    }
}

/// What a client's side of an exchange is needed for once the answer is there.
struct ClientSide {
    /// The connection, where it may change its protocol.
    upgrade: Option<OnUpgrade>,
    recording: Option<Recording>,
    request_id: Option<HeaderValue>,
}

impl Passing {
    async fn pass(&self, mut request: Request<Watched<Incoming>>) -> Result<Response<Answer>, Gone> {
        let request_id = request.headers().get("x-request-id").cloned();
        if request.method() == Method::CONNECT {
            let why = "this gateway stands before one API: it makes no tunnels to others";
            return Ok(own(
                StatusCode::NOT_IMPLEMENTED,
                "connect_not_supported",
                why,
                request_id.as_ref(),
            ));
        }
        let protocol = (request.version() == Version::HTTP_11)
            .then(|| headers::upgrade(request.headers()))
            .flatten();
        let client = ClientSide {
            upgrade: protocol.is_some().then(|| hyper::upgrade::on(&mut request)),
            recording: request.extensions_mut().remove::<Recording>(),
            request_id,
        };
        let of_connection = request.extensions_mut().remove::<OfConnection>();
        let (peer, interim) = of_connection.map(|of| (of.peer, of.interim)).unzip();
        let interim = interim.flatten();
        let (request, broke) = self.outgoing(request, protocol.as_ref(), peer, interim.clone());
        let answer = self.api.send(request, protocol.is_some());
        let answer = match interim {
            Some(interim) => interim.before(answer).await,
            None => answer.await,
        };
        match answer {
            Ok(answer) => {
                if self.is_away.load(Ordering::Relaxed) && self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::warn!("the upstream answers again");
                }
                Ok(self.answer(answer, client))
            }
            Err(_) if broke.is_so() => Err(Gone),
            Err(error) => {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, cause = error.source().map(tracing::field::display), "the upstream does not answer");
                }
                Ok(unreachable(&error, client.request_id.as_ref()))
            }
        }
    }

    fn outgoing(
        &self,
        request: Request<Watched<Incoming>>,
        protocol: Option<&HeaderValue>,
        peer: Option<Peer>,
        interim: Option<Interim>,
    ) -> (Request<Outgoing>, outgoing::Broke) {
        let (mut parts, body) = request.into_parts();
        // A body whose length nobody told comes in chunks, and a GET's would be left out if it did not say so.
        let is_chunked = body.size_hint().exact().is_none() && !parts.headers.contains_key(header::CONTENT_LENGTH);
        parts.headers = headers::of_request(std::mem::take(&mut parts.headers), protocol, is_chunked);
        headers::set_host(
            &mut parts.headers,
            parts.uri.authority(),
            self.host.as_ref(),
            self.api.authority(),
        );
        if let Some(peer) = peer.filter(|_| self.tells_asker) {
            headers::tell_asker(&mut parts.headers, self.asker(peer));
        }
        parts.version = Version::HTTP_11;
        let expects = headers::expects_continue(&parts.headers);
        let (body, broke) = Outgoing::new(body);
        let mut request = Request::from_parts(parts, body);
        outgoing::tell_before(&mut request, interim, expects);
        (request, broke)
    }

    fn asker(&self, peer: Peer) -> Asker {
        let ip = peer.address.ip().to_canonical();
        Asker {
            peer: ip,
            is_trusted: self.trusted_proxies.iter().any(|network| network.contains(&ip)),
            is_tls: peer.is_tls,
        }
    }

    /// The upstream's answer, as the client gets it; where both change their protocol, what they say then passes through.
    fn answer(&self, mut answer: Response<Incoming>, client: ClientSide) -> Response<Answer> {
        // What connection it came on is nothing to the client.
        *answer.version_mut() = Version::HTTP_11;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (mut parts, body) = answer.into_parts();
            parts.headers = headers::of_answer(parts.headers, None);
            return Response::from_parts(parts, Either::Left(Breaking::new(body)));
        }
        let (Some(near), Some(protocol)) = (client.upgrade, headers::upgrade(answer.headers())) else {
            let why = "the upstream changed to a protocol that nobody asked for";
            return own(
                StatusCode::BAD_GATEWAY,
                "upstream_broke_http",
                why,
                client.request_id.as_ref(),
            );
        };
        let far = hyper::upgrade::on(&mut answer);
        let (mut parts, _) = answer.into_parts();
        parts.headers = headers::of_answer(parts.headers, Some(&protocol));
        self.tunnels.open(near, far, client.recording.as_ref(), &parts.headers);
        Response::from_parts(parts, Either::Right(Full::default()))
    }
}

/// What a client is told where the upstream says nothing: in the shape that this product's errors have.
#[derive(Serialize)]
struct Told<'a> {
    code: u16,
    key: &'a str,
    message: &'a str,
    details: &'a str,
    request_id: Option<&'a str>,
}

fn unreachable(error: &SendError, request_id: Option<&HeaderValue>) -> Response<Answer> {
    let is_connect = matches!(error, SendError::Exchange(error) if error.is_connect());
    let kind = io_kind(error);
    if kind == Some(io::ErrorKind::TimedOut) {
        let why = "no connection to the upstream came about in time";
        return own(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout", why, request_id);
    }
    let why = match kind {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused: nothing listens there",
        _ if is_connect => "no connection to the upstream could be made",
        _ => "the upstream closed the connection before it answered",
    };
    own(StatusCode::BAD_GATEWAY, "upstream_unreachable", why, request_id)
}

/// What the system said, somewhere among an error's causes.
fn io_kind(error: &SendError) -> Option<io::ErrorKind> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

fn own(status: StatusCode, key: &str, details: &str, request_id: Option<&HeaderValue>) -> Response<Answer> {
    let told = Told {
        code: status.as_u16(),
        key,
        message: status.canonical_reason().unwrap_or_default(),
        details,
        request_id: request_id.and_then(|id| id.to_str().ok()),
    };
    let body = serde_json::to_vec(&told).unwrap_or_default();
    let mut answer = Response::new(Either::Right(Full::from(body)));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
