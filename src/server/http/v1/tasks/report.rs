//! `POST /v1/async-actions` and `PATCH /v1/async-actions/{id}`: tasks that an application does itself, and tells us of.

use crate::server::http::openapi::{BadBody, Clash};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{TaskJson, found};
use crate::model::id::{IdKind, is_client_id};
use crate::model::rights::Scope;
use crate::model::task::{OperationStatus, TaskStatus};
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::fields::Fields;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::{self, NewTask, TaskChange};
use crate::server::webhooks::own;

/// Letters of a type.
const MAX_KIND: usize = 128;
/// Letters of a request's id.
const MAX_REQUEST_ID: usize = 255;

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = AsyncActionToReport)]
#[serde(deny_unknown_fields)]
pub(super) struct NewJson {
    #[serde(rename = "type")]
    #[schema(pattern = "^[!-~]{1,128}$")]
    kind: String,
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    id: Option<String>,
    #[schema(max_length = 255)]
    request_id: Option<String>,
    #[schema(value_type = Option<TaskStatus>)]
    status: Option<String>,
    #[schema(minimum = 0, maximum = 100)]
    progress: Option<f64>,
    #[schema(value_type = Option<OperationStatus>)]
    operation_status: Option<String>,
    #[schema(value_type = serde_json::Value, required = false)]
    result: Option<Box<RawValue>>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = AsyncActionChange)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeJson {
    #[schema(value_type = Option<TaskStatus>)]
    status: Option<String>,
    #[schema(value_type = Option<OperationStatus>)]
    operation_status: Option<String>,
    #[schema(minimum = 0, maximum = 100)]
    progress: Option<f64>,
    #[schema(value_type = serde_json::Value, required = false)]
    result: Option<Box<RawValue>>,
}

fn invalid(details: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, details)
}

/// Reports a task.
#[utoipa::path(
    post,
    path = "/v1/async-actions",
    operation_id = "reportAsyncAction",
    tag = "Background tasks",
    summary = "Reports a task that the application does itself",
    description = "Needs the scope `tasks:write`.",
    request_body = NewJson,
    responses(
        (status = 201, description = "The task", body = TaskJson),
        BadBody,
    ),
)]
pub(super) async fn report(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    body: Result<Fields<NewJson>, ApiError>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    key.require(Scope::TasksWrite)?;
    let Fields(new) = body?;
    let is_kind = |kind: &str| (1..=MAX_KIND).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_kind(&new.kind) {
        return Err(invalid(format!(
            "type must be 1 to {MAX_KIND} letters without spaces, as VOUCHERS.IMPORT_CSV"
        )));
    }
    if new.id.as_deref().is_some_and(|id| !is_client_id(id)) {
        return Err(invalid("id must be 1 to 64 of A-Z a-z 0-9 _ -"));
    }
    if new
        .request_id
        .as_deref()
        .is_some_and(|id| id.len() > MAX_REQUEST_ID || id.chars().any(char::is_control))
    {
        return Err(invalid(format!("request_id must be at most {MAX_REQUEST_ID} letters")));
    }
    let change = change_of(
        new.status.as_deref(),
        new.operation_status.as_deref(),
        new.progress,
        new.result,
    )?;
    let now_ms = server.clock.now_ms();
    let id = new.id.unwrap_or_else(|| server.random.id(IdKind::Task, now_ms));
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    let log_id = server.random.id(IdKind::Log, now_ms);
    let task = NewTask {
        id: id.clone(),
        kind: new.kind,
        progress: change.progress.unwrap_or(0),
        request_id: new.request_id,
        by: Some(key.name.clone()),
        log_id: recording.is_some().then(|| log_id.clone()),
        ..NewTask::default()
    };
    tasks::add(&server.db, key.project.key, &task, now_ms).await?;
    if change.status.is_some() || change.operation_status.is_some() || change.result.is_some() {
        move_on(&server, key.project.key, &id, &change).await?;
    }
    recording::began(recording, &id, &log_id);
    recording::about(recording, "async_action", &id);
    let task = found(&server, key.project.key, &id).await?;
    Ok((StatusCode::CREATED, Json(json!(TaskJson::whole(&task, key.rights)))))
}

/// Moves a reported task on.
#[utoipa::path(
    patch,
    path = "/v1/async-actions/{id}",
    operation_id = "changeAsyncAction",
    tag = "Background tasks",
    summary = "Moves a reported task on",
    description = "Needs the scope `tasks:write`.",
    request_body = ChangeJson,
    responses(
        (status = 200, description = "The task", body = TaskJson),
        BadBody,
        Clash,
    ),
)]
pub(super) async fn change(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    Path(id): Path<String>,
    body: Result<Fields<ChangeJson>, ApiError>,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::TasksWrite)?;
    let Fields(asked) = body?;
    let task = found(&server, key.project.key, &id).await?;
    recording::about(recording.as_ref().map(|Extension(recording)| recording), "async_action", &id);
    if task.facts.own {
        let details = "this service does this task itself: cancel it or have it tried again instead";
        return Err(ApiError::new(StatusCode::CONFLICT, details));
    }
    let change = change_of(
        asked.status.as_deref(),
        asked.operation_status.as_deref(),
        asked.progress,
        asked.result,
    )?;
    if !move_on(&server, key.project.key, &id, &change).await? {
        let details = format!("the task is over: {}", task.facts.status.as_str());
        return Err(ApiError::new(StatusCode::CONFLICT, details).keyed("task_is_over"));
    }
    let task = found(&server, key.project.key, &id).await?;
    Ok(Json(json!(TaskJson::whole(&task, key.rights))))
}

/// Moves a task on; that it failed is told to the endpoints that want to know, as of a task of this service's own.
async fn move_on(server: &Server, project: ProjectKey, id: &str, change: &TaskChange) -> Result<bool, StoreError> {
    let told = if change.status == Some(TaskStatus::Failed) {
        Some(own::task_failed(server, project, id, &reason(change.result.as_deref())).await?)
    } else {
        None
    };
    let moved = tasks::change(&server.db, project, id, change, told, server.clock.now_ms()).await?;
    server.webhooks.ring();
    Ok(moved)
}

/// Why a task failed, in its application's words where the result has some.
fn reason(result: Option<&str>) -> String {
    let result: Option<Value> = result.and_then(|json| serde_json::from_str(json).ok());
    let message = result.as_ref().and_then(|result| result.get("message")?.as_str());
    message
        .unwrap_or("The application that does it reports that it failed")
        .to_owned()
}

fn change_of(
    status: Option<&str>,
    operation_status: Option<&str>,
    progress: Option<f64>,
    result: Option<Box<RawValue>>,
) -> Result<TaskChange, ApiError> {
    let status = status
        .map(|word| TaskStatus::parse(word).ok_or_else(|| invalid("status must be ENQUEUED, IN_PROGRESS, DONE or FAILED")))
        .transpose()?;
    let operation_status = operation_status
        .map(|word| OperationStatus::parse(word).ok_or_else(|| invalid("operation_status must be SUCCESS, FAILED or UNKNOWN")))
        .transpose()?;
    let progress = progress
        .map(|percent| {
            (0.0..=100.0)
                .contains(&percent)
                .then_some(percent as u8)
                .ok_or_else(|| invalid("progress must be 0 to 100, in percent"))
        })
        .transpose()?;
    Ok(TaskChange {
        status,
        operation_status,
        // What is done is done wholly, unless somebody says otherwise.
        progress: progress.or_else(|| (status == Some(TaskStatus::Done)).then_some(100)),
        result: result.map(|json| json.get().to_owned()).filter(|json| json != "null"),
        rejected: None,
    })
}
