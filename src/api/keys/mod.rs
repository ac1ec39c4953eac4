//! The settings page of API keys: a project's keys, made, changed, rotated and revoked.
//!
//! A token is in the answers to [`create_key`] and [`rotate_key`] alone; it does not reach a log of the request (`server/http/recording/quiet.rs`).

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::key::{KeyFacts, KeyWish};
use crate::model::zone::Zone;

/// All that the settings page of API keys shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysPage {
    /// The keys, the newest first; those that were revoked, too.
    pub keys: Vec<KeyFacts>,
    /// Calls a minute of a key that has none of its own.
    pub calls_a_minute: u32,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// A key's id and token, as they are shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshKey {
    /// Its public id (`X-App-Id`, or `X-Client-Application-Id`).
    pub app_id: String,
    /// The token (`X-App-Token`, or `X-Client-Token`).
    pub app_token: String,
}

impl std::fmt::Debug for FreshKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FreshKey")
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

/// A project's keys, for its owners. The query string is the page's: it names the zone.
#[server(name = ReadKeysPage, input = GetUrl, endpoint = "keys")]
pub async fn keys_page(project: String, query: String) -> Result<KeysPage, ApiError> {
    read::page(&project, &query).await.map_err(ApiError::told)
}

/// Makes a key; gives its token, this once.
#[server(name = CreateKey, input = Json, endpoint = "create_key")]
pub async fn create_key(project: String, wish: KeyWish) -> Result<FreshKey, ApiError> {
    change::create(&project, wish).await.map_err(ApiError::told)
}

/// Changes what a key is called and may do.
#[server(name = ChangeKey, input = Json, endpoint = "change_key")]
pub async fn change_key(project: String, app_id: String, wish: KeyWish) -> Result<(), ApiError> {
    change::change(&project, &app_id, wish).await.map_err(ApiError::told)
}

/// Gives a key another token; gives it, this once. The one before is taken for so many hours more.
#[server(name = RotateKey, endpoint = "rotate_key")]
pub async fn rotate_key(project: String, app_id: String, overlap_hours: u32) -> Result<FreshKey, ApiError> {
    change::rotate(&project, &app_id, overlap_hours).await.map_err(ApiError::told)
}

/// Revokes a key, at once.
#[server(name = RevokeKey, endpoint = "revoke_key")]
pub async fn revoke_key(project: String, app_id: String) -> Result<(), ApiError> {
    change::revoke(&project, &app_id).await.map_err(ApiError::told)
}
