//! Whether this server lives, and whether it is ready for work.

use crate::server::http::openapi::Health;
use std::time::Duration;
use utoipa::OpenApi;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::server::error::ApiError;
use crate::server::state::Server;

/// A database that takes longer to say that it is there cannot be worked with.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);
/// Seconds until it is worth asking again.
const RETRY_S: u64 = 2;

/// `GET /health/live` and `/health/ready`.
pub(crate) fn routes() -> Router<Server> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(live, ready))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "live",
    tag = "Health",
    summary = "Whether this server lives",
    responses((status = 200, description = "It lives", body = Health)),
)]
async fn live() -> Json<serde_json::Value> {
    Json(json!({"status": "live"}))
}

#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "ready",
    tag = "Health",
    summary = "Whether this server is ready for work",
    responses((status = 200, description = "It is ready", body = Health)),
)]
async fn ready(State(server): State<Server>) -> Result<Response, ApiError> {
    let refused = |why: &str| Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, why).retry_after(RETRY_S));
    match tokio::time::timeout(DATABASE_PATIENCE, server.db.ping()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the database failed");
            return refused("the database cannot be reached");
        }
        Err(_) => return refused("the database does not answer in time"),
    }
    if !server.writer.is_alive() {
        return refused("the writer of logs has stopped");
    }
    Ok(Json(json!({"status": "ready"})).into_response())
}
