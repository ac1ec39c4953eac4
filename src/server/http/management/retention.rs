//! `…/retention` of a project: how long its logs are kept. Fewer days begin a purge at once: its task is in the answer.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::caller::{self, Recorded, changed, project};
use crate::model::retention::Choice;
use crate::server::access::ManagementAccess;
use crate::server::error::ApiError;
use crate::server::http::openapi::BadBody;
use crate::server::http::recording;
use crate::server::http::shown as written;
use crate::server::http::v1::fields::{Fields, given};
use crate::server::jobs::retention::Asker;
use crate::server::retention::{self, RetentionError, Settings};
use crate::server::state::Server;

pub(super) fn routes() -> Router<Server> {
    Router::new().route("/management/v1/projects/{prj}/retention", get(one).put(update).patch(update))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(one, update))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// Days; `null` for what the instance says, and for as long as the logs. What is not named stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = RetentionWish)]
#[serde(deny_unknown_fields)]
struct ChoiceJson {
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3_650)]
    logs_days: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3_650)]
    bodies_days: Option<Option<u32>>,
}

/// What holds: days, `null` for ever, and for as long as the logs.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "the document is made of its fields")]
struct RetentionInForce {
    #[schema(required)]
    logs_days: Option<u32>,
    #[schema(required)]
    bodies_days: Option<u32>,
}

/// How long a project's logs are kept, as the document has it.
#[derive(utoipa::ToSchema)]
#[schema(as = Retention)]
#[allow(dead_code, reason = "the document is made of its fields")]
struct RetentionShown {
    #[schema(pattern = "^retention$")]
    object: String,
    /// As it was chosen.
    #[schema(required)]
    logs_days: Option<u32>,
    #[schema(required)]
    bodies_days: Option<u32>,
    in_force: RetentionInForce,
    /// The task of the purge that the choice has begun.
    #[schema(required)]
    async_action_id: Option<String>,
}

fn shown(settings: Settings, task: Option<&str>) -> Value {
    json!({
        "object": "retention",
        "logs_days": settings.choice.logs_days,
        "bodies_days": settings.choice.bodies_days,
        "in_force": { "logs_days": settings.kept.logs_days, "bodies_days": settings.kept.bodies_days },
        "async_action_id": task,
    })
}

#[utoipa::path(
    get,
    path = "/management/v1/projects/{prj}/retention",
    operation_id = "getRetention",
    tag = "Management",
    summary = "How long a project's logs are kept",
    responses((status = 200, description = "What was chosen, and what holds", body = RetentionShown)),
)]
async fn one(State(server): State<Server>, recording: Recorded, Path(prj): Path<String>) -> Result<Json<Value>, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    Ok(Json(shown(retention::get(&server, project.key).await?, None)))
}

#[utoipa::path(
    method(put, patch),
    path = "/management/v1/projects/{prj}/retention",
    operation_id = "setRetention",
    tag = "Management",
    summary = "Chooses how long a project's logs are kept; fewer days begin a purge",
    request_body = ChoiceJson,
    responses(
        (status = 200, description = "What was chosen, and what holds", body = RetentionShown),
        BadBody,
    ),
)]
async fn update(
    State(server): State<Server>,
    Extension(key): Extension<ManagementAccess>,
    recording: Recorded,
    Path(prj): Path<String>,
    body: Result<Fields<ChoiceJson>, ApiError>,
) -> Result<Json<Value>, ApiError> {
    let Fields(json) = body?;
    let project = project(&server, &recording, &prj).await?;
    let recorded = recording.as_ref().map(|recording| &recording.0);
    recording::about(recorded, "retention", &prj);
    let before = retention::get(&server, project.key).await?.choice;
    let choice = Choice {
        logs_days: json.logs_days.unwrap_or(before.logs_days),
        bodies_days: json.bodies_days.unwrap_or(before.bodies_days),
    };
    let asker = Asker {
        user_id: None,
        by: Some(caller::name(&key)),
        request_id: recording::asked(recorded).request_id,
    };
    let chosen = retention::set(&server, project.key, choice, asker)
        .await
        .map_err(|error| match error {
            RetentionError::Bad(words) => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, words),
            RetentionError::Store(error) => error.into(),
        })?;
    let was = written::retention(&chosen.before);
    changed(&recording, &project, was, written::retention(&choice));
    let now = retention::get(&server, project.key).await?;
    Ok(Json(shown(now, chosen.task.as_deref())))
}
