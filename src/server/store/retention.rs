//! How long each project's logs are kept, where somebody chose; when its next purge is looked at; and what of its files has been kept for long enough.

use sqlx::{query, query_as, query_scalar};

use super::chain::fact::FactKind;
use super::db::{WriteTx, on_db, on_tx};
use super::jobs::{self, Job};
use super::projects::ProjectKey;
use super::tasks::{self, NewTask};
use super::{Db, StoreError};
use crate::model::retention::{Choice, PurgeResult, Purged};
use crate::model::task::kinds;

/// What was chosen, as the database has it.
#[derive(Debug, sqlx::FromRow)]
struct ChoiceRow {
    logs_days: Option<i32>,
    bodies_days: Option<i32>,
}

impl From<ChoiceRow> for Choice {
    fn from(row: ChoiceRow) -> Self {
        let days = |days: Option<i32>| days.and_then(|days| u32::try_from(days).ok()).filter(|days| *days > 0);
        Self {
            logs_days: days(row.logs_days),
            bodies_days: days(row.bodies_days),
        }
    }
}

/// What was chosen for a project; nothing where nobody chose.
pub async fn find(db: &Db, project: ProjectKey) -> Result<Choice, StoreError> {
    const FIND: &str = "SELECT logs_days, bodies_days FROM retention WHERE project_id = $1";
    let row: Option<ChoiceRow> = on_db!(read db, pool => query_as(FIND).bind(project).fetch_optional(pool).await?);
    Ok(row.map(Choice::from).unwrap_or_default())
}

/// Keeps a choice, which the caller has checked; gives the one before.
pub async fn set(db: &Db, project: ProjectKey, choice: Choice, now_ms: i64) -> Result<Choice, StoreError> {
    const BEFORE: &str = "SELECT logs_days, bodies_days FROM retention WHERE project_id = $1";
    const SET: &str = "UPDATE retention SET logs_days = $2, bodies_days = $3 WHERE project_id = $1";
    let days = |days: Option<u32>| days.and_then(|days| i32::try_from(days).ok());
    let mut tx = WriteTx::begin(db).await?;
    lock_in(&mut tx, project).await?;
    let before: ChoiceRow = on_tx!(&mut tx, connection => query_as(BEFORE).bind(project).fetch_one(connection).await?);
    on_tx!(&mut tx, connection => query(SET).bind(project).bind(days(choice.logs_days)).bind(days(choice.bodies_days))
        .execute(connection).await?.rows_affected());
    tx.note(project, now_ms).row(FactKind::Retention, "");
    tx.commit().await?;
    Ok(before.into())
}

/// Makes sure that a project has a row, and takes it: of two that change something at the same time, the second one waits.
async fn lock_in(tx: &mut WriteTx, project: ProjectKey) -> Result<(), StoreError> {
    const LOCK: &str =
        "INSERT INTO retention (project_id) VALUES ($1) ON CONFLICT (project_id) DO UPDATE SET project_id = excluded.project_id";
    on_tx!(tx, connection => query(LOCK).bind(project).execute(connection).await?.rows_affected());
    Ok(())
}

/// When a project's next purge is looked at, in milliseconds since 1970; none until a server has looked at the project.
pub async fn next_at(db: &Db, project: ProjectKey) -> Result<Option<i64>, StoreError> {
    const NEXT: &str = "SELECT next_at FROM retention WHERE project_id = $1";
    let found: Option<Option<i64>> = on_db!(read db, pool => query_scalar(NEXT).bind(project).fetch_optional(pool).await?);
    Ok(found.flatten())
}

/// A project whose purge is to be looked at now.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    /// The project.
    pub project: ProjectKey,
    /// The zone that its people live in.
    pub time_zone: String,
    /// When it was due; none where no server has looked at it before.
    pub next_at: Option<i64>,
}

/// The projects whose purges are to be looked at, those that have waited longest first.
pub async fn due(db: &Db, now_ms: i64) -> Result<Vec<Due>, StoreError> {
    const DUE: &str =
        "SELECT p.id AS project, p.time_zone, r.next_at FROM projects AS p LEFT JOIN retention AS r ON r.project_id = p.id
        WHERE p.deleted_at IS NULL AND (r.next_at IS NULL OR r.next_at <= $1) ORDER BY r.next_at, p.id LIMIT 1000";
    Ok(on_db!(read db, pool => query_as(DUE).bind(now_ms).fetch_all(pool).await?))
}

/// The task and the job of a purge.
#[derive(Clone, Debug)]
pub struct Work {
    /// The task.
    pub task: NewTask,
    /// What is to be done: a name of `server/jobs`.
    pub kind: &'static str,
    /// JSON.
    pub payload: String,
}

/// Puts off a project's next look, and makes the purge where there is one to make; whether it was made. Nothing is done where another server was first.
pub async fn turn(db: &Db, due: &Due, next_at: i64, work: Option<&Work>, now_ms: i64) -> Result<bool, StoreError> {
    const TURN: &str = "UPDATE retention SET next_at = $2 WHERE project_id = $1 AND COALESCE(next_at, -1) = $3";
    let mut tx = WriteTx::begin(db).await?;
    lock_in(&mut tx, due.project).await?;
    let was = due.next_at.unwrap_or(-1);
    let turned = on_tx!(&mut tx, connection => query(TURN).bind(due.project).bind(next_at).bind(was).execute(connection).await?.rows_affected());
    if turned == 0 {
        return Ok(false);
    }
    let mut made = false;
    if let Some(work) = work
        && running_in(&mut tx, due.project, work.kind).await?.is_none()
    {
        add_in(&mut tx, due.project, work, now_ms).await?;
        made = true;
    }
    tx.commit().await?;
    Ok(made)
}

