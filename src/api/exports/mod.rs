//! The Exports tab, an export's page, making one, and what Browse data opens.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::tasks::Listed;
use crate::model::export::{ExportFacts, ExportStatus, Format};
use crate::model::page::Total;
use crate::model::zone::Zone;

/// The Exports tab's page of a project, for a query string as the URL has it.
#[server(name = ReadExportsPage, input = GetUrl, endpoint = "exports")]
pub async fn exports_page(project: String, query: String) -> Result<Listed<ExportFacts>, ApiError> {
    read::list(&project, &query).await.map_err(ApiError::told)
}

/// All that an export's page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPage {
    /// The facts; without who asked where whoever looks may not see that.
    pub facts: ExportFacts,
    /// Who asked was left out.
    pub users_hidden: bool,
    /// The file's columns, in order.
    pub fields: Vec<String>,
    /// The filters that were set, the range among them: label, and value as a person reads it.
    pub filters: Vec<(String, String)>,
    /// What is not whole in the file, and why.
    pub notes: Vec<String>,
    /// Which end of time comes first, in words.
    pub order: String,
    /// The list that it was made from, as a link; of logs alone.
    pub list: Option<String>,
    /// Where the file can be had; `None` while there is none.
    pub download: Option<String>,
    /// Why the file that is there may not be had by whoever looks.
    pub not_downloaded: Option<String>,
    /// Why it cannot be browsed; `None` where it can.
    pub not_browsed: Option<String>,
    /// Whether cells of its CSV that a spreadsheet would run as formulas were guarded.
    pub guarded: bool,
    /// Whether whoever looks can delete it.
    pub can_delete: bool,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// An export's page. The query string is the list's: it names the zone.
#[server(name = ReadExportPage, input = GetUrl, endpoint = "export")]
pub async fn export_page(project: String, id: String, query: String) -> Result<ExportPage, ApiError> {
    read::page(&project, &id, &query).await.map_err(ApiError::told)
}

/// What a new export is to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewExport {
    /// The Logs tab's query string: filters and range. The range is fixed on arrival.
    pub query: String,
    /// The file's columns, in order.
    pub fields: Vec<String>,
    /// Whether the oldest comes first.
    pub oldest_first: bool,
    /// How the file is written.
    pub format: Format,
    /// Whether cells of a CSV that a spreadsheet would run as formulas are guarded.
    pub guarded: bool,
}

/// Begins an export of logs and gives its id.
#[server(name = CreateExport, input = leptos::server_fn::codec::Json, endpoint = "create_export")]
pub async fn create_export(project: String, new: NewExport) -> Result<String, ApiError> {
    change::create(&project, new).await.map_err(ApiError::told)
}

/// How many logs an export of this query would hold.
#[server(name = EstimateExport, input = GetUrl, endpoint = "estimate_export")]
pub async fn estimate_export(project: String, query: String) -> Result<Total, ApiError> {
    read::estimate(&project, &query).await.map_err(ApiError::told)
}

/// Deletes an export and its file; one that is being made is stopped.
#[server(name = DeleteExport, endpoint = "delete_export")]
pub async fn delete_export(project: String, id: String) -> Result<(), ApiError> {
    change::delete(&project, &id).await.map_err(ApiError::told)
}

/// Something that a person asked for has come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The export.
    pub id: String,
    /// The file's name.
    pub name: String,
    /// Done or in error.
    pub status: ExportStatus,
    /// Records in the file.
    pub rows: Option<i64>,
}

/// What a person's exports have come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices {
    /// Exports that are over and that the person has not been told of.
    pub over: Vec<Notice>,
    /// How many are still on their way: worth asking again soon.
    pub running: u32,
}

/// The exports of the person who asks, in this project.
#[server(name = ReadNotices, input = GetUrl, endpoint = "notices")]
pub async fn notices(project: String) -> Result<Notices, ApiError> {
    read::notices(&project).await.map_err(ApiError::told)
}

/// The person has seen these.
#[server(name = DismissNotices, input = leptos::server_fn::codec::Json, endpoint = "dismiss_notices")]
pub async fn dismiss_notices(project: String, ids: Vec<String>) -> Result<(), ApiError> {
    change::dismiss(&project, &ids).await.map_err(ApiError::told)
}
