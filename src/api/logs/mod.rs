//! The Logs tab: one call brings the whole page; another the values on offer behind a filter.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod chart;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
pub(crate) use read::{Turning, shown, sum, turns};

use super::error::ApiError;
use crate::model::page::Total;
use crate::model::zone::Zone;

/// How far logs are counted where the minute counts do not know: past it the page says "10,000+".
pub const COUNT_BOUND: u64 = 10_000;

/// One log in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// When it was made, in milliseconds since 1970.
    pub at: i64,
    /// Whether it failed.
    pub failed: bool,
    /// What the chosen columns say, in their order. The time's is empty (`at` says it), the status's is the code.
    pub cells: Vec<String>,
}

/// Counts over the range, in equal steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// Where the first step begins, in milliseconds since 1970.
    pub first: i64,
    /// How long a step is, in milliseconds.
    pub step: i64,
    /// How many steps there are.
    pub steps: u32,
    /// Steps that are not empty: their number, successes, failures.
    pub bars: Vec<(u32, u64, u64)>,
    /// Whether every log of the selection is in it.
    pub whole: bool,
    /// Text was searched for, which is not counted: the bars show the logs among which it was searched.
    pub before_text: bool,
}

/// A page to turn to: which argument, and the cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Whether it is `after` (else `before`).
    pub after: bool,
    /// The cursor.
    pub cursor: String,
}

impl Turn {
    /// The argument's name.
    pub const fn argument(&self) -> &'static str {
        if self.after { "after" } else { "before" }
    }
}

/// Why a page has no rows, as far as the filters are not the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Emptiness {
    /// The project has never had a log.
    Never,
    /// There are logs, the latest of this time, but none in the range.
    Elsewhere(i64),
}

/// The Logs tab's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsPage {
    /// The rows.
    pub rows: Vec<Row>,
    /// How many logs the selection has.
    pub total: Total,
    /// How many of them failed.
    pub failed: Total,
    /// The histogram.
    pub chart: Chart,
    /// Where Newer leads.
    pub newer: Option<Turn>,
    /// Where Older leads.
    pub older: Option<Turn>,
    /// How far back the search came before its time was over, and where it goes on.
    pub searched: Option<(i64, Turn)>,
    /// The range, from included, to not.
    pub range: (i64, i64),
    /// The server's time.
    pub now: i64,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The browser's zone was asked for and is not known: UTC stands in.
    pub unknown_local: bool,
    /// Whoever looks may not read bodies.
    pub bodies_hidden: bool,
    /// Whoever looks may not see who did it.
    pub users_hidden: bool,
    /// Set where there are no rows.
    pub empty: Option<Emptiness>,
    /// How far the project had been written before the rows were read: from here on the list can be followed. None where nothing new can come to be on the page.
    pub mark: Option<i64>,
}

/// Logs that came while a page was shown, as the page's filters mean them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    /// How far the project had been written by then.
    pub mark: i64,
    /// The latest of them, the newest first, in the page's columns.
    pub rows: Vec<Row>,
    /// How many came.
    pub count: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Successes and failures of each minute that has any, by its beginning in milliseconds since 1970.
    pub minutes: Vec<(i64, u64, u64)>,
    /// Something came that is not told one by one: the page is to be read anew.
    pub missed: bool,
}

/// The Logs tab's page of a project, for a query string as the URL has it.
#[server(name = ReadLogsPage, input = GetUrl, endpoint = "logs")]
pub async fn logs_page(project: String, query: String) -> Result<LogsPage, ApiError> {
    read::page(&project, &query).await.map_err(ApiError::told)
}

/// Values in use, with the number of logs behind each, most first.
pub type Values = Vec<(String, u64)>;

/// What a long list has on offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InUse {
    /// The values.
    pub values: Values,
    /// Whether their numbers are of whole hours around the range.
    pub about: bool,
}

/// What the filters have on offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// Statuses, by their words in the API.
    pub status: Values,
    /// Methods.
    pub method: Values,
    /// Channels.
    pub channel: Values,
    /// Whether the numbers of methods and channels are of whole hours around the range.
    pub about: bool,
}

/// The values in use within the query's range, of the filters that are short lists.
#[server(name = ReadLogChoices, input = GetUrl, endpoint = "log_choices")]
pub async fn choices(project: String, query: String) -> Result<Choices, ApiError> {
    read::choices(&project, &query).await.map_err(ApiError::told)
}

/// The values in use within the query's range, of the filters that are long lists: `code` or `endpoint`.
#[server(name = ReadLogValues, input = GetUrl, endpoint = "log_values")]
pub async fn values(project: String, query: String, argument: String) -> Result<InUse, ApiError> {
    read::values(&project, &query, &argument).await.map_err(ApiError::told)
}
