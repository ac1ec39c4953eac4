//! Chooses how long a project's logs are kept, and begins a purge, from the page.

use axum::http::request::Parts;
use leptos::prelude::use_context;

use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::retention::Choice;
use crate::server::http::recording::{self, Recording};
use crate::server::http::shown;
use crate::server::jobs::retention::{Asker, begin};
use crate::server::retention::{self, RetentionError};

/// What whoever does not settle the project is told that they may not see.
pub(super) const WHAT: &str = "how long its logs are kept";

async fn to_settle(project: &str) -> Result<Visit, ApiError> {
    let visit = Visit::to_change(project, ("retention", project)).await?;
    visit.must_settle(WHAT)?;
    Ok(visit)
}

fn asker(visit: &Visit) -> Asker {
    let parts = use_context::<Parts>();
    let recording = parts.as_ref().and_then(|parts| parts.extensions.get::<Recording>());
    Asker {
        user_id: Some(visit.member.person.id.clone()),
        by: Some(visit.member.person.email.clone()),
        request_id: recording::asked(recording).request_id,
    }
}

/// Chooses.
pub(super) async fn set(project: &str, choice: Choice) -> Result<Option<String>, ApiError> {
    let visit = to_settle(project).await?;
    let asker = asker(&visit);
    let chosen = retention::set(&visit.server, visit.member.project.key, choice, asker).await;
    let chosen = chosen.map_err(|error| match error {
        RetentionError::Bad(words) => refused(&words),
        RetentionError::Store(error) => error.into(),
    })?;
    visit.changed(shown::retention(&chosen.before), shown::retention(&choice));
    Ok(chosen.task)
}

/// What cannot be chosen, without the API's name of the field.
pub(super) fn refused(words: &str) -> ApiError {
    let said = words.split_once(": ").map_or(words, |(_, said)| said);
    let first = said
        .chars()
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let rest: String = said.chars().skip(1).collect();
    ApiError::Refused(format!("{first}{rest}."))
}

/// Begins a purge.
pub(super) async fn purge(project: &str) -> Result<Option<String>, ApiError> {
    let visit = to_settle(project).await?;
    Ok(begin(&visit.server, visit.member.project.key, asker(&visit)).await?)
}
