//! Reads, changes and deletes a project for its settings page.

use super::ProjectPage;
use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::project::ProjectWish;
use crate::server::projects::{self as settings, ProjectError};
use crate::server::store::projects;

const WHAT: &str = "its settings";

/// The page.
pub(super) async fn page(project: &str) -> Result<ProjectPage, ApiError> {
    let visit = Visit::to(project).await?;
    visit.must_settle(WHAT)?;
    let project = &visit.member.project;
    let holdings = projects::holdings(&visit.server.db, project.key).await?;
    Ok(ProjectPage {
        id: project.id.clone(),
        project: ProjectWish {
            name: project.name.clone(),
            time_zone: project.time_zone.clone(),
            templates: projects::endpoint_templates(&visit.server.db, project.key).await?,
        },
        holdings,
    })
}

fn failed(error: ProjectError) -> ApiError {
    match error {
        ProjectError::Store(error) => error.into(),
        refused => ApiError::refused(&refused),
    }
}

async fn to_settle(project: &str) -> Result<Visit, ApiError> {
    let visit = Visit::to_change(project, ("project", project)).await?;
    visit.must_settle(WHAT)?;
    Ok(visit)
}

/// Changes it.
pub(super) async fn change(project: &str, wish: &ProjectWish) -> Result<(), ApiError> {
    let visit = to_settle(project).await?;
    settings::change(&visit.server, &visit.member.project, wish)
        .await
        .map_err(failed)
}

/// Deletes it, if its name is typed as it is.
pub(super) async fn delete(project: &str, name: &str) -> Result<(), ApiError> {
    let visit = to_settle(project).await?;
    let is = &visit.member.project.name;
    if name.trim() != is.trim() {
        return Err(ApiError::Refused(format!("Type the project's name, {is}, to delete it.")));
    }
    settings::delete(&visit.server, &visit.member.project).await.map_err(failed)
}
