//! `POST /v1/webhook-sendouts/{id}/retry`, and `POST /v1/webhook-sendouts/retry` for all that a filter means.

use crate::server::http::openapi::{BadBody, Clash, RetryCount, RetryMany, TaskBegun};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use super::SendoutJson;
use crate::model::filter::parse_terms;
use crate::model::id::IdKind;
use crate::model::query::escape;
use crate::model::rights::Scope;
use crate::model::sendout::{MAX_PACE, PACE};
use crate::model::tab::{Tab, TabQuery};
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::fields::Fields;
use crate::server::jobs;
use crate::server::jobs::retry::{Asker, Wish};
use crate::server::selection::records;
use crate::server::state::Server;
use crate::server::store::webhooks::sendouts::Again;
use crate::server::webhooks::sendouts;

/// Sends one once more, now.
#[utoipa::path(
    post,
    path = "/v1/webhook-sendouts/{id}/retry",
    operation_id = "retrySendout",
    tag = "Webhook sendouts",
    summary = "Sends one once more, now",
    description = "Needs the scope `webhooks:write`.",
    responses(
        (status = 202, description = "The sendout", body = SendoutJson),
        Clash,
    ),
)]
pub(super) async fn one(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    key.require(Scope::WebhooksWrite)?;
    let missing = || ApiError::not_found("webhook_sendout", &id);
    recording::about(
        recording.as_ref().map(|Extension(recording)| recording),
        "webhook_sendout",
        &id,
    );
    match sendouts::again(&server, key.project.key, &id).await? {
        Again::NotFound => return Err(missing()),
        Again::NoEndpoint => return Err(ApiError::new(StatusCode::CONFLICT, "its endpoint was deleted")),
        // Where an attempt is on its way, this one follows if that fails.
        Again::Due => {}
    }
    let found = sendouts::one(&server, key.project.key, &id, key.rights).await?;
    let (facts, _) = found.ok_or_else(missing)?;
    Ok((StatusCode::ACCEPTED, Json(json!(SendoutJson::of(&facts)))))
}

/// `{filter…, dry_run?, per_second?}`: the tab's filters by their arguments, `from` and `to`.
#[utoipa::path(
    post,
    path = "/v1/webhook-sendouts/retry",
    operation_id = "retrySendouts",
    tag = "Webhook sendouts",
    summary = "Sends once more all that a filter means",
    description = "Needs the scope `webhooks:write`.",
    request_body = RetryMany,
    responses(
        (status = 200, description = "How many they are; of `dry_run`", body = RetryCount),
        (status = 202, description = "The task that sends them", body = TaskBegun),
        BadBody,
    ),
)]
pub(super) async fn many(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    body: Result<Fields<Map<String, Value>>, ApiError>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    key.require(Scope::WebhooksWrite)?;
    let Fields(mut asked) = body?;
    let invalid = |details: &str| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, details);
    let is_dry = match asked.remove("dry_run") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(dry)) => dry,
        Some(_) => return Err(invalid("dry_run: true or false")),
    };
    let per_second = match asked.remove("per_second") {
        None | Some(Value::Null) => None,
        Some(pace) => Some(
            pace.as_u64()
                .filter(|pace| (1..=MAX_PACE.into()).contains(pace))
                .ok_or_else(|| invalid("per_second: 1 to 10000"))?,
        ),
    };
    let query = TabQuery::parse(Tab::Sendouts, &query_string(&asked)?)?;
    let context = records::context(&server, &key.project, key.rights);
    let (selection, _) = records::resolve(&query, &context)?;
    if is_dry {
        let count = sendouts::count_again(&server, key.project.key, &selection, context.now_ms).await?;
        return Ok((
            StatusCode::OK,
            Json(json!({
                "count": count.all,
                "of_these_endpoint_off": count.off,
                "left_out_endpoint_deleted": count.deleted,
            })),
        ));
    }
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    let log_id = server.random.id(IdKind::Log, server.clock.now_ms());
    let asker = Asker {
        user_id: None,
        by: Some(key.name.clone()),
        request: recording::asked(recording)
            .request_id
            .map(|request| (request, log_id.clone())),
    };
    let wish = Wish {
        selection,
        pin: context.now_ms,
        per_second: per_second.map_or(PACE, |pace| pace as u32),
    };
    let task = jobs::retry::begin(&server, key.project.key, wish, asker).await?;
    recording::began(recording, &task, &log_id);
    Ok((StatusCode::ACCEPTED, Json(json!({ "async_action_id": task }))))
}

/// The filters as the tab's URL has them; a list is written with commas.
fn query_string(asked: &Map<String, Value>) -> Result<String, ApiError> {
    let mut pairs = Vec::with_capacity(asked.len());
    for (name, value) in asked {
        let is_known =
            matches!(name.as_str(), "from" | "to") || Tab::Sendouts.filters().iter().any(|filter| filter.argument == name);
        if !is_known {
            let details = format!("{name} is no filter of sendouts");
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, details));
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(values) => {
                let words = values
                    .iter()
                    .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                words.collect::<Vec<_>>().join(",")
            }
            Value::Null => continue,
            _ => {
                let details = format!("{name} must be a text or a list of texts");
                return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, details));
            }
        };
        if !matches!(name.as_str(), "from" | "to") && parse_terms(&text).is_empty() {
            continue;
        }
        pairs.push(format!("{name}={}", escape(&text)));
    }
    Ok(pairs.join("&"))
}
