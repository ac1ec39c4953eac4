//! `POST /v1/logs/import`: a file of logs, read in the background; the answer is the task's id. The same from a page.

use axum::Extension;
use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use crate::model::id::IdKind;
use crate::model::rights::Scope;
use crate::model::task::kinds;
use crate::server::access::{self, KeyAccess};
use crate::server::error::ApiError;
use crate::server::files::Written;
use crate::server::http::recording::{self, Recording};
use crate::server::jobs::import;
use crate::server::state::Server;
use crate::server::store::jobs;
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::NewTask;

/// Bytes of a file: 2 GB.
const MOST: u64 = 2 << 30;
/// Bytes of a file's name.
const MAX_NAME: usize = 255;
/// How long a file may take to come, in milliseconds; what has not ended by then is deleted.
const PATIENCE_MS: i64 = 6 * 60 * 60 * 1_000;

/// Who sends a file.
struct Sender {
    project: ProjectKey,
    user_id: Option<String>,
    by: String,
}

/// By key.
pub(super) async fn import(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, ApiError> {
    key.require(Scope::LogsWrite)?;
    let sender = Sender {
        project: key.project.key,
        user_id: None,
        by: key.name.clone(),
    };
    let id = take(
        &server,
        sender,
        recording.as_ref().map(|Extension(recording)| recording),
        form,
    )
    .await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "async_action_id": id }))).into_response())
}

/// From a page's form: leads to the task.
pub(super) async fn import_for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    Path(project): Path<String>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, ApiError> {
    let member = access::member(&server, &headers, &project).await?;
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    if let Some(recording) = recording {
        recording.context(|subject| subject.by_member(&member));
    }
    if !member.rights.work {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "your role in this project may not import; a member or an owner can",
        ));
    }
    let sender = Sender {
        project: member.project.key,
        user_id: Some(member.person.id.clone()),
        by: member.person.email.clone(),
    };
    let id = take(&server, sender, recording, form).await?;
    Ok(Redirect::to(&format!("/projects/{project}/tasks/{id}")).into_response())
}

async fn take(
    server: &Server,
    sender: Sender,
    recording: Option<&Recording>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<String, ApiError> {
    let mut form = form.map_err(|rejection| {
        let details = format!("multipart/form-data with the field file is wanted: {}", rejection.body_text());
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, details)
    })?;
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        if field.name() == Some("file") {
            return keep(server, sender, recording, field).await;
        }
    }
    Err(ApiError::unreadable("the form has no field file"))
}

/// Keeps the original as it comes, then begins the task.
async fn keep(server: &Server, sender: Sender, recording: Option<&Recording>, field: Field<'_>) -> Result<String, ApiError> {
    let name = name(field.file_name().unwrap_or_default())?;
    let now_ms = server.clock.now_ms();
    let id = server.random.id(IdKind::Task, now_ms);
    let file = format!("imports/{}/{id}", sender.project);
    jobs::doom_file(&server.db, &file, now_ms + PATIENCE_MS, sender.project, ("", 0)).await?;
    let written = match write(server, &file, field).await {
        Ok(written) if written.bytes > 0 => written,
        refused => {
            // Nothing of it stays: it is deleted at the next round.
            jobs::doom_file(&server.db, &file, now_ms, sender.project, ("", 0)).await?;
            return Err(refused.err().unwrap_or_else(|| ApiError::unreadable("the file is empty")));
        }
    };
    let log_id = server.random.id(IdKind::Log, now_ms);
    let task = NewTask {
        id: id.clone(),
        kind: kinds::IMPORT.to_owned(),
        own: true,
        request_id: recording::asked(recording).request_id,
        user_id: sender.user_id,
        by: Some(sender.by),
        log_id: recording.is_some().then(|| log_id.clone()),
        parameters: Some(json!({ "file": name, "bytes": written.bytes, "sha256": written.sha256 }).to_string()),
        file: Some((file.clone(), name.clone(), written.bytes as i64)),
        ..NewTask::default()
    };
    let payload = json!(import::Payload {
        file,
        name,
        bytes: written.bytes,
    });
    let now_ms = server.clock.now_ms();
    jobs::add(&server.db, sender.project, &task, import::NAME, &payload.to_string(), now_ms).await?;
    recording::began(recording, &id, &log_id);
    recording::about(recording, "async_action", &id);
    if let Some(recording) = recording {
        recording.not_captured();
    }
    server.bell.ring();
    Ok(id)
}

async fn write(server: &Server, file: &str, mut field: Field<'_>) -> Result<Written, ApiError> {
    let failed = |error: crate::server::files::FileError| {
        tracing::error!(%error, "an original could not be kept");
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The file could not be kept just now: nothing was stored",
        )
        .retry_after(5)
    };
    let mut writer = server.files.write(file, true);
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if writer.bytes() + chunk.len() as u64 > MOST {
            let details = format!("the file is longer than {MOST} bytes: cut it in two");
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, details));
        }
        writer.push(&chunk).await.map_err(failed)?;
    }
    writer.finish().await.map_err(failed)
}

fn broken(error: &MultipartError) -> ApiError {
    ApiError::new(error.status(), error.body_text())
}

/// The last part of a path: what people call a file, whatever machine it lay on.
fn name(given: &str) -> Result<String, ApiError> {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(ApiError::unreadable(format!(
            "the field file needs a file's name of 1 to {MAX_NAME} bytes (filename=\"logs.csv\")"
        )));
    }
    Ok(name.to_owned())
}
