//! Whole months, on PostgreSQL: a month's partitions are dropped once the applications' logs of every project there have expired, instead of deleting row by
//! row. Where the log of the log stays longer, it is all that the month holds from then on ([`rewrite`]).
//!
//! What is not partitioned goes beforehand, in steps ([`some_ids`]): clients' own ids, and originals. Blocks that hold both origins are taken apart beforehand,
//! too ([`some_of_both`]). Counts go in the transaction that drops ([`drop`]), those of days and weeks at its end ([`forget_days`]).

mod rewrite;

use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

pub use rewrite::{MOST, staying_logs};

use super::rows::{LogKey, RowPlace, delete_originals, first_row, forget_ids};
use super::{Account, BlockPlace, Open, Purge, Stepped, blocks, list};
use crate::model::log::Origin;
use crate::model::retention::Purged;
use crate::model::zone::rfc3339;
use crate::server::store::chain::Noted;
use crate::server::store::db::{OpenTx, WriteTx, on_tx};
use crate::server::store::logs::month::{self, Month};
use crate::server::store::logs::tallies::{DAY, HOUR, MINUTE, QUARTER, WEEK};
use crate::server::store::postgres::PARTITIONED;
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::{self, NewTask, TaskChange};
use crate::server::store::{Db, StoreError};

/// How long a drop waits for those who read: who comes after it waits along.
const PATIENCE: &str = "200ms";
/// What PostgreSQL says where that was not enough (`lock_not_available`), or where two waited for one another (`deadlock_detected`).
const BUSY: [&str; 2] = ["55P03", "40P01"];

/// The fields whose values are counted.
const FIELDS: &str = "0, 1, 2, 3, 4";

/// A month that has partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    month: Month,
    /// The projects that have logs there.
    pub holders: Vec<Holder>,
    /// Those of them whose log of the log stays when the others go.
    pub staying: Vec<ProjectKey>,
}

/// A project that has logs of a month.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Holder {
    /// The project.
    pub project: ProjectKey,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// Whether its applications sent any.
    pub application: bool,
    /// Whether this service recorded any of itself.
    pub own: bool,
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

    /// Whether a project's logs of an origin go with it.
    fn goes(&self, project: ProjectKey, origin: Origin) -> bool {
        origin == Origin::Application || !self.staying.contains(&project)
    }

    /// Whether somebody has logs there that this does not know of.
    fn is_older_than(&self, now: &[Holder]) -> bool {
        let knows = |now: &Holder| {
            let same = |was: &&Holder| was.project == now.project;
            self.holders
                .iter()
                .find(same)
                .is_some_and(|was| (was.application || !now.application) && (was.own || !now.own))
        };
        !now.iter().all(knows)
    }
}

/// Projects that have logs of a month: from `$1` on, before `$2`.
const HOLDERS: &str = "SELECT * FROM (SELECT p.id AS project, p.deleted_at IS NOT NULL AS is_deleted,
    EXISTS (SELECT 1 FROM logs AS l WHERE l.project_id = p.id AND l.origin = 0 AND l.created_at >= $1 AND l.created_at < $2) AS application,
    EXISTS (SELECT 1 FROM logs AS l WHERE l.project_id = p.id AND l.origin = 1 AND l.created_at >= $1 AND l.created_at < $2) AS own
    FROM projects AS p) AS holders WHERE application OR own ORDER BY project";

/// The months that end by then and have logs of a project, or of nobody, the oldest first; none on SQLite.
pub async fn expired(db: &Db, project: ProjectKey, before: i64) -> Result<Vec<Partition>, StoreError> {
    const NAMES: &str = "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = CAST('logs' AS REGCLASS) ORDER BY 1";
    let Db::Postgres(pool) = db else { return Ok(Vec::new()) };
    let names: Vec<String> = query_scalar(NAMES).fetch_all(pool).await?;
    let months = names.iter().filter_map(|name| month::of_name(name.strip_prefix("logs_")?));
    let mut partitions = Vec::new();
    for month in months.filter(|month| month.end <= before) {
        let holders: Vec<Holder> = query_as(HOLDERS).bind(month.start).bind(month.end).fetch_all(pool).await?;
        if holders.is_empty() || holders.iter().any(|holder| holder.project == project) {
            partitions.push(Partition {
                month,
                holders,
                staying: Vec::new(),
            });
        }
    }
    Ok(partitions)
}

/// Goes over some blocks of a month that hold both origins, from before those were told apart: what stays is sealed each by itself.
pub async fn some_of_both(
    purge: &Purge,
    partition: &Partition,
    place: BlockPlace,
    most: usize,
    account: Option<&Account<'_>>,
) -> Stepped<BlockPlace> {
    let Month { start, end, .. } = partition.month;
    blocks::some_of_both(purge, (start, end), place, most, account).await
}

