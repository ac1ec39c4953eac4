//! `GET /v1/logs/{id}`: one log, with what it says where the key may read that.

use crate::server::http::openapi::LogShown;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::json::{Bodies, write_log};
use crate::model::log::Log;
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::state::Server;
use crate::server::store::logs::one;
use crate::server::store::projects::ProjectKey;

/// The handler.
#[utoipa::path(
    get,
    path = "/v1/logs/{id}",
    operation_id = "getLog",
    tag = "Logs",
    summary = "One log",
    description = "Needs the scope `read`.",
    responses((status = 200, description = "The log", body = LogShown)),
)]
pub(super) async fn one(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    key.require(Scope::Read)?;
    let log = found(&server, key.project.key, &id).await?;
    let mut json = Vec::new();
    write_log(&mut json, &log, key.rights, Bodies::of(key.rights));
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// The log with this id, or 404: another project's is not there either.
pub(super) async fn found(server: &Server, project: ProjectKey, id: &str) -> Result<Log, ApiError> {
    // No log is called so, and PostgreSQL takes no NUL.
    if !crate::model::id::is_client_id(id) {
        return Err(ApiError::not_found("api_log", id));
    }
    one::find(&server.db, project, id)
        .await?
        .ok_or_else(|| ApiError::not_found("api_log", id))
}
