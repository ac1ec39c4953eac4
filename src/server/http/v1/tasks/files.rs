//! The files of a task: the original of an import, the records of it that were not taken, and its parameters and result as JSON.

use crate::server::http::openapi::NoRange;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{found, shown_result};
use crate::model::rights::Scope;
use crate::server::access::{KeyAccess, Member};
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::raw_body::{SANDBOX, reader};
use crate::server::http::v1::stored::Stored;
use crate::server::state::Server;
use crate::server::store::tasks::Task;

type Whose = Path<(String, String)>;

/// What was not taken, by key.
#[utoipa::path(
    get,
    path = "/v1/async-actions/{id}/rejected",
    operation_id = "getRejected",
    tag = "Background tasks",
    summary = "The records of an import that were not taken",
    description = "Needs the scope `read:bodies`.",
    responses(
        (status = 200, description = "The records, each with why", body = String, content_type = "text/csv"),
        (status = 206, description = "The range that was asked for", body = String, content_type = "text/csv"),
        NoRange,
    ),
)]
pub(super) async fn rejected(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    key.require(Scope::ReadBodies)?;
    let task = found(&server, key.project.key, &id).await?;
    rejected_of(&server, &task, &headers)
}

/// What was not taken, for a member.
pub(super) async fn rejected_for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    path: Whose,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (_, task) = visit(&server, recording, &path, &headers).await?;
    rejected_of(&server, &task, &headers)
}

/// The original, for a member.
pub(super) async fn original_for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    path: Whose,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (_, task) = visit(&server, recording, &path, &headers).await?;
    original_of(&server, &task, &headers)
}

/// What was asked for.
pub(super) async fn parameters_for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    path: Whose,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (_, task) = visit(&server, recording, &path, &headers).await?;
    json(task.shown_parameters(), &task)
}

/// What came of it.
pub(super) async fn result_for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    path: Whose,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (member, task) = visit(&server, recording, &path, &headers).await?;
    let result = shown_result(&task, member.rights).map(|result| result.get().to_owned());
    json(result, &task)
}

async fn visit(
    server: &Server,
    recording: Option<Extension<Recording>>,
    Path((project, id)): &Whose,
    headers: &HeaderMap,
) -> Result<(Member, Task), ApiError> {
    recording::about(recording.as_ref().map(|Extension(recording)| recording), "async_action", id);
    let member = reader(server, recording, headers, project).await?;
    let task = found(server, member.project.key, id).await?;
    Ok((member, task))
}

/// Why there is no file.
fn none(task: &Task, never: &str) -> ApiError {
    let why = if task.files_expired {
        "has no files any more: they were kept for as long as what logs say"
    } else {
        never
    };
    ApiError::new(StatusCode::NOT_FOUND, format!("The task {} {why}", task.facts.id))
}

fn rejected_of(server: &Server, task: &Task, headers: &HeaderMap) -> Result<Response, ApiError> {
    let Some((file, bytes)) = &task.rejected else {
        return Err(none(task, "has rejected no records"));
    };
    let stem = task.file.as_ref().map_or("import", |(_, name, _)| {
        name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem)
    });
    let stored = Stored {
        reader: server.files.read(file, (*bytes).max(0) as u64, true),
        name: &format!("{stem}-rejected.csv"),
        media_type: "text/csv; charset=utf-8",
        etag: None,
    };
    Ok(stored.answer(headers))
}

/// The original of an import.
pub(in super::super) fn original_of(server: &Server, task: &Task, headers: &HeaderMap) -> Result<Response, ApiError> {
    let Some((file, name, bytes)) = &task.file else {
        return Err(none(task, "came with no file"));
    };
    let media_type = mime_guess::from_path(name).first_or_octet_stream();
    let stored = Stored {
        reader: server.files.read(file, (*bytes).max(0) as u64, true),
        name,
        media_type: media_type.as_ref(),
        etag: None,
    };
    Ok(stored.answer(headers))
}

fn json(text: Option<String>, task: &Task) -> Result<Response, ApiError> {
    let text = text.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, format!("The task {} has none", task.facts.id)))?;
    let headers = [
        (header::CONTENT_TYPE, axum::http::HeaderValue::from_static("application/json")),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
    ];
    Ok((headers, text).into_response())
}
