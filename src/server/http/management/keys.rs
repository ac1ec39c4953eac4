//! `…/keys` of a project: made, listed, read, changed, rotated, revoked. A token is in the answers to create and rotate alone.

use crate::server::http::openapi::{BadBody, KeyIssued, KeyShown, List};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::caller::{Recorded, changed, project};
use super::list;
use crate::model::key::{KeyFacts, KeyWish};
use crate::model::rights::Scope;
use crate::server::access::issue::{self, IssuedKey, Issuer, KeyIssueError};
use crate::server::error::ApiError;
use crate::server::http::recording;
use crate::server::http::shown as written;
use crate::server::http::v1::fields::{Fields, given};
use crate::server::http::v1::json::time;
use crate::server::state::Server;
use crate::server::store::projects::Project;
use crate::server::store::{Changed, keys};

/// The longest that a token is taken beside its successor, in seconds.
const MOST_OVERLAP_S: u32 = 30 * 86_400;

pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/management/v1/projects/{prj}/keys", get(all).post(create))
        .route(
            "/management/v1/projects/{prj}/keys/{id}",
            get(one).put(update).patch(update).delete(revoke),
        )
        .route("/management/v1/projects/{prj}/keys/{id}/rotate", post(rotate))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(all, create, one, update, rotate, revoke))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// What may be said of a key; what is not named stays, or is as by default. `origins` make a client-side key.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = KeyWish)]
#[serde(deny_unknown_fields)]
struct WishJson {
    #[schema(example = "backend")]
    name: Option<String>,
    #[schema(example = json!(["logs:write"]))]
    scopes: Option<Vec<Scope>>,
    #[schema(example = json!(["https://shop.example"]))]
    origins: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    calls_a_minute: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<String>>,
}

impl WishJson {
    fn on(self, before: KeyWish) -> Result<KeyWish, ApiError> {
        let end = self
            .expires_at
            .map(|end| end.map(|end| read_time(&end)).transpose())
            .transpose()?;
        Ok(KeyWish {
            name: self.name.unwrap_or(before.name),
            scopes: self.scopes.unwrap_or(before.scopes),
            origins: self.origins.or(before.origins),
            calls_a_minute: self.calls_a_minute.unwrap_or(before.calls_a_minute),
            expires_at: end.unwrap_or(before.expires_at),
        })
    }
}

fn read_time(text: &str) -> Result<i64, ApiError> {
    let wrong = |_| {
        ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "expires_at: must be a time such as 2027-01-01T00:00:00Z, or null",
        )
    };
    text.parse().map(Timestamp::as_millisecond).map_err(wrong)
}

/// How long the token that is there is taken beside the new one.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[schema(as = KeyRotation)]
#[serde(deny_unknown_fields)]
struct RotateJson {
    #[serde(default)]
    #[schema(maximum = 2_592_000)]
    overlap_seconds: u32,
}

fn shown(key: &KeyFacts) -> Value {
    let mut json = written::key(key);
    json["last_used_at"] = json!(key.last_used_at.map(time));
    json
}

fn note(recording: &Recorded, project: &Project, of: &Changed<KeyFacts>) {
    changed(recording, project, written::key(&of.before), written::key(&of.after));
}

fn failed(error: KeyIssueError, id: &str) -> ApiError {
    match error {
        KeyIssueError::Store(error) => error.into(),
        KeyIssueError::NoKey => ApiError::not_found("key", id),
        refused => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string()),
    }
}

fn issuer(server: &Server) -> Issuer<'_> {
    Issuer {
        clock: &server.clock,
        random: &server.random,
    }
}

async fn found(server: &Server, project: &Project, id: &str) -> Result<KeyFacts, ApiError> {
    let found = keys::find(&server.db, project.key, id).await?;
    found.ok_or_else(|| ApiError::not_found("key", id))
}

fn with_token(key: &KeyFacts, issued: &IssuedKey) -> Json<Value> {
    let mut json = shown(key);
    json["app_token"] = json!(issued.app_token);
    Json(json)
}

#[utoipa::path(
    get,
    path = "/management/v1/projects/{prj}/keys",
    operation_id = "listKeys",
    tag = "Management",
    summary = "The keys of a project",
    responses((status = 200, description = "The keys", body = List<KeyShown>)),
)]
async fn all(State(server): State<Server>, recording: Recorded, Path(prj): Path<String>) -> Result<Json<Value>, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    let all = keys::list(&server.db, project.key).await?;
    let data: Vec<Value> = all.iter().map(shown).collect();
    Ok(Json(list(&data)))
}