/// Deletes clients' own ids, and originals, of some of a project's logs of a month that is to be dropped; not of those that stay.
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
    let at = account.map_or(month.end, |account| account.now_ms);
    let originals = delete_originals(&mut step.tx, (project, at), keys.iter().map(|(_, id)| id.as_str())).await?;
    let next_origin = Origin::ALL
        .into_iter()
        .find(|next| next > origin && partition.goes(project, *next));
    let next_origin = next_origin.map(first_row);
    let next = match keys.last() {
        Some((time, id)) if keys.len() == most => Some((*origin, *time, id.clone())),
        _ => next_origin,
    };
    let purged = if Account::tells(account, project) {
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

/// Drops a month, with the counts of its logs, but for what stays. The other projects that had logs there get a task each that says so, made of `record`.
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
    let dropped = match drop_in(&mut step.tx, partition, project, record, now_ms).await {
        Ok(None) => return Ok(Dropped::Wanted),
        Ok(Some(purged)) => step.end::<()>(purged.clone(), None, 0).await.map(|ended| match ended {
            Some(_) => Dropped::Gone(purged),
            None => Dropped::Lost,
        }),
        Err(problem) => Err(problem),
    };
    match dropped {
        Ok(dropped) => Ok(dropped),
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
    for holder in &partition.holders {
        counts.insert(holder.project, forget_counts(tx, partition, holder.project).await?);
    }
    be_patient(tx).await?;
    hold(tx, month).await?;
    note_gone(tx, partition, now_ms).await?;
    if !rewrite::copy(tx, partition).await? || !lock(tx, partition).await? {
        return Ok(None);
    }
    // What came in before nobody could write there any more.
    for (project, count) in &mut counts {
        *count += forget_counts(tx, partition, *project).await?;
        forget_days(tx, partition, *project).await?;
    }
    let all: u64 = counts.values().sum();
    // What takes the partitions' place is little beside them.
    let purged = |logs: u64| Purged {
        logs,
        partitions: 1,
        // A month's bytes are told apart by how many logs each project had there.
        bytes_about: (bytes as f64 * (logs as f64 / all.max(1) as f64)) as u64,
        from: (logs > 0).then(|| rfc3339(month.start)),
        to: (logs > 0).then(|| rfc3339(month.end - 1)),
        ..Purged::default()
    };
    let others = partition.holders.iter().filter(|holder| holder.project != project);
    for (other, logs) in others.filter_map(|holder| tell(holder, &counts)) {
        let (task, outcome) = record(other, &purged(logs));
        tasks::add_in(tx, other, &task, now_ms).await?;
        tasks::change_in(tx, other, &task.id, &outcome, now_ms).await?;
    }
    let tables = PARTITIONED.map(|table| format!("{table}_{}", month.name));
    let sql = AssertSqlSafe(format!("DROP TABLE IF EXISTS {}", tables.join(", ")));
    on_tx!(tx, connection => query(sql).persistent(false).execute(connection).await?.rows_affected());
    rewrite::put_in_place(tx, partition).await?;
    Ok(Some(purged(counts.get(&project).copied().unwrap_or(0))))
}

/// From here on nobody writes into the month, while everybody may read it.
async fn hold(tx: &mut WriteTx, month: &Month) -> Result<(), StoreError> {
    let tables = PARTITIONED.map(|table| format!("{table}_{}", month.name)).join(", ");
    let sql = AssertSqlSafe(format!("LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE"));
    on_tx!(tx, connection => query(sql).persistent(false).execute(connection).await?.rows_affected());
    Ok(())
}

/// Notes the logs that go, of each holder: they are in the partitions still, and no others come there.
async fn note_gone(tx: &mut WriteTx, partition: &Partition, now_ms: i64) -> Result<(), StoreError> {
    let OpenTx::Postgres(transaction) = &mut tx.open else {
        return Ok(());
    };
    let mut gone: Vec<(ProjectKey, Noted)> = Vec::new();
    for holder in &partition.holders {
        let mut noted = Noted::default();
        for origin in Origin::ALL
            .into_iter()
            .filter(|origin| partition.goes(holder.project, *origin))
        {
            let sql = AssertSqlSafe(format!(
                "SELECT seq FROM logs_{} WHERE project_id = $1 AND origin = $2 ORDER BY created_at, id",
                partition.month.name
            ));
            let mut seqs = query_scalar(sql)
                .bind(holder.project)
                .bind(origin.number())
                .persistent(false)
                .fetch(&mut **transaction);
            // One by one: there may be millions.
            while let Some(seq) = seqs.try_next().await? {
                noted.deleted([seq]);
            }
        }
        gone.push((holder.project, noted));
    }
    for (project, noted) in gone {
        tx.note(project, now_ms).deleted_too(noted);
    }
    Ok(())
}

/// How many of its logs a project is told have gone; one that was deleted, or of whose logs all stay, hears nothing.
fn tell(holder: &Holder, counts: &BTreeMap<ProjectKey, u64>) -> Option<(ProjectKey, u64)> {
    let logs = counts.get(&holder.project).copied().unwrap_or(0);
    (!holder.is_deleted && logs > 0).then_some((holder.project, logs))
}

/// Waits no longer for others than [`PATIENCE`], up to the transaction's end.
async fn be_patient(tx: &mut WriteTx) -> Result<(), StoreError> {
    const WAIT: &str = "SELECT set_config('lock_timeout', $1, true)";
    let _patience: String = on_tx!(tx, connection => query_scalar(WAIT).bind(PATIENCE).fetch_one(connection).await?);
    Ok(())
}

/// Takes the tables for itself, which others wait for from then on; false where another project has logs in the month by then: one that keeps them longer may
/// be sent late ones at any time.
async fn lock(tx: &mut WriteTx, partition: &Partition) -> Result<bool, StoreError> {
    let tables = PARTITIONED.map(|table| format!("ONLY {table}")).join(", ");
    let sql = AssertSqlSafe(format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"));
    on_tx!(tx, connection => query(sql).persistent(false).execute(connection).await?.rows_affected());
    let month = &partition.month;
    let now: Vec<Holder> =
        on_tx!(tx, connection => query_as(HOLDERS).bind(month.start).bind(month.end).fetch_all(connection).await?);
    Ok(!partition.is_older_than(&now))
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

/// Deletes the counts of what goes of a project's month that are of it alone, which begins and ends with a day; gives how many logs they counted. Those of days
/// go with [`forget_days`].
async fn forget_counts(tx: &mut WriteTx, partition: &Partition, project: ProjectKey) -> Result<u64, StoreError> {
    let month = &partition.month;
    let origins = going(partition, project);
    let sql = AssertSqlSafe(format!(
        "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM log_minutes WHERE project_id = $1 AND origin IN ({origins}) AND minute >= $2 AND minute < $3"
    ));
    let (from, to) = (month.start / MINUTE, month.end / MINUTE);
    let logs: i64 = on_tx!(tx, connection => query_scalar(sql).bind(project).bind(from).bind(to).fetch_one(connection).await?);
    for (table, at, unit) in [("log_minutes", "minute", MINUTE), ("log_quarters", "quarter", QUARTER)] {
        let sql = AssertSqlSafe(format!(
            "DELETE FROM {table} WHERE project_id = $1 AND origin IN ({origins}) AND {at} >= $2 AND {at} < $3"
        ));
        let (from, to) = (month.start / unit, month.end / unit);
        on_tx!(tx, connection => query(sql).bind(project).bind(from).bind(to).execute(connection).await?.rows_affected());
    }
    let sql = AssertSqlSafe(format!(
        "DELETE FROM log_value_hours WHERE project_id = $1 AND field IN ({FIELDS}) AND origin IN ({origins}) AND hour >= $2 AND hour < $3"
    ));
    let (from, to) = (month.start / HOUR, month.end / HOUR);
    on_tx!(tx, connection => query(sql).bind(project).bind(from).bind(to).execute(connection).await?.rows_affected());
    Ok(logs.unsigned_abs())
}

/// Takes what goes of a project's month out of the counts of its days and weeks. The first and the last of these weeks may have days of other months, whose logs
/// others write: it is done when nobody writes to this month any more, and soon before the end; rows are locked in the order in which whoever counts writes them.
async fn forget_days(tx: &mut WriteTx, partition: &Partition, project: ProjectKey) -> Result<(), StoreError> {
    let month = &partition.month;
    let origins = going(partition, project);
    let lock = AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM log_value_weeks
            WHERE project_id = $1 AND field IN ({FIELDS}) AND origin IN ({origins}) AND week >= $2 AND week <= $3
            ORDER BY field, origin, week, value FOR UPDATE) AS locked"
    ));
    let (first, last) = (month.start.div_euclid(WEEK), month.end.div_euclid(WEEK));
    let _locked: i64 =
        on_tx!(tx, connection => query_scalar(lock).bind(project).bind(first).bind(last).fetch_one(connection).await?);
    let take = AssertSqlSafe(format!(
        "WITH gone AS (DELETE FROM log_value_days
            WHERE project_id = $1 AND field IN ({FIELDS}) AND origin IN ({origins}) AND day >= $2 AND day < $3
            RETURNING field, origin, (day - (day % 7 + 7) % 7) / 7 AS week, value, count)
        UPDATE log_value_weeks AS kept SET count = kept.count - taken.count
        FROM (SELECT field, origin, week, value, SUM(count) AS count FROM gone GROUP BY 1, 2, 3, 4) AS taken
        WHERE kept.project_id = $1 AND kept.field = taken.field AND kept.origin = taken.origin AND kept.week = taken.week AND kept.value = taken.value"
    ));
    let (from, to) = (month.start.div_euclid(DAY), month.end.div_euclid(DAY));
    on_tx!(tx, connection => query(take).bind(project).bind(from).bind(to).execute(connection).await?.rows_affected());
    let delete = AssertSqlSafe(format!(
        "DELETE FROM log_value_weeks WHERE project_id = $1 AND field IN ({FIELDS}) AND origin IN ({origins}) AND count <= 0 AND week >= $2 AND week <= $3"
    ));
    on_tx!(tx, connection => query(delete).bind(project).bind(first).bind(last).execute(connection).await?.rows_affected());
    Ok(())
}

/// The origins whose logs of a project go with the month, as a list.
fn going(partition: &Partition, project: ProjectKey) -> String {
    let origins = Origin::ALL.into_iter().filter(|origin| partition.goes(project, *origin));
    list(origins.map(|origin| origin.number().into()))
}
