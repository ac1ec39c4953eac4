//! Invites people, changes their roles, takes them out, and settles what a role may see.

use axum::http::request::Parts;
use leptos::prelude::use_context;
use serde_json::Value;

use super::FreshInvitation;
use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::member::{MemberFacts, RoleRights};
use crate::model::rights::Role;
use crate::server::access::invite::{self, InviteError};
use crate::server::http::{recording, shown};
use crate::server::store::members::MemberChange;
use crate::server::store::{accounts, invitations, members};

async fn to_settle(project: &str, about: (&str, &str)) -> Result<Visit, ApiError> {
    let visit = Visit::to_change(project, about).await?;
    visit.must_settle("its members")?;
    Ok(visit)
}

/// Invites somebody.
pub(super) async fn invite(project: &str, email: &str, role: Role) -> Result<FreshInvitation, ApiError> {
    let visit = to_settle(project, ("invitation", "")).await?;
    let by = &visit.member.person.email;
    let invited = invite::invite(&visit.server, visit.member.project.key, by, email, role).await;
    let invited = invited.map_err(|error| match error {
        InviteError::Store(error) => error.into(),
        InviteError::Email(text) if text.is_empty() => ApiError::Refused("Say whom to invite: an e-mail address.".to_owned()),
        refused @ (InviteError::Email(_) | InviteError::Member(_)) => ApiError::refused(&refused),
    })?;
    let parts = use_context::<Parts>();
    let recording = parts.as_ref().and_then(|parts| parts.extensions.get());
    recording::about(recording, "invitation", &invited.facts.id);
    let before = invited.before.as_ref().map_or(Value::Null, shown::invitation);
    visit.changed(before, shown::invitation(&invited.facts));
    Ok(FreshInvitation {
        id: invited.facts.id,
        email: invited.facts.email,
        link: invited.link,
    })
}

/// Takes an invitation back.
pub(super) async fn revoke(project: &str, id: &str) -> Result<(), ApiError> {
    let visit = to_settle(project, ("invitation", id)).await?;
    match invitations::revoke(&visit.server.db, visit.member.project.key, id).await? {
        Some(before) => {
            visit.changed(shown::invitation(&before), Value::Null);
            Ok(())
        }
        None => Err(ApiError::Refused(
            "There is no such invitation any more: it was used, or taken back.".to_owned(),
        )),
    }
}

/// Gives a member another role.
pub(super) async fn role(project: &str, user: &str, role: Role) -> Result<(), ApiError> {
    let visit = to_settle(project, ("member", user)).await?;
    let change = members::set_role(&visit.server.db, visit.member.project.key, user, role).await?;
    let before = settled(&visit, change)?;
    let after = MemberFacts { role, ..before.clone() };
    visit.changed(shown::member(&before), shown::member(&after));
    Ok(())
}

/// Takes a member out.
pub(super) async fn remove(project: &str, user: &str) -> Result<(), ApiError> {
    let visit = to_settle(project, ("member", user)).await?;
    let change = members::remove(&visit.server.db, visit.member.project.key, user).await?;
    let before = settled(&visit, change)?;
    visit.changed(shown::member(&before), Value::Null);
    Ok(())
}

/// Who the member was, where the change was made.
fn settled(visit: &Visit, change: MemberChange) -> Result<MemberFacts, ApiError> {
    match change {
        MemberChange::Done(before) => {
            visit.server.door.forget();
            Ok(before)
        }
        MemberChange::NoMember => Err(ApiError::Refused("They do not belong to this project any more.".to_owned())),
        MemberChange::LastOwner => Err(ApiError::Refused(
            "A project keeps an owner: make somebody else one first.".to_owned(),
        )),
    }
}

/// Settles what a role may see. An owner's sight is not taken: whoever may give it back has it.
pub(super) async fn rights(project: &str, rights: RoleRights) -> Result<(), ApiError> {
    let visit = to_settle(project, ("role", rights.role.as_str())).await?;
    if rights.role == Role::Owner {
        return Err(ApiError::Refused("Owners see everything.".to_owned()));
    }
    let (db, key) = (&visit.server.db, visit.member.project.key);
    let before = accounts::set_rights(db, key, rights.role, rights.read_bodies, rights.read_users).await?;
    visit.server.door.forget();
    let of_role = |rights| serde_json::json!({ "object": "role_rights", "role_rights": shown::role_rights([rights]) });
    visit.changed(of_role(&before), of_role(&rights));
    Ok(())
}
