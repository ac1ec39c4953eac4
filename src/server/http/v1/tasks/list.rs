//! `GET /v1/async-actions` and `GET /v1/async-actions/{id}`.

use crate::server::http::openapi::{BadQuery, TaskArguments};
use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::{TaskJson, TaskList, found};
use crate::model::page::{Key, Place};
use crate::model::query::{QueryProblem, pairs};
use crate::model::rights::Scope;
use crate::model::tab::{Tab, TabQuery};
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::selection::{cursor, records};
use crate::server::state::Server;
use crate::server::store::records::{RecordRequest, tasks};

/// Newest first; `end_date` gives those before it, as the reference turns pages, and `after` a cursor.
#[utoipa::path(
    get,
    path = "/v1/async-actions",
    operation_id = "listAsyncActions",
    tag = "Background tasks",
    summary = "Tasks, newest first",
    description = "Needs the scope `read`.",
    params(TaskArguments),
    responses(
        (status = 200, description = "A page of tasks", body = TaskList),
        BadQuery,
    ),
)]
pub(super) async fn list(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let query = query.unwrap_or_default();
    let end = end_date(&query)?;
    let parsed = TabQuery::parse(Tab::Tasks, &query)?;
    let context = records::context(&server, &key.project, key.rights);
    let (mut selection, mut place) = records::resolve(&parsed, &context)?;
    if let Some(end) = end {
        selection.range.to = selection.range.to.min(end);
        place = Place::Start;
    }
    let request = RecordRequest {
        project: key.project.key,
        selection: &selection,
        order: parsed.order,
        place,
        limit: parsed.limit.into(),
    };
    let page = tasks(&server.db, request).await?;
    let next = page.rows.last().filter(|_| page.more_after).map(|last| {
        let place = Key {
            created_at: last.created_at,
            id: last.id.clone(),
        };
        cursor(&server.key, &key.project.id, &place)
    });
    let actions: Vec<TaskJson<'_>> = page.rows.iter().map(TaskJson::of_list).collect();
    Ok(Json(json!({
        "object": "list",
        "data_ref": "async_actions",
        "async_actions": actions,
        "has_more": page.more_after,
        "more_starting_after": next,
    })))
}

fn end_date(query: &str) -> Result<Option<i64>, QueryProblem> {
    let Some((_, text)) = pairs(query).find(|(name, value)| name == "end_date" && !value.is_empty()) else {
        return Ok(None);
    };
    crate::server::exporting::plan::read_time(&text)
        .map(Some)
        .ok_or_else(|| QueryProblem::new("end_date", "a time or a date in ISO 8601, as 2026-11-16T14:14:31Z"))
}

/// One task.
#[utoipa::path(
    get,
    path = "/v1/async-actions/{id}",
    operation_id = "getAsyncAction",
    tag = "Background tasks",
    summary = "One task",
    description = "Needs the scope `read`.",
    responses((status = 200, description = "The task", body = TaskJson)),
)]
pub(super) async fn one(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let task = found(&server, key.project.key, &id).await?;
    Ok(Json(json!(TaskJson::whole(&task, key.rights))))
}
