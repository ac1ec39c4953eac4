//! The Webhook sendouts tab and a sendout's page.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod read;
#[cfg(feature = "ssr")]
mod retry;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::tasks::Listed;
use crate::model::json_doc::Preview;
use crate::model::sendout::{AttemptFacts, SendoutFacts};
use crate::model::zone::Zone;

/// The Webhook sendouts tab's page of a project, for a query string as the URL has it.
#[server(name = ReadSendoutsPage, input = GetUrl, endpoint = "sendouts")]
pub async fn sendouts_page(project: String, query: String) -> Result<Listed<SendoutFacts>, ApiError> {
    read::list(&project, &query).await.map_err(ApiError::told)
}

/// All that a sendout's page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendoutPage {
    /// The facts.
    pub facts: SendoutFacts,
    /// Each attempt, the oldest first; without what was said where whoever looks may not see that.
    pub attempts: Vec<AttemptFacts>,
    /// What is sent, as JSON; `None` where whoever looks may not see it.
    pub data: Option<Preview>,
    /// Whether something in it is masked that is sent as it is.
    pub data_masked: bool,
    /// Whether what was sent and said was left out.
    pub bodies_hidden: bool,
    /// Why its endpoint is off, in words, where this service switched it off.
    pub off_because: Option<String>,
    /// Whether whoever looks can have it sent again.
    pub can_retry: bool,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// A sendout's page. The query string is the list's: it names the zone.
#[server(name = ReadSendoutPage, input = GetUrl, endpoint = "sendout")]
pub async fn sendout_page(project: String, id: String, query: String) -> Result<SendoutPage, ApiError> {
    read::page(&project, &id, &query).await.map_err(ApiError::told)
}

/// Sends a sendout once more, now.
#[server(name = RetrySendout, endpoint = "retry_sendout")]
pub async fn retry_sendout(project: String, id: String) -> Result<(), ApiError> {
    read::retry(&project, &id).await.map_err(ApiError::told)
}

/// The sendouts that a retry in bulk would send again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetrySet {
    /// How many.
    pub count: u64,
    /// Those of them that their endpoints have taken already.
    pub succeeded: u64,
    /// Those of them whose endpoint is off.
    pub off: u64,
    /// Those that match, but are left out: their endpoint was deleted.
    pub deleted: u64,
    /// When they were counted, in milliseconds since 1970: what comes or changes later is not in the set.
    pub pin: i64,
    /// Where the range begins; `None` for everything before its end.
    pub from: Option<i64>,
    /// Where the range ends.
    pub to: i64,
    /// The zone that the times are shown in.
    pub zone: Zone,
}

/// Counts what a retry of all that the list's query means would send again, as of now.
#[server(name = CountRetry, input = GetUrl, endpoint = "count_retry")]
pub async fn retry_count(project: String, query: String) -> Result<RetrySet, ApiError> {
    retry::count(&project, &query).await.map_err(ApiError::told)
}

/// Sends again what was counted at `pin`, at most so many a second, in the background; gives the task's id.
#[server(name = RetryAll, endpoint = "retry_all")]
pub async fn retry_all(project: String, query: String, pin: i64, per_second: u32) -> Result<String, ApiError> {
    retry::all(&project, &query, pin, per_second).await.map_err(ApiError::told)
}
