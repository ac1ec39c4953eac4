//! `POST /v1/otlp/v1/traces`: spans. Those of HTTP servers become logs.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::Sent;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::openapi::{BadOtlp, SpansTaken, SpansToSend};
use crate::server::ingest::otlp::Signal;
use crate::server::state::Server;

/// The handler.
#[utoipa::path(
    post,
    path = "/v1/otlp/v1/traces",
    operation_id = "sendSpans",
    tag = "OpenTelemetry",
    summary = "Takes OTLP's spans: those of HTTP servers become logs",
    description = "Needs the scope `logs:write`. Spans of other kinds, or without a method, are passed over, and are not counted as rejected. \
        `Content-Encoding: gzip` is read.",
    request_body(content((SpansToSend = "application/json"), (String = "application/x-protobuf"))),
    responses(
        (status = 200, description = "Stored; what could not be is counted, with reasons", content((SpansTaken = "application/json"), (String = "application/x-protobuf"))),
        BadOtlp,
    ),
)]
pub(super) async fn send(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let sent = Sent {
        server,
        key,
        headers,
        body,
    };
    sent.taken(Signal::Traces).await
}
