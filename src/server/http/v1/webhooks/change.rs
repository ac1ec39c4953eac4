//! Making, changing and deleting endpoints, new secrets, and the test event.

use crate::server::http::openapi::{BadBody, TestSent};
use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{EndpointJson, failed};
use crate::model::endpoint::{EndpointFacts, Source};
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::http::shown;
use crate::server::http::v1::fields::{Fields, given};
use crate::server::state::Server;
use crate::server::store::Changed;
use crate::server::webhooks::endpoints::{self, Wish};

type Recorded = Option<Extension<Recording>>;

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = WebhookWish)]
#[serde(deny_unknown_fields)]
pub(super) struct WishJson {
    #[schema(example = "https://hooks.example.com/audit")]
    target_url: Option<String>,
    #[schema(example = json!(["voucher.created"]))]
    events: Option<Vec<String>>,
    active: Option<bool>,
    #[schema(value_type = Option<Source>)]
    source: Option<String>,
    #[schema(example = json!({ "x-shop": "1" }))]
    headers: Option<BTreeMap<String, String>>,
    description: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 100_000)]
    rate_limit: Option<Option<u32>>,
    send_paused: Option<bool>,
}

fn wish(body: Result<Fields<WishJson>, ApiError>) -> Result<Wish, ApiError> {
    let Fields(json) = body?;
    let unknown = || ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "source: project or distribution");
    Ok(Wish {
        target_url: json.target_url,
        events: json.events,
        active: json.active,
        source: json.source.map(|word| Source::parse(&word).ok_or_else(unknown)).transpose()?,
        headers: json.headers.map(|headers| headers.into_iter().collect()),
        description: json.description,
        rate_limit: json.rate_limit,
        send_paused: json.send_paused.unwrap_or(false),
    })
}

fn about(recording: &Recorded, id: &str) {
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    recording::about(recording, "webhook", id);
}

fn note(recording: &Recorded, key: &KeyAccess, (before, after): (Value, Value)) {
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    recording::change::noted(recording, key.project.key, before, after);
}

/// Notes the change, and answers with the endpoint as it is now.
fn answered(recording: &Recorded, key: &KeyAccess, changed: &Changed<EndpointFacts>, secret: Option<&str>) -> Json<Value> {
    note(recording, key, shown::endpoints(changed));
    Json(json!(EndpointJson::of(&changed.after, key.rights, secret)))
}

/// Makes an endpoint.
#[utoipa::path(
    post,
    path = "/v1/webhooks",
    operation_id = "createWebhook",
    tag = "Webhooks",
    summary = "Makes an endpoint; its secret is in this answer alone",
    description = "Needs the scope `webhooks:write`.",
    request_body = WishJson,
    responses(
        (status = 201, description = "The endpoint, with its secret", body = EndpointJson),
        BadBody,
    ),
)]
pub(super) async fn create(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Recorded,
    body: Result<Fields<WishJson>, ApiError>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    key.require(Scope::WebhooksWrite)?;
    let made = endpoints::create(&server, key.project.key, wish(body)?).await;
    let (facts, secret) = made.map_err(|error| failed(error, ""))?;
    about(&recording, &facts.id);
    note(&recording, &key, (Value::Null, shown::endpoint(&facts)));
    Ok((
        StatusCode::CREATED,
        Json(json!(EndpointJson::of(&facts, key.rights, Some(&secret)))),
    ))
}

/// Changes an endpoint: what is not named stays.
#[utoipa::path(
    method(put, patch),
    path = "/v1/webhooks/{id}",
    operation_id = "updateWebhook",
    tag = "Webhooks",
    summary = "Changes an endpoint; what is not named stays",
    description = "Needs the scope `webhooks:write`.",
    request_body = WishJson,
    responses(
        (status = 200, description = "The endpoint", body = EndpointJson),
        BadBody,
    ),
)]
pub(super) async fn update(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Recorded,
    Path(id): Path<String>,
    body: Result<Fields<WishJson>, ApiError>,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::WebhooksWrite)?;
    about(&recording, &id);
    let changed = endpoints::update(&server, key.project.key, &id, wish(body)?).await;
    let changed = changed.map_err(|error| failed(error, &id))?;
    Ok(answered(&recording, &key, &changed, None))
}

/// Deletes an endpoint.
#[utoipa::path(
    delete,
    path = "/v1/webhooks/{id}",
    operation_id = "deleteWebhook",
    tag = "Webhooks",
    summary = "Deletes an endpoint",
    description = "Needs the scope `webhooks:write`.",
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Recorded,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    key.require(Scope::WebhooksWrite)?;
    about(&recording, &id);
    let deleted = endpoints::delete(&server, key.project.key, &id).await;
    let before = deleted.map_err(|error| failed(error, &id))?;
    note(&recording, &key, (shown::endpoint(&before), Value::Null));
    Ok(StatusCode::NO_CONTENT)
}

/// A new secret; the one before is signed with, too, for a day.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/rotate-secret",
    operation_id = "rotateWebhookSecret",
    tag = "Webhooks",
    summary = "A new secret; the one before is signed with, too, for a day",
    description = "Needs the scope `webhooks:write`.",
    responses((status = 200, description = "The endpoint, with its new secret", body = EndpointJson)),
)]
pub(super) async fn rotate(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Recorded,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::WebhooksWrite)?;
    about(&recording, &id);
    let rotated = endpoints::rotate(&server, key.project.key, &id).await;
    let (changed, secret) = rotated.map_err(|error| failed(error, &id))?;
    Ok(answered(&recording, &key, &changed, Some(&secret)))
}

/// Sends a test event: 202 with its sendout.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/test",
    operation_id = "testWebhook",
    tag = "Webhooks",
    summary = "Sends a test event",
    description = "Needs the scope `webhooks:write`.",
    responses((status = 202, description = "The test event's sendout", body = TestSent)),
)]
pub(super) async fn test(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Recorded,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    key.require(Scope::WebhooksWrite)?;
    about(&recording, &id);
    let asked = recording::asked(recording.as_ref().map(|Extension(recording)| recording));
    let sent = endpoints::test(&server, key.project.key, &id, asked.request_id.as_deref()).await;
    let sendout = sent.map_err(|error| failed(error, &id))?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "sendout_id": sendout }))))
}
