//! Whole months, on PostgreSQL: a month's partitions are dropped once every project that has logs there has expired, instead of deleting row by row.
//!
//! What is not partitioned goes beforehand, in steps ([`some_ids`]): clients' own ids, and originals. Counts go in the transaction that drops ([`drop`]).

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::rows::{LogKey, RowPlace, delete_originals, first_row, forget_ids};
use super::{Account, Open, Stepped};
use crate::model::log::Origin;
use crate::model::retention::Purged;
use crate::model::zone::rfc3339;
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::logs::month::{self, Month};
use crate::server::store::logs::tallies::{HOUR, MINUTE};
use crate::server::store::postgres::PARTITIONED;
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::{self, NewTask, TaskChange};
use crate::server::store::{Db, StoreError};

/// How long a drop waits for those who read: who comes after it waits along.
const PATIENCE: &str = "200ms";
/// What PostgreSQL says where that was not enough (`lock_not_available`), or where two waited for one another (`deadlock_detected`).
const BUSY: [&str; 2] = ["55P03", "40P01"];

/// A month that has partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    month: Month,
    /// The projects that have logs there.
    pub projects: Vec<ProjectKey>,
}

impl Partition {
    /// The first millisecond after it.
    pub const fn end(&self) -> i64 {
        self.month.end
    }

    /// As `2026_11`.
    pub fn name(&self) -> &str {
        &self.month.name
    }
}

/// Projects that have logs of a month: from `$1` on, before `$2`.
const PROJECTS: &str = "SELECT p.id FROM projects AS p WHERE EXISTS (SELECT 1 FROM logs AS l
    WHERE l.project_id = p.id AND l.origin IN (0, 1) AND l.created_at >= $1 AND l.created_at < $2) ORDER BY 1";

/// The months that end by then and have logs of a project, or of nobody, the oldest first; none on SQLite.
pub async fn expired(db: &Db, project: ProjectKey, before: i64) -> Result<Vec<Partition>, StoreError> {
    const NAMES: &str = "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = CAST('logs' AS REGCLASS) ORDER BY 1";
    let Db::Postgres(pool) = db else { return Ok(Vec::new()) };
    let names: Vec<String> = query_scalar(NAMES).fetch_all(pool).await?;
    let months = names.iter().filter_map(|name| month::of_name(name.strip_prefix("logs_")?));
    let mut partitions = Vec::new();
    for month in months.filter(|month| month.end <= before) {
        let projects: Vec<ProjectKey> = query_scalar(PROJECTS)
            .bind(month.start)
            .bind(month.end)
            .fetch_all(pool)
            .await?;
        if projects.is_empty() || projects.contains(&project) {
            partitions.push(Partition { month, projects });
        }
    }
    Ok(partitions)
}

/// Deletes clients' own ids, and originals, of some of a project's logs of a month that is to be dropped.
pub async fn some_ids(
    db: &Db,
    partition: &Partition,
    project: ProjectKey,
    place: &RowPlace,
    most: usize,
    account: Option<&Account<'_>>,
) -> Stepped<RowPlace> {
    const KEYS: &str =
        "SELECT created_at, id FROM logs WHERE project_id = $1 AND origin = $2 AND created_at >= $3 AND created_at < $4
        AND (created_at, id) > ($5, $6) ORDER BY created_at, id LIMIT $7";
    let (origin, after, id) = place;
    let Some(mut step) = Open::begin(db, account).await? else {
        return Ok(None);
    };
    let month = &partition.month;
    let keys: Vec<LogKey> = on_tx!(&mut step.tx, connection => {
        query_as(KEYS).bind(project).bind(origin.number()).bind(month.start).bind(month.end).bind(after).bind(id).bind(most as i64)
            .fetch_all(connection).await?
    });
    forget_ids(&mut step.tx, project, keys.iter().map(|(_, id)| id.as_str())).await?;
    let originals = delete_originals(&mut step.tx, project, keys.iter().map(|(_, id)| id.as_str())).await?;
    let next_origin = Origin::ALL.into_iter().find(|next| next > origin).map(first_row);
    let next = match keys.last() {
        Some((time, id)) if keys.len() == most => Some((*origin, *time, id.clone())),
        _ => next_origin,
    };
    // The task tells of its own project alone.
    let is_told = account.is_none_or(|account| account.job.project_id == project);
    let purged = if is_told {
        Purged {
            originals: originals.len() as u64,
            bytes_about: originals.iter().map(|bytes| bytes.unsigned_abs()).sum(),
            ..Purged::default()
        }
    } else {
        Purged::default()
    };
    step.end(purged, next, 0).await
}

/// Whether a project has anything that [`some_ids`] would delete.
pub async fn has_ids(db: &Db, project: ProjectKey) -> Result<bool, StoreError> {
    const ANY: &str = "SELECT EXISTS (SELECT 1 FROM log_ids WHERE project_id = $1) OR EXISTS (SELECT 1 FROM import_files WHERE project_id = $1)";
    let Db::Postgres(pool) = db else { return Ok(false) };
    Ok(query_scalar(ANY).bind(project).fetch_one(pool).await?)
}

/// What came of an attempt to drop a month.
#[derive(Clone, Debug)]
pub enum Dropped {
    /// It is gone; the numbers of the job's own project.
    Gone(Purged),
    /// Others read there: it is to be tried again.
    Busy,
    /// Somebody else's logs came there meanwhile.
    Wanted,
    /// The claim is no longer the job's.
    Lost,
}

