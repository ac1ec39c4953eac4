//! The management API, `/management/v1`: projects, and below each its members, keys and webhooks. Signed by a management key, which is of no project.
//!
//! To add an endpoint: its handler in the file of what it is about, and its route there. A handler that is about a project asks [`caller::project`]
//! for it, which also says whose log the call becomes.

mod caller;
mod keys;
mod masking;
mod members;
mod projects;
mod retention;
mod webhooks;

use axum::Router;
use axum::middleware::from_fn_with_state;
use serde_json::{Value, json};

use super::v1::idempotency;
use crate::server::state::Server;

/// Every path of `/management/v1`.
pub(super) fn routes(server: &Server) -> Router<Server> {
    projects::routes()
        .merge(members::routes())
        .merge(keys::routes())
        .merge(webhooks::routes())
        .merge(retention::routes())
        .merge(masking::routes())
        .route_layer(from_fn_with_state(server.clone(), idempotency::once))
        .route_layer(from_fn_with_state(server.clone(), caller::let_in))
}

/// What the OpenAPI document says of them; of webhooks it is what `/v1` says (`openapi.rs`).
pub(super) fn described() -> utoipa::openapi::OpenApi {
    let mut all = projects::described();
    for part in [
        members::described(),
        keys::described(),
        retention::described(),
        masking::described(),
    ] {
        all.merge(part);
    }
    all
}

/// A list that is whole.
fn list(data: &[Value]) -> Value {
    json!({ "object": "list", "data_ref": "data", "data": data, "has_more": false, "more_starting_after": null })
}
