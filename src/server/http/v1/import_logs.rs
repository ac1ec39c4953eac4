//! `POST /v1/logs/import`: a file of logs, read in the background; the answer is the task's id. The same from a page.
//!
//! Beside the field `file` a form may have `csv_formulas` (`raw`, else `guarded`): whether cells of a CSV were guarded against formulas, as an export
//! says of its own. It may as well stand in the address. A file does not show it by itself, so nothing is taken from a cell unless somebody says so.

use crate::server::http::openapi::{BadForm, ImportForm, TaskBegun};
use axum::Extension;
use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{Multipart, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use crate::model::id::IdKind;
use crate::model::query::pairs;
use crate::model::rights::Scope;
use crate::model::task::kinds;
use crate::server::access::{self, KeyAccess};
use crate::server::error::ApiError;
use crate::server::files::Written;
use crate::server::http::limits::declared_length;
use crate::server::http::recording::{self, Recording};
use crate::server::jobs::import;
use crate::server::state::Server;
use crate::server::store::jobs;
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::NewTask;

/// Bytes of a file: 2 GB.
const MOST: u64 = 2 << 30;
/// Bytes of a form around its file: far more than any needs.
const AROUND: u64 = 64 << 10;
/// Bytes of a form's field that is no file.
const MAX_WORD: usize = 64;
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

/// A file that was kept, before its task has begun.
struct Kept {
    id: String,
    file: String,
    name: String,
    written: Written,
}

/// What came: the address's arguments, the headers, the form.
type Sent = (Option<String>, HeaderMap, Result<Multipart, MultipartRejection>);

/// By key.
#[utoipa::path(
    post,
    path = "/v1/logs/import",
    operation_id = "importLogs",
    tag = "Logs",
    summary = "Imports a file of logs, in the background",
    description = "Needs the scope `logs:write`.",
    params(("csv_formulas" = Option<String>, Query, description = "`raw` or `guarded`, where the form does not say")),
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    responses(
        (status = 202, description = "The task that imports it", body = TaskBegun),
        BadForm,
    ),
)]
pub(super) async fn import(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
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
        (query, headers, form),
    )
    .await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "async_action_id": id }))).into_response())
}

/// From a page's form: leads to the task.
pub(super) async fn import_for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
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
    let id = take(&server, sender, recording, (query, headers, form)).await?;
    Ok(Redirect::to(&format!("/projects/{project}/tasks/{id}")).into_response())
}

async fn take(
    server: &Server,
    sender: Sender,
    recording: Option<&Recording>,
    (query, headers, form): Sent,
) -> Result<String, ApiError> {
    if declared_length(&headers).is_some_and(|length| length > MOST + AROUND) {
        return Err(too_long());
    }
    let mut form = form.map_err(|rejection| {
        let details = format!("multipart/form-data with the field file is wanted: {}", rejection.body_text());
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, details)
    })?;
    let mut guarded = false;
    for (_, value) in pairs(query.as_deref().unwrap_or_default()).filter(|(name, _)| name == "csv_formulas") {
        guarded = is_guarded(&value).map_err(ApiError::bad_query)?;
    }
    let mut kept = None;
    let read = loop {
        let mut field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break Ok(()),
            Err(error) => break Err(broken(&error)),
        };
        match field.name() {
            Some("file") if kept.is_none() => kept = Some(keep(server, &sender, field).await?),
            Some("csv_formulas") => match word(&mut field)
                .await
                .and_then(|word| is_guarded(&word).map_err(ApiError::unreadable))
            {
                Ok(is) => guarded = is,
                Err(error) => break Err(error),
            },
            _ => {}
        }
    };
    match (read, kept) {
        (Ok(()), Some(kept)) => begin(server, sender, recording, (kept, guarded)).await,
        (Ok(()), None) => Err(ApiError::unreadable("the form has no field file")),
        (Err(error), kept) => {
            if let Some(kept) = kept {
                forget(server, &sender, &kept.file).await?;
            }
            Err(error)
        }
    }
}

fn is_guarded(word: &str) -> Result<bool, &'static str> {
    match word {
        "" | "raw" => Ok(false),
        "guarded" => Ok(true),
        _ => Err("csv_formulas must be raw or guarded"),
    }
}

/// A field that is a word.
async fn word(field: &mut Field<'_>) -> Result<String, ApiError> {
    let mut word = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if word.len() + chunk.len() > MAX_WORD {
            return Err(ApiError::unreadable("a field of the form beside its file is too long"));
        }
        word.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&word).trim().to_owned())
}

/// Keeps the original as it comes.
async fn keep(server: &Server, sender: &Sender, mut field: Field<'_>) -> Result<Kept, ApiError> {
    let name = match name(field.file_name().unwrap_or_default()) {
        Ok(name) => name,
        // A form in which no file was chosen comes with an empty one without a name.
        Err(_) if is_empty(&mut field).await => return Err(ApiError::unreadable("no file was chosen")),
        Err(error) => return Err(error),
    };
    let now_ms = server.clock.now_ms();
    let id = server.random.id(IdKind::Task, now_ms);
    let file = format!("imports/{}/{id}", sender.project);
    jobs::doom_file(&server.db, &file, now_ms + PATIENCE_MS, sender.project, ("", 0)).await?;
    match write(server, &file, field).await {
        Ok(written) if written.bytes > 0 => Ok(Kept { id, file, name, written }),
        refused => {
            forget(server, sender, &file).await?;
            Err(refused.err().unwrap_or_else(|| ApiError::unreadable("the file is empty")))
        }
    }
}

/// Whether nothing comes of a field.
async fn is_empty(field: &mut Field<'_>) -> bool {
    loop {
        match field.chunk().await {
            Ok(Some(chunk)) if chunk.is_empty() => {}
            Ok(None) => return true,
            Ok(Some(_)) | Err(_) => return false,
        }
    }
}

/// Nothing of a file stays: it is deleted at the next round.
async fn forget(server: &Server, sender: &Sender, file: &str) -> Result<(), ApiError> {
    Ok(jobs::doom_file(&server.db, file, server.clock.now_ms(), sender.project, ("", 0)).await?)
}

/// Begins the task of a file that was kept.
async fn begin(
    server: &Server,
    sender: Sender,
    recording: Option<&Recording>,
    (kept, guarded): (Kept, bool),
) -> Result<String, ApiError> {
    let Kept { id, file, name, written } = kept;
    let log_id = server.random.id(IdKind::Log, server.clock.now_ms());
    let mut parameters = json!({ "file": name, "bytes": written.bytes, "sha256": written.sha256 });
    if guarded {
        parameters["csv_formulas"] = "guarded".into();
    }
    let task = NewTask {
        id: id.clone(),
        kind: kinds::IMPORT.to_owned(),
        own: true,
        request_id: recording::asked(recording).request_id,
        user_id: sender.user_id,
        by: Some(sender.by),
        log_id: recording.is_some().then(|| log_id.clone()),
        parameters: Some(parameters.to_string()),
        file: Some((file.clone(), name.clone(), written.bytes as i64)),
        ..NewTask::default()
    };
    let payload = json!(import::Payload {
        file,
        name,
        bytes: written.bytes,
        guarded,
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
            return Err(too_long());
        }
        writer.push(&chunk).await.map_err(failed)?;
    }
    writer.finish().await.map_err(failed)
}

fn too_long() -> ApiError {
    let details = format!("the file is longer than {} GB ({MOST} bytes): cut it in two", MOST >> 30);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, details)
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
