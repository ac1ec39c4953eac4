//! Reads what the settings page of retention shows.

use super::change::{WHAT, refused};
use super::{PastPurge, RetentionPage, Storage, WillGo};
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::query::pairs;
use crate::model::retention::{Choice, Kept};
use crate::model::task::kinds;
use crate::server::retention::storage::{self, Measured};
use crate::server::retention::{self, Settings, next_time};
use crate::server::store::tasks::Task;
use crate::server::store::{retention as stored, tasks};

/// Purges that the page lists.
const PAST: i64 = 10;

/// The page.
pub(super) async fn page(project: &str, query: &str) -> Result<RetentionPage, ApiError> {
    let visit = Visit::to(project).await?;
    visit.must_settle(WHAT)?;
    let asked = pairs(query).find(|(name, _)| name == "tz").map(|(_, zone)| zone);
    let zone = zone_of(&visit, asked.as_deref().filter(|zone| !zone.is_empty()))?;
    let (server, project) = (&visit.server, &visit.member.project);
    let now = server.clock.now_ms();
    let Settings {
        choice,
        kept,
        instance_days,
    } = retention::get(server, project.key).await?;
    let next_at = stored::next_at(&server.db, project.key).await?;
    // One that is late is looked at within the minute.
    let next_at = next_at.map_or_else(|| next_time(project.key, &project.time_zone, now), |at| at.max(now));
    let past = tasks::latest(&server.db, project.key, kinds::PURGE, PAST).await?;
    let running = past
        .iter()
        .find(|task| !task.facts.status.is_over())
        .map(|task| task.facts.id.clone());
    let past: Vec<PastPurge> = past.into_iter().map(past_purge).collect();
    let next = will_go(&visit, kept, next_at).await?;
    let now_due = will_go(&visit, kept, now).await?;
    let times = past
        .iter()
        .map(|purge| purge.created_at)
        .chain([next.logs_before, next.bodies_before].into_iter().flatten());
    let earliest = times.fold(now, i64::min);
    Ok(RetentionPage {
        choice,
        kept,
        instance_days,
        logs: retention::count_all(&server.db, project.key).await?,
        next_at,
        next,
        now_due,
        running,
        past,
        storage: storage::look(server).await.map(|measured| shown(&measured)),
        zone: zone.zone_around(earliest, next_at),
        now,
    })
}

fn past_purge(task: Task) -> PastPurge {
    let result: Option<serde_json::Value> = task.result.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let message = result.as_ref().and_then(|result| result.get("message")?.as_str());
    PastPurge {
        message: message.unwrap_or_default().to_owned(),
        id: task.facts.id,
        created_at: task.facts.created_at,
        status: task.facts.status,
    }
}

async fn will_go(visit: &Visit, kept: Kept, at: i64) -> Result<WillGo, ApiError> {
    let preview = retention::preview(&visit.server.db, visit.member.project.key, kept, at).await?;
    let cut = kept.cuts(at).application;
    let before = |time: i64| (time > i64::MIN).then_some(time);
    Ok(WillGo {
        logs: preview.logs,
        logs_before: before(cut.logs),
        bodies: preview.bodies,
        bodies_before: before(cut.bodies),
        export_files: preview.export_files,
        originals: preview.originals,
    })
}

fn shown(measured: &Measured) -> Storage {
    Storage {
        at: measured.at,
        tables: measured.tables.clone(),
        whole: measured.whole.bytes,
        reusable: measured.whole.reusable,
        disk_free: measured.disk_free,
        logs: measured.logs,
        coming: measured.coming.round() as u64,
        going: measured.going.round() as u64,
        growth: measured.growth().map(|bytes| bytes.round() as i64),
        days_left: measured.days_left().map(|days| days.floor() as u64),
    }
}

/// What would be deleted now if this were chosen.
pub(super) async fn preview(project: &str, choice: Choice) -> Result<WillGo, ApiError> {
    let visit = Visit::to(project).await?;
    visit.must_settle(WHAT)?;
    let instance_days = visit.server.config.retention_days;
    choice.check(instance_days).map_err(|words| refused(&words))?;
    let now = visit.server.clock.now_ms();
    will_go(&visit, Kept::of(choice, instance_days), now).await
}
