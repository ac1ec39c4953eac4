//! Exports: made with their task and job in one transaction, ended with their file in one.

use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::chain::fact::FactKind;
use super::db::{WriteTx, on_db, on_tx};
use super::jobs::{self, Job};
use super::projects::ProjectKey;
use super::tasks::{self, NewTask, TaskChange};
use super::webhooks::events::OwnEvents;
use super::{Db, StoreError};
use crate::model::export::{ExportFacts, ExportStatus, Format, Held};
use crate::model::task::{OperationStatus, TaskStatus};

/// An export to be stored.
#[derive(Clone, Debug)]
pub struct NewExport {
    /// `exp_…`.
    pub id: String,
    /// `WEBSITE`, `API`, or a client's own name.
    pub channel: String,
    /// What it holds.
    pub exported_object: String,
    /// How its file is written.
    pub format: Option<Format>,
    /// JSON, as it was asked for.
    pub parameters: String,
    /// JSON, as a page shows it.
    pub shown: String,
    /// The person who asked.
    pub user_id: Option<String>,
    /// Who asked: an e-mail address, or a key's name.
    pub by: Option<String>,
    /// The file's name.
    pub file_name: String,
    /// Where it stands; of a reported one.
    pub status: ExportStatus,
    /// What in it not everyone may read.
    pub holds: Held,
}

/// An export with all that is known of it.
#[derive(Clone, Debug)]
pub struct Export {
    /// The facts.
    pub facts: ExportFacts,
    /// JSON, as it was asked for.
    pub parameters: String,
    /// JSON, as a page shows it.
    pub shown: String,
    /// Where its file is.
    pub file: Option<String>,
}

/// A file that an export has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made<'a> {
    /// Where in the files.
    pub file: &'a str,
    /// Records in it, where they are counted.
    pub rows: Option<i64>,
    /// Bytes of the plain file.
    pub bytes: i64,
    /// SHA-256 of the plain file, in hexadecimal.
    pub sha256: &'a str,
}

/// The facts' columns.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct ExportRow {
    id: String,
    created_at: i64,
    finished_at: Option<i64>,
    status: i16,
    progress: i16,
    channel: String,
    exported_object: String,
    format: Option<String>,
    file_name: Option<String>,
    rows_count: Option<i64>,
    bytes: Option<i64>,
    sha256: Option<String>,
    user_id: Option<String>,
    by_whom: Option<String>,
    task_id: Option<String>,
    reported: i16,
    error: Option<String>,
    holds: i16,
    file_expired_at: Option<i64>,
}

/// The columns that [`ExportRow`] reads.
pub(super) const FACTS: &str = "id, created_at, finished_at, status, progress, channel, exported_object, format, file_name, rows_count, bytes, sha256, user_id, by_whom, task_id, reported, error, holds, file_expired_at";

impl From<ExportRow> for ExportFacts {
    fn from(row: ExportRow) -> Self {
        Self {
            id: row.id,
            created_at: row.created_at,
            finished_at: row.finished_at,
            status: ExportStatus::of_number(row.status),
            progress: row.progress.clamp(0, 100) as u8,
            channel: row.channel,
            exported_object: row.exported_object,
            format: row.format.as_deref().and_then(Format::parse),
            file_name: row.file_name,
            rows: row.rows_count,
            bytes: row.bytes,
            sha256: row.sha256,
            user_id: row.user_id,
            by: row.by_whom,
            task_id: row.task_id,
            reported: row.reported != 0,
            error: row.error,
            holds: Held::of_number(row.holds),
            expired_at: row.file_expired_at,
        }
    }
}

#[derive(Debug, sqlx::FromRow)]
struct WholeRow {
    #[sqlx(flatten)]
    facts: ExportRow,
    parameters: String,
    shown: String,
    file: Option<String>,
}

/// What makes an export's file: its task, and what its job is given.
#[derive(Clone, Debug)]
pub struct Work<'a> {
    /// The task.
    pub task: NewTask,
    /// What is to be done: a name of `server/jobs`.
    pub kind: &'a str,
    /// JSON.
    pub payload: String,
}

/// Stores an export with the task and the job that make its file, or alone where an application makes it itself; `told` is sent to who wants it.
/// Gives its time.
pub async fn add(
    db: &Db,
    project: ProjectKey,
    new: &NewExport,
    work: Option<&Work<'_>>,
    told: Option<OwnEvents>,
    now_ms: i64,
) -> Result<i64, StoreError> {
    const ADD: &str = "INSERT INTO exports (project_id, created_at, id, status, progress, channel, exported_object, format, parameters, shown, user_id,
        by_whom, task_id, file_name, reported, holds, told)
        VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0)";
    let mut tx = WriteTx::begin(db).await?;
    let created_at = match work {
        Some(work) => {
            let created_at = tasks::add_in(&mut tx, project, &work.task, now_ms).await?;
            jobs::add_in(&mut tx, project, &work.task.id, work.kind, &work.payload, now_ms).await?;
            created_at
        }
        None => now_ms,
    };
    on_tx!(&mut tx, connection => query(ADD)
        .bind(project)
        .bind(created_at)
        .bind(&new.id)
        .bind(new.status.number())
        .bind(&new.channel)
        .bind(&new.exported_object)
        .bind(new.format.map(Format::as_str))
        .bind(&new.parameters)
        .bind(&new.shown)
        .bind(&new.user_id)
        .bind(&new.by)
        .bind(work.map(|work| work.task.id.as_str()))
        .bind(&new.file_name)
        .bind(i16::from(work.is_none()))
        .bind(new.holds.number())
        .execute(connection)
        .await?
        .rows_affected());
    tx.note(project, now_ms).row(FactKind::Export, &new.id);
    if let Some(told) = told {
        told.tell_in(&mut tx, now_ms).await?;
    }
    tx.commit().await?;
    Ok(created_at)
}

