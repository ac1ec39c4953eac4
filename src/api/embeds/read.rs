//! Reads what the settings page of embedded views shows.

use super::EmbedsPage;
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::query::pairs;
use crate::model::view::ViewTab;
use crate::server::embeds;
use crate::server::store::{embeds as store, members, views};

/// The page.
pub(super) async fn page(project: &str, query: &str) -> Result<EmbedsPage, ApiError> {
    let visit = Visit::to(project).await?;
    let asked = pairs(query).find(|(name, _)| name == "tz").map(|(_, zone)| zone);
    let zone = zone_of(&visit, asked.as_deref().filter(|zone| !zone.is_empty()))?;
    let (server, member) = (&visit.server, &visit.member);
    let (db, key, now) = (&server.db, member.project.key, server.clock.now_ms());
    let all = store::list(db, key).await?;
    let views = views::shared(db, key, Some(ViewTab::Logs)).await?;
    let roles = members::rights(db, key).await?;
    let earliest = all.iter().map(|embed| embed.created_at).fold(now, i64::min);
    let latest = all.iter().map(|embed| embed.expires_at).fold(now, i64::max);
    let facts = all.into_iter().map(|embed| {
        let view = views.iter().find(|view| view.id == embed.view);
        embeds::facts(server, member, embed, view, &roles)
    });
    Ok(EmbedsPage {
        embeds: facts.collect(),
        views: views.iter().map(|view| (view.id.clone(), view.name.clone())).collect(),
        may_make: member.rights.work,
        may_bodies: member.rights.read_bodies,
        may_users: member.rights.read_users,
        zone: zone.zone_around(earliest, latest),
        now,
    })
}
