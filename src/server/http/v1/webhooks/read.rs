//! `GET /v1/webhooks` and `GET /v1/webhooks/{id}`.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::{EndpointJson, failed};
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::state::Server;
use crate::server::webhooks::endpoints;

/// All of them, oldest first.
pub(super) async fn list(State(server): State<Server>, Extension(key): Extension<KeyAccess>) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let all = endpoints::list(&server, key.project.key, key.rights.read_bodies).await;
    let all = all.map_err(|error| failed(error, ""))?;
    let data: Vec<EndpointJson<'_>> = all.iter().map(|facts| EndpointJson::of(facts, key.rights, None)).collect();
    Ok(Json(
        json!({ "object": "list", "data_ref": "data", "data": data, "has_more": false, "more_starting_after": null }),
    ))
}

/// One.
pub(super) async fn one(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let facts = endpoints::one(&server, key.project.key, &id, key.rights.read_bodies).await;
    let facts = facts.map_err(|error| failed(error, &id))?;
    Ok(Json(json!(EndpointJson::of(&facts, key.rights, None))))
}
