//! The settings page of embedded views: what is shown to people without an account, by which links, and until when.
//!
//! A link stands in what is answered here alone, to those who see as much as it shows; it does not reach a log of the request (`server/http/recording/quiet.rs`).

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::embed::{EmbedFacts, EmbedWish};
use crate::model::zone::Zone;

/// All that the settings page of embedded views shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedsPage {
    /// They, the newest first; those that have ended, too.
    pub embeds: Vec<EmbedFacts>,
    /// The views that can be embedded: id and name, by name.
    pub views: Vec<(String, String)>,
    /// Whether whoever looks may make one.
    pub may_make: bool,
    /// Whether a link of theirs may show headers and bodies.
    pub may_bodies: bool,
    /// Whether a link of theirs may show who did it.
    pub may_users: bool,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// A project's embedded views. The query string is the page's: it names the zone.
#[server(name = ReadEmbedsPage, input = GetUrl, endpoint = "embeds")]
pub async fn embeds_page(project: String, query: String) -> Result<EmbedsPage, ApiError> {
    read::page(&project, &query).await.map_err(ApiError::told)
}

/// Embeds a view; gives the id.
#[server(name = CreateEmbed, input = Json, endpoint = "create_embed")]
pub async fn create_embed(project: String, wish: EmbedWish) -> Result<String, ApiError> {
    change::create(&project, &wish).await.map_err(ApiError::told)
}

/// Ends one, at once.
#[server(name = RevokeEmbed, endpoint = "revoke_embed")]
pub async fn revoke_embed(project: String, id: String) -> Result<(), ApiError> {
    change::revoke(&project, &id).await.map_err(ApiError::told)
}

/// Takes one away that has ended.
#[server(name = DeleteEmbed, endpoint = "delete_embed")]
pub async fn delete_embed(project: String, id: String) -> Result<(), ApiError> {
    change::delete(&project, &id).await.map_err(ApiError::told)
}
