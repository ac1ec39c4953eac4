//! Reads what the settings page of the chain shows. It signs nothing: a head is signed when its time comes, or when somebody downloads one.

use super::{Behind, ChainPage, Head};
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::query::pairs;
use crate::server::chain::head::SignedHead;
use crate::server::store::chain::read::{self, SignedRow};

/// Signed heads that the page lists.
const HEADS: i64 = 20;

/// The page.
pub(super) async fn page(project: &str, query: &str) -> Result<ChainPage, ApiError> {
    let visit = Visit::to(project).await?;
    let asked = pairs(query).find(|(name, _)| name == "tz").map(|(_, zone)| zone);
    let zone = zone_of(&visit, asked.as_deref().filter(|zone| !zone.is_empty()))?;
    let (db, project) = (&visit.server.db, &visit.member.project);
    let now = visit.server.clock.now_ms();
    // Before the chain's end, so that no head is later than that.
    let rows = read::latest_signed(db, project.key, HEADS).await?;
    let behind = behind(read::behind(db, project.key).await?);
    let end = read::head(db, project.key).await?;
    let entries = end.map_or(0, |end| end.number);
    let latest_at = read::made_at(db, project.key, entries).await?;
    let heads: Vec<Head> = rows.iter().map(|row| shown(&project.id, row)).collect();
    let times = heads.iter().map(|head| head.at);
    let times = times.chain(latest_at).chain(behind.map(|behind| behind.at));
    let earliest = times.fold(now, i64::min);
    Ok(ChainPage {
        entries: entries.unsigned_abs(),
        latest_at,
        heads,
        behind,
        zone: zone.zone_around(earliest, now),
        now,
    })
}

fn shown(project_id: &str, row: &SignedRow) -> Head {
    let head = SignedHead::of(project_id, row);
    Head {
        number: head.number.unsigned_abs(),
        digest: head.digest,
        at: head.at_ms,
        key: head.key,
    }
}

fn behind(sum: read::Behind) -> Option<Behind> {
    Some(Behind {
        checkpoints: sum.checkpoints.unsigned_abs(),
        entries: sum.entries.unsigned_abs(),
        logs: sum.logs.unsigned_abs(),
        at: sum.at?,
    })
}
