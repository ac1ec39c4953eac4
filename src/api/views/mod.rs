//! Saved views of a tab: listed, saved, changed and deleted; and the way from a view's own link to what it says.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
pub(crate) use read::led;

use super::error::ApiError;
use crate::model::view::{ViewChange, ViewFacts, ViewTab, ViewWish};

/// The views of a tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewsPage {
    /// Own ones and shared ones, each by name.
    pub views: Vec<ViewFacts>,
    /// Whether whoever looks may share one.
    pub may_share: bool,
}

/// The views of a tab that whoever asks sees.
#[server(name = ReadViews, input = GetUrl, endpoint = "views")]
pub async fn views(project: String, tab: ViewTab) -> Result<ViewsPage, ApiError> {
    read::page(&project, tab).await.map_err(ApiError::told)
}

/// Saves a new view; gives its id.
#[server(name = SaveView, input = Json, endpoint = "save_view")]
pub async fn save_view(project: String, tab: ViewTab, wish: ViewWish) -> Result<String, ApiError> {
    change::save(&project, tab, &wish).await.map_err(ApiError::told)
}

/// Changes a view, if it has not changed since `known`.
#[server(name = ChangeView, input = Json, endpoint = "change_view")]
pub async fn change_view(project: String, id: String, known: i64, change: ViewChange) -> Result<(), ApiError> {
    change::change(&project, &id, known, &change).await.map_err(ApiError::told)
}

/// Deletes a view, if it has not changed since `known`.
#[server(name = DeleteView, endpoint = "delete_view")]
pub async fn delete_view(project: String, id: String, known: i64) -> Result<(), ApiError> {
    change::delete(&project, &id, known).await.map_err(ApiError::told)
}
