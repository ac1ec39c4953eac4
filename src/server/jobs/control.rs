//! Cancelling a task and having it tried again, for calls and pages alike.

use serde_json::json;

use super::{export, import, retry as again_job};
use crate::model::export::Exported;
use crate::model::task::{CANCELLED, CANCELLED_BY, TaskStatus, kinds};
use crate::server::state::Server;
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::Task;
use crate::server::store::{StoreError, exports, jobs};
use crate::server::webhooks::own;

/// Whether a task can be stopped.
pub const fn can_cancel(task: &Task) -> bool {
    task.facts.own && !task.facts.status.is_over()
}

/// Whether only whoever settles the project may stop a task: how long logs are kept is theirs to say.
pub fn is_owners(task: &Task) -> bool {
    task.facts.own && task.facts.kind == kinds::PURGE
}

/// Whether a task can be tried again: it failed, and what it needs is still known.
pub fn can_retry(task: &Task) -> bool {
    task.facts.own && matches!(task.facts.status, TaskStatus::Failed) && again(task).is_some()
}

/// Stops a task; false where it is over, or not this service's.
pub async fn cancel(server: &Server, project: ProjectKey, task: &Task, by: &str) -> Result<bool, StoreError> {
    if !can_cancel(task) {
        return Ok(false);
    }
    let reason = format!("{CANCELLED_BY}{by}");
    // Endpoints have no right to see who did it, and what is sent cannot be taken back.
    let told = own::task_failed(server, project, &task.facts.id, CANCELLED).await?;
    let cancelled = jobs::cancel(&server.db, project, &task.facts.id, &reason, told, server.clock.now_ms()).await?;
    server.webhooks.ring();
    Ok(cancelled)
}

/// Has a task tried again; false where it did not fail, or is not this service's.
pub async fn retry(server: &Server, project: ProjectKey, task: &Task) -> Result<bool, StoreError> {
    let Some((kind, payload)) = again(task) else {
        return Ok(false);
    };
    if let Some(export) = &task.facts.export_id
        && exports::find(&server.db, project, export).await?.is_none()
    {
        return Ok(false);
    }
    let retried = jobs::retry(&server.db, project, &task.facts.id, kind, &payload, server.clock.now_ms()).await?;
    if retried {
        server.bell.ring();
    }
    Ok(retried)
}

/// Whether an import was told that the file's formulas are guarded.
fn is_guarded(task: &Task) -> bool {
    let parameters = task.parameters.as_deref().and_then(|json| serde_json::from_str(json).ok());
    parameters.is_some_and(|parameters: serde_json::Value| parameters["csv_formulas"] == "guarded")
}

/// What the job of a task was given, made anew from what the task keeps.
fn again(task: &Task) -> Option<(&'static str, String)> {
    match task.facts.kind.as_str() {
        kinds::IMPORT => {
            let (file, name, bytes) = task.file.clone()?;
            let payload = import::Payload {
                file,
                name,
                bytes: bytes.max(0) as u64,
                guarded: is_guarded(task),
            };
            Some((import::NAME, json!(payload).to_string()))
        }
        kinds::EXPORT => {
            let parameters: serde_json::Value = serde_json::from_str(task.parameters.as_deref()?).ok()?;
            Exported::parse(parameters.get("exported_object")?.as_str()?)?;
            let plan = serde_json::from_value(parameters.get("plan")?.clone()).ok()?;
            let payload = export::Payload {
                export_id: task.facts.export_id.clone()?,
                plan,
            };
            Some((export::NAME, json!(payload).to_string()))
        }
        kinds::RETRY => {
            let payload: again_job::Payload = serde_json::from_str(task.parameters.as_deref()?).ok()?;
            Some((again_job::NAME, json!(payload).to_string()))
        }
        _ => None,
    }
}
