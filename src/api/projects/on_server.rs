//! Reads, changes and deletes a project for its settings page.

use super::ProjectPage;
use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::project::ProjectWish;
use crate::server::http::shown;
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
        project: settings::settings(&visit.server, project).await?,
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
    let project = &visit.member.project;
    let changed = settings::change(&visit.server, project, wish).await.map_err(failed)?;
    let of = |settings| shown::project(&project.id, settings);
    visit.changed(of(&changed.before), of(&changed.after));
    Ok(())
}

/// Deletes it, if its name is typed as it is.
pub(super) async fn delete(project: &str, name: &str) -> Result<(), ApiError> {
    let visit = to_settle(project).await?;
    let project = &visit.member.project;
    if name.trim() != project.name.trim() {
        return Err(ApiError::Refused(format!(
            "Type the project's name, {}, to delete it.",
            project.name
        )));
    }
    let before = settings::delete(&visit.server, project).await.map_err(failed)?;
    visit.changed(shown::project(&project.id, &before), serde_json::Value::Null);
    Ok(())
}
