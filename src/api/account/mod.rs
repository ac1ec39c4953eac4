//! A person's own account, and what the page of an invitation must know.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::frame::ProjectFacts;
use crate::model::account::SessionFacts;
use crate::model::rights::Role;
use crate::model::zone::Zone;

/// How a person's second factor stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Second {
    /// It is off.
    Off,
    /// It waits to be confirmed by a code.
    Begun {
        /// The secret in base 32.
        secret: String,
        /// The same as a picture that authenticators read, an SVG.
        picture: String,
        /// The recovery codes.
        recovery: Vec<String>,
    },
    /// It is on.
    On {
        /// How many recovery codes are left.
        left: usize,
    },
}

/// All that the page of one's own account shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountPage {
    /// How the person signs in.
    pub email: String,
    /// Whether they are the demo's: their password is everybody's, and stays.
    pub is_demo: bool,
    /// Whether they have a password; else they come by an identity provider alone.
    pub has_password: bool,
    /// Whether they run the instance.
    pub operator: bool,
    /// Their projects.
    pub projects: Vec<ProjectFacts>,
    /// How their second factor stands.
    pub second: Second,
    /// Where they are signed in.
    pub sessions: Vec<SessionFacts>,
    /// The zone that the times are shown in.
    pub zone: Zone,
}

/// The account of whoever asks.
#[server(name = ReadAccount, input = GetUrl, endpoint = "account")]
pub async fn account_page() -> Result<AccountPage, ApiError> {
    read::account().await.map_err(ApiError::told)
}

/// How whoever opened an invitation can take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Joining {
    /// They are new: they choose a password.
    New,
    /// They have an account, and are not signed in.
    Known,
    /// They are signed in.
    SignedIn,
    /// Somebody else is signed in.
    SomebodyElse(String),
}

/// An invitation as whoever opened its link sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Whom it is for.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// What people call the project.
    pub project: String,
    /// Who invites them.
    pub invited_by: String,
    /// From when on it leads nowhere.
    pub expires_at: i64,
    /// How it is taken.
    pub joining: Joining,
    /// The zone that the time is shown in.
    pub zone: Zone,
}

/// Where an invitation's link leads; none where it leads nowhere any more.
#[server(name = ReadInvitation, input = GetUrl, endpoint = "invitation")]
pub async fn invitation(token: String) -> Result<Option<Invitation>, ApiError> {
    read::invitation(&token).await.map_err(ApiError::told)
}
