//! `/v1/chain`: the signed heads of a project's chain; and the same as files for its people.
//!
//! To add a path: a file here with its handler, and its line in [`routes`].

mod file;
mod head;
mod list;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde::Serialize;
use utoipa::OpenApi;

use crate::server::chain::head::SignedHead;
use crate::server::error::ApiError;
use crate::server::state::Server;

/// By key.
pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/v1/chain/head", get(head::fresh))
        .route("/v1/chain/heads", get(list::list))
}

/// By session.
pub(super) fn member_routes() -> Router<Server> {
    Router::new().route("/projects/{project}/chain/heads/{number}", get(file::for_member))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(head::fresh, list::list))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// A head as the API has it: as it is saved, and `object`.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ChainHead)]
struct HeadJson {
    #[schema(pattern = "^chain_head$")]
    object: &'static str,
    #[serde(flatten)]
    head: SignedHead,
}

impl HeadJson {
    const fn of(head: SignedHead) -> Self {
        Self {
            object: "chain_head",
            head,
        }
    }
}

/// 404: there is nothing to sign.
fn nothing_yet() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "Nothing is on this project's chain yet: it begins with the first thing that is stored, and has a head from then on",
    )
    .keyed("chain_not_begun")
}
