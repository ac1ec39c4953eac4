//! Saves, changes and deletes views from the pages.

use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::view::{ViewChange, ViewTab, ViewWish};
use crate::server::http::shown;
use crate::server::store::views::View;
use crate::server::views::{self, ViewError};

/// What a view is called in the log of a change.
const KIND: &str = "view";
/// The field of its name.
const NAME: &str = "name";

impl From<ViewError> for ApiError {
    fn from(error: ViewError) -> Self {
        let field = |reason: String| Self::BadField {
            field: NAME.to_owned(),
            reason,
        };
        match error {
            ViewError::Name(reason) => field(reason.to_owned()),
            ViewError::Taken { .. } => field(error.to_string()),
            ViewError::Many | ViewError::Changed | ViewError::Watched(_) | ViewError::Embedded { .. } => {
                Self::Refused(error.to_string())
            }
            ViewError::Query(error) => error.into(),
            ViewError::NotAllowed(what) => Self::NotAllowed(what.to_owned()),
            ViewError::NotFound => Self::NotFound,
            ViewError::Store(error) => error.into(),
        }
    }
}

/// What the project has of a view: nothing, where it is somebody's own.
fn of_project(view: &View) -> serde_json::Value {
    if view.shared {
        shown::view(view)
    } else {
        serde_json::Value::Null
    }
}

/// Says in the log of the change what it changed for the project; what somebody does with a view of their own, it does not say.
fn changed(visit: &Visit, before: Option<&View>, after: Option<&View>) {
    if [before, after].into_iter().flatten().any(|view| view.shared) {
        let of = |view: Option<&View>| view.map_or(serde_json::Value::Null, of_project);
        visit.changed(of(before), of(after));
    }
}

/// Saves a new view.
pub(super) async fn save(project: &str, tab: ViewTab, wish: &ViewWish) -> Result<String, ApiError> {
    let visit = Visit::to_change(project, (KIND, "")).await?;
    let made = views::create(&visit.server, &visit.member, tab, wish).await?;
    visit.is_about((KIND, &made.id));
    changed(&visit, None, Some(&made));
    Ok(made.id)
}

/// Changes a view.
pub(super) async fn change(project: &str, id: &str, known: i64, change: &ViewChange) -> Result<(), ApiError> {
    let visit = Visit::to_change(project, (KIND, id)).await?;
    let done = views::change(&visit.server, &visit.member, id, known, change).await?;
    changed(&visit, Some(&done.before), Some(&done.after));
    Ok(())
}

/// Deletes a view.
pub(super) async fn delete(project: &str, id: &str, known: i64) -> Result<(), ApiError> {
    let visit = Visit::to_change(project, (KIND, id)).await?;
    let gone = views::delete(&visit.server, &visit.member, id, known).await?;
    changed(&visit, Some(&gone), None);
    Ok(())
}
