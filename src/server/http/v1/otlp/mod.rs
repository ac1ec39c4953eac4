//! `/v1/otlp`: where exporters of OpenTelemetry send (`OTEL_EXPORTER_OTLP_ENDPOINT`). What of it tells of HTTP requests becomes logs.
//!
//! The same way in as `POST /v1/logs`: its scope, its bounds, its masking, answered after the commit. The answer is OTLP's, in the encoding of the request;
//! errors are the API's own JSON, or `google.rpc.Status` where protobuf was sent. One file a signal.

mod answer;
mod logs;
mod traces;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use utoipa::OpenApi;

use super::take::{Call, counted};
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::unpack::Packing;
use crate::server::ingest::entry::MAX_CALL;
use crate::server::ingest::otlp::{self, BYTES_OF_A_PART, Rejected, Signal};
use crate::server::state::Server;
use crate::server::store::logs::write::Written;
pub(in crate::server::http) use answer::{reads_protobuf, refusal};

/// The paths, each with its signal.
pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/v1/otlp/v1/traces", post(traces::send))
        .route("/v1/otlp/v1/logs", post(logs::send))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(traces::send, logs::send))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// What came to a path.
struct Sent {
    server: Server,
    key: KeyAccess,
    headers: HeaderMap,
    body: Body,
}

impl Sent {
    /// Takes what was sent, and answers.
    async fn taken(self, signal: Signal) -> Result<Response, ApiError> {
        let encoding = answer::encoding(&self.headers);
        let (_, rejected) = counted(self.stored(signal).await)?;
        metrics::counter!("ingest_otlp_rejected_total").increment(rejected.count);
        Ok(answer::success(encoding?, signal, &rejected))
    }

    async fn stored(self, signal: Signal) -> Result<(Written, Rejected), ApiError> {
        self.key.require(Scope::LogsWrite)?;
        let encoding = answer::encoding(&self.headers)?;
        let packing = Packing::of(&self.headers)?;
        let limits = Arc::clone(&self.server.limits);
        let call = Call {
            key: &self.key,
            headers: &self.headers,
            body: self.body,
            name: match signal {
                Signal::Traces => "POST /v1/otlp/v1/traces",
                Signal::Logs => "POST /v1/otlp/v1/logs",
            },
        };
        call.take(&self.server, move |body, context| {
            let mut body = packing.unpacked(&limits, body, MAX_CALL)?;
            let parts = otlp::count(signal, encoding, &body.bytes)?;
            limits.hold_more(&mut body, parts * BYTES_OF_A_PART)?;
            let taken = otlp::read(signal, encoding, &body.bytes, context)?;
            Ok((taken.logs, taken.rejected))
        })
        .await
    }
}