/// Makes a purge now; gives the task of the one that is on its way already, where there is one.
pub async fn begin(db: &Db, project: ProjectKey, work: &Work, now_ms: i64) -> Result<Option<String>, StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    lock_in(&mut tx, project).await?;
    let running = running_in(&mut tx, project, work.kind).await?;
    if running.is_none() {
        add_in(&mut tx, project, work, now_ms).await?;
    }
    tx.commit().await?;
    Ok(running)
}

async fn running_in(tx: &mut WriteTx, project: ProjectKey, kind: &str) -> Result<Option<String>, StoreError> {
    const RUNNING: &str = "SELECT task_id FROM jobs WHERE project_id = $1 AND kind = $2 ORDER BY id LIMIT 1";
    Ok(on_tx!(tx, connection => query_scalar(RUNNING).bind(project).bind(kind).fetch_optional(connection).await?))
}

async fn add_in(tx: &mut WriteTx, project: ProjectKey, work: &Work, now_ms: i64) -> Result<(), StoreError> {
    tasks::add_in(tx, project, &work.task, now_ms).await?;
    jobs::add_in(tx, project, &work.task.id, work.kind, &work.payload, now_ms).await
}

/// A file that has been kept for long enough.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OldFile {
    /// The export or the task that it belongs to.
    pub id: String,
    /// Where in the files.
    pub file: String,
    /// The list of records that an import did not take, where there is one beside its original.
    pub beside: Option<String>,
}

/// What has files that are kept for so long and no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilesOf {
    /// Exports: from when they were made.
    Exports,
    /// Imports: their originals and lists of records that were not taken, from when the task was made; while it goes on, they stay.
    Imports,
}

/// Some files from before a time, the oldest first.
pub async fn old_files(db: &Db, project: ProjectKey, of: FilesOf, before: i64) -> Result<Vec<OldFile>, StoreError> {
    const EXPORTS: &str = "SELECT id, file, NULL AS beside FROM exports
        WHERE project_id = $1 AND file IS NOT NULL AND finished_at < $2 ORDER BY finished_at LIMIT 100";
    const IMPORTS: &str =
        "SELECT id, COALESCE(file, rejected) AS file, CASE WHEN file IS NULL THEN NULL ELSE rejected END AS beside FROM tasks
        WHERE project_id = $1 AND type = $3 AND status > 1 AND created_at < $2 AND (file IS NOT NULL OR rejected IS NOT NULL)
        ORDER BY created_at LIMIT 100";
    Ok(match of {
        FilesOf::Exports => on_db!(read db, pool => query_as(EXPORTS).bind(project).bind(before).fetch_all(pool).await?),
        FilesOf::Imports => {
            on_db!(read db, pool => query_as(IMPORTS).bind(project).bind(before).bind(kinds::IMPORT).fetch_all(pool).await?)
        }
    })
}

/// How many files are from before a time.
pub async fn count_old_files(db: &Db, project: ProjectKey, of: FilesOf, before: i64) -> Result<u64, StoreError> {
    const EXPORTS: &str = "SELECT COUNT(*) FROM exports WHERE project_id = $1 AND file IS NOT NULL AND finished_at < $2";
    const IMPORTS: &str = "SELECT COUNT(*) FROM tasks WHERE project_id = $1 AND type = $3 AND status > 1 AND created_at < $2
        AND (file IS NOT NULL OR rejected IS NOT NULL)";
    let count: i64 = match of {
        FilesOf::Exports => on_db!(read db, pool => query_scalar(EXPORTS).bind(project).bind(before).fetch_one(pool).await?),
        FilesOf::Imports => {
            on_db!(read db, pool => query_scalar(IMPORTS).bind(project).bind(before).bind(kinds::IMPORT).fetch_one(pool).await?)
        }
    };
    Ok(count.unsigned_abs())
}

/// Takes a file from what it belongs to, which says so from then on; it is deleted soon after. Gives whether it was there still; `None` where the claim is
/// no longer the job's. `purged` are the numbers with this file's.
pub async fn let_go(
    db: &Db,
    (job, purged): (&Job, &Purged),
    of: FilesOf,
    old: &OldFile,
    now_ms: i64,
) -> Result<Option<bool>, StoreError> {
    const EXPORT: &str = "UPDATE exports SET file = NULL, file_expired_at = $4 WHERE project_id = $1 AND id = $2 AND file = $3";
    const IMPORT: &str = "UPDATE tasks SET file = NULL, rejected = NULL, files_expired_at = $4
        WHERE project_id = $1 AND id = $2 AND COALESCE(file, rejected) = $3";
    let mut tx = WriteTx::begin(db).await?;
    if !jobs::hold_in(&mut tx, job, now_ms).await? {
        return Ok(None);
    }
    let sql = if of == FilesOf::Exports { EXPORT } else { IMPORT };
    let taken = on_tx!(&mut tx, connection => query(sql).bind(job.project_id).bind(&old.id).bind(&old.file).bind(now_ms).execute(connection).await?.rows_affected());
    if taken == 0 {
        return Ok(Some(false));
    }
    for file in [Some(&old.file), old.beside.as_ref()].into_iter().flatten() {
        jobs::doom_file_in(&mut tx, file, now_ms, job.project_id, ("", 0)).await?;
    }
    let result = serde_json::json!(PurgeResult::from(purged.clone())).to_string();
    tasks::note_result_in(&mut tx, job, &result).await?;
    tx.commit().await?;
    Ok(Some(true))
}
