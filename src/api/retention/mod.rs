//! The settings page of retention: how long a project's logs are kept, what the next purge deletes, what the last ones did, and what the database holds.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::retention::{Choice, Kept};
use crate::model::task::TaskStatus;
use crate::model::zone::Zone;

/// What a purge would delete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WillGo {
    /// Logs.
    pub logs: u64,
    /// Logs from before then, in milliseconds since 1970; `None` where they are kept for ever.
    pub logs_before: Option<i64>,
    /// Logs that stay, without what they say; about, where logs came late.
    pub bodies: u64,
    /// What logs from before then say.
    pub bodies_before: Option<i64>,
    /// Files of exports.
    pub export_files: u64,
    /// Originals of imports, and lists of records that were not taken.
    pub originals: u64,
}

impl WillGo {
    /// Whether that is nothing.
    pub const fn is_nothing(&self) -> bool {
        self.logs == 0 && self.bodies == 0 && self.export_files == 0 && self.originals == 0
    }
}

/// A purge that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastPurge {
    /// Its task.
    pub id: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Where it stands.
    pub status: TaskStatus,
    /// What came of it, in words.
    pub message: String,
}

/// What the database holds, of all projects together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Storage {
    /// When it was measured, in milliseconds since 1970.
    pub at: i64,
    /// Bytes by table, with its indexes, the largest first.
    pub tables: Vec<(String, i64)>,
    /// Bytes of the whole database.
    pub whole: i64,
    /// Of them those that hold nothing and are used next; `None` where that is not known.
    pub reusable: Option<i64>,
    /// Bytes that the disk has left for it; `None` where that cannot be known from here.
    pub disk_free: Option<i64>,
    /// Logs.
    pub logs: u64,
    /// Logs that come a day, over the last week.
    pub coming: u64,
    /// Logs that will be deleted a day, over the next week.
    pub going: u64,
    /// Bytes by which it grows a day, about; `None` where there are no logs.
    pub growth: Option<i64>,
    /// Days until the disk is full, about; `None` where it does not grow, or the disk is not known.
    pub days_left: Option<u64>,
}

/// All that the settings page of retention shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetentionPage {
    /// What was chosen.
    pub choice: Choice,
    /// What holds.
    pub kept: Kept,
    /// Days that the instance keeps logs where nothing is chosen; 0 for ever.
    pub instance_days: u32,
    /// Logs of this project.
    pub logs: u64,
    /// When the next purge is looked at.
    pub next_at: i64,
    /// What it will delete.
    pub next: WillGo,
    /// What a purge would delete now.
    pub now_due: WillGo,
    /// The task of the purge that is on its way.
    pub running: Option<String>,
    /// The last ones, the newest first.
    pub past: Vec<PastPurge>,
    /// What the database holds; `None` while that is being measured for the first time.
    pub storage: Option<Storage>,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// How long a project's logs are kept, for its owners. The query string is the page's: it names the zone.
#[server(name = ReadRetentionPage, input = GetUrl, endpoint = "retention")]
pub async fn retention_page(project: String, query: String) -> Result<RetentionPage, ApiError> {
    read::page(&project, &query).await.map_err(ApiError::told)
}

/// What would be deleted now if this were chosen.
#[server(name = PreviewRetention, input = GetUrl, endpoint = "preview_retention")]
pub async fn preview_retention(project: String, logs_days: Option<u32>, bodies_days: Option<u32>) -> Result<WillGo, ApiError> {
    let choice = Choice { logs_days, bodies_days };
    read::preview(&project, choice).await.map_err(ApiError::told)
}

/// Chooses how long logs are kept; gives the task that deletes what has passed it, where there is something to delete at once.
#[server(name = SetRetention, input = Json, endpoint = "set_retention")]
pub async fn set_retention(project: String, choice: Choice) -> Result<Option<String>, ApiError> {
    change::set(&project, choice).await.map_err(ApiError::told)
}

/// Deletes what has passed the retention now; gives the task, or `None` where there is nothing to delete.
#[server(name = PurgeNow, endpoint = "purge_now")]
pub async fn purge_now(project: String) -> Result<Option<String>, ApiError> {
    change::purge(&project).await.map_err(ApiError::told)
}
