//! Makes, ends and takes away embedded views from the page.

use serde_json::Value;

use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::embed::EmbedWish;
use crate::server::embeds::{self, EmbedError};
use crate::server::http::shown;

/// What an embedded view is called in the log of a change.
const KIND: &str = "embed";

impl From<EmbedError> for ApiError {
    fn from(error: EmbedError) -> Self {
        match error {
            EmbedError::Field { field, reason } => Self::BadField {
                field: field.to_owned(),
                reason,
            },
            EmbedError::Many | EmbedError::Revoked | EmbedError::Open => Self::Refused(error.to_string()),
            EmbedError::NotAllowed(what) => Self::NotAllowed(what.to_owned()),
            EmbedError::NotFound => Self::NotFound,
            EmbedError::Store(error) => error.into(),
        }
    }
}

/// Makes one.
pub(super) async fn create(project: &str, wish: &EmbedWish) -> Result<String, ApiError> {
    let visit = Visit::to_change(project, (KIND, "")).await?;
    let made = embeds::create(&visit.server, &visit.member, wish).await?;
    visit.is_about((KIND, &made.id));
    visit.changed(Value::Null, shown::embed(&made));
    Ok(made.id)
}

/// Ends one.
pub(super) async fn revoke(project: &str, id: &str) -> Result<(), ApiError> {
    let visit = Visit::to_change(project, (KIND, id)).await?;
    let changed = embeds::revoke(&visit.server, &visit.member, id).await?;
    visit.changed(shown::embed(&changed.before), shown::embed(&changed.after));
    Ok(())
}

/// Takes one away that has ended.
pub(super) async fn delete(project: &str, id: &str) -> Result<(), ApiError> {
    let visit = Visit::to_change(project, (KIND, id)).await?;
    let gone = embeds::remove(&visit.server, &visit.member, id).await?;
    visit.changed(shown::embed(&gone), Value::Null);
    Ok(())
}
