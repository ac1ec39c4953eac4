//! `GET /projects/{project}/chain/heads/{number}`: a signed head as a file, for whoever belongs to the project; `latest` is the one of now.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::nothing_yet;
use crate::server::access;
use crate::server::chain::head::SignedHead;
use crate::server::chain::signing;
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::raw_body::{SANDBOX, attachment};
use crate::server::state::Server;
use crate::server::store::projects::Project;

/// The file. Every role may have it: it says nothing of what is stored.
pub(super) async fn for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    Path((project, number)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let member = access::member(&server, &headers, &project).await?;
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    if let Some(recording) = recording {
        recording.context(|subject| subject.by_member(&member));
    }
    recording::about(recording, "chain_head", &number);
    Ok(answer(&found(&server, &member.project, &number).await?))
}

async fn found(server: &Server, project: &Project, number: &str) -> Result<SignedHead, ApiError> {
    if number == "latest" {
        return signing::fresh(server, project).await?.ok_or_else(nothing_yet);
    }
    let missing = || ApiError::not_found("chain_head", number);
    let wanted = number.parse().map_err(|_| missing())?;
    signing::of_entry(server, project, wanted).await?.ok_or_else(missing)
}

/// One line, so that several files put together are one a line, too.
fn answer(head: &SignedHead) -> Response {
    let name = format!("audit-log-head-{}-{}.json", head.project_id, head.number);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, attachment(&name)),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
    ];
    (headers, format!("{}\n", json!(head))).into_response()
}
