//! Removes what a deleted project held, little by little, so that nobody else waits: rows in bounded batches, files by way of `doomed_files`.
//!
//! To add a table of a project's: its line in [`TABLES`]; `tests/all/projects.rs` finds one that was forgotten.

use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::db::{WriteTx, on_db, on_tx};
use super::projects::ProjectKey;
use super::{Db, StoreError, jobs};

/// Rows of a batch.
const BATCH: i64 = 1_000;
/// Rows whose files are large, or whose content is.
const FEW: i64 = 64;
/// So long after its deletion, in milliseconds, nothing that began before writes into a project any more.
const QUIET_MS: i64 = 60_000;

/// A project's tables, what tells their rows apart within it, and how many are removed at a time; what names files comes last, since removing it
/// takes the name away.
const TABLES: [(&str, &str, i64); 25] = [
    ("mask_rules", "place", BATCH),
    ("retention", "project_id", BATCH),
    ("attempts", "sendout_id, number", BATCH),
    ("sendouts", "created_at, id", BATCH),
    ("events", "id", BATCH),
    ("lanes", "endpoint_id", BATCH),
    ("failure_counts", "endpoint", BATCH),
    ("endpoints", "id", BATCH),
    ("logs", "origin, created_at, id", BATCH),
    ("log_ids", "id", BATCH),
    ("log_blocks", "id", FEW),
    ("log_signatures", "min_time, id", FEW),
    ("log_groups", "min_time, id", FEW),
    ("log_slices", "min_time, group_id, slice", BATCH),
    ("log_moves", "project_id", BATCH),
    ("log_minutes", "origin, minute, status", BATCH),
    ("log_value_hours", "field, origin, hour, value", BATCH),
    ("import_files", "log_id", FEW),
    ("idempotency_keys", "key", BATCH),
    ("job_failures", "task_id, attempt", BATCH),
    ("jobs", "task_id", BATCH),
    ("task_clocks", "project_id", BATCH),
    ("api_keys", "id", BATCH),
    ("members", "user_id", BATCH),
    ("role_rights", "role", BATCH),
];
/// Tables whose rows name files, and the columns that do.
const WITH_FILES: [(&str, &str, [&str; 2]); 2] = [("exports", "id", ["file", "file"]), ("tasks", "id", ["file", "rejected"])];

/// The deleted project whose rows are still there, if any: the one that was deleted first.
pub async fn next(db: &Db, now_ms: i64) -> Result<Option<ProjectKey>, StoreError> {
    const SQL: &str = "SELECT id FROM projects WHERE deleted_at <= $1 ORDER BY deleted_at, id LIMIT 1";
    Ok(on_db!(read db, pool => query_scalar(SQL).bind(now_ms - QUIET_MS).fetch_optional(pool).await?))
}

/// Removes one batch of what a deleted project held; false once nothing was left, and the project itself is gone.
pub async fn batch(db: &Db, project: ProjectKey, now_ms: i64) -> Result<bool, StoreError> {
    const GONE: &str = "DELETE FROM projects WHERE id = $1 AND deleted_at IS NOT NULL";
    for (table, key, most) in TABLES {
        if remove(db, project, table, key, most).await? > 0 {
            return Ok(true);
        }
    }
    for (table, key, columns) in WITH_FILES {
        if remove_with_files(db, project, (table, key), columns, now_ms).await? > 0 {
            return Ok(true);
        }
    }
    // What is left of it hangs on its row.
    on_db!(write db, pool => query(GONE).bind(project).execute(pool).await.map(|_| ()))?;
    Ok(false)
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