#[utoipa::path(
    get,
    path = "/management/v1/projects/{prj}/keys/{id}",
    operation_id = "getKey",
    tag = "Management",
    summary = "One key",
    responses((status = 200, description = "The key", body = KeyShown)),
)]
async fn one(
    State(server): State<Server>,
    recording: Recorded,
    Path((prj, id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    Ok(Json(shown(&found(&server, &project, &id).await?)))
}

#[utoipa::path(
    post,
    path = "/management/v1/projects/{prj}/keys",
    operation_id = "createKey",
    tag = "Management",
    summary = "Makes a key; its token is in this answer alone",
    request_body = WishJson,
    responses(
        (status = 201, description = "The key, with its token", body = KeyIssued),
        BadBody,
    ),
)]
async fn create(
    State(server): State<Server>,
    recording: Recorded,
    Path(prj): Path<String>,
    body: Result<Fields<WishJson>, ApiError>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let Fields(json) = body?;
    let project = project(&server, &recording, &prj).await?;
    let made = issue::project_key(&server.db, &issuer(&server), project.key, &json.on(KeyWish::default())?).await;
    let (made, key) = made.map_err(|error| failed(error, ""))?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "key", &made.app_id);
    changed(&recording, &project, Value::Null, written::key(&key));
    Ok((StatusCode::CREATED, with_token(&key, &made)))
}

#[utoipa::path(
    method(put, patch),
    path = "/management/v1/projects/{prj}/keys/{id}",
    operation_id = "updateKey",
    tag = "Management",
    summary = "Changes a key; what is not named stays",
    request_body = WishJson,
    responses(
        (status = 200, description = "The key", body = KeyShown),
        BadBody,
    ),
)]
async fn update(
    State(server): State<Server>,
    recording: Recorded,
    Path((prj, id)): Path<(String, String)>,
    body: Result<Fields<WishJson>, ApiError>,
) -> Result<Json<Value>, ApiError> {
    let Fields(json) = body?;
    let project = project(&server, &recording, &prj).await?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "key", &id);
    let before = found(&server, &project, &id).await?;
    let wish = json.on(KeyWish {
        name: before.name,
        scopes: before.scopes,
        origins: before.origins,
        calls_a_minute: before.calls_a_minute,
        expires_at: before.expires_at,
    })?;
    let done = issue::change_key(&server.db, &server.clock, project.key, &id, &wish).await;
    let done = done.map_err(|error| failed(error, &id))?;
    server.door.forget();
    note(&recording, &project, &done);
    Ok(Json(shown(&done.after)))
}

#[utoipa::path(
    post,
    path = "/management/v1/projects/{prj}/keys/{id}/rotate",
    operation_id = "rotateKey",
    tag = "Management",
    summary = "A new token; the one before is taken beside it for as long as is asked",
    request_body = RotateJson,
    responses(
        (status = 200, description = "The key, with its new token", body = KeyIssued),
        BadBody,
    ),
)]
async fn rotate(
    State(server): State<Server>,
    recording: Recorded,
    Path((prj, id)): Path<(String, String)>,
    body: Result<Fields<RotateJson>, ApiError>,
) -> Result<Json<Value>, ApiError> {
    let Fields(RotateJson { overlap_seconds }) = body?;
    let project = project(&server, &recording, &prj).await?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "key", &id);
    if overlap_seconds > MOST_OVERLAP_S {
        let details = format!("overlap_seconds: must be a whole number from 0 to {MOST_OVERLAP_S}");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, details));
    }
    let overlap_ms = i64::from(overlap_seconds) * 1_000;
    let rotated = issue::rotate_key(&server.db, &issuer(&server), project.key, &id, overlap_ms).await;
    let (issued, done) = rotated.map_err(|error| failed(error, &id))?;
    server.door.forget();
    note(&recording, &project, &done);
    Ok(with_token(&done.after, &issued))
}

/// Revoked for good; what it did stays in the logs under its name.
#[utoipa::path(
    delete,
    path = "/management/v1/projects/{prj}/keys/{id}",
    operation_id = "revokeKey",
    tag = "Management",
    summary = "Revokes a key for good",
    responses((status = 204, description = "It is taken no more")),
)]
async fn revoke(
    State(server): State<Server>,
    recording: Recorded,
    Path((prj, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "key", &id);
    let revoked = keys::revoke(&server.db, project.key, &id, server.clock.now_ms()).await?;
    let revoked = revoked.ok_or_else(|| ApiError::not_found("key", &id))?;
    server.door.forget();
    note(&recording, &project, &revoked);
    Ok(StatusCode::NO_CONTENT)
}
