//! `…/members` and `…/invitations` of a project. Somebody who has an account is made a member; whoever has none is invited by a link.

use crate::server::http::openapi::{BadBody, Clash, InvitationShown, List, MemberAdded, MemberShown};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::caller::{self, Recorded, changed, project};
use super::list;
use crate::model::member::MemberFacts;
use crate::model::rights::Role;
use crate::server::access::ManagementAccess;
use crate::server::access::invite::{self, InviteError};
use crate::server::error::ApiError;
use crate::server::http::recording;
use crate::server::http::shown as written;
use crate::server::http::shown::invitation as shown_invitation;
use crate::server::http::v1::fields::Fields;
use crate::server::http::v1::json::time;
use crate::server::state::Server;
use crate::server::store::members::MemberChange;
use crate::server::store::projects::Project;
use crate::server::store::{accounts, invitations, members};

pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/management/v1/projects/{prj}/members", get(all).post(add))
        .route(
            "/management/v1/projects/{prj}/members/{id}",
            get(one).put(update).patch(update).delete(remove),
        )
        .route("/management/v1/projects/{prj}/invitations", get(invited))
        .route("/management/v1/projects/{prj}/invitations/{id}", delete(take_back))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(all, add, one, update, remove, invited, take_back))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = MemberToAdd)]
#[serde(deny_unknown_fields)]
struct AddJson {
    #[schema(example = "ada@example.com")]
    email: String,
    role: Role,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = MemberChange)]
#[serde(deny_unknown_fields)]
struct RoleJson {
    role: Role,
}

fn shown(member: &MemberFacts) -> Value {
    let mut json = written::member(member);
    json["last_seen_at"] = json!(member.last_seen_at.map(time));
    json
}

async fn everybody(server: &Server, project: &Project) -> Result<Vec<MemberFacts>, ApiError> {
    Ok(members::list(&server.db, project.key, server.clock.now_ms()).await?)
}

async fn found(server: &Server, project: &Project, id: &str) -> Result<MemberFacts, ApiError> {
    let found = everybody(server, project).await?.into_iter().find(|member| member.id == id);
    found.ok_or_else(|| ApiError::not_found("member", id))
}

#[utoipa::path(
    get,
    path = "/management/v1/projects/{prj}/members",
    operation_id = "listMembers",
    tag = "Management",
    summary = "The people of a project",
    responses((status = 200, description = "The members", body = List<MemberShown>)),
)]
async fn all(State(server): State<Server>, recording: Recorded, Path(prj): Path<String>) -> Result<Json<Value>, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    let data: Vec<Value> = everybody(&server, &project).await?.iter().map(shown).collect();
    Ok(Json(list(&data)))
}

#[utoipa::path(
    get,
    path = "/management/v1/projects/{prj}/members/{id}",
    operation_id = "getMember",
    tag = "Management",
    summary = "One member",
    responses((status = 200, description = "The member", body = MemberShown)),
)]
async fn one(
    State(server): State<Server>,
    recording: Recorded,
    Path((prj, id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    Ok(Json(shown(&found(&server, &project, &id).await?)))
}

/// 201 with the member, or with the invitation and its link, which is shown this once.
#[utoipa::path(
    post,
    path = "/management/v1/projects/{prj}/members",
    operation_id = "addMember",
    tag = "Management",
    summary = "Makes somebody a member, or invites whoever has no account",
    request_body = AddJson,
    responses(
        (status = 201, description = "The member, or the invitation with its link, which is shown this once", body = MemberAdded),
        BadBody,
    ),
)]
async fn add(
    State(server): State<Server>,
    Extension(key): Extension<ManagementAccess>,
    recording: Recorded,
    Path(prj): Path<String>,
    body: Result<Fields<AddJson>, ApiError>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let Fields(AddJson { email, role }) = body?;
    let project = project(&server, &recording, &prj).await?;
    let recorded = recording.as_ref().map(|recording| &recording.0);
    let known = accounts::find_by_email(&server.db, &email).await?;
    let Some(user) = known else {
        let invited = invite::invite(&server, project.key, &caller::name(&key), &email, role).await;
        let invited = invited.map_err(refused)?;
        recording::about(recorded, "invitation", &invited.facts.id);
        let mut json = shown_invitation(&invited.facts);
        let before = invited.before.as_ref().map_or(Value::Null, shown_invitation);
        changed(&recording, &project, before, json.clone());
        json["link"] = json!(invited.link);
        return Ok((StatusCode::CREATED, Json(json)));
    };
    if members::has_email(&server.db, project.key, &user.email).await? {
        return Err(refused(InviteError::Member(user.email)));
    }
    accounts::set_member(&server.db, project.key, user.key, role, server.clock.now_ms()).await?;
    server.door.forget();
    recording::about(recorded, "member", &user.id);
    let member = found(&server, &project, &user.id).await?;
    changed(&recording, &project, Value::Null, written::member(&member));
    Ok((StatusCode::CREATED, Json(shown(&member))))
}