/// The export with this id.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<Export>, StoreError> {
    const FIND: &str = "SELECT * FROM exports WHERE project_id = $1 AND id = $2";
    let row: Option<WholeRow> = on_db!(read db, pool => query_as(FIND).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(row.map(|row| Export {
        facts: row.facts.into(),
        parameters: row.parameters,
        shown: row.shown,
        file: row.file,
    }))
}

/// Whose export this is, and where: a download's link names the export alone.
pub async fn project_of(db: &Db, id: &str) -> Result<Option<ProjectKey>, StoreError> {
    const FIND: &str = "SELECT project_id FROM exports WHERE id = $1 LIMIT 1";
    Ok(on_db!(read db, pool => query_scalar(FIND).bind(id).fetch_optional(pool).await?))
}

pub(super) async fn progress_in(tx: &mut WriteTx, project: ProjectKey, task_id: &str, progress: u8) -> Result<(), StoreError> {
    // 0 and 1 are not over.
    const MOVE: &str = "UPDATE exports SET status = 1, progress = $3 WHERE project_id = $1 AND task_id = $2 AND status < 2";
    on_tx!(tx, connection => query(MOVE).bind(project).bind(task_id).bind(i16::from(progress)).execute(connection).await?.rows_affected());
    Ok(())
}

pub(super) async fn fail_in(
    tx: &mut WriteTx,
    project: ProjectKey,
    task_id: &str,
    reason: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    const FAIL: &str = "UPDATE exports SET status = 3, error = $3, finished_at = $4 WHERE project_id = $1 AND task_id = $2 AND status < 2 RETURNING id";
    let failed: Vec<String> = on_tx!(tx, connection => query_scalar(FAIL).bind(project).bind(task_id).bind(reason).bind(now_ms).fetch_all(connection).await?);
    for id in failed {
        tx.note(project, now_ms).row(FactKind::Export, id);
    }
    Ok(())
}

pub(super) async fn restart_in(tx: &mut WriteTx, project: ProjectKey, task_id: &str, now_ms: i64) -> Result<(), StoreError> {
    const RESTART: &str = "UPDATE exports SET status = 0, progress = 0, error = NULL, finished_at = NULL, told = 0
        WHERE project_id = $1 AND task_id = $2 AND status = 3 RETURNING id";
    let restarted: Vec<String> =
        on_tx!(tx, connection => query_scalar(RESTART).bind(project).bind(task_id).fetch_all(connection).await?);
    for id in restarted {
        tx.note(project, now_ms).row(FactKind::Export, id);
    }
    Ok(())
}

/// Ends an export's job well: the file is its own from now on, and `told` is sent to who wants it. False where the claim is no longer the holder's.
pub async fn finish(db: &Db, job: &Job, made: &Made<'_>, result: &str, told: OwnEvents, now_ms: i64) -> Result<bool, StoreError> {
    const DONE: &str =
        "UPDATE exports SET status = 2, progress = 100, finished_at = $3, file = $4, rows_count = $5, bytes = $6, sha256 = $7
        WHERE project_id = $1 AND task_id = $2 AND status < 2 RETURNING id";
    let mut tx = WriteTx::begin(db).await?;
    if !jobs::end_in(&mut tx, job).await? {
        return Ok(false);
    }
    let done: Vec<String> = on_tx!(&mut tx, connection => query_scalar(DONE).bind(job.project_id).bind(&job.task_id).bind(now_ms).bind(made.file).bind(made.rows).bind(made.bytes)
        .bind(made.sha256).fetch_all(connection).await?);
    for id in done {
        tx.note(job.project_id, now_ms).row(FactKind::Export, id);
    }
    let outcome = TaskChange {
        status: Some(TaskStatus::Done),
        operation_status: Some(OperationStatus::Success),
        progress: Some(100),
        result: Some(result.to_owned()),
        rejected: None,
    };
    tasks::change_in(&mut tx, job.project_id, &job.task_id, &outcome, now_ms).await?;
    jobs::keep_file_in(&mut tx, made.file).await?;
    told.tell_in(&mut tx, now_ms).await?;
    tx.commit().await?;
    Ok(true)
}

