//! The headers that every answer has: its request's id, and what a browser must not do with it.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::embed;
use crate::model::id::IdKind;
use crate::server::config::Config;
use crate::server::state::Server;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Bytes of a client's own request id that are written to the server's log.
const MAX_CLIENT_ID: usize = 128;

/// The policy of an answer that is no page: nothing in it runs, and nobody frames it.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// What no page of this service uses.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), \
                           microphone=(), midi=(), payment=(), publickey-credentials-get=(), usb=()";
/// A browser remembers for a year that this service speaks https alone.
const HSTS: &str = "max-age=31536000";

/// Set on every answer, unless the handler set its own.
const ALWAYS: [(HeaderName, &str); 8] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // "no-referrer" would turn the Origin of our own forms into "null" (Fetch, 3.2).
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, API_POLICY),
    (header::CACHE_CONTROL, "no-store"),
];

/// Says in an answer's extensions that its own policy names who may frame it, which `X-Frame-Options` would contradict.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MayBeFramed;

/// The id of a request, in its extensions and on its answer.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The outermost middleware: names the request, follows it in the server's log, and puts the headers on its answer.
pub(crate) async fn every_answer(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let id = server.random.id(IdKind::Request, server.clock.now_ms());
    request.extensions_mut().insert(RequestId(id.clone()));
    if is_on_this_machine(&request) && !request.uri().path().starts_with("/assets/") {
        // Squeezing what never leaves the machine costs more than it saves. What lies compressed already is given so.
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let path = embed::without_token(request.uri().path()).into_owned();
    let span = tracing::info_span!("request", id, method = %request.method(), path, client_id = client_id(request.headers()));
    async {
        let mut answer = next.run(request).await;
        let status = answer.status().as_u16();
        if status >= 500 {
            tracing::error!(status, "answered");
        } else {
            tracing::debug!(status, "answered");
        }
        let may_be_framed = answer.extensions().get::<MayBeFramed>().is_some();
        put_headers(answer.headers_mut(), &id, &server.config, may_be_framed);
        answer
    }
    .instrument(span)
    .await
}

fn put_headers(headers: &mut HeaderMap, id: &str, config: &Config, may_be_framed: bool) {
    for (name, value) in ALWAYS {
        if may_be_framed && name == header::X_FRAME_OPTIONS {
            continue;
        }
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if config.is_https() {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static(HSTS));
    }
    // Our ids are letters and digits.
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, id);
    }
}

/// What the client calls its request, where that can be written down.
fn client_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    (id.len() <= MAX_CLIENT_ID && id.bytes().all(|byte| byte.is_ascii_graphic())).then_some(id)
}

/// Whether the answer stays on this machine: the peer is here, and is no proxy that speaks for somebody else.
pub(crate) fn is_on_this_machine(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
    peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
        && !forwarded.iter().any(|name| request.headers().contains_key(*name))
}
