//! `/v1/webhooks`: endpoints that events are sent to. A secret is in the answers to create and rotate alone.
//!
//! To add a path: its handler in `change.rs` or `read.rs`, and its line in [`routes`].

mod change;
mod read;

use std::collections::BTreeMap;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Serialize;

use super::json::time;
use crate::model::endpoint::{EndpointFacts, Source};
use crate::model::log::Note;
use crate::model::rights::Rights;
use crate::server::error::ApiError;
use crate::server::state::Server;
use crate::server::webhooks::endpoints::EndpointError;
use utoipa::OpenApi;

/// By key.
pub(in crate::server::http) fn routes() -> Router<Server> {
    Router::new()
        .route("/v1/webhooks", get(read::list).merge(post(change::create)))
        .route(
            "/v1/webhooks/{id}",
            get(read::one)
                .put(change::update)
                .patch(change::update)
                .delete(change::delete),
        )
        .route("/v1/webhooks/{id}/rotate-secret", post(change::rotate))
        .route("/v1/webhooks/{id}/test", post(change::test))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(
    read::list,
    read::one,
    change::create,
    change::update,
    change::delete,
    change::rotate,
    change::test
))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// An endpoint as the API has it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Webhook)]
struct EndpointJson<'a> {
    id: &'a str,
    #[schema(pattern = "^webhook$")]
    object: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    target_url: &'a str,
    events: &'a [String],
    active: bool,
    source: Source,
    description: &'a str,
    #[schema(required)]
    rate_limit: Option<u32>,
    #[schema(required)]
    headers: Option<BTreeMap<&'a str, &'a str>>,
    #[schema(required, format = DateTime)]
    disabled_at: Option<String>,
    #[schema(required)]
    disabled_reason: Option<&'a str>,
    #[schema(required, format = DateTime)]
    old_secret_until: Option<String>,
    paused_sendouts: u64,
    notes: Vec<Note>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> EndpointJson<'a> {
    fn of(facts: &'a EndpointFacts, rights: Rights, secret: Option<&'a str>) -> Self {
        let is_hidden = facts.has_headers && !rights.read_bodies;
        let headers = facts.headers.iter().flatten();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Self {
            id: &facts.id,
            object: "webhook",
            created_at: time(facts.created_at),
            updated_at: time(facts.updated_at),
            target_url: &facts.target_url,
            events: &facts.events,
            active: facts.active,
            source: facts.source,
            description: &facts.description,
            rate_limit: facts.rate_limit,
            headers: (!is_hidden).then_some(headers),
            disabled_at: facts.disabled_at.map(time),
            disabled_reason: facts.disabled_reason.as_deref(),
            old_secret_until: facts.old_secret_until.map(time),
            paused_sendouts: facts.paused,
            notes: if is_hidden { vec![Note::NotAllowed] } else { Vec::new() },
            secret,
        }
    }
}

fn failed(error: EndpointError, id: &str) -> ApiError {
    let said = error.to_string();
    match error {
        EndpointError::Invalid { .. } => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, said),
        EndpointError::NotFound => ApiError::not_found("webhook", id),
        EndpointError::Accept(error) => error.into(),
        EndpointError::Store(error) => error.into(),
    }
}
