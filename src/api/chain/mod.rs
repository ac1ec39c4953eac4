//! The settings page of the chain: where it ends, the heads that were signed, and what went behind checkpoints.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::zone::Zone;

/// A head that was signed. All bytes are hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the entry that it is of.
    pub number: u64,
    /// That entry's digest.
    pub digest: String,
    /// When it was signed, in milliseconds since 1970.
    pub at: i64,
    /// The public half of the key that signed it.
    pub key: String,
}

/// What went behind checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// How many entries stood there.
    pub entries: u64,
    /// How many logs those spoke of.
    pub logs: u64,
    /// When the last checkpoint was made, in milliseconds since 1970.
    pub at: i64,
}

/// All that the settings page of the chain shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainPage {
    /// How many entries the chain has, with those behind checkpoints; 0 where it has not begun.
    pub entries: u64,
    /// When the latest one was made, in milliseconds since 1970; `None` where it went behind a checkpoint.
    pub latest_at: Option<i64>,
    /// The latest heads that were signed, the newest first.
    pub heads: Vec<Head>,
    /// What retention took of it; `None` where that is nothing.
    pub behind: Option<Behind>,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// A project's chain, for whoever belongs to the project. The query string is the page's: it names the zone.
#[server(name = ReadChainPage, input = GetUrl, endpoint = "chain")]
pub async fn chain_page(project: String, query: String) -> Result<ChainPage, ApiError> {
    read::page(&project, &query).await.map_err(ApiError::told)
}
