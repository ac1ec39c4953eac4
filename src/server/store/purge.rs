//! Removes what a deleted project held, little by little, so that nobody else waits: rows in bounded batches, files by way of `doomed_files`.
//!
//! The log of the log stays, with the row that says what the project was called, until its time is over, so that nobody is rid of what they did by deleting
//! where they did it: nobody in the project reaches it any more, whoever runs the server reads it by `audit-log trail`. It is looked at every hour, whether
//! anything of it has passed; once nothing is left, the row goes, too.
//!
//! To add a table of a project's: its line in [`TABLES`], or in [`LAST`] where the log of the log needs it; `tests/all/projects.rs` finds one that was forgotten.

use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::db::{WriteTx, on_db, on_tx};
use super::logs::purge::{FIRST_BLOCK, Purge, first_row, some_blocks, some_groups, some_rows};
use super::projects::ProjectKey;
use super::{Db, StoreError, jobs, retention};
use crate::model::log::Origin;
use crate::model::retention::{Kept, Purged};

/// Rows of a batch.
const BATCH: i64 = 1_000;
/// Rows whose files are large, or whose content is.
const FEW: i64 = 64;
/// So long after its deletion, in milliseconds, nothing that began before writes into a project any more.
const QUIET_MS: i64 = 60_000;
/// How often it is looked at what has passed of what stays for longer.
const AGAIN_MS: i64 = 60 * 60_000;
/// Blocks and rows of logs of a batch.
const BLOCKS: usize = 16;
const ROWS: usize = 1_000;

/// A table, what tells its rows apart within a project, and how many are removed at a time.
type Table = (&'static str, &'static str, i64);

/// A project's tables, but for its logs, which go as a purge deletes them, and what names files, which comes last: removing it takes the name away.
const TABLES: [Table; 24] = [
    ("alert_mails", "id", BATCH),
    ("alert_history", "id", BATCH),
    ("alert_counts", "alert_id, step_at", BATCH),
    ("alert_marks", "project_id", BATCH),
    ("alerts", "id", BATCH),
    ("embeds", "id", BATCH),
    ("views", "id", BATCH),
    ("mask_rules", "place", BATCH),
    ("attempts", "sendout_id, number", BATCH),
    ("sendouts", "created_at, id", BATCH),
    ("events", "id", BATCH),
    ("lanes", "endpoint_id", BATCH),
    ("failure_counts", "endpoint", BATCH),
    ("endpoints", "id", BATCH),
    ("log_ids", "id", BATCH),
    ("import_files", "log_id", FEW),
    ("idempotency_keys", "key", BATCH),
    ("job_failures", "task_id, attempt", BATCH),
    ("jobs", "task_id", BATCH),
    ("task_clocks", "project_id", BATCH),
    ("api_keys", "id", BATCH),
    ("invitations", "id", BATCH),
    ("members", "user_id", BATCH),
    ("role_rights", "role", BATCH),
];
/// Tables that the log of the log needs as long as there is any of it.
const LAST: [Table; 16] = [
    ("log_blocks", "id", FEW),
    ("log_signatures", "min_time, id", FEW),
    ("log_groups", "min_time, id", FEW),
    ("log_slices", "min_time, group_id, slice", BATCH),
    ("log_moves", "project_id", BATCH),
    ("log_minutes", "origin, minute, status", BATCH),
    ("log_quarters", "origin, quarter, status", BATCH),
    ("log_value_hours", "field, origin, hour, value", BATCH),
    ("log_value_days", "field, origin, day, value", BATCH),
    ("log_value_weeks", "field, origin, week, value", BATCH),
    ("retention", "project_id", BATCH),
    ("chain_leaves", "number", FEW),
    ("chain_entries", "number", BATCH),
    ("chain_signed", "number", BATCH),
    ("chain_checkpoints", "first_number", BATCH),
    ("chain_heads", "project_id", BATCH),
];
/// Tables whose rows name files, and the columns that do.
const WITH_FILES: [(&str, &str, [&str; 2]); 2] = [("exports", "id", ["file", "file"]), ("tasks", "id", ["file", "rejected"])];

