//! `POST /v1/logs`: one log, an array of logs, or one log a line. All or nothing, answered after the commit.

use crate::server::http::openapi::{BadEntry, LogsToSend};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;

use super::take::{Call, counted};
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::ingest::entry::{Payload, read_call};
use crate::server::state::Server;
use crate::server::store::logs::write::Written;

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
) -> Result<Response, ApiError> {
    let taken = take(&server, &key, &headers, body).await;
    let (written, ()) = counted(taken)?;
    let Written {
        accepted,
        duplicates,
        ids,
    } = written;
    let accepted = Accepted {
        accepted,
        duplicates,
        ids,
    };
    Ok((StatusCode::CREATED, Json(accepted)).into_response())
}

async fn take(server: &Server, key: &KeyAccess, headers: &HeaderMap, body: Body) -> Result<(Written, ()), ApiError> {
    key.require(Scope::LogsWrite)?;
    let payload = payload(headers)?;
    let call = Call {
        key,
        headers,
        body,
        name: "POST /v1/logs",
    };
    call.take(server, move |body, context| {
        Ok((read_call(payload, &body.bytes, context)?, ()))
    })
    .await
}

fn payload(headers: &HeaderMap) -> Result<Payload, ApiError> {
    match essence(headers).as_str() {
        "application/json" => Ok(Payload::Json),
        "application/x-ndjson" => Ok(Payload::Ndjson),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be application/json (one log, or an array of logs) or application/x-ndjson (one log a line)",
        )),
    }
}

/// What the body is, without parameters.
pub(super) fn essence(headers: &HeaderMap) -> String {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
