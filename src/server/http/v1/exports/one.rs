//! `GET /v1/exports/{id}`: the export, or with a token its file. `DELETE /v1/exports/{id}`.

use crate::server::http::openapi::NoRange;
use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::{ExportJson, file, found};
use crate::model::query::pairs;
use crate::model::rights::Scope;
use crate::server::error::ApiError;
use crate::server::exports::is_good_token;
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::caller;
use crate::server::state::Server;
use crate::server::store::exports;

/// Get and download share a path: the token decides.
#[utoipa::path(
    get,
    path = "/v1/exports/{id}",
    operation_id = "getExport",
    tag = "Exports",
    summary = "One export; by a signed link its file",
    description = "Needs the scope `read`.",
    params(("token" = Option<String>, Query, description = "Of the link in `result.url`: the answer is the file, and no key is asked for")),
    responses(
        (status = 200, description = "The export, or by a link its file", content((ExportJson = "application/json"), (Value = "*/*"))),
        (status = 206, description = "The range of the file that was asked for", body = Value, content_type = "*/*"),
        NoRange,
    ),
)]
pub(super) async fn one(
    State(server): State<Server>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, ApiError> {
    let recording = request.extensions().get::<Recording>().cloned();
    recording::about(recording.as_ref(), "export", &id);
    let token = query
        .as_deref()
        .and_then(|query| pairs(query).find(|(name, _)| name == "token").map(|(_, token)| token));
    if let Some(token) = token {
        let headers = request.headers().clone();
        return by_token(&server, &id, &token, recording.as_ref(), &headers).await;
    }
    let (key, left) = caller::key_of(&server, request).await?;
    key.require(Scope::Read)?;
    let export = found(&server, key.project.key, &id).await?;
    let json = json!(ExportJson::of(
        &server,
        &export.facts,
        (&export.parameters, &export.shown),
        key.rights
    ));
    Ok(caller::telling(left, Json(json)))
}

async fn by_token(
    server: &Server,
    id: &str,
    token: &str,
    recording: Option<&Recording>,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    if !is_good_token(server, id, token) {
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "this link is not one of ours, or has run out: get the export again for another",
        ));
    }
    let missing = || ApiError::not_found("export", id);
    let project = exports::project_of(&server.db, id).await?.ok_or_else(missing)?;
    if let Some(recording) = recording {
        recording.context(|subject| subject.projects = vec![project]);
        recording.not_captured();
    }
    let export = found(server, project, id).await?;
    file::answer(server, &export, headers)
}

/// Deletes an export and its file.
#[utoipa::path(
    delete,
    path = "/v1/exports/{id}",
    operation_id = "deleteExport",
    tag = "Exports",
    summary = "Deletes an export and its file",
    description = "Needs the scope `exports:write`.",
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete(State(server): State<Server>, Path(id): Path<String>, request: Request) -> Result<Response, ApiError> {
    let recording = request.extensions().get::<Recording>().cloned();
    recording::about(recording.as_ref(), "export", &id);
    let (key, left) = caller::key_of(&server, request).await?;
    key.require(Scope::ExportsWrite)?;
    let export = found(&server, key.project.key, &id).await?;
    exports::delete(&server.db, key.project.key, &export.facts.id, server.clock.now_ms()).await?;
    Ok(caller::telling(left, StatusCode::NO_CONTENT))
}