fn refused(error: InviteError) -> ApiError {
    let said = error.to_string();
    match error {
        InviteError::Email(_) => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, format!("email: {said}")),
        InviteError::Member(_) => ApiError::new(StatusCode::CONFLICT, said),
        InviteError::Store(error) => error.into(),
    }
}

/// Who the member was, where the change was made.
fn settled(server: &Server, change: MemberChange, id: &str) -> Result<MemberFacts, ApiError> {
    match change {
        MemberChange::Done(before) => {
            server.door.forget();
            Ok(before)
        }
        MemberChange::NoMember => Err(ApiError::not_found("member", id)),
        MemberChange::LastOwner => Err(ApiError::new(
            StatusCode::CONFLICT,
            "a project that has people keeps an owner: make somebody else one first",
        )),
    }
}

#[utoipa::path(
    method(put, patch),
    path = "/management/v1/projects/{prj}/members/{id}",
    operation_id = "updateMember",
    tag = "Management",
    summary = "Changes a member's role",
    request_body = RoleJson,
    responses(
        (status = 200, description = "The member", body = MemberShown),
        BadBody,
        Clash,
    ),
)]
async fn update(
    State(server): State<Server>,
    recording: Recorded,
    Path((prj, id)): Path<(String, String)>,
    body: Result<Fields<RoleJson>, ApiError>,
) -> Result<Json<Value>, ApiError> {
    let Fields(RoleJson { role }) = body?;
    let project = project(&server, &recording, &prj).await?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "member", &id);
    let change = members::set_role(&server.db, project.key, &id, role).await?;
    let before = settled(&server, change, &id)?;
    let after = MemberFacts { role, ..before.clone() };
    changed(&recording, &project, written::member(&before), written::member(&after));
    Ok(Json(shown(&found(&server, &project, &id).await?)))
}

#[utoipa::path(
    delete,
    path = "/management/v1/projects/{prj}/members/{id}",
    operation_id = "removeMember",
    tag = "Management",
    summary = "Takes somebody out of a project",
    responses(
        (status = 204, description = "They are no member any more"),
        Clash,
    ),
)]
async fn remove(
    State(server): State<Server>,
    recording: Recorded,
    Path((prj, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "member", &id);
    let change = members::remove(&server.db, project.key, &id).await?;
    let before = settled(&server, change, &id)?;
    changed(&recording, &project, written::member(&before), Value::Null);
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    get,
    path = "/management/v1/projects/{prj}/invitations",
    operation_id = "listInvitations",
    tag = "Management",
    summary = "Who was invited and has not come yet",
    responses((status = 200, description = "The invitations", body = List<InvitationShown>)),
)]
async fn invited(State(server): State<Server>, recording: Recorded, Path(prj): Path<String>) -> Result<Json<Value>, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    let all = invitations::list(&server.db, project.key).await?;
    let data: Vec<Value> = all.iter().map(shown_invitation).collect();
    Ok(Json(list(&data)))
}

#[utoipa::path(
    delete,
    path = "/management/v1/projects/{prj}/invitations/{id}",
    operation_id = "revokeInvitation",
    tag = "Management",
    summary = "Takes an invitation back",
    responses((status = 204, description = "Its link leads nowhere now")),
)]
async fn take_back(
    State(server): State<Server>,
    recording: Recorded,
    Path((prj, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "invitation", &id);
    match invitations::revoke(&server.db, project.key, &id).await? {
        Some(before) => {
            changed(&recording, &project, shown_invitation(&before), Value::Null);
            Ok(StatusCode::NO_CONTENT)
        }
        None => Err(ApiError::not_found("invitation", &id)),
    }
}
