//! A project's own settings: its name, its time zone, its route templates, and its deletion.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod on_server;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::project::{Holdings, ProjectWish};

/// All that the settings page of a project shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectPage {
    /// `prj_…`.
    pub id: String,
    /// As it is.
    pub project: ProjectWish,
    /// What it holds.
    pub holdings: Holdings,
}

/// A project's settings, for its owners.
#[server(name = ReadProjectPage, input = GetUrl, endpoint = "project")]
pub async fn project_page(project: String) -> Result<ProjectPage, ApiError> {
    on_server::page(&project).await.map_err(ApiError::told)
}

/// Changes a project.
#[server(name = ChangeProject, input = Json, endpoint = "change_project")]
pub async fn change_project(project: String, wish: ProjectWish) -> Result<(), ApiError> {
    on_server::change(&project, &wish).await.map_err(ApiError::told)
}

/// Deletes a project with all that it holds; its name, typed once more, says that it is meant.
#[server(name = DeleteProject, input = Json, endpoint = "delete_project")]
pub async fn delete_project(project: String, name: String) -> Result<(), ApiError> {
    on_server::delete(&project, &name).await.map_err(ApiError::told)
}
