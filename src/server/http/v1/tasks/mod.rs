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
use utoipa::OpenApi;

/// By key.
pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/v1/async-actions", get(list::list).merge(post(report::report)))
        .route("/v1/async-actions/{id}", get(list::one).patch(report::change))
        .route("/v1/async-actions/{id}/cancel", post(control::cancel))
        .route("/v1/async-actions/{id}/retry", post(control::retry))
        .route("/v1/async-actions/{id}/rejected", get(files::rejected))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    list::one,
    report::report,
    report::change,
    control::cancel,
    control::retry,
    files::rejected
))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// By session.
pub(super) fn member_routes() -> Router<Server> {
    Router::new()
        .route("/projects/{project}/tasks/{id}/rejected", get(files::rejected_for_member))
        .route("/projects/{project}/tasks/{id}/file", get(files::original_for_member))
        .route("/projects/{project}/tasks/{id}/parameters", get(files::parameters_for_member))
        .route("/projects/{project}/tasks/{id}/result", get(files::result_for_member))
}

/// A page of tasks, as the document has it.
#[derive(utoipa::ToSchema)]
#[schema(as = AsyncActionList)]
#[allow(dead_code, reason = "the document is made of its fields")]
struct TaskList {
    #[schema(pattern = "^list$")]
    object: String,
    #[schema(pattern = "^async_actions$")]
    data_ref: String,
    async_actions: Vec<TaskJson<'static>>,
    has_more: bool,
    #[schema(required)]
    more_starting_after: Option<String>,
}

/// Why a result is not given (decision 0010).
const WITHHELD: &str = "not allowed: the result may quote what was sent, and is given with read:bodies alone";

/// A task as the API has it; the last three are left out of lists.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AsyncAction)]
struct TaskJson<'a> {
    id: &'a str,
    #[schema(pattern = "^async_action$")]
    object: &'static str,
    #[serde(rename = "type")]
    kind: &'a str,
    status: TaskStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_status: Option<OperationStatus>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    #[schema(required)]
    request_id: Option<&'a str>,
    #[schema(required)]
    processing_time: Option<i64>,
    #[schema(maximum = 100)]
    progress: u8,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WholeJson)]
    whole: Option<WholeJson<'a>>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AsyncActionDetails)]
struct WholeJson<'a> {
    #[schema(value_type = serde_json::Value, required = false)]
    result: Option<Box<RawValue>>,
    user: Option<UserJson<'a>>,
    log_id: Option<&'a str>,
    export_id: Option<&'a str>,
    import_file: Option<FileJson<'a>>,
    /// What is left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AsyncActionUser)]
struct UserJson<'a> {
    #[schema(required)]
    id: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AsyncActionFile)]
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
