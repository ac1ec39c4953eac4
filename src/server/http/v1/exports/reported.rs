//! Exports that an application makes itself: `POST /v1/exports/reported`, then `PUT /v1/exports/{id}/file`.

use crate::server::http::openapi::{BadBody, Clash};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ExportJson, found};
use crate::model::export::{ExportStatus, Format, Held};
use crate::model::id::IdKind;
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::exports::Shown;
use crate::server::http::limits::{declared_length, too_large};
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::fields::Fields;
use crate::server::state::Server;
use crate::server::store::exports::{self, Made, NewExport};
use crate::server::store::jobs;
use crate::server::webhooks::own;

/// Bytes of a file: 2 GB.
const MOST: usize = 2 << 30;
/// Letters of what it holds, and of a file's name.
const MAX_WORD: usize = 128;
const MAX_NAME: usize = 255;
/// How long a file may take to come, in milliseconds.
const PATIENCE_MS: i64 = 6 * 60 * 60 * 1_000;

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = ExportToReport)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    #[schema(pattern = "^[!-~]{1,128}$")]
    exported_object: String,
    #[schema(value_type = serde_json::Value, required = false)]
    parameters: Option<Value>,
    #[schema(value_type = Option<ExportStatus>)]
    status: Option<String>,
    #[schema(min_length = 1, max_length = 255)]
    file_name: Option<String>,
}

fn invalid(details: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, details)
}

/// Reports an export.
#[utoipa::path(
    post,
    path = "/v1/exports/reported",
    operation_id = "reportExport",
    tag = "Exports",
    summary = "Reports an export that the application makes itself",
    description = "Needs the scope `exports:write`.",
    request_body = New,
    responses(
        (status = 201, description = "The export", body = ExportJson),
        BadBody,
    ),
)]
pub(super) async fn report(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    body: Result<Fields<New>, ApiError>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    key.require(Scope::ExportsWrite)?;
    let Fields(new) = body?;
    let is_word = |word: &str| (1..=MAX_WORD).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_word(&new.exported_object) {
        return Err(invalid(format!(
            "exported_object must be 1 to {MAX_WORD} letters without spaces"
        )));
    }
    let status = match new.status.as_deref() {
        None => ExportStatus::Scheduled,
        Some(word) => ExportStatus::parse(word).ok_or_else(|| invalid("status must be SCHEDULED, IN_PROGRESS, DONE or ERROR"))?,
    };
    let name = new.file_name.unwrap_or_else(|| format!("{}.csv", new.exported_object));
    check_name(&name)?;
    let now_ms = server.clock.now_ms();
    let id = server.random.id(IdKind::Export, now_ms);
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    let export = NewExport {
        id: id.clone(),
        channel: recording::asked(recording).channel.unwrap_or_else(|| "API".to_owned()),
        exported_object: new.exported_object,
        format: format_of(&name),
        parameters: new.parameters.unwrap_or_else(|| json!({})).to_string(),
        shown: json!(Shown::default()).to_string(),
        user_id: None,
        by: Some(key.name.clone()),
        file_name: name,
        status,
        holds: Held::UNKNOWN,
    };
    let told = (status == ExportStatus::Error).then(|| {
        own::reported_export_failed(
            &server,
            key.project.key,
            &export,
            recording::asked(recording).request_id.as_ref(),
        )
    });
    exports::add(&server.db, key.project.key, &export, None, told, now_ms).await?;
    if status == ExportStatus::Error {
        server.webhooks.ring();
    }
    recording::about(recording, "export", &id);
    let export = found(&server, key.project.key, &id).await?;
    let json = json!(ExportJson::of(
        &server,
        &export.facts,
        (&export.parameters, &export.shown),
        key.rights
    ));
    Ok((StatusCode::CREATED, Json(json)))
}

fn format_of(name: &str) -> Option<Format> {
    let (_, end) = name.rsplit_once('.')?;
    Format::parse(end)
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() || name.len() > MAX_NAME || name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        return Err(invalid(format!(
            "file_name must be a name of 1 to {MAX_NAME} bytes, without a path"
        )));
    }
    Ok(())
}

/// Takes a reported export's file: it is DONE then.
#[utoipa::path(
    put,
    path = "/v1/exports/{id}/file",
    operation_id = "putExportFile",
    tag = "Exports",
    summary = "The file of a reported export; it is done then",
    description = "Needs the scope `exports:write`.",
    request_body(content = Value, content_type = "*/*", description = "The file, at most 2 GB"),
    responses(
        (status = 200, description = "The export", body = ExportJson),
        Clash,
    ),
)]
pub(super) async fn put_file(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::ExportsWrite)?;
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    recording::about(recording, "export", &id);
    let export = found(&server, key.project.key, &id).await?;
    if !export.facts.reported {
        let details = "this service makes this export's file itself";
        return Err(ApiError::new(StatusCode::CONFLICT, details));
    }
    if let Some(length) = declared_length(&headers).filter(|length| *length > MOST as u64) {
        return Err(too_large(length, MOST));
    }
    let now_ms = server.clock.now_ms();
    let file = format!(
        "reported/{}/{id}/{}",
        key.project.key,
        server.random.id(IdKind::Export, now_ms)
    );
    jobs::doom_file(&server.db, &file, now_ms + PATIENCE_MS, key.project.key, ("", 0)).await?;
    let failed = |error: crate::server::files::FileError| {
        tracing::error!(%error, "a reported export's file could not be kept");
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "The file could not be kept just now").retry_after(5)
    };
    let mut writer = server.files.write(&file, false);
    let mut body = body.into_data_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| ApiError::unreadable("the body broke off before its end"))?;
        if writer.bytes() + chunk.len() as u64 > MOST as u64 {
            return Err(too_large(writer.bytes() + chunk.len() as u64, MOST));
        }
        writer.push(&chunk).await.map_err(failed)?;
    }
    let written = writer.finish().await.map_err(failed)?;
    let made = Made {
        file: &file,
        rows: None,
        bytes: written.bytes as i64,
        sha256: &written.sha256,
    };
    if !exports::put_file(&server.db, key.project.key, &id, None, &made, server.clock.now_ms()).await? {
        return Err(ApiError::not_found("export", &id));
    }
    if let Some(recording) = recording {
        recording.not_captured();
    }
    let export = found(&server, key.project.key, &id).await?;
    Ok(Json(json!(ExportJson::of(
        &server,
        &export.facts,
        (&export.parameters, &export.shown),
        key.rights
    ))))
}
