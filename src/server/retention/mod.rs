//! How long a project's logs are kept: what holds, choosing something else, and what the next purge will delete. For pages and calls alike.
//!
//! A call that reads or changes it needs [`get`] and [`set`] alone; what the database holds, and for how long it will, is [`storage`]'s to say.

pub mod storage;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::model::log::Origin;
use crate::model::page::Total;
use crate::model::retention::{Choice, Cuts, DAY_MS, FILE_DAYS, Kept};
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::access::brief::Brief;
use crate::server::jobs::retention::{Asker, begin};
use crate::server::state::Server;
use crate::server::store::logs::counts;
use crate::server::store::logs::purge;
use crate::server::store::projects::ProjectKey;
use crate::server::store::retention::{self as stored, FilesOf};
use crate::server::store::{Db, StoreError};

/// How long what was read is believed, in milliseconds: on the other servers a change holds after that.
const REMEMBERED_MS: i64 = 3_000;
/// Of how many projects.
const REMEMBERED: usize = 10_000;
/// The hour of a project's day at which its purge is looked at: few people are at work.
const HOUR: i8 = 3;

/// What a server knows of it.
#[derive(Debug)]
pub struct Retention {
    kept: Brief<ProjectKey, Kept>,
    storage: storage::Known,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            kept: Brief::new(REMEMBERED_MS, REMEMBERED),
            storage: storage::Known::default(),
        }
    }
}

/// What was chosen for a project, and what holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What was chosen.
    pub choice: Choice,
    /// What holds.
    pub kept: Kept,
    /// Days that the instance keeps logs where nothing is chosen; 0 for ever.
    pub instance_days: u32,
}

/// A choice that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The one before.
    pub before: Choice,
    /// The task that deletes what has passed it, where there is anything to delete at once.
    pub task: Option<String>,
}

/// Why a choice was not taken.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// It makes no sense; in words.
    #[error("{0}")]
    Bad(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a purge would delete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Logs.
    pub logs: u64,
    /// Logs that stay, without what they say; about, where logs came late.
    pub bodies: u64,
    /// Files of exports.
    pub export_files: u64,
    /// Originals of imports, and lists of records that were not taken.
    pub originals: u64,
}

impl Preview {
    /// Whether it would delete nothing.
    pub const fn is_nothing(&self) -> bool {
        self.logs == 0 && self.bodies == 0 && self.export_files == 0 && self.originals == 0
    }
}

/// How long a project's logs are kept, as it was within the last seconds: for whoever asks with every call.
pub async fn kept(server: &Server, project: ProjectKey) -> Result<Kept, StoreError> {
    let now_ms = server.clock.now_ms();
    if let Some(kept) = server.retention.kept.get(&project, now_ms) {
        return Ok(kept);
    }
    let kept = get(server, project).await?.kept;
    server.retention.kept.put(project, kept, now_ms);
    Ok(kept)
}

/// What was chosen for a project, and what holds.
pub async fn get(server: &Server, project: ProjectKey) -> Result<Settings, StoreError> {
    let instance_days = server.config.retention_days;
    let choice = stored::find(&server.db, project).await?;
    Ok(Settings {
        choice,
        kept: Kept::of(choice, instance_days),
        instance_days,
    })
}

/// Chooses how long a project's logs are kept. Where that is less than it was, what has passed it is deleted at once, in the background.
pub async fn set(server: &Server, project: ProjectKey, choice: Choice, asker: Asker) -> Result<Chosen, RetentionError> {
    let instance_days = server.config.retention_days;
    choice.check(instance_days).map_err(RetentionError::Bad)?;
    let before = stored::set(&server.db, project, choice, server.clock.now_ms()).await?;
    server.retention.kept.forget_if(|known| *known == project);
    let (was_kept, kept) = (Kept::of(before, instance_days), Kept::of(choice, instance_days));
    let task = if was_kept.is_cut_by(kept) {
        begin(server, project, asker).await?
    } else {
        None
    };
    Ok(Chosen { before, task })
}

