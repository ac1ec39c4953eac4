//! `GET /v1/webhook-sendouts` and `GET /v1/webhook-sendouts/{id}`.

use crate::server::http::openapi::{BadQuery, List, SendoutArguments};
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{AttemptJson, SendoutJson};
use crate::model::log::Note;
use crate::model::page::Key;
use crate::model::rights::Scope;
use crate::model::tab::{Tab, TabQuery};
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::selection::{cursor, records};
use crate::server::state::Server;
use crate::server::store::records::{RecordRequest, sendouts as page_of};
use crate::server::webhooks::sendouts;

/// Newest first, the last 24 hours unless a time is named; arguments as in the tab.
#[utoipa::path(
    get,
    path = "/v1/webhook-sendouts",
    operation_id = "listSendouts",
    tag = "Webhook sendouts",
    summary = "Sendouts, newest first",
    description = "Needs the scope `read`.",
    params(SendoutArguments),
    responses(
        (status = 200, description = "A page of sendouts", body = List<SendoutJson>),
        BadQuery,
    ),
)]
pub(super) async fn list(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let query = TabQuery::parse(Tab::Sendouts, query.as_deref().unwrap_or_default())?;
    let context = records::context(&server, &key.project, key.rights);
    let (selection, place) = records::resolve(&query, &context)?;
    let request = RecordRequest {
        project: key.project.key,
        selection: &selection,
        order: query.order,
        place,
        limit: query.limit.into(),
    };
    let page = page_of(&server.db, request).await?;
    let next = page.rows.last().filter(|_| page.more_after).map(|last| {
        let place = Key {
            created_at: last.created_at,
            id: last.id.clone(),
        };
        cursor(&server.key, &key.project.id, &place)
    });
    let data: Vec<SendoutJson<'_>> = page.rows.iter().map(SendoutJson::of).collect();
    Ok(Json(json!({
        "object": "list",
        "data_ref": "data",
        "data": data,
        "has_more": page.more_after,
        "more_starting_after": next,
    })))
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SendoutWithAttempts)]
struct Whole<'a> {
    #[serde(flatten)]
    facts: SendoutJson<'a>,
    /// The envelope, byte for byte but for what the project masks.
    #[schema(value_type = serde_json::Value)]
    body: Option<Box<RawValue>>,
    attempts: Vec<AttemptJson<'a>>,
    notes: Vec<Note>,
}

/// One, with what is sent and every attempt.
#[utoipa::path(
    get,
    path = "/v1/webhook-sendouts/{id}",
    operation_id = "getSendout",
    tag = "Webhook sendouts",
    summary = "One sendout, with what is sent and every attempt",
    description = "Needs the scope `read`.",
    responses((status = 200, description = "The sendout", body = Whole)),
)]
pub(super) async fn one(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    key.require(Scope::Read)?;
    let found = sendouts::one(&server, key.project.key, &id, key.rights).await?;
    let (facts, attempts) = found.ok_or_else(|| ApiError::not_found("webhook_sendout", &id))?;
    let may_read = key.rights.read_bodies;
    let body = if may_read {
        sendouts::data(&server, &key.project, &id).await?
    } else {
        None
    };
    let notes = match &body {
        _ if !may_read => vec![Note::NotAllowed],
        Some(shown) if shown.masked => vec![Note::Masked],
        _ => Vec::new(),
    };
    let whole = Whole {
        facts: SendoutJson::of(&facts),
        body: body.and_then(|shown| RawValue::from_string(shown.json).ok()),
        attempts: attempts.iter().map(|attempt| AttemptJson::of(attempt, key.rights)).collect(),
        notes,
    };
    Ok(Json(whole).into_response())
}
