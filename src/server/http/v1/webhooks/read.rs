//! `GET /v1/webhooks` and `GET /v1/webhooks/{id}`.

use crate::server::http::openapi::List;
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
#[utoipa::path(
    get,
    path = "/v1/webhooks",
    operation_id = "listWebhooks",
    tag = "Webhooks",
    summary = "All endpoints, oldest first",
    description = "Needs the scope `read`.",
    responses((status = 200, description = "The endpoints", body = List<EndpointJson>)),
)]
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
#[utoipa::path(
    get,
    path = "/v1/webhooks/{id}",
    operation_id = "getWebhook",
    tag = "Webhooks",
    summary = "One endpoint",
    description = "Needs the scope `read`.",
    responses((status = 200, description = "The endpoint", body = EndpointJson)),
)]
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
