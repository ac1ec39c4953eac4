//! `POST /v1/otlp/v1/logs`: log records. Those that tell of an HTTP request become logs.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::Sent;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::openapi::{BadOtlp, RecordsTaken, RecordsToSend};
use crate::server::ingest::otlp::Signal;
use crate::server::state::Server;

/// The handler.
#[utoipa::path(
    post,
    path = "/v1/otlp/v1/logs",
    operation_id = "sendLogRecords",
    tag = "OpenTelemetry",
    summary = "Takes OTLP's log records: those of HTTP requests become logs",
    description = "Needs the scope `logs:write`. Records that name no method and no path are passed over, and are not counted as rejected. \
        `Content-Encoding: gzip` is read.",
    request_body(content((RecordsToSend = "application/json"), (String = "application/x-protobuf"))),
    responses(
        (status = 200, description = "Stored; what could not be is counted, with reasons", content((RecordsTaken = "application/json"), (String = "application/x-protobuf"))),
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
    sent.taken(Signal::Logs).await
}
