//! The Background tasks tab and a task's page.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::logs::Turn;
use crate::model::json_doc::Preview;
use crate::model::tab::TabQuery;
use crate::model::task::{FailedRow, TaskFacts};
use crate::model::zone::Zone;

/// A value that a filter offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The value.
    pub value: String,
    /// What else tells people which it is; empty where the value says it all.
    pub about: String,
    /// What it is called where the value itself says nothing to people, as an id does.
    pub name: Option<String>,
}

impl Offer {
    /// A value that says it all.
    pub const fn plain(value: String) -> Self {
        Self {
            value,
            about: String::new(),
            name: None,
        }
    }
}

/// A page of a list of records, around its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed<Row> {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where Newer leads.
    pub newer: Option<Turn>,
    /// Where Older leads.
    pub older: Option<Turn>,
    /// Whether the project has ever had such a record: an empty list then says that the filters leave nothing.
    pub any: bool,
    /// Whether whoever looks may do more here than look.
    pub may_work: bool,
    /// What a filter without choices of its own can offer: its argument, and the values in use.
    pub offered: Vec<(String, Vec<Offer>)>,
    /// The range, from included, to not; `None` where an end was not named.
    pub range: (Option<i64>, Option<i64>),
    /// The server's time.
    pub now: i64,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The browser's zone was asked for and is not known: UTC stands in.
    pub unknown_local: bool,
}

/// The Background tasks tab's page of a project, for a query string as the URL has it.
#[server(name = ReadTasksPage, input = GetUrl, endpoint = "tasks")]
pub async fn tasks_page(project: String, query: String) -> Result<Listed<TaskFacts>, ApiError> {
    read::list(&project, &query).await.map_err(ApiError::told)
}

/// A file that belongs to a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFile {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub bytes: i64,
    /// Where it can be had.
    pub href: String,
}

/// A time that work on a task failed and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which try, from 1.
    pub attempt: i32,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Why.
    pub reason: String,
}

/// What a retry in bulk was asked to send again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentAgain {
    /// The list that was meant, its ends of time fixed.
    pub query: TabQuery,
    /// The range's beginning, in milliseconds since 1970; `None` for everything.
    pub from: Option<i64>,
    /// The range's end; not included.
    pub to: i64,
    /// How many sendouts there were.
    pub total: u64,
    /// When they were counted: what came or changed later is not among them.
    pub pin: i64,
    /// How many a second at most.
    pub per_second: u32,
}

/// All that a task's page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskPage {
    /// The facts; without who asked where whoever looks may not see that.
    pub facts: TaskFacts,
    /// Who asked was left out.
    pub users_hidden: bool,
    /// What was asked for was left out.
    pub parameters_hidden: bool,
    /// What came of it was left out.
    pub result_hidden: bool,
    /// What was asked for, as JSON; `None` where nothing is known.
    pub parameters: Option<Preview>,
    /// The same of a retry in bulk, to be said in words.
    pub sent_again: Option<SentAgain>,
    /// What came of it, as JSON, as far as whoever looks may see it.
    pub result: Option<Preview>,
    /// The first records that were not taken.
    pub failed: Vec<FailedRow>,
    /// How many were not taken in all.
    pub failed_count: u64,
    /// The original of an import.
    pub import_file: Option<TaskFile>,
    /// The records that were not taken, as CSV, ready to be sent again.
    pub rejected: Option<TaskFile>,
    /// Whether its files were kept for as long as what logs say, and are gone.
    pub files_expired: bool,
    /// Tries that failed, the latest first.
    pub failures: Vec<Failure>,
    /// Whether whoever looks can stop it now.
    pub can_cancel: bool,
    /// Whether whoever looks can have it tried again now.
    pub can_retry: bool,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// A task's page. The query string is the list's: it names the zone.
#[server(name = ReadTaskPage, input = GetUrl, endpoint = "task")]
pub async fn task_page(project: String, id: String, query: String) -> Result<TaskPage, ApiError> {
    read::page(&project, &id, &query).await.map_err(ApiError::told)
}

/// Stops a task.
#[server(name = CancelTask, endpoint = "cancel_task")]
pub async fn cancel_task(project: String, id: String) -> Result<(), ApiError> {
    read::cancel(&project, &id).await.map_err(ApiError::told)
}

/// Has a task that failed tried again.
#[server(name = RetryTask, endpoint = "retry_task")]
pub async fn retry_task(project: String, id: String) -> Result<(), ApiError> {
    read::retry(&project, &id).await.map_err(ApiError::told)
}
