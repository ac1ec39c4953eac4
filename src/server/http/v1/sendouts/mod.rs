//! `/v1/webhook-sendouts`: listed, read with every attempt, sent again one by one or in bulk.
//!
//! To add a path: a file here with its handler, and its line in [`routes`].

mod data;
mod read;
mod retry;

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::Number;

use super::json::{millis, time};
use crate::model::endpoint::{EndpointState, Source};
use crate::model::log::Note;
use crate::model::rights::Rights;
use crate::model::sendout::{AttemptFacts, SendoutFacts, SendoutStatus, Timings};
use crate::server::state::Server;
use utoipa::OpenApi;

/// By key.
pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/v1/webhook-sendouts", get(read::list))
        .route("/v1/webhook-sendouts/retry", post(retry::many))
        .route("/v1/webhook-sendouts/{id}", get(read::one))
        .route("/v1/webhook-sendouts/{id}/retry", post(retry::one))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(read::list, read::one, retry::one, retry::many))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// By session.
pub(super) fn member_routes() -> Router<Server> {
    Router::new().route("/projects/{project}/sendouts/{id}/data", get(data::for_member))
}

/// A sendout as the API has it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Sendout)]
struct SendoutJson<'a> {
    id: &'a str,
    #[schema(pattern = "^webhook_sendout$")]
    object: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    executed_at: Option<String>,
    status: SendoutStatus,
    paused: bool,
    /// Why it waits, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_reason: Option<String>,
    #[serde(rename = "type")]
    kind: &'a str,
    event_id: &'a str,
    webhook_id: &'a str,
    target_url: &'a str,
    source: Source,
    #[schema(required)]
    request_id: Option<&'a str>,
    attempts_count: u32,
    #[schema(required, format = DateTime)]
    next_attempt_at: Option<String>,
    next_attempt_by_hand: bool,
    #[schema(required)]
    response_code: Option<u16>,
    #[schema(required)]
    error: Option<&'a str>,
    #[schema(required, value_type = Option<f64>)]
    duration: Option<Number>,
}

impl<'a> SendoutJson<'a> {
    fn of(facts: &'a SendoutFacts) -> Self {
        Self {
            id: &facts.id,
            object: "webhook_sendout",
            created_at: time(facts.created_at),
            executed_at: facts.executed_at.map(time),
            status: facts.status,
            paused: facts.paused,
            paused_reason: paused_reason(facts),
            kind: &facts.kind,
            event_id: &facts.event_id,
            webhook_id: &facts.endpoint_id,
            target_url: &facts.target_url,
            source: facts.source,
            request_id: facts.request_id.as_deref(),
            attempts_count: facts.attempts,
            next_attempt_at: facts.next_at.map(time),
            next_attempt_by_hand: facts.next_by_hand,
            response_code: facts.last_code,
            error: facts.last_error.as_deref(),
            duration: facts.duration_us.map(millis),
        }
    }
}

/// Why it waits, and what has it sent.
fn paused_reason(facts: &SendoutFacts) -> Option<String> {
    let why = facts.waits_because()?;
    Some(match facts.endpoint {
        EndpointState::On => format!(
            "{why}, which is on again: POST /v1/webhook-sendouts/{}/retry sends it, PUT /v1/webhooks/{} with send_paused sends all that were kept",
            facts.id, facts.endpoint_id
        ),
        _ => why.to_owned(),
    })
}

/// An attempt as the API has it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SendoutAttempt)]
struct AttemptJson<'a> {
    number: u32,
    #[schema(format = DateTime)]
    at: String,
    by_hand: bool,
    #[schema(required)]
    response_code: Option<u16>,
    #[schema(required)]
    error: Option<&'a str>,
    timings: Timings,
    #[schema(required)]
    address: Option<&'a str>,
    #[schema(required)]
    request_headers: Option<BTreeMap<&'a str, &'a str>>,
    #[schema(required)]
    response_headers: Option<BTreeMap<&'a str, &'a str>>,
    #[schema(required)]
    response_body: Option<&'a str>,
    notes: Vec<Note>,
}

impl<'a> AttemptJson<'a> {
    fn of(facts: &'a AttemptFacts, rights: Rights) -> Self {
        let mut notes = Vec::new();
        if !rights.read_bodies {
            notes.push(Note::NotAllowed);
        }
        if facts.truncated {
            notes.push(Note::Truncated);
        }
        if facts.masked {
            notes.push(Note::Masked);
        }
        Self {
            number: facts.number,
            at: time(facts.at),
            by_hand: facts.by_hand,
            response_code: facts.code,
            error: facts.error.as_deref(),
            timings: facts.timings,
            address: facts.address.as_deref(),
            request_headers: facts.request_headers.as_deref().map(map),
            response_headers: facts.response_headers.as_deref().map(map),
            response_body: facts.response_body.as_deref(),
            notes,
        }
    }
}

fn map(headers: &[(String, String)]) -> BTreeMap<&str, &str> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
