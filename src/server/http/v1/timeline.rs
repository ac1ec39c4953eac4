//! `GET /v1/logs/{id}/timeline`: everything with a log's request id, in order.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::json::time;
use super::log::found;
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::state::Server;
use crate::server::webhooks::timeline::{self, Beginning};

/// The handler.
pub(super) async fn of_log(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let log = found(&server, key.project.key, &id).await?;
    let facts = log.facts;
    let beginning = Beginning {
        what: format!("{} {}", facts.method, facts.endpoint),
        id: facts.id,
        at: facts.created_at,
        status: facts.status.as_str().to_owned(),
        request_id: facts.request_id,
    };
    let all = timeline::of_log(&server, key.project.key, beginning).await?;
    let data: Vec<Value> = all
        .into_iter()
        .map(|happened| {
            json!({ "at": time(happened.at), "object": happened.object, "id": happened.id, "what": happened.what, "status": happened.status })
        })
        .collect();
    Ok(Json(
        json!({ "object": "list", "data_ref": "data", "data": data, "has_more": false, "more_starting_after": null }),
    ))
}
