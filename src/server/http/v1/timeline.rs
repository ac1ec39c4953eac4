//! `GET /v1/logs/{id}/timeline`: everything with a log's request id, in order.

use crate::server::http::openapi::{Happened, List};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::json::time;
use super::log::found;
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::state::Server;
use crate::server::webhooks::timeline;

/// The handler.
#[utoipa::path(
    get,
    path = "/v1/logs/{id}/timeline",
    operation_id = "getLogTimeline",
    tag = "Logs",
    summary = "Everything with a log's request id, in order",
    description = "Needs the scope `read`.",
    responses((status = 200, description = "What happened", body = List<Happened>)),
)]
pub(super) async fn of_log(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let log = found(&server, key.project.key, &id).await?;
    let story = timeline::of_log(&server, key.project.key, log.facts).await?;
    let data: Vec<Value> = story
        .all
        .into_iter()
        .map(|happened| {
            json!({ "at": time(happened.at), "object": happened.thing, "id": happened.id, "what": happened.what, "status": happened.status })
        })
        .collect();
    Ok(Json(
        json!({ "object": "list", "data_ref": "data", "data": data, "has_more": story.cut, "more_starting_after": null }),
    ))
}