/// What is left of a deleted project after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// More to remove now.
    More,
    /// The log of the log, until its time is over.
    Own,
    /// Nothing.
    Nothing,
}

/// The deleted project of which something is to be removed now, if any: the one that was deleted first.
pub async fn next(db: &Db, now_ms: i64) -> Result<Option<ProjectKey>, StoreError> {
    const SQL: &str =
        "SELECT id FROM projects WHERE deleted_at <= $1 AND (purge_at IS NULL OR purge_at <= $2) ORDER BY deleted_at, id LIMIT 1";
    Ok(on_db!(read db, pool => query_scalar(SQL).bind(now_ms - QUIET_MS).bind(now_ms).fetch_optional(pool).await?))
}

/// Removes one batch of what a deleted project held. `instance_days` are the instance's own, 0 for ever: by them and by what the project chose it is known how
/// long the log of the log stays.
pub async fn batch(db: &Db, project: ProjectKey, instance_days: u32, now_ms: i64) -> Result<Left, StoreError> {
    const GONE: &str = "DELETE FROM projects WHERE id = $1 AND deleted_at IS NOT NULL";
    let kept = Kept::of(retention::find(db, project).await?, instance_days);
    let purge = Purge {
        db: db.clone(),
        project,
        cuts: kept.cuts_once_deleted(now_ms),
        at: now_ms,
    };
    if some_logs(&purge).await? || some_strays(&purge).await? {
        return Ok(Left::More);
    }
    if some_of(db, project, &TABLES).await? {
        return Ok(Left::More);
    }
    for (table, key, columns) in WITH_FILES {
        if remove_with_files(db, project, (table, key), columns, now_ms).await? > 0 {
            return Ok(Left::More);
        }
    }
    if has_logs(db, project).await? {
        put_off(db, project, now_ms + AGAIN_MS).await?;
        return Ok(Left::Own);
    }
    if some_of(db, project, &LAST).await? {
        return Ok(Left::More);
    }
    // What is left of it hangs on its row.
    on_db!(write db, pool => query(GONE).bind(project).execute(pool).await.map(|_| ()))?;
    Ok(Left::Nothing)
}

/// Deletes some of the logs as a purge does, with all that hangs on them: what applications sent, and what has passed of the log of the log. Whether there was
/// anything that could be deleted.
async fn some_logs(purge: &Purge) -> Result<bool, StoreError> {
    let went = |step: Option<&Purged>| step.is_some_and(|purged| !purged.is_nothing());
    let step = some_blocks(purge, FIRST_BLOCK, BLOCKS, None).await?;
    if went(step.map(|step| step.purged).as_ref()) {
        return Ok(true);
    }
    for origin in Origin::ALL {
        let step = some_rows(purge, &first_row(origin), ROWS, None).await?;
        if went(step.map(|step| step.purged).as_ref()) {
            return Ok(true);
        }
    }
    let mut place = Some(FIRST_BLOCK);
    while let Some(from) = place {
        let Some(step) = some_groups(purge, from, None).await? else {
            break;
        };
        if went(Some(&step.purged)) {
            return Ok(true);
        }
        place = step.next;
    }
    Ok(false)
}

/// Deletes rows that a purge does not come by: of logs whose block is there and does not have them, which is so where the database lost something. Together
/// with [`some_logs`] this is where all of a deleted project's logs go.
async fn some_strays(purge: &Purge) -> Result<bool, StoreError> {
    let mut tx = WriteTx::begin(&purge.db).await?;
    let mut seqs: Vec<i64> = Vec::new();
    for origin in Origin::ALL {
        let sql = AssertSqlSafe(format!(
            "DELETE FROM logs WHERE project_id = $1 AND origin = $2 AND (created_at, id) IN
                (SELECT created_at, id FROM logs WHERE project_id = $1 AND origin = $2 AND created_at < $3 LIMIT {BATCH}) RETURNING seq"
        ));
        let before = purge.cuts.of(origin).logs;
        let some: Vec<i64> = on_tx!(&mut tx, connection => {
            query_scalar(sql).bind(purge.project).bind(origin.number()).bind(before).fetch_all(connection).await?
        });
        seqs.extend(some);
    }
    let is_any = !seqs.is_empty();
    tx.note(purge.project, purge.at).deleted(seqs);
    tx.commit().await?;
    Ok(is_any)
}