/// Gives a reported export its file, in place of an earlier one; false where there is none of this id, or an application did not report it.
pub async fn put_file(
    db: &Db,
    project: ProjectKey,
    id: &str,
    file_name: Option<&str>,
    made: &Made<'_>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    const OLD: &str = "SELECT file FROM exports WHERE project_id = $1 AND id = $2 AND reported = 1";
    const PUT: &str = "UPDATE exports SET status = 2, progress = 100, finished_at = $3, file = $4, bytes = $5, sha256 = $6,
        file_name = COALESCE($7, file_name), error = NULL, file_expired_at = NULL WHERE project_id = $1 AND id = $2 AND reported = 1";
    let mut tx = WriteTx::begin(db).await?;
    let old: Option<Option<String>> =
        on_tx!(&mut tx, connection => query_scalar(OLD).bind(project).bind(id).fetch_optional(connection).await?);
    let Some(old) = old else { return Ok(false) };
    on_tx!(&mut tx, connection => query(PUT).bind(project).bind(id).bind(now_ms).bind(made.file).bind(made.bytes).bind(made.sha256).bind(file_name)
        .execute(connection).await?.rows_affected());
    tx.note(project, now_ms).row(FactKind::Export, id);
    if let Some(old) = old {
        jobs::doom_file_in(&mut tx, &old, now_ms, project, ("", 0)).await?;
    }
    jobs::keep_file_in(&mut tx, made.file).await?;
    tx.commit().await?;
    Ok(true)
}

/// Deletes an export; its file is deleted soon after, and work on it is stopped. False where there is none.
pub async fn delete(db: &Db, project: ProjectKey, id: &str, now_ms: i64) -> Result<bool, StoreError> {
    const DELETE: &str = "DELETE FROM exports WHERE project_id = $1 AND id = $2 RETURNING file, task_id";
    let mut tx = WriteTx::begin(db).await?;
    let gone: Option<(Option<String>, Option<String>)> =
        on_tx!(&mut tx, connection => query_as(DELETE).bind(project).bind(id).fetch_optional(connection).await?);
    let Some((file, task)) = gone else { return Ok(false) };
    tx.note(project, now_ms).row(FactKind::Export, id);
    if let Some(file) = file {
        jobs::doom_file_in(&mut tx, &file, now_ms, project, ("", 0)).await?;
    }
    if let Some(task) = task
        && jobs::drop_in(&mut tx, project, &task).await?
    {
        let change = TaskChange {
            status: Some(TaskStatus::Failed),
            operation_status: Some(OperationStatus::Failed),
            result: Some(serde_json::json!({ "message": "The export was deleted before it was ready" }).to_string()),
            ..TaskChange::default()
        };
        tasks::change_in(&mut tx, project, &task, &change, now_ms).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// A person's exports that are over and that they have not been told of, and how many are on their way.
pub async fn untold(db: &Db, project: ProjectKey, user_id: &str) -> Result<(Vec<ExportFacts>, i64), StoreError> {
    const RUNNING: &str = "SELECT COUNT(*) FROM exports WHERE project_id = $1 AND user_id = $2 AND told = 0 AND status < 2";
    let over = AssertSqlSafe(format!(
        "SELECT {FACTS} FROM exports WHERE project_id = $1 AND user_id = $2 AND told = 0 AND status > 1 ORDER BY created_at DESC LIMIT 5"
    ));
    // In this order: one that ends in between is told of at least; the other way round it would be in neither, and nobody would ask again.
    let running: i64 = on_db!(read db, pool => query_scalar(RUNNING).bind(project).bind(user_id).fetch_one(pool).await?);
    let over: Vec<ExportRow> = on_db!(read db, pool => query_as(over).bind(project).bind(user_id).fetch_all(pool).await?);
    Ok((over.into_iter().map(ExportFacts::from).collect(), running))
}

/// A person has seen that these are over.
pub async fn tell(db: &Db, project: ProjectKey, user_id: &str, ids: &[String]) -> Result<(), StoreError> {
    const TELL: &str = "UPDATE exports SET told = 1 WHERE project_id = $1 AND user_id = $2 AND id = $3 AND status > 1";
    let mut tx = WriteTx::begin(db).await?;
    for id in ids {
        on_tx!(&mut tx, connection => query(TELL).bind(project).bind(user_id).bind(id).execute(connection).await?.rows_affected());
    }
    tx.commit().await?;
    Ok(())
}

/// What is in use of a column, for a filter's choices.
pub async fn in_use(db: &Db, project: ProjectKey, column: Column, most: i64) -> Result<Vec<String>, StoreError> {
    let column = match column {
        Column::ExportedObject => "exported_object",
        Column::Channel => "channel",
    };
    let sql = AssertSqlSafe(format!(
        "SELECT DISTINCT {column} FROM exports WHERE project_id = $1 ORDER BY 1 LIMIT $2"
    ));
    Ok(on_db!(read db, pool => query_scalar(sql).bind(project).bind(most).fetch_all(pool).await?))
}

/// A column whose values are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// What exports hold.
    ExportedObject,
    /// Where they were asked for.
    Channel,
}
