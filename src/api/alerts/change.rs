//! Makes, changes, mutes, tests and deletes alerts from their pages.

use serde_json::Value;

use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::alert::{AlertWish, Mute};
use crate::server::alerts::settle::{self, AlertError};
use crate::server::http::shown;
use crate::server::store::Changed;
use crate::server::store::alerts::Alert;

/// What an alert is called in the log of a change.
const KIND: &str = "alert";

impl From<AlertError> for ApiError {
    fn from(error: AlertError) -> Self {
        match error {
            AlertError::Field { field, reason } => Self::BadField {
                field: field.to_owned(),
                reason,
            },
            AlertError::Many | AlertError::Off | AlertError::Changed => Self::Refused(error.to_string()),
            AlertError::Query(error) => error.into(),
            AlertError::NotFound => Self::NotFound,
            AlertError::Store(error) => error.into(),
        }
    }
}

/// The visit of somebody who works in the project.
async fn to_work(project: &str, id: &str) -> Result<Visit, ApiError> {
    let visit = Visit::to_change(project, (KIND, id)).await?;
    if visit.member.rights.work {
        return Ok(visit);
    }
    let words = "Your role in this project may look at alerts, not change them; a member or an owner can.";
    Err(ApiError::NotAllowed(words.to_owned()))
}

/// Says in the log of the change what it changed.
fn changed(visit: &Visit, changed: &Changed<Alert>) {
    visit.changed(shown::alert(&changed.before), shown::alert(&changed.after));
}

/// Makes one.
pub(super) async fn create(project: &str, wish: &AlertWish) -> Result<String, ApiError> {
    let visit = to_work(project, "").await?;
    let made = settle::create(&visit.server, &visit.member, wish).await?;
    visit.is_about((KIND, &made.id));
    visit.changed(Value::Null, shown::alert(&made));
    Ok(made.id)
}

/// Changes one.
pub(super) async fn change(project: &str, id: &str, known: i64, wish: &AlertWish) -> Result<(), ApiError> {
    let visit = to_work(project, id).await?;
    let done = settle::change(&visit.server, &visit.member, id, known, wish).await?;
    changed(&visit, &done);
    Ok(())
}

/// Switches one on or off.
pub(super) async fn switch(project: &str, id: &str, known: i64, on: bool) -> Result<(), ApiError> {
    let visit = to_work(project, id).await?;
    let done = settle::switch(&visit.server, &visit.member, id, known, on).await?;
    changed(&visit, &done);
    Ok(())
}

/// Mutes one.
pub(super) async fn mute(project: &str, id: &str, known: i64, mute: Mute) -> Result<(), ApiError> {
    let visit = to_work(project, id).await?;
    let done = settle::mute(&visit.server, &visit.member, id, known, mute).await?;
    changed(&visit, &done);
    Ok(())
}

/// Tests one.
pub(super) async fn test(project: &str, id: &str) -> Result<bool, ApiError> {
    let visit = to_work(project, id).await?;
    Ok(settle::test(&visit.server, &visit.member, id).await?)
}

/// Deletes one.
pub(super) async fn delete(project: &str, id: &str, known: i64) -> Result<(), ApiError> {
    let visit = to_work(project, id).await?;
    let gone = settle::delete(&visit.server, &visit.member, id, known).await?;
    visit.changed(shown::alert(&gone), Value::Null);
    Ok(())
}