/// Drops a month, with the counts of its logs. The other projects that had logs there get a task each that says so, made of `record`.
pub async fn drop(
    db: &Db,
    partition: &Partition,
    project: ProjectKey,
    account: Option<&Account<'_>>,
    record: impl Fn(ProjectKey, &Purged) -> (NewTask, TaskChange),
    now_ms: i64,
) -> Result<Dropped, StoreError> {
    let Some(mut step) = Open::begin(db, account).await? else {
        return Ok(Dropped::Lost);
    };
    match drop_in(&mut step.tx, partition, project, record, now_ms).await {
        Ok(None) => Ok(Dropped::Wanted),
        Ok(Some(purged)) => Ok(match step.end::<()>(purged.clone(), None, 0).await? {
            Some(_) => Dropped::Gone(purged),
            None => Dropped::Lost,
        }),
        Err(StoreError::Database(sqlx::Error::Database(error)))
            if error.code().is_some_and(|code| BUSY.contains(&code.as_ref())) =>
        {
            Ok(Dropped::Busy)
        }
        Err(problem) => Err(problem),
    }
}

async fn drop_in(
    tx: &mut WriteTx,
    partition: &Partition,
    project: ProjectKey,
    record: impl Fn(ProjectKey, &Purged) -> (NewTask, TaskChange),
    now_ms: i64,
) -> Result<Option<Purged>, StoreError> {
    let month = &partition.month;
    let bytes = size(tx, month).await?;
    let mut counts = BTreeMap::new();
    for project in &partition.projects {
        counts.insert(*project, forget_counts(tx, *project, month).await?);
    }
    if !lock(tx, partition).await? {
        return Ok(None);
    }
    // What came in before nobody could write there any more.
    for (project, count) in &mut counts {
        *count += forget_counts(tx, *project, month).await?;
    }
    let all: u64 = counts.values().sum();
    let purged = |logs: u64| Purged {
        logs,
        partitions: 1,
        // A month's bytes are told apart by how many logs each project had there.
        bytes_about: (bytes as f64 * (logs as f64 / all.max(1) as f64)) as u64,
        from: (logs > 0).then(|| rfc3339(month.start)),
        to: (logs > 0).then(|| rfc3339(month.end - 1)),
        ..Purged::default()
    };
    for (other, logs) in counts.iter().filter(|(other, _)| **other != project) {
        let (task, outcome) = record(*other, &purged(*logs));
        tasks::add_in(tx, *other, &task, now_ms).await?;
        tasks::change_in(tx, *other, &task.id, &outcome, now_ms).await?;
    }
    let tables = PARTITIONED.map(|table| format!("{table}_{}", month.name));
    let sql = AssertSqlSafe(format!("DROP TABLE IF EXISTS {}", tables.join(", ")));
    on_tx!(tx, connection => query(sql).persistent(false).execute(connection).await?.rows_affected());
    Ok(Some(purged(counts.get(&project).copied().unwrap_or(0))))
}

/// Takes the tables for itself, which others wait for from then on; false where another project has logs in the month by then: one that keeps them longer may
/// be sent late ones at any time.
async fn lock(tx: &mut WriteTx, partition: &Partition) -> Result<bool, StoreError> {
    const WAIT: &str = "SELECT set_config('lock_timeout', $1, true)";
    let _patience: String = on_tx!(tx, connection => query_scalar(WAIT).bind(PATIENCE).fetch_one(connection).await?);
    let tables = PARTITIONED.map(|table| format!("ONLY {table}")).join(", ");
    let sql = AssertSqlSafe(format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"));
    on_tx!(tx, connection => query(sql).persistent(false).execute(connection).await?.rows_affected());
    let month = &partition.month;
    let there: Vec<ProjectKey> =
        on_tx!(tx, connection => query_scalar(PROJECTS).bind(month.start).bind(month.end).fetch_all(connection).await?);
    Ok(there.iter().all(|project| partition.projects.contains(project)))
}

/// Bytes of a month's partitions, indexes and all.
async fn size(tx: &mut WriteTx, month: &Month) -> Result<u64, StoreError> {
    const SIZE: &str = "SELECT COALESCE(pg_total_relation_size(to_regclass($1)), 0)";
    let mut bytes = 0;
    for table in PARTITIONED {
        let name = format!("{table}_{}", month.name);
        let size: i64 = on_tx!(tx, connection => query_scalar(SIZE).bind(&name).fetch_one(connection).await?);
        bytes += size.unsigned_abs();
    }
    Ok(bytes)
}

/// Deletes the counts of a project's month, which begins and ends with a minute and an hour; gives how many logs they counted.
async fn forget_counts(tx: &mut WriteTx, project: ProjectKey, month: &Month) -> Result<u64, StoreError> {
    const SUM: &str = "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM log_minutes
        WHERE project_id = $1 AND origin IN (0, 1) AND minute >= $2 AND minute < $3";
    const MINUTES: &str = "DELETE FROM log_minutes WHERE project_id = $1 AND origin IN (0, 1) AND minute >= $2 AND minute < $3";
    const HOURS: &str = "DELETE FROM log_value_hours WHERE project_id = $1 AND field IN (0, 1, 2, 3, 4) AND origin IN (0, 1) AND hour >= $2 AND hour < $3";
    let (from, to) = (month.start / MINUTE, month.end / MINUTE);
    let logs: i64 = on_tx!(tx, connection => query_scalar(SUM).bind(project).bind(from).bind(to).fetch_one(connection).await?);
    on_tx!(tx, connection => query(MINUTES).bind(project).bind(from).bind(to).execute(connection).await?.rows_affected());
    let (from, to) = (month.start / HOUR, month.end / HOUR);
    on_tx!(tx, connection => query(HOURS).bind(project).bind(from).bind(to).execute(connection).await?.rows_affected());
    Ok(logs.unsigned_abs())
}
