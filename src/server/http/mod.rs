//! The router: what the service answers to, and what every request goes through.
//!
//! From the outside in: headers and the request's id, metrics, compression, the rest of a body, the time that one may take, the recording, the one shape of errors,
//! panics, whose recording it is, the origin, the time until the answer begins, the size of a body, and then the routes. To add an endpoint of the API: a file in `v1/`.

mod account;
pub mod assets;
mod deadline;
mod embed;
mod error_page;
mod errors;
pub mod headers;
mod health;
mod invite;
pub mod limits;
mod linger;
mod live;
mod management;
pub mod metrics;
mod oidc;
pub mod openapi;
mod origin;
pub mod pages;
pub mod recording;
mod second;
pub mod serve;
pub mod shown;
pub mod sign_in;
mod sizes;
mod unpack;
pub(crate) mod v1;

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Version, header};
use axum::middleware::{from_fn, from_fn_with_state};
use recorder::RecorderLayer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::state::Server;

/// No byte of a body for so long, and whoever sends it is given up.
const BODY_IDLE: Duration = Duration::from_secs(30);
/// Bytes of each body of a request to this service that are recorded.
const RECORDED: usize = 256 << 10;
/// Bytes under which an answer is not worth compressing: it goes out in one packet either way.
const WORTH_COMPRESSING: u16 = 1_500;

/// Everything the service answers to.
pub fn router(server: Server) -> Router {
    metrics::start();
    let routes = Router::new()
        .merge(v1::routes(&server))
        .merge(management::routes(&server))
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(assets::routes())
        .merge(sign_in::routes())
        .merge(second::routes())
        .merge(oidc::routes())
        .merge(account::routes())
        .merge(invite::routes())
        .merge(embed::routes())
        .merge(live::routes())
        .merge(pages::routes(&server))
        .fallback(errors::nothing_here);
    let compress = server.config.compress;
    let routes = routes
        .layer(from_fn(sizes::check))
        .layer(from_fn(deadline::limit))
        .layer(from_fn_with_state(server.clone(), origin::check))
        .layer(from_fn_with_state(server.clone(), recording::describe))
        .layer(CatchPanicLayer::custom(errors::panicked))
        .layer(from_fn(errors::in_one_shape))
        .layer(RecorderLayer::new(recording::OwnLogs(server.clone())).keeping(RECORDED))
        .layer(RequestBodyTimeoutLayer::new(BODY_IDLE))
        .layer(from_fn(linger::hear_out));
    let routes = if compress { routes.layer(compression()) } else { routes };
    routes
        .layer(from_fn(metrics::count))
        .layer(from_fn_with_state(server.clone(), headers::every_answer))
        .with_state(server)
}

/// Pages and JSON made for this request, at the fastest level: more would cost more time than it saves.
fn compression() -> CompressionLayer<impl Predicate> {
    let is_made_here = |_: StatusCode, _: Version, headers: &HeaderMap, _: &axum::http::Extensions| {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .map(axum::http::HeaderValue::as_bytes)
            .unwrap_or_default();
        let is_text = kind.starts_with(b"text/html") || kind.starts_with(b"application/json");
        is_text && !headers.contains_key(header::CONTENT_DISPOSITION)
    };
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(WORTH_COMPRESSING).and(is_made_here))
}
