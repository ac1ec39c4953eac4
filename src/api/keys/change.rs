//! Makes, changes, rotates and revokes keys from the page.

use axum::http::request::Parts;
use leptos::prelude::use_context;
use serde_json::Value;

use super::FreshKey;
use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::key::{KeyFacts, KeyWish};
use crate::server::access::issue::{self, IssuedKey, Issuer, KeyIssueError};
use crate::server::http::{recording, shown};
use crate::server::store::{Changed, keys};

const HOUR_MS: i64 = 3_600_000;
/// The longest that a token is taken beside its successor.
const MOST_OVERLAP_HOURS: u32 = 30 * 24;

async fn to_settle(project: &str, app_id: &str) -> Result<Visit, ApiError> {
    let visit = Visit::to_change(project, ("key", app_id)).await?;
    visit.must_settle("its API keys")?;
    Ok(visit)
}

fn failed(error: KeyIssueError) -> ApiError {
    match error {
        KeyIssueError::Store(error) => error.into(),
        refused => ApiError::refused(&refused),
    }
}

fn issuer(visit: &Visit) -> Issuer<'_> {
    Issuer {
        clock: &visit.server.clock,
        random: &visit.server.random,
    }
}

fn fresh(key: IssuedKey) -> FreshKey {
    FreshKey {
        app_id: key.app_id,
        app_token: key.app_token,
    }
}

fn note(visit: &Visit, changed: &Changed<KeyFacts>) {
    visit.changed(shown::key(&changed.before), shown::key(&changed.after));
}

/// Makes a key.
pub(super) async fn create(project: &str, wish: KeyWish) -> Result<FreshKey, ApiError> {
    let visit = to_settle(project, "").await?;
    let made = issue::project_key(&visit.server.db, &issuer(&visit), visit.member.project.key, &wish).await;
    let (made, facts) = made.map_err(failed)?;
    let parts = use_context::<Parts>();
    recording::about(parts.as_ref().and_then(|parts| parts.extensions.get()), "key", &made.app_id);
    visit.changed(Value::Null, shown::key(&facts));
    Ok(fresh(made))
}

/// Changes a key.
pub(super) async fn change(project: &str, app_id: &str, wish: KeyWish) -> Result<(), ApiError> {
    let visit = to_settle(project, app_id).await?;
    let changed = issue::change_key(&visit.server.db, &visit.server.clock, visit.member.project.key, app_id, &wish).await;
    note(&visit, &changed.map_err(failed)?);
    visit.server.door.forget();
    Ok(())
}

/// Gives a key another token.
pub(super) async fn rotate(project: &str, app_id: &str, overlap_hours: u32) -> Result<FreshKey, ApiError> {
    let visit = to_settle(project, app_id).await?;
    let overlap_ms = i64::from(overlap_hours.min(MOST_OVERLAP_HOURS)) * HOUR_MS;
    let rotated = issue::rotate_key(
        &visit.server.db,
        &issuer(&visit),
        visit.member.project.key,
        app_id,
        overlap_ms,
    )
    .await;
    let (rotated, changed) = rotated.map_err(failed)?;
    note(&visit, &changed);
    visit.server.door.forget();
    Ok(fresh(rotated))
}

/// Revokes a key.
pub(super) async fn revoke(project: &str, app_id: &str) -> Result<(), ApiError> {
    let visit = to_settle(project, app_id).await?;
    let now_ms = visit.server.clock.now_ms();
    let revoked = keys::revoke(&visit.server.db, visit.member.project.key, app_id, now_ms).await?;
    note(&visit, &revoked.ok_or_else(|| failed(KeyIssueError::NoKey))?);
    visit.server.door.forget();
    Ok(())
}
