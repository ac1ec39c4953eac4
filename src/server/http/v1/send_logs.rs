//! `POST /v1/logs`: one log, an array of logs, or one log a line. All or nothing, answered after the commit.

use crate::server::http::openapi::{BadEntry, LogsToSend};
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::log::{NewLog, Origin};
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::limits::ReadBody;
use crate::server::http::v1::idempotency;
use crate::server::ingest::endpoint::CallNames;
use crate::server::ingest::entry::{EntryContext, EntryError, MAX_CALL, Payload, Sender, read_call};
use crate::server::ingest::mask::MaskRules;
use crate::server::retention;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::logs::write::{Idempotency, LogCall, Written};

/// Seconds after which masking rules that could not be read are worth another try.
const RULES_RETRY_S: u64 = 5;

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LogsAccepted)]
#[allow(clippy::struct_field_names, reason = "the answer's own names")]
struct Accepted {
    accepted: u64,
    duplicates: u64,
    ids: Vec<String>,
}

/// The handler.
#[utoipa::path(
    post,
    path = "/v1/logs",
    operation_id = "sendLogs",
    tag = "Logs",
    summary = "Sends one log, an array of them, or one a line",
    description = "Needs the scope `logs:write`.",
    request_body(content((LogsToSend = "application/json"), (String = "application/x-ndjson"))),
    responses(
        (status = 201, description = "Stored, all of them; a repeat of a client's own id is counted and left", body = Accepted),
        BadEntry,
    ),
)]
pub(super) async fn send(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(&server, &key, &headers, body).await {
        Ok(written) => {
            metrics::counter!("ingest_logs_accepted_total").increment(written.accepted);
            metrics::counter!("ingest_logs_duplicate_total").increment(written.duplicates);
            let Written {
                accepted,
                duplicates,
                ids,
            } = written;
            (
                StatusCode::CREATED,
                Json(Accepted {
                    accepted,
                    duplicates,
                    ids,
                }),
            )
                .into_response()
        }
        Err(error) => {
            metrics::counter!("ingest_calls_refused_total", "status" => error.status().as_u16().to_string()).increment(1);
            error.into_response()
        }
    }
}

async fn take(server: &Server, key: &KeyAccess, headers: &HeaderMap, body: Body) -> Result<Written, ApiError> {
    key.require(Scope::LogsWrite)?;
    let payload = payload(headers)?;
    let idempotency_key = idempotency::key_of(headers)?;
    let endpoints = server.endpoints(key.project.key).await?;
    let retention_ms = retention::kept(server, key.project.key).await?.logs_ms();
    let body = server.limits.read(headers, body, MAX_CALL).await?;
    // Only now: a large body may have taken minutes, and rules that were changed meanwhile act on it.
    let mask = server.mask(key.project.key).await.map_err(|error| unmasked(&error))?;
    let received_at = server.clock.now_ms();
    let started = Instant::now();
    let (call, names) = {
        let (server, key) = (server.clone(), key.clone());
        // Reading and masking 128 MB takes longer than other requests should wait for this thread.
        let read = move || {
            let names = CallNames::of(&endpoints);
            let times = (received_at, retention_ms);
            let context = context(&server, &key, &names, &mask, times);
            let call = read(&context, &key, payload, body, idempotency_key)?;
            Ok::<_, EntryError>((call, names))
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| {
            tracing::error!(%error, "reading a call broke");
            ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something broke on the server while reading the call",
            )
        })??
    };
    let written = server.writer.write(call).await?;
    // A repeat brings nothing new.
    if written.accepted > 0 {
        names.keep();
    }
    metrics::histogram!("ingest_commit_seconds").record(started.elapsed());
    metrics::gauge!("ingest_queue_bytes").set(server.writer.waiting_bytes() as f64);
    Ok(written)
}

/// Nothing is stored unmasked: a call that comes when nobody knows what to mask is to come again.
fn unmasked(error: &StoreError) -> ApiError {
    tracing::error!(%error, "a project's masking rules could not be read");
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "What this project masks cannot be read right now, so nothing was stored; send the call again",
    )
    .retry_after(RULES_RETRY_S)
}

fn context<'a>(
    server: &'a Server,
    key: &KeyAccess,
    endpoints: &'a CallNames,
    mask: &'a MaskRules,
    (received_at, retention_ms): (i64, i64),
) -> EntryContext<'a> {
    EntryContext {
        now_ms: received_at,
        retention_ms,
        mask,
        endpoints,
        random: &server.random,
        origin: Origin::Application,
        sender: Some(Sender {
            app_id: key.app_id.clone(),
            name: key.name.clone(),
            client: key.client,
        }),
    }
}

fn read(
    context: &EntryContext<'_>,
    key: &KeyAccess,
    payload: Payload,
    body: ReadBody,
    idempotency_key: Option<String>,
) -> Result<LogCall, EntryError> {
    let logs: Vec<NewLog> = read_call(payload, &body.bytes, context)?;
    let idempotency = idempotency_key.map(|key| Idempotency {
        key,
        fingerprint: fingerprint(&body.bytes),
    });
    Ok(LogCall {
        project: key.project.key,
        logs,
        idempotency,
        received_at: context.now_ms,
    })
}

fn fingerprint(body: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update("POST /v1/logs\n")
        .chain_update(body)
        .finalize()
        .into()
}

fn payload(headers: &HeaderMap) -> Result<Payload, ApiError> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => Ok(Payload::Json),
        "application/x-ndjson" => Ok(Payload::Ndjson),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be application/json (one log, or an array of logs) or application/x-ndjson (one log a line)",
        )),
    }
}
