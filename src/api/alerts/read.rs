//! Reads what the pages of alerts show.

use super::{AlertPage, AlertsPage, Around};
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::query::pairs;
use crate::model::view::ViewTab;
use crate::server::alerts::facts;
use crate::server::store::views;

/// The list.
pub(super) async fn all(project: &str, query: &str) -> Result<AlertsPage, ApiError> {
    let visit = Visit::to(project).await?;
    let alerts = facts::all(&visit.server, &visit.member).await?;
    let earliest = alerts.iter().map(|alert| alert.since.min(alert.counts_since)).min();
    Ok(AlertsPage {
        alerts,
        around: around(&visit, query, earliest).await?,
    })
}

/// One of them.
pub(super) async fn one(project: &str, id: &str, query: &str) -> Result<AlertPage, ApiError> {
    let visit = Visit::to(project).await?;
    let found = facts::one(&visit.server, &visit.member, id).await?;
    let (alert, history) = found.ok_or(ApiError::NotFound)?;
    let earliest = history.iter().map(|line| line.at).min();
    let earliest = earliest.into_iter().chain([alert.since, alert.counts_since]).min();
    Ok(AlertPage {
        alert,
        history,
        around: around(&visit, query, earliest).await?,
    })
}

async fn around(visit: &Visit, query: &str, earliest: Option<i64>) -> Result<Around, ApiError> {
    let (server, member) = (&visit.server, &visit.member);
    let views = views::shared(&server.db, member.project.key, Some(ViewTab::Logs)).await?;
    let now = server.clock.now_ms();
    let asked = pairs(query).find(|(name, _)| name == "tz").map(|(_, zone)| zone);
    let zone = zone_of(visit, asked.as_deref().filter(|zone| !zone.is_empty()))?;
    Ok(Around {
        views: views.into_iter().map(|view| (view.id, view.name)).collect(),
        may_work: member.rights.work,
        has_mail: server.mail.is_some(),
        zone: zone.zone_around(earliest.unwrap_or(now), now),
        now,
    })
}
