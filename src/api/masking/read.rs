//! Reads what the settings page of masking shows.

use super::change::WHAT;
use super::{MaskingPage, NameList};
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::query::pairs;
use crate::server::ingest::mask::BUILT_IN;
use crate::server::masking;

/// The last logs are seldom older: two years, in milliseconds.
const ZONE_MS: i64 = 2 * 365 * 86_400_000;

/// The page.
pub(super) async fn page(project: &str, query: &str) -> Result<MaskingPage, ApiError> {
    let visit = Visit::to(project).await?;
    visit.must_settle(WHAT)?;
    let asked = pairs(query).find(|(name, _)| name == "tz").map(|(_, zone)| zone);
    let zone = zone_of(&visit, asked.as_deref().filter(|zone| !zone.is_empty()))?;
    let now = visit.server.clock.now_ms();
    Ok(MaskingPage {
        rules: masking::rules(&visit.server, visit.member.project.key).await?,
        built_in: built_in(visit.server.masking.configured()),
        can_try: visit.member.rights.read_bodies,
        zone: zone.zone_around(now.saturating_sub(ZONE_MS), now),
        now,
    })
}

fn built_in(configured: &[String]) -> Vec<NameList> {
    let lists = BUILT_IN.iter().map(|(about, names)| NameList {
        about: (*about).to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    });
    let more = NameList {
        about: "names that whoever runs this instance added, or with ! took out of the ones above (AUDIT_LOG_MASK_KEYS)"
            .to_owned(),
        names: configured.to_vec(),
    };
    lists.chain((!configured.is_empty()).then_some(more)).collect()
}
