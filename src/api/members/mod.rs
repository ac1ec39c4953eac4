//! The settings page of members: who belongs to a project and as what, who is invited, and what a role may see.
//!
//! An invitation's link is in the answer to [`invite_member`] alone; it does not reach a log of the request (`server/http/recording/quiet.rs`).

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::member::{InvitationFacts, MemberFacts, RoleRights};
use crate::model::rights::Role;
use crate::model::zone::Zone;

/// All that the settings page of members shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersPage {
    /// The people, in the order they came.
    pub members: Vec<MemberFacts>,
    /// Who is invited, the newest first; those whose time has passed, too.
    pub invitations: Vec<InvitationFacts>,
    /// What each role may see.
    pub rights: Vec<RoleRights>,
    /// Who asks: `usr_…`.
    pub me: String,
    /// For how many days an invitation leads in.
    pub days: i64,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// An invitation's link, as it is shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshInvitation {
    /// `inv_…`.
    pub id: String,
    /// Whom it is for.
    pub email: String,
    /// The whole link.
    pub link: String,
}

impl std::fmt::Debug for FreshInvitation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FreshInvitation")
            .field("id", &self.id)
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// A project's people, for its owners. The query string is the page's: it names the zone.
#[server(name = ReadMembersPage, input = GetUrl, endpoint = "members")]
pub async fn members_page(project: String, query: String) -> Result<MembersPage, ApiError> {
    read::page(&project, &query).await.map_err(ApiError::told)
}

/// Invites somebody by their e-mail address; gives the link, this once.
#[server(name = InviteMember, input = Json, endpoint = "invite_member")]
pub async fn invite_member(project: String, email: String, role: Role) -> Result<FreshInvitation, ApiError> {
    change::invite(&project, &email, role).await.map_err(ApiError::told)
}

/// Takes an invitation back, at once.
#[server(name = RevokeInvitation, endpoint = "revoke_invitation")]
pub async fn revoke_invitation(project: String, id: String) -> Result<(), ApiError> {
    change::revoke(&project, &id).await.map_err(ApiError::told)
}

/// Gives a member (`usr_…`) another role.
#[server(name = ChangeRole, input = Json, endpoint = "change_role")]
pub async fn change_role(project: String, user: String, role: Role) -> Result<(), ApiError> {
    change::role(&project, &user, role).await.map_err(ApiError::told)
}

/// Takes a member (`usr_…`) out of the project, at once.
#[server(name = RemoveMember, endpoint = "remove_member")]
pub async fn remove_member(project: String, user: String) -> Result<(), ApiError> {
    change::remove(&project, &user).await.map_err(ApiError::told)
}

/// Takes `read:bodies` and `read:users` from a role, or gives them back.
#[server(name = SetRoleRights, input = Json, endpoint = "set_role_rights")]
pub async fn set_role_rights(project: String, rights: RoleRights) -> Result<(), ApiError> {
    change::rights(&project, rights).await.map_err(ApiError::told)
}