/// What a purge at a moment would delete of a project where this is kept; counted from the minute counts, and row by row within the last minute.
pub async fn preview(db: &Db, project: ProjectKey, kept: Kept, at_ms: i64) -> Result<Preview, StoreError> {
    let cuts = kept.cuts(at_ms);
    let mut preview = Preview::default();
    for origin in Origin::ALL {
        let cut = cuts.of(origin);
        let oldest_text = purge::oldest_text(db, project, origin).await?.unwrap_or(i64::MAX);
        preview.logs += count(db, project, origin, (0, cut.logs)).await?;
        preview.bodies += count(db, project, origin, (cut.logs.max(oldest_text), cut.bodies)).await?;
    }
    let files = files_before(at_ms, cuts);
    preview.export_files = stored::count_old_files(db, project, FilesOf::Exports, files.0).await?;
    preview.originals = stored::count_old_files(db, project, FilesOf::Imports, files.1).await?;
    Ok(preview)
}

/// Before when files go: exports', and imports', which hold what logs say.
pub fn files_before(at_ms: i64, cuts: Cuts) -> (i64, i64) {
    (at_ms.saturating_sub(i64::from(FILE_DAYS) * DAY_MS), cuts.application.bodies)
}

/// How many logs a project has.
pub async fn count_all(db: &Db, project: ProjectKey) -> Result<u64, StoreError> {
    let mut all = 0;
    for origin in Origin::ALL {
        all += count(db, project, origin, (0, i64::MAX)).await?;
    }
    Ok(all)
}

async fn count(db: &Db, project: ProjectKey, origin: Origin, (from, to): (i64, i64)) -> Result<u64, StoreError> {
    if from >= to {
        return Ok(0);
    }
    let selection = LogSelection {
        origins: vec![origin],
        ..LogSelection::all(TimeRange { from, to })
    };
    let of = |total| match total {
        Total::Exact(count) | Total::AtLeast(count) => count,
        Total::Unknown => 0,
    };
    let (succeeded, failed) = counts::total(db, project, &selection, u64::MAX).await?;
    Ok(of(succeeded) + of(failed))
}

/// When a project's purge is looked at next after a moment: at three in its own night, each project at another minute.
pub fn next_time(project: ProjectKey, time_zone: &str, after_ms: i64) -> i64 {
    let minute = (project * 7).rem_euclid(60) as i8;
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let after = Timestamp::from_millisecond(after_ms)
        .unwrap_or_default()
        .to_zoned(zone.clone());
    let mut day = after.date();
    // Two nights reach over every change of the clocks.
    for _ in 0..3 {
        let at = day
            .at(HOUR, minute, 0, 0)
            .to_zoned(zone.clone())
            .map(|time| time.timestamp().as_millisecond());
        if let Ok(at) = at
            && at > after_ms
        {
            return at;
        }
        day = day.checked_add(1.day()).unwrap_or(day);
    }
    after_ms + DAY_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20T10:00:00Z.
    const NOON: i64 = 1_795_168_800_000;

    #[test]
    fn a_purge_is_looked_at_in_the_projects_own_night() {
        let at = |zone: &str, after: i64| {
            let at = Timestamp::from_millisecond(next_time(1, zone, after)).unwrap();
            at.to_string()
        };
        assert_eq!(at("UTC", NOON), "2026-11-21T03:07:00Z");
        assert_eq!(at("Europe/Berlin", NOON), "2026-11-21T02:07:00Z");
        assert_eq!(at("Pacific/Auckland", NOON), "2026-11-20T14:07:00Z");
        assert_eq!(at("nowhere", NOON), "2026-11-21T03:07:00Z");
        let night = next_time(1, "UTC", NOON);
        assert_eq!(at("UTC", night - 1), "2026-11-21T03:07:00Z");
        assert_eq!(at("UTC", night), "2026-11-22T03:07:00Z", "once a day");
    }
}
