//! A log's page: one call brings its facts, what was said (as far as whoever asks may see it), and its neighbours in the list.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod body;
#[cfg(feature = "ssr")]
mod curl;
#[cfg(feature = "ssr")]
mod headers;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
pub(crate) use read::{shown, shown_up_to};

use super::error::ApiError;
use crate::model::json_doc::Preview;
use crate::model::log::{ImportFile, LogFacts};
use crate::model::zone::Zone;

/// A header, or an argument of the URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether the value, or a part of it, is a secret that was replaced.
    pub masked: bool,
}

/// Why there is no body to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Absence {
    /// There was none.
    Empty,
    /// It was left out on purpose: records, or a file.
    NotCaptured,
    /// It went before its log did.
    Expired,
    /// Whoever asks may not see it.
    NotAllowed,
}

/// A body, in the shape that suits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// Nothing to show.
    Absent(Absence),
    /// JSON or text: its first rows.
    Rows(Preview),
    /// A form's fields.
    Form(Vec<Pair>),
    /// CSV: its first rows, the header among them.
    Table {
        /// Row by row; the first one names the columns.
        rows: Vec<Vec<String>>,
        /// Whether there are more.
        more: bool,
    },
    /// Bytes that are no text.
    Binary {
        /// What they seem to be.
        what: String,
        /// The first ones: 16 a line, in hexadecimal, and as letters where they are some.
        lines: Vec<(String, String)>,
    },
}

/// One side of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// In the order they came; `None` where whoever asks may not see them or they are gone.
    pub headers: Option<Vec<Pair>>,
    /// The body.
    pub body: Body,
    /// Its content type, where it is known.
    pub content_type: Option<String>,
    /// Its size as it came, in bytes.
    pub bytes: i64,
    /// The size of what is kept of it.
    pub kept: i64,
}

/// All that a log's page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogPage {
    /// The facts; without who did it where whoever asks may not see that.
    pub facts: LogFacts,
    /// Who did it was left out.
    pub users_hidden: bool,
    /// The whole URL, or only its path where whoever asks may not see the rest.
    pub url: String,
    /// The user agent.
    pub user_agent: Option<String>,
    /// What was sent.
    pub request: Side,
    /// What came back.
    pub response: Side,
    /// The URL's arguments.
    pub arguments: Vec<Pair>,
    /// The same request as a command; `None` where whoever asks may not see it.
    pub curl: Option<String>,
    /// The original of its import.
    pub import_file: Option<ImportFile>,
    /// The log before it in the list.
    pub previous: Option<String>,
    /// The log after it in the list.
    pub next: Option<String>,
    /// The text that the list was searched for.
    pub sought: Option<String>,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// A log's page, within the list that a query string stands for.
#[server(name = ReadLogPage, input = GetUrl, endpoint = "log")]
pub async fn log_page(project: String, id: String, query: String) -> Result<LogPage, ApiError> {
    read::page(&project, &id, &query).await.map_err(ApiError::told)
}
