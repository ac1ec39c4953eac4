//! The timeline at the foot of a log's, a task's, an export's and a sendout's page: the one story that they belong to.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::timeline::{Happened, Thing};
use crate::model::zone::Zone;

/// All that a timeline shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelinePage {
    /// The request's id; `None` where there is none, and so nothing to find what else belongs here by.
    pub request_id: Option<String>,
    /// What happened, in order.
    pub all: Vec<Happened>,
    /// Whether there is more than is told.
    pub cut: bool,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// The story that one thing belongs to. The query string is the page's: it names the zone.
#[server(name = ReadTimeline, input = GetUrl, endpoint = "timeline")]
pub async fn timeline(project: String, thing: Thing, id: String, query: String) -> Result<TimelinePage, ApiError> {
    read::timeline(&project, thing, &id, &query).await.map_err(ApiError::told)
}
