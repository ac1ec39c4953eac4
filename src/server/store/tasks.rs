//! Background tasks: made, reported, moved on, read one by one. Lists lie in `records.rs`, the work itself in `jobs.rs`.

use std::borrow::Cow;

use sqlx::{query, query_as, query_scalar};

use super::chain::fact::FactKind;
use super::db::{WriteTx, on_db, on_tx};
use super::jobs::Job;
use super::projects::ProjectKey;
use super::webhooks::events::OwnEvents;
use super::{Db, StoreError};
use crate::model::format::count;
use crate::model::log::ImportFile;
use crate::model::retention::PurgeResult;
use crate::model::rights::Rights;
use crate::model::task::{CANCELLED_BY, OperationStatus, TaskFacts, TaskStatus, kinds, shown_reason};

/// A task to be stored.
#[derive(Clone, Debug, Default)]
pub struct NewTask {
    /// `aa_…`, or an application's own id.
    pub id: String,
    /// As `VOUCHERS.IMPORT_CSV`.
    pub kind: String,
    /// Where it stands; `None` for enqueued.
    pub status: Option<TaskStatus>,
    /// In percent.
    pub progress: u8,
    /// Whether this service does the work.
    pub own: bool,
    /// The id of the request that asked for it.
    pub request_id: Option<String>,
    /// The person who asked.
    pub user_id: Option<String>,
    /// Who asked: an e-mail address, or a key's name.
    pub by: Option<String>,
    /// The log of the request that asked for it.
    pub log_id: Option<String>,
    /// The export that it makes.
    pub export_id: Option<String>,
    /// JSON.
    pub parameters: Option<String>,
    /// The original of an import: where in the files, name, bytes.
    pub file: Option<(String, String, i64)>,
}

/// What of a task changes; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct TaskChange {
    /// Where it stands.
    pub status: Option<TaskStatus>,
    /// How it went.
    pub operation_status: Option<OperationStatus>,
    /// In percent.
    pub progress: Option<u8>,
    /// JSON.
    pub result: Option<String>,
    /// The records that were not taken: where in the files, bytes.
    pub rejected: Option<(String, i64)>,
}

/// A task with all that is known of it.
#[derive(Clone, Debug)]
pub struct Task {
    /// The facts.
    pub facts: TaskFacts,
    /// The person who asked.
    pub user_id: Option<String>,
    /// JSON.
    pub parameters: Option<String>,
    /// JSON.
    pub result: Option<String>,
    /// The original of an import: where in the files, name, bytes.
    pub file: Option<(String, String, i64)>,
    /// The records that were not taken: where in the files, bytes.
    pub rejected: Option<(String, i64)>,
    /// Whether its files were kept for as long as what logs say, and are gone.
    pub files_expired: bool,
}

impl Task {
    /// Whether what is said of it may quote what was sent: of an import's records, and of whatever an application reports.
    pub fn may_quote(&self) -> bool {
        !self.facts.own || self.facts.kind == kinds::IMPORT
    }

    /// What came of it, as far as whoever has these rights may see it.
    pub fn shown_result(&self, rights: Rights) -> Option<Cow<'_, str>> {
        let result = self.result.as_deref().filter(|_| rights.read_bodies || !self.may_quote())?;
        if rights.read_users || !self.facts.own {
            return Some(Cow::Borrowed(result));
        }
        let mut shown: serde_json::Value = serde_json::from_str(result).ok()?;
        let message = shown.get("message").and_then(serde_json::Value::as_str);
        if let Some(reason) = message.filter(|message| message.starts_with(CANCELLED_BY)) {
            // How far it got is nobody's name.
            let far = shown
                .get("done_count")
                .and(reason.rsplit_once(": "))
                .map(|(_, far)| format!(": {far}"));
            let words = shown_reason(reason, false, rights);
            shown["message"] = format!("{words}{}", far.unwrap_or_default()).into();
            return Some(Cow::Owned(shown.to_string()));
        }
        Some(Cow::Borrowed(result))
    }

    /// What was asked for, without what only the work itself reads.
    pub fn shown_parameters(&self) -> Option<String> {
        let mut parameters: serde_json::Value = serde_json::from_str(self.parameters.as_deref()?).ok()?;
        if let Some(parameters) = parameters.as_object_mut() {
            parameters.remove("plan");
        }
        Some(parameters.to_string())
    }
}

