//! `GET /v1/chain/head`: where the chain ends now, signed.

use axum::extract::State;
use axum::{Extension, Json};

use super::{HeadJson, nothing_yet};
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::chain::signing;
use crate::server::error::ApiError;
use crate::server::http::openapi::NotYet;
use crate::server::state::Server;

/// The head of now.
#[utoipa::path(
    get,
    path = "/v1/chain/head",
    operation_id = "getChainHead",
    tag = "Chain",
    summary = "Where the chain ends now, signed",
    description = "Needs the scope `read`. No older than a minute where the chain has moved. Saved somewhere else, it can be held against the chain later: \
        `audit-log verify --anchor FILE` takes this answer as it is.",
    responses((status = 200, description = "The head", body = HeadJson), NotYet),
)]
pub(super) async fn fresh(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
) -> Result<Json<HeadJson>, ApiError> {
    key.require(Scope::Read)?;
    let head = signing::fresh(&server, &key.project).await?.ok_or_else(nothing_yet)?;
    Ok(Json(HeadJson::of(head)))
}
