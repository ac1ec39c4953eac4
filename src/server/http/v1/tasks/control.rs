//! `POST /v1/async-actions/{id}/cancel` and `…/retry`, and the same for pages.

use crate::server::http::openapi::Clash;
use axum::Extension;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{TaskJson, found};
use crate::model::rights::Scope;
use crate::model::task::TaskStatus;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::jobs::control;
use crate::server::state::Server;

/// Stops a task of this service.
#[utoipa::path(
    post,
    path = "/v1/async-actions/{id}/cancel",
    operation_id = "cancelAsyncAction",
    tag = "Background tasks",
    summary = "Stops a task of this service",
    description = "Needs the scope `tasks:write`.",
    responses(
        (status = 202, description = "The task", body = TaskJson),
        Clash,
    ),
)]
pub(super) async fn cancel(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    key.require(Scope::TasksWrite)?;
    let task = found(&server, key.project.key, &id).await?;
    recording::about(recording.as_ref().map(|Extension(recording)| recording), "async_action", &id);
    if control::is_owners(&task) && !key.rights.settle {
        let details = "only an owner can stop what deletes logs that have passed the retention, on the task's page";
        return Err(ApiError::new(StatusCode::FORBIDDEN, details));
    }
    if !control::cancel(&server, key.project.key, &task, &key.name).await? {
        return Err(conflict(task.facts.status, task.facts.own, "cancelled"));
    }
    accepted(&server, &key, &id).await
}

/// Has a task of this service that failed tried again.
#[utoipa::path(
    post,
    path = "/v1/async-actions/{id}/retry",
    operation_id = "retryAsyncAction",
    tag = "Background tasks",
    summary = "Has a task of this service that failed tried again",
    description = "Needs the scope `tasks:write`.",
    responses(
        (status = 202, description = "The task", body = TaskJson),
        Clash,
    ),
)]
pub(super) async fn retry(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    key.require(Scope::TasksWrite)?;
    let task = found(&server, key.project.key, &id).await?;
    recording::about(recording.as_ref().map(|Extension(recording)| recording), "async_action", &id);
    if !control::retry(&server, key.project.key, &task).await? {
        if task.facts.own && task.facts.status == TaskStatus::Failed {
            let details = "the task failed, and what it needs is gone: its export was deleted, or its file is no longer kept";
            return Err(ApiError::new(StatusCode::CONFLICT, details).keyed("task_cannot_be_retried"));
        }
        return Err(conflict(task.facts.status, task.facts.own, "tried again"));
    }
    accepted(&server, &key, &id).await
}

async fn accepted(server: &Server, key: &KeyAccess, id: &str) -> Result<(StatusCode, Json<Value>), ApiError> {
    let task = found(server, key.project.key, id).await?;
    Ok((StatusCode::ACCEPTED, Json(json!(TaskJson::whole(&task, key.rights)))))
}

fn conflict(status: TaskStatus, own: bool, what: &str) -> ApiError {
    let details = if own {
        format!("a task that is {} cannot be {what}", status.as_str())
    } else {
        format!("an application does this task: only that can have it {what}")
    };
    ApiError::new(StatusCode::CONFLICT, details)
}