/// The facts' columns.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct TaskRow {
    id: String,
    #[sqlx(rename = "type")]
    kind: String,
    status: i16,
    operation_status: Option<i16>,
    created_at: i64,
    updated_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    progress: i16,
    own: i16,
    request_id: Option<String>,
    by_whom: Option<String>,
    log_id: Option<String>,
    export_id: Option<String>,
}

/// The columns that [`TaskRow`] reads.
pub(super) const FACTS: &str = "id, type, status, operation_status, created_at, updated_at, started_at, finished_at, progress, own, request_id, by_whom, log_id, export_id";

impl From<TaskRow> for TaskFacts {
    fn from(row: TaskRow) -> Self {
        // What still runs has been worked on until it was heard of last.
        let until = row.finished_at.unwrap_or(row.updated_at);
        Self {
            id: row.id,
            kind: row.kind,
            status: TaskStatus::of_number(row.status),
            operation_status: row.operation_status.map(OperationStatus::of_number),
            created_at: row.created_at,
            updated_at: row.updated_at,
            started_at: row.started_at,
            // Of what has begun and was not heard of since, nobody knows how long it takes.
            processing_ms: row
                .started_at
                .map(|from| (until - from).max(0))
                .filter(|ms| *ms > 0 || row.finished_at.is_some()),
            progress: row.progress.clamp(0, 100) as u8,
            request_id: row.request_id,
            by: row.by_whom,
            log_id: row.log_id,
            export_id: row.export_id,
            own: row.own != 0,
        }
    }
}

#[derive(Debug, sqlx::FromRow)]
struct WholeRow {
    #[sqlx(flatten)]
    facts: TaskRow,
    user_id: Option<String>,
    parameters: Option<String>,
    result: Option<String>,
    file: Option<String>,
    file_name: Option<String>,
    file_bytes: Option<i64>,
    rejected: Option<String>,
    rejected_bytes: Option<i64>,
    files_expired_at: Option<i64>,
}

impl From<WholeRow> for Task {
    fn from(row: WholeRow) -> Self {
        Self {
            facts: row.facts.into(),
            user_id: row.user_id,
            parameters: row.parameters,
            result: row.result,
            file: row
                .file
                .map(|file| (file, row.file_name.unwrap_or_default(), row.file_bytes.unwrap_or_default())),
            rejected: row.rejected.map(|file| (file, row.rejected_bytes.unwrap_or_default())),
            files_expired: row.files_expired_at.is_some(),
        }
    }
}

/// Stores a task at this time, or as soon after it as the project's tasks allow; gives the time it got. An id that is there is [`StoreError::Taken`].
pub async fn add(db: &Db, project: ProjectKey, new: &NewTask, now_ms: i64) -> Result<i64, StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    let created_at = add_in(&mut tx, project, new, now_ms).await?;
    tx.commit().await?;
    Ok(created_at)
}

pub(super) async fn add_in(tx: &mut WriteTx, project: ProjectKey, new: &NewTask, now_ms: i64) -> Result<i64, StoreError> {
    const TICK: &str = "INSERT INTO task_clocks (project_id, last) VALUES ($1, $2)
        ON CONFLICT (project_id) DO UPDATE SET last = CASE WHEN task_clocks.last >= excluded.last THEN task_clocks.last + 1 ELSE excluded.last END
        RETURNING last";
    const ADD: &str = "INSERT INTO tasks (project_id, created_at, id, updated_at, started_at, finished_at, type, status, progress, own, request_id, user_id,
        by_whom, log_id, export_id, parameters, file, file_name, file_bytes)
        VALUES ($1, $2, $3, $2, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT (project_id, id) DO NOTHING";
    let created_at: i64 = on_tx!(tx, connection => query_scalar(TICK).bind(project).bind(now_ms).fetch_one(connection).await?);
    let status = new.status.unwrap_or(TaskStatus::Enqueued);
    let (file, name, bytes) = match &new.file {
        Some((file, name, bytes)) => (Some(file), Some(name), Some(*bytes)),
        None => (None, None, None),
    };
    let added = on_tx!(tx, connection => query(ADD)
        .bind(project)
        .bind(created_at)
        .bind(&new.id)
        .bind((status != TaskStatus::Enqueued).then_some(created_at))
        .bind(status.is_over().then_some(created_at))
        .bind(&new.kind)
        .bind(status.number())
        .bind(i16::from(new.progress))
        .bind(i16::from(new.own))
        .bind(&new.request_id)
        .bind(&new.user_id)
        .bind(&new.by)
        .bind(&new.log_id)
        .bind(&new.export_id)
        .bind(&new.parameters)
        .bind(file)
        .bind(name)
        .bind(bytes)
        .execute(connection)
        .await?
        .rows_affected());
    if added == 0 {
        return Err(StoreError::Taken(format!("the task id {}", new.id)));
    }
    tx.note(project, now_ms).row(FactKind::Task, &new.id);
    Ok(created_at)
}

