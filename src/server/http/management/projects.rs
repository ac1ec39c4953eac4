//! `/management/v1/projects`: made, listed, read, changed, deleted.

use crate::server::http::openapi::{BadBody, Clash, List, ProjectShown};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::caller::{Recorded, changed, project};
use super::list;
use crate::model::member::RoleRights;
use crate::model::project::ProjectWish;
use crate::model::rights::Role;
use crate::server::error::ApiError;
use crate::server::http::recording;
use crate::server::http::shown as written;
use crate::server::http::v1::fields::Fields;
use crate::server::http::v1::json::time;
use crate::server::projects::{self as settings, ProjectError};
use crate::server::state::Server;
use crate::server::store::projects::{self, Project};
use crate::server::store::{StoreError, accounts, members};

pub(super) fn routes() -> Router<Server> {
    Router::new().route("/management/v1/projects", get(all).post(create)).route(
        "/management/v1/projects/{prj}",
        get(one).put(update).patch(update).delete(delete),
    )
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(all, create, one, update, delete))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// What may be said of a project; what is not named stays, or is as by default.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = ProjectWish)]
#[serde(deny_unknown_fields)]
struct WishJson {
    #[schema(example = "shop")]
    name: Option<String>,
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    #[schema(example = json!(["/v1/vouchers/{code}"]))]
    endpoint_templates: Option<Vec<String>>,
    role_rights: Option<Sights>,
}

/// What roles may see; an owner sees everything.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[schema(as = RoleRights)]
#[serde(deny_unknown_fields)]
struct Sights {
    auditor: Option<Sight>,
    member: Option<Sight>,
}

#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[schema(as = RoleSight)]
#[serde(deny_unknown_fields)]
struct Sight {
    read_bodies: bool,
    read_users: bool,
}

async fn shown(server: &Server, project: &Project) -> Result<Value, StoreError> {
    let mut json = written::project(&project.id, &settings::settings(server, project).await?);
    let rights = members::rights(&server.db, project.key).await?;
    json["created_at"] = json!(time(project.created_at));
    json["role_rights"] = written::role_rights(&rights);
    Ok(json)
}

fn failed(error: ProjectError) -> ApiError {
    match error {
        ProjectError::Store(error) => error.into(),
        refused => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string()),
    }
}

#[utoipa::path(
    get,
    path = "/management/v1/projects",
    operation_id = "listProjects",
    tag = "Management",
    summary = "All projects",
    responses((status = 200, description = "The projects", body = List<ProjectShown>)),
)]
async fn all(State(server): State<Server>) -> Result<Json<Value>, ApiError> {
    let mut data = Vec::new();
    for project in projects::all(&server.db).await? {
        data.push(shown(&server, &project).await?);
    }
    Ok(Json(list(&data)))
}

#[utoipa::path(
    get,
    path = "/management/v1/projects/{prj}",
    operation_id = "getProject",
    tag = "Management",
    summary = "One project",
    responses((status = 200, description = "The project", body = ProjectShown)),
)]
async fn one(State(server): State<Server>, recording: Recorded, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let project = project(&server, &recording, &id).await?;
    Ok(Json(shown(&server, &project).await?))
}

#[utoipa::path(
    post,
    path = "/management/v1/projects",
    operation_id = "createProject",
    tag = "Management",
    summary = "Makes a project",
    request_body = WishJson,
    responses(
        (status = 201, description = "The project", body = ProjectShown),
        BadBody,
    ),
)]
async fn create(
    State(server): State<Server>,
    recording: Recorded,
    body: Result<Fields<WishJson>, ApiError>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let Fields(json) = body?;
    let wish = ProjectWish {
        name: json.name.unwrap_or_default(),
        time_zone: json.time_zone.unwrap_or_else(|| "UTC".to_owned()),
        templates: json.endpoint_templates.unwrap_or_default(),
    };
    let made = settings::create(&server, &wish, None).await.map_err(failed)?;
    let made = project(&server, &recording, &made.id).await?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "project", &made.id);
    see(&server, &made, json.role_rights.unwrap_or_default()).await?;
    let shown = shown(&server, &made).await?;
    changed(&recording, &made, Value::Null, shown.clone());
    Ok((StatusCode::CREATED, Json(shown)))
}

#[utoipa::path(
    method(put, patch),
    path = "/management/v1/projects/{prj}",
    operation_id = "updateProject",
    tag = "Management",
    summary = "Changes a project; what is not named stays",
    request_body = WishJson,
    responses(
        (status = 200, description = "The project", body = ProjectShown),
        BadBody,
        Clash,
    ),
)]
async fn update(
    State(server): State<Server>,
    recording: Recorded,
    Path(id): Path<String>,
    body: Result<Fields<WishJson>, ApiError>,
) -> Result<Json<Value>, ApiError> {
    let Fields(json) = body?;
    let before = project(&server, &recording, &id).await?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "project", &id);
    let templates = match json.endpoint_templates {
        Some(templates) => templates,
        None => projects::endpoint_templates(&server.db, before.key).await?,
    };
    let wish = ProjectWish {
        name: json.name.unwrap_or_else(|| before.name.clone()),
        time_zone: json.time_zone.unwrap_or_else(|| before.time_zone.clone()),
        templates,
    };
    let done = settings::change(&server, &before, &wish).await.map_err(failed)?;
    let of = |settings| written::project(&before.id, settings);
    // The rights come in transactions of their own: what is made by then is noted, whatever becomes of them.
    changed(&recording, &before, of(&done.before), of(&done.after));
    let (were, are) = see(&server, &before, json.role_rights.unwrap_or_default()).await?;
    let with = |settings, rights: &[RoleRights]| {
        let mut json = of(settings);
        json["role_rights"] = written::role_rights(rights);
        json
    };
    if !are.is_empty() {
        changed(&recording, &before, with(&done.before, &were), with(&done.after, &are));
    }
    let now = project(&server, &recording, &id).await?;
    Ok(Json(shown(&server, &now).await?))
}

/// Settles what roles may see; gives what those did before, and what they do now.
async fn see(server: &Server, project: &Project, sights: Sights) -> Result<(Vec<RoleRights>, Vec<RoleRights>), StoreError> {
    let (mut were, mut are) = (Vec::new(), Vec::new());
    for (role, sight) in [(Role::Auditor, sights.auditor), (Role::Member, sights.member)] {
        if let Some(Sight { read_bodies, read_users }) = sight {
            were.push(accounts::set_rights(&server.db, project.key, role, read_bodies, read_users).await?);
            are.push(RoleRights {
                role,
                read_bodies,
                read_users,
            });
            server.door.forget();
        }
    }
    Ok((were, are))
}

#[utoipa::path(
    delete,
    path = "/management/v1/projects/{prj}",
    operation_id = "deleteProject",
    tag = "Management",
    summary = "Deletes a project and all that belongs to it",
    description = "The record of what people and keys did in it stays for a year at least; whoever runs the server can read it, nobody else.",
    responses((status = 204, description = "It is gone")),
)]
async fn delete(State(server): State<Server>, recording: Recorded, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    let project = project(&server, &recording, &id).await?;
    let before = settings::delete(&server, &project).await.map_err(failed)?;
    changed(&recording, &project, written::project(&project.id, &before), Value::Null);
    Ok(StatusCode::NO_CONTENT)
}
