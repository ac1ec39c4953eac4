//! Reads what the settings page of webhooks shows.

use super::EndpointsPage;
use super::change::failed;
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::query::pairs;
use crate::server::webhooks::endpoints;

/// The page.
pub(super) async fn page(project: &str, query: &str) -> Result<EndpointsPage, ApiError> {
    let visit = Visit::to(project).await?;
    let rights = visit.member.rights;
    let asked = pairs(query).find(|(name, _)| name == "tz").map(|(_, zone)| zone);
    let zone = zone_of(&visit, asked.as_deref().filter(|zone| !zone.is_empty()))?;
    let now = visit.server.clock.now_ms();
    let listed = endpoints::list(&visit.server, visit.member.project.key, rights.read_bodies).await;
    let endpoints = listed.map_err(failed)?;
    let earliest = endpoints.iter().map(|endpoint| endpoint.created_at).min().unwrap_or(now);
    Ok(EndpointsPage {
        endpoints,
        can_settle: rights.settle,
        can_test: rights.work,
        zone: zone.zone_around(earliest, now),
        now,
    })
}