/// The task with this id.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<Task>, StoreError> {
    const FIND: &str = "SELECT * FROM tasks WHERE project_id = $1 AND id = $2";
    let row: Option<WholeRow> = on_db!(read db, pool => query_as(FIND).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(row.map(Task::from))
}

/// The latest tasks of a type, the newest first.
pub async fn latest(db: &Db, project: ProjectKey, kind: &str, most: i64) -> Result<Vec<Task>, StoreError> {
    const LATEST: &str = "SELECT * FROM tasks WHERE project_id = $1 AND type = $2 ORDER BY created_at DESC LIMIT $3";
    let rows: Vec<WholeRow> =
        on_db!(read db, pool => query_as(LATEST).bind(project).bind(kind).bind(most).fetch_all(pool).await?);
    Ok(rows.into_iter().map(Task::from).collect())
}

/// The original that a task came with: its name and size.
pub async fn file_name(db: &Db, project: ProjectKey, id: &str) -> Result<Option<ImportFile>, StoreError> {
    const FIND: &str = "SELECT file_name, file_bytes FROM tasks WHERE project_id = $1 AND id = $2 AND file IS NOT NULL";
    let found: Option<(String, i64)> = on_db!(read db, pool => query_as(FIND).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(found.map(|(name, bytes)| ImportFile { name, bytes }))
}

/// Moves a task on; false where there is none of this id, or it is over already. Where it is moved, `told` is sent to who wants it.
pub async fn change(
    db: &Db,
    project: ProjectKey,
    id: &str,
    change: &TaskChange,
    told: Option<OwnEvents>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    let changed = change_in(&mut tx, project, id, change, now_ms).await?;
    if let Some(told) = told.filter(|_| changed) {
        told.tell_in(&mut tx, now_ms).await?;
    }
    tx.commit().await?;
    Ok(changed)
}

/// Notes how many of its things a job has done so far.
pub(super) async fn note_done_in(tx: &mut WriteTx, job: &Job, done: u64) -> Result<(), StoreError> {
    note_result_in(tx, job, &serde_json::json!({ "done_count": done }).to_string()).await
}

/// Notes what a job has come to so far: JSON, its task's result until it ends.
pub(super) async fn note_result_in(tx: &mut WriteTx, job: &Job, result: &str) -> Result<(), StoreError> {
    const NOTE: &str = "UPDATE tasks SET result = $3 WHERE project_id = $1 AND id = $2 AND status < 2";
    on_tx!(tx, connection => query(NOTE).bind(job.project_id).bind(&job.task_id).bind(result).execute(connection).await?.rows_affected());
    Ok(())
}

/// What came of a task that is stopped, where its kind counts what it has done: the reason, and how far it got.
pub(super) async fn stopped_in(
    tx: &mut WriteTx,
    project: ProjectKey,
    id: &str,
    (reason, payload): (&str, &str),
) -> Result<Option<String>, StoreError> {
    let Some(kept) = result_in(tx, project, id, kinds::RETRY).await? else {
        return Ok(None);
    };
    let number = |json: &str, name: &str| serde_json::from_str::<serde_json::Value>(json).ok()?.get(name)?.as_u64();
    let done = kept.and_then(|kept| number(&kept, "done_count")).unwrap_or(0);
    let Some(total) = number(payload, "total") else {
        return Ok(None);
    };
    let were = if done == 1 { "was" } else { "were" };
    let message = format!("{reason}: {} of {} {were} sent", count(done), count(total));
    Ok(Some(
        serde_json::json!({ "message": message, "done_count": done }).to_string(),
    ))
}

/// What came of a purge that does not get to its end: the reason, and what it deleted until then, which stays deleted. `None` for every other task.
pub(super) async fn purged_in(
    tx: &mut WriteTx,
    project: ProjectKey,
    id: &str,
    reason: &str,
) -> Result<Option<String>, StoreError> {
    let kept = result_in(tx, project, id, kinds::PURGE).await?.flatten();
    let Some(mut result) = kept.and_then(|kept| serde_json::from_str::<PurgeResult>(&kept).ok()) else {
        return Ok(None);
    };
    let deleted = if result.purged.is_nothing() {
        "nothing was deleted".to_owned()
    } else {
        result.purged.words()
    };
    result.message = format!("{reason}: {deleted}");
    Ok(Some(serde_json::json!(result).to_string()))
}

/// The result of a task of a kind, so far.
async fn result_in(tx: &mut WriteTx, project: ProjectKey, id: &str, kind: &str) -> Result<Option<Option<String>>, StoreError> {
    const RESULT: &str = "SELECT result FROM tasks WHERE project_id = $1 AND id = $2 AND type = $3";
    Ok(on_tx!(tx, connection => query_scalar(RESULT).bind(project).bind(id).bind(kind).fetch_optional(connection).await?))
}

pub(super) async fn change_in(
    tx: &mut WriteTx,
    project: ProjectKey,
    id: &str,
    change: &TaskChange,
    now_ms: i64,
) -> Result<bool, StoreError> {
    // 2 and 3 are over for good.
    const CHANGE: &str = "UPDATE tasks SET updated_at = CASE WHEN updated_at > $3 THEN updated_at ELSE $3 END,
        status = COALESCE($4, status),
        started_at = CASE WHEN started_at IS NULL AND COALESCE($4, 0) > 0 THEN $3 ELSE started_at END,
        finished_at = CASE WHEN COALESCE($4, 0) > 1 THEN $3 ELSE finished_at END,
        operation_status = COALESCE($5, operation_status), progress = COALESCE($6, progress), result = COALESCE($7, result),
        rejected = COALESCE($8, rejected), rejected_bytes = COALESCE($9, rejected_bytes)
        WHERE project_id = $1 AND id = $2 AND status < 2";
    let (rejected, rejected_bytes) = match &change.rejected {
        Some((file, bytes)) => (Some(file), Some(*bytes)),
        None => (None, None),
    };
    let changed = on_tx!(tx, connection => query(CHANGE)
        .bind(project)
        .bind(id)
        .bind(now_ms)
        .bind(change.status.map(TaskStatus::number))
        .bind(change.operation_status.map(OperationStatus::number))
        .bind(change.progress.map(i16::from))
        .bind(&change.result)
        .bind(rejected)
        .bind(rejected_bytes)
        .execute(connection)
        .await?
        .rows_affected());
    if changed > 0 && change.status.is_some_and(TaskStatus::is_over) {
        tx.note(project, now_ms).row(FactKind::Task, id);
    }
    Ok(changed > 0)
}

/// Puts a task of this service that failed back to its beginning; false where it has not failed.
pub(super) async fn restart_in(tx: &mut WriteTx, project: ProjectKey, id: &str, now_ms: i64) -> Result<bool, StoreError> {
    const RESTART: &str = "UPDATE tasks SET status = 0, operation_status = NULL, progress = 0, result = NULL, rejected = NULL, rejected_bytes = NULL,
        started_at = NULL, finished_at = NULL, updated_at = $3 WHERE project_id = $1 AND id = $2 AND status = 3 AND own = 1";
    let changed =
        on_tx!(tx, connection => query(RESTART).bind(project).bind(id).bind(now_ms).execute(connection).await?.rows_affected());
    if changed > 0 {
        tx.note(project, now_ms).row(FactKind::Task, id);
    }
    Ok(changed > 0)
}

/// The types in use, for a filter's choices; as many as are asked for, in the alphabet's order.
pub async fn kinds(db: &Db, project: ProjectKey, most: i64) -> Result<Vec<String>, StoreError> {
    // One step of the index a type, however many tasks each has.
    const KINDS: &str = "WITH RECURSIVE kinds (type, number) AS (
            SELECT MIN(type), 1 FROM tasks WHERE project_id = $1
            UNION ALL
            SELECT (SELECT MIN(t.type) FROM tasks t WHERE t.project_id = $1 AND t.type > kinds.type), number + 1 FROM kinds
            WHERE kinds.type IS NOT NULL AND number <= $2
        ) SELECT type FROM kinds WHERE type IS NOT NULL LIMIT $2";
    Ok(on_db!(read db, pool => query_scalar(KINDS).bind(project).bind(most).fetch_all(pool).await?))
}
