//! An export's file: by a signed link, and for a member, who is led to one.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{found, link};
use crate::model::export::EXPIRED;
use crate::server::access;
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::stored::Stored;
use crate::server::state::Server;
use crate::server::store::exports::Export;

/// The file, or the range of it that was asked for.
pub(super) fn answer(server: &Server, export: &Export, headers: &HeaderMap) -> Result<Response, ApiError> {
    let facts = &export.facts;
    let (Some(file), Some(bytes)) = (&export.file, facts.bytes) else {
        let why = if facts.expired_at.is_some() {
            EXPIRED
        } else {
            facts.status.as_str()
        };
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            format!("The export {} has no file: {why}", facts.id),
        ));
    };
    let name = facts.file_name.clone().unwrap_or_else(|| facts.id.clone());
    let guessed = mime_guess::from_path(&name).first_or_octet_stream();
    let media_type = facts.format.map_or(guessed.as_ref(), |format| format.media_type());
    let stored = Stored {
        reader: server.files.read(file, bytes.max(0) as u64, false),
        media_type,
        name: &name,
        etag: facts.sha256.as_deref(),
    };
    Ok(stored.answer(headers))
}

/// Leads a member to a link that holds for a day: a download that breaks off goes on from there.
pub(super) async fn for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    Path((project, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let member = access::member(&server, &headers, &project).await?;
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    if let Some(recording) = recording {
        recording.context(|subject| subject.by_member(&member));
    }
    recording::about(recording, "export", &id);
    let export = found(&server, member.project.key, &id).await?;
    if export.file.is_none() {
        return answer(&server, &export, &headers);
    }
    if let Some(refusal) = export.facts.holds.refusal(member.rights) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, refusal));
    }
    // Of this server as the browser knows it, whatever its public address is.
    let whole = link(&server, &id);
    let place = whole.find("/v1/exports/").map_or(whole.as_str(), |at| &whole[at..]);
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place.to_owned())]).into_response())
}