/// Removes some rows of the first of these tables that has any.
async fn some_of(db: &Db, project: ProjectKey, tables: &[Table]) -> Result<bool, StoreError> {
    for (table, key, most) in tables {
        if remove(db, project, table, key, *most).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn has_logs(db: &Db, project: ProjectKey) -> Result<bool, StoreError> {
    const ANY: &str = "SELECT 1 FROM logs WHERE project_id = $1 AND origin IN (0, 1) LIMIT 1";
    let any: Option<i32> = on_db!(read db, pool => query_scalar(ANY).bind(project).fetch_optional(pool).await?);
    Ok(any.is_some())
}

async fn put_off(db: &Db, project: ProjectKey, at: i64) -> Result<(), StoreError> {
    const SET: &str = "UPDATE projects SET purge_at = $2 WHERE id = $1 AND deleted_at IS NOT NULL";
    Ok(on_db!(write db, pool => query(SET).bind(project).bind(at).execute(pool).await.map(|_| ()))?)
}

async fn remove(db: &Db, project: ProjectKey, table: &str, key: &str, most: i64) -> Result<u64, StoreError> {
    // Names of ours alone; what tells rows apart is compared as a whole, since only part of the tables have row numbers.
    let sql = AssertSqlSafe(format!(
        "DELETE FROM {table} WHERE project_id = $1 AND ({key}) IN (SELECT {key} FROM {table} WHERE project_id = $1 LIMIT {most})"
    ));
    Ok(on_db!(write db, pool => query(sql).bind(project).execute(pool).await?.rows_affected()))
}

async fn remove_with_files(
    db: &Db,
    project: ProjectKey,
    (table, key): (&str, &str),
    columns: [&str; 2],
    now_ms: i64,
) -> Result<u64, StoreError> {
    let [first, second] = columns;
    let find = AssertSqlSafe(format!(
        "SELECT {key}, {first}, {second} FROM {table} WHERE project_id = $1 LIMIT {FEW}"
    ));
    let gone = format!("DELETE FROM {table} WHERE project_id = $1 AND {key} = $2");
    let mut tx = WriteTx::begin(db).await?;
    let rows: Vec<(String, Option<String>, Option<String>)> =
        on_tx!(&mut tx, connection => query_as(find).bind(project).fetch_all(connection).await?);
    for (id, first, second) in &rows {
        for file in [first, second].into_iter().flatten() {
            jobs::doom_file_in(&mut tx, file, now_ms, project, ("", 0)).await?;
        }
        on_tx!(&mut tx, connection => query(AssertSqlSafe(gone.clone())).bind(project).bind(id).execute(connection).await?.rows_affected());
    }
    tx.commit().await?;
    Ok(rows.len() as u64)
}

/// Stops what a project still has to do: no job runs, and nothing is sent. Part of its deletion.
pub(super) async fn stop_in(tx: &mut WriteTx, project: ProjectKey, now_ms: i64) -> Result<(), StoreError> {
    const JOBS: &str = "DELETE FROM jobs WHERE project_id = $1";
    const SENDOUTS: &str = "UPDATE sendouts SET due_at = NULL, updated_at = $2 WHERE project_id = $1 AND due_at IS NOT NULL";
    const ENDPOINTS: &str = "UPDATE endpoints SET active = 0, deleted_at = $2 WHERE project_id = $1 AND deleted_at IS NULL";
    on_tx!(&mut *tx, connection => query(JOBS).bind(project).execute(connection).await?.rows_affected());
    for sql in [SENDOUTS, ENDPOINTS] {
        on_tx!(&mut *tx, connection => query(sql).bind(project).bind(now_ms).execute(connection).await?.rows_affected());
    }
    Ok(())
}
