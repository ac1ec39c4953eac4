//! What a sendout sends, as JSON, masked, for the viewer of its page.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::raw_body::{SANDBOX, reader};
use crate::server::state::Server;
use crate::server::webhooks::sendouts;

/// The envelope, for a member who may read bodies.
pub(super) async fn for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    Path((project, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    recording::about(
        recording.as_ref().map(|Extension(recording)| recording),
        "webhook_sendout",
        &id,
    );
    let member = reader(&server, recording, &headers, &project).await?;
    let missing = || ApiError::not_found("webhook_sendout", &id);
    let shown = sendouts::data(&server, &member.project, &id).await?.ok_or_else(missing)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
    ];
    Ok((headers, shown.json).into_response())
}
