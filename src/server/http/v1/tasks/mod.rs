//! `/v1/async-actions`: tasks, of this service and of applications. Shapes as in the reference.
//!
//! To add a path: a file here with its handler, and its line in [`routes`].

mod control;
pub(super) mod files;
mod list;
pub(super) mod report;

use axum::Router;
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::value::RawValue;

use super::json::time;
use crate::model::rights::Rights;
use crate::model::task::{OperationStatus, TaskFacts, TaskStatus};
use crate::server::error::ApiError;
use crate::server::masking;
use crate::server::state::Server;
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::{self, Task};

/// By key.
pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/v1/async-actions", get(list::list).merge(post(report::report)))
        .route("/v1/async-actions/{id}", get(list::one).patch(report::change))
        .route("/v1/async-actions/{id}/cancel", post(control::cancel))
        .route("/v1/async-actions/{id}/retry", post(control::retry))
        .route("/v1/async-actions/{id}/rejected", get(files::rejected))
}

/// By session.
pub(super) fn member_routes() -> Router<Server> {
    Router::new()
        .route("/projects/{project}/tasks/{id}/rejected", get(files::rejected_for_member))
        .route("/projects/{project}/tasks/{id}/file", get(files::original_for_member))
        .route("/projects/{project}/tasks/{id}/parameters", get(files::parameters_for_member))
        .route("/projects/{project}/tasks/{id}/result", get(files::result_for_member))
}

/// Why a result is not given (decision 0010).
const WITHHELD: &str = "not allowed: the result may quote what was sent, and is given with read:bodies alone";

/// A task as the API has it; the last three are left out of lists.
#[derive(Serialize)]
struct TaskJson<'a> {
    id: &'a str,
    object: &'static str,
    #[serde(rename = "type")]
    kind: &'a str,
    status: TaskStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_status: Option<OperationStatus>,
    created_at: String,
    updated_at: String,
    request_id: Option<&'a str>,
    processing_time: Option<i64>,
    progress: u8,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    whole: Option<WholeJson<'a>>,
}

#[derive(Serialize)]
struct WholeJson<'a> {
    result: Option<Box<RawValue>>,
    user: Option<UserJson<'a>>,
    log_id: Option<&'a str>,
    export_id: Option<&'a str>,
    import_file: Option<FileJson<'a>>,
    /// What is left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
}

#[derive(Serialize)]
struct UserJson<'a> {
    id: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize)]
struct FileJson<'a> {
    name: &'a str,
    bytes: i64,
}

impl<'a> TaskJson<'a> {
    fn of_list(facts: &'a TaskFacts) -> Self {
        Self {
            id: &facts.id,
            object: "async_action",
            kind: &facts.kind,
            status: facts.status,
            operation_status: facts.operation_status,
            created_at: time(facts.created_at),
            updated_at: time(facts.updated_at),
            request_id: facts.request_id.as_deref(),
            processing_time: facts.processing_ms,
            progress: facts.progress,
            whole: None,
        }
    }

    fn whole(task: &'a Task, rights: Rights) -> Self {
        let user = task.facts.by.as_deref().filter(|_| rights.read_users);
        let result = shown_result(task, rights);
        let is_withheld = result.is_none() && task.result.is_some() && !rights.read_bodies;
        Self {
            whole: Some(WholeJson {
                notes: is_withheld.then_some(WITHHELD).into_iter().collect(),
                result,
                user: user.map(|name| UserJson {
                    id: task.user_id.as_deref(),
                    name,
                }),
                log_id: task.facts.log_id.as_deref(),
                export_id: task.facts.export_id.as_deref(),
                import_file: task.file.as_ref().map(|(_, name, bytes)| FileJson { name, bytes: *bytes }),
            }),
            ..Self::of_list(&task.facts)
        }
    }
}

/// What came of a task, as JSON, for those who may see it.
pub(crate) fn shown_result(task: &Task, rights: Rights) -> Option<Box<RawValue>> {
    RawValue::from_string(task.shown_result(rights)?.into_owned()).ok()
}

/// The task with this id, what came of it masked as the project masks, or 404: another project's is not there either.
pub(super) async fn found(server: &Server, project: ProjectKey, id: &str) -> Result<Task, ApiError> {
    let missing = || ApiError::not_found("async_action", id);
    if !crate::model::id::is_client_id(id) {
        return Err(missing());
    }
    let mut task = tasks::find(&server.db, project, id).await?.ok_or_else(missing)?;
    let rules = server.mask(project).await?;
    masking::task(&rules, &mut task);
    Ok(task)
}
