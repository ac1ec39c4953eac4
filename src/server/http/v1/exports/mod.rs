//! `/v1/exports`: made, listed, fetched, downloaded, deleted. Shapes as in the reference.
//!
//! To add a path: a file here with its handler, and its line in [`routes`].

mod create;
mod file;
mod list;
mod one;
mod reported;

use axum::Router;
use axum::routing::{get, post, put};
use serde::Serialize;
use serde_json::value::RawValue;

use super::json::time;
use crate::model::export::{ExportFacts, ExportStatus};
use crate::model::retention::FILE_DAYS;
use crate::model::rights::Rights;
use crate::model::task::shown_reason;
use crate::server::error::ApiError;
use crate::server::exports as service;
use crate::server::state::Server;
use crate::server::store::exports::{self, Export};
use crate::server::store::projects::ProjectKey;
use utoipa::OpenApi;

/// By key.
pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/v1/exports", get(list::list).merge(post(create::create)))
        .route("/v1/exports/reported", post(reported::report))
        .route("/v1/exports/{id}/file", put(reported::put_file))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(list::list, create::create, one::one, one::delete, reported::report, reported::put_file))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// By key or by a signed link: the token decides.
pub(super) fn open_routes() -> Router<Server> {
    Router::new().route("/v1/exports/{id}", get(one::one).delete(one::delete))
}

/// By session.
pub(super) fn member_routes() -> Router<Server> {
    Router::new().route("/projects/{project}/exports/{id}/file", get(file::for_member))
}

/// An export as the API has it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Export)]
struct ExportJson<'a> {
    id: &'a str,
    #[schema(pattern = "^export$")]
    object: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    status: ExportStatus,
    channel: &'a str,
    exported_object: &'a str,
    #[schema(value_type = serde_json::Value)]
    parameters: Option<&'a RawValue>,
    #[schema(required)]
    result: Option<ResultJson>,
    #[schema(required)]
    user_id: Option<&'a str>,
    #[schema(required)]
    rows: Option<i64>,
    #[schema(required)]
    bytes: Option<i64>,
    #[schema(required)]
    sha256: Option<&'a str>,
    #[schema(required)]
    file_name: Option<&'a str>,
    #[schema(required)]
    async_action_id: Option<&'a str>,
    reported: bool,
    #[schema(required)]
    error: Option<&'a str>,
    /// What is not whole in the file, and why; `expired` where there is none any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ExportResult)]
struct ResultJson {
    url: String,
}

impl<'a> ExportJson<'a> {
    fn of(server: &Server, facts: &'a ExportFacts, (parameters, shown): (&'a str, &str), rights: Rights) -> Self {
        Self {
            id: &facts.id,
            object: "export",
            created_at: time(facts.created_at),
            status: facts.status,
            channel: &facts.channel,
            exported_object: &facts.exported_object,
            parameters: serde_json::from_str(parameters).ok(),
            // The link holds for a day; asking again gives another. It opens the file to whoever has it.
            result: (has_file(facts) && facts.holds.refusal(rights).is_none()).then(|| ResultJson {
                url: link(server, &facts.id),
            }),
            user_id: facts.user_id.as_deref().filter(|_| rights.read_users),
            rows: facts.rows,
            bytes: facts.bytes,
            sha256: facts.sha256.as_deref(),
            file_name: facts.file_name.as_deref(),
            async_action_id: facts.task_id.as_deref(),
            reported: facts.reported,
            error: facts.error.as_deref().map(|reason| shown_reason(reason, false, rights)),
            notes: notes(facts, shown),
        }
    }
}

/// Whether there is a file to download.
const fn has_file(facts: &ExportFacts) -> bool {
    matches!(facts.status, ExportStatus::Done) && facts.bytes.is_some() && facts.expired_at.is_none()
}

/// What is not whole in the file, and, first of all, that there is none any more.
fn notes(facts: &ExportFacts, shown: &str) -> Vec<String> {
    let expired = facts
        .expired_at
        .map(|at| format!("expired: the file was kept for {FILE_DAYS} days, until {}", time(at)));
    expired.into_iter().chain(service::notes(shown)).collect()
}

/// A page of exports, as the document has it.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "the document is made of its fields")]
struct ExportList {
    #[schema(pattern = "^list$")]
    object: String,
    #[schema(pattern = "^exports$")]
    data_ref: String,
    exports: Vec<ExportJson<'static>>,
    /// Of all pages.
    total: u64,
}

/// What can be exported.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "the document is made of its variants")]
enum ExportedObject {
    ApiLog,
    AsyncAction,
    Export,
    WebhookSendout,
}

/// A dated, signed link to an export's file.
fn link(server: &Server, id: &str) -> String {
    let until = server.clock.now_ms() + service::LINK_MS;
    format!(
        "{}/v1/exports/{id}?token={}",
        server.config.public_url(),
        service::token(server, id, until)
    )
}

/// The export with this id, or 404: another project's is not there either.
async fn found(server: &Server, project: ProjectKey, id: &str) -> Result<Export, ApiError> {
    let missing = || ApiError::not_found("export", id);
    if !crate::model::id::is_client_id(id) {
        return Err(missing());
    }
    exports::find(&server.db, project, id).await?.ok_or_else(missing)
}
