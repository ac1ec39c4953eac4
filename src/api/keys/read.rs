//! Reads what the settings page of API keys shows.

use super::KeysPage;
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::query::pairs;
use crate::server::store::keys;

/// The page.
pub(super) async fn page(project: &str, query: &str) -> Result<KeysPage, ApiError> {
    let visit = Visit::to(project).await?;
    visit.must_settle("its API keys")?;
    let asked = pairs(query).find(|(name, _)| name == "tz").map(|(_, zone)| zone);
    let zone = zone_of(&visit, asked.as_deref().filter(|zone| !zone.is_empty()))?;
    let now = visit.server.clock.now_ms();
    let keys = keys::list(&visit.server.db, visit.member.project.key).await?;
    let earliest = keys.iter().map(|key| key.created_at).min().unwrap_or(now);
    let latest = keys.iter().filter_map(|key| key.expires_at).max().unwrap_or(now);
    Ok(KeysPage {
        keys,
        calls_a_minute: visit.server.limits.per_minute(),
        zone: zone.zone_around(earliest, latest.max(now)),
        now,
    })
}
