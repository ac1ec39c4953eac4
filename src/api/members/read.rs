//! Reads what the settings page of members shows.

use super::MembersPage;
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::query::pairs;
use crate::server::access::invite;
use crate::server::store::{invitations, members};

/// The page.
pub(super) async fn page(project: &str, query: &str) -> Result<MembersPage, ApiError> {
    let visit = Visit::to(project).await?;
    visit.must_settle("its members")?;
    let asked = pairs(query).find(|(name, _)| name == "tz").map(|(_, zone)| zone);
    let zone = zone_of(&visit, asked.as_deref().filter(|zone| !zone.is_empty()))?;
    let (db, key) = (&visit.server.db, visit.member.project.key);
    let now = visit.server.clock.now_ms();
    let members = members::list(db, key, now).await?;
    let invitations = invitations::list(db, key).await?;
    let earliest = members.iter().map(|member| member.joined_at).min().unwrap_or(now);
    let latest = invitations
        .iter()
        .map(|invitation| invitation.expires_at)
        .max()
        .unwrap_or(now);
    Ok(MembersPage {
        members,
        invitations,
        rights: members::rights(db, key).await?,
        me: visit.member.person.id.clone(),
        days: invite::DAYS,
        zone: zone.zone_around(earliest, latest.max(now)),
        now,
    })
}
