//! The spool for another `audit-log` to fetch: what was recorded, from where it is stored up to on, and the word that it is stored now.
//!
//! `GET /spool` answers records as soon as there are some (200, as `spool::record` writes them, with `X-Spool-Id`, `X-Spool-Next` and `X-Spool-Damaged`), or 204 after a while;
//! `?from=12.3456` reads from another place. `POST /spool/stored?up_to=12.3456` acknowledges. Both want `Authorization: Bearer` with the spool's key.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::local::{on_disk, read};
use super::send::SourceError;
use super::spool::record;
use super::spool::{NoPosition, Position, Spool};
use crate::server::config::Secret;

/// Whoever asks waits so long for something to be recorded.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const SPOOL_ID: &str = "x-spool-id";
pub(super) const SPOOL_NEXT: &str = "x-spool-next";
pub(super) const SPOOL_DAMAGED: &str = "x-spool-damaged";

#[derive(Clone)]
struct Lent {
    spool: Arc<Spool>,
    key: Arc<Secret>,
}

/// What a spool's listener answers to.
pub(super) fn routes(spool: Arc<Spool>, key: Secret) -> Router {
    let lent = Lent {
        spool,
        key: Arc::new(key),
    };
    Router::new()
        .route("/spool", get(fetch))
        .route("/spool/stored", post(acknowledge))
        .layer(from_fn_with_state(lent.clone(), only_by_key))
        .with_state(lent)
}

async fn only_by_key(State(lent): State<Lent>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let shown = headers.get(header::AUTHORIZATION).map_or(&[][..], HeaderValue::as_bytes);
    let right = format!("Bearer {}", lent.key.tell());
    if bool::from(shown.ct_eq(right.as_bytes())) {
        return next.run(request).await;
    }
    (
        StatusCode::UNAUTHORIZED,
        "the spool's key is wanted: Authorization: Bearer KEY\n",
    )
        .into_response()
}

/// Why a spool was not answered from.
#[derive(Debug, thiserror::Error)]
enum LendError {
    #[error(transparent)]
    Position(#[from] NoPosition),
    #[error(transparent)]
    Spool(#[from] SourceError),
}

impl IntoResponse for LendError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Position(_) => StatusCode::BAD_REQUEST,
            Self::Spool(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, format!("{self}\n")).into_response()
    }
}

#[derive(Deserialize)]
struct From {
    from: Option<String>,
}

async fn fetch(State(Lent { spool, .. }): State<Lent>, Query(asked): Query<From>) -> Result<Response, LendError> {
    let from: Option<Position> = asked.from.as_deref().map(str::parse).transpose()?;
    let from = from.unwrap_or_else(|| spool.stored());
    let mut ends = spool.ends();
    let mut chunk = read(&spool, from).await?;
    if chunk.next == from {
        // An error says that the gateway stops: there is nothing then, either.
        let _grown = tokio::time::timeout(PATIENCE, ends.changed()).await;
        chunk = read(&spool, from).await?;
    }
    let place = [
        (SPOOL_ID, spool.id().to_owned()),
        (SPOOL_NEXT, chunk.next.to_string()),
        (SPOOL_DAMAGED, chunk.damaged.to_string()),
    ];
    if chunk.next == from {
        return Ok((StatusCode::NO_CONTENT, place).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, place, record::encode(&chunk.records)).into_response())
}

#[derive(Deserialize)]
struct UpTo {
    up_to: String,
}

async fn acknowledge(State(Lent { spool, .. }): State<Lent>, Query(asked): Query<UpTo>) -> Result<StatusCode, LendError> {
    let position: Position = asked.up_to.parse()?;
    on_disk(move || spool.acknowledge(position)).await?;
    Ok(StatusCode::NO_CONTENT)
}
