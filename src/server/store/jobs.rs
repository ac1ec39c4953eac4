//! The queue: work is claimed for a while, and given back where its worker is not heard of any more. Every change by a worker names its claim, so that
//! one that was given up can change nothing.

use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::db::{WriteTx, on_db, on_tx};
use super::projects::ProjectKey;
use super::tasks::{self, TaskChange};
use super::webhooks::events::OwnEvents;
use super::{Db, StoreError};
use crate::model::task::{OperationStatus, TaskStatus};
use crate::server::clock::LEAP_MS;

/// How long a claim holds without being heard of, in milliseconds.
pub const LEASE_MS: i64 = 10_000;

/// Why a claim ended.
const NOTE: &str = "INSERT INTO job_failures (project_id, task_id, attempt, at, reason) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (project_id, task_id, attempt) DO NOTHING";

/// How long a part of a file may be on its way when its writer has gone, in milliseconds.
const LATE_PART_MS: i64 = 60_000;

/// A job that was claimed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub project_id: ProjectKey,
    /// Its task.
    pub task_id: String,
    /// What is to be done: a name of `server/jobs`.
    pub kind: String,
    /// JSON.
    pub payload: String,
    /// Which claim this is, from 1.
    pub attempt: i32,
    /// Claims before that ended with a reason.
    pub failures: i32,
    /// Claims before whose worker was never heard of again.
    pub lost: i32,
}

/// Adds a job to a task, in the transaction that makes the task.
pub(super) async fn add_in(
    tx: &mut WriteTx,
    project: ProjectKey,
    task_id: &str,
    kind: &str,
    payload: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    const ADD: &str =
        "INSERT INTO jobs (project_id, task_id, kind, payload, attempt, failures, lost, run_at) VALUES ($1, $2, $3, $4,
        (SELECT COALESCE(MAX(attempt), 0) FROM job_failures WHERE project_id = $1 AND task_id = $2), 0, 0, $5)";
    on_tx!(tx, connection => query(ADD).bind(project).bind(task_id).bind(kind).bind(payload).bind(now_ms).execute(connection).await?.rows_affected());
    Ok(())
}

/// Stores a task and the job that does it.
pub async fn add(
    db: &Db,
    project: ProjectKey,
    task: &tasks::NewTask,
    kind: &str,
    payload: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    tasks::add_in(&mut tx, project, task, now_ms).await?;
    add_in(&mut tx, project, &task.id, kind, payload, now_ms).await?;
    if let Some((file, ..)) = &task.file {
        keep_file_in(&mut tx, file).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Which jobs wait at `$2`, and are not claimed: also those whose claim, or next try, is later than any can be, since a clock was ahead that noted it.
const WAITS: &str = "(j.run_at <= $2 OR j.run_at > $4) AND (j.lease_until IS NULL OR j.lease_until <= $2 OR j.lease_until > $4)";

/// No claim holds for longer than until then, and no job waits for longer, unless a clock was ahead.
const fn latest(now_ms: i64) -> i64 {
    now_ms + LEASE_MS + LEAP_MS
}

/// Claims the job that has waited longest, of the project that has fewest at work.
pub async fn claim(db: &Db, holder: &str, now_ms: i64) -> Result<Option<Job>, StoreError> {
    let lock = if db.is_sqlite() { "" } else { "FOR UPDATE OF j SKIP LOCKED" };
    let claim = AssertSqlSafe(format!(
        "UPDATE jobs SET holder = $1, lease_until = $2 + $3, attempt = attempt + 1, lost = lost + CASE WHEN holder IS NULL THEN 0 ELSE 1 END
        WHERE id = (SELECT j.id FROM jobs j WHERE {WAITS}
            ORDER BY (SELECT COUNT(*) FROM jobs r WHERE r.project_id = j.project_id AND r.lease_until > $2), j.run_at, j.id LIMIT 1 {lock})
        RETURNING id, project_id, task_id, kind, payload, attempt, failures, lost"
    ));
    Ok(
        on_db!(write db, pool => query_as(claim).bind(holder).bind(now_ms).bind(LEASE_MS).bind(latest(now_ms)).fetch_optional(pool).await?),
    )
}

/// Whether a job waits that could be claimed now. Reading asks less of the database than claiming in vain.
pub async fn is_due(db: &Db, now_ms: i64) -> Result<bool, StoreError> {
    const DUE: &str = "SELECT 1 FROM jobs WHERE (run_at <= $1 OR run_at > $2)
        AND (lease_until IS NULL OR lease_until <= $1 OR lease_until > $2) LIMIT 1";
    let found: Option<i32> =
        on_db!(read db, pool => query_scalar(DUE).bind(now_ms).bind(latest(now_ms)).fetch_optional(pool).await?);
    Ok(found.is_some())
}

/// Says that a claim is worked on, and how far; false where it is no longer the holder's: stop then.
pub async fn heartbeat(db: &Db, job: &Job, progress: Option<u8>, now_ms: i64) -> Result<bool, StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    let held = hold_in(&mut tx, job, now_ms).await?;
    if held {
        let change = TaskChange {
            status: Some(TaskStatus::InProgress),
            progress,
            ..TaskChange::default()
        };
        tasks::change_in(&mut tx, job.project_id, &job.task_id, &change, now_ms).await?;
        super::exports::progress_in(&mut tx, job.project_id, &job.task_id, progress.unwrap_or(0)).await?;
    }
    tx.commit().await?;
    Ok(held)
}

/// Holds a claim for longer inside a transaction; false where it is no longer the holder's: nothing may be stored then.
pub(super) async fn hold_in(tx: &mut WriteTx, job: &Job, now_ms: i64) -> Result<bool, StoreError> {
    // SQLite gives a number again once its job is gone: the task tells two claims apart, and its attempts rise for ever.
    const HOLD: &str = "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND attempt = $2 AND task_id = $4 AND holder IS NOT NULL";
    let held = on_tx!(tx, connection => query(HOLD).bind(job.id).bind(job.attempt).bind(now_ms + LEASE_MS).bind(&job.task_id).execute(connection).await?.rows_affected());
    Ok(held > 0)
}

/// Ends a claim inside the transaction that stores its outcome; false where it is no longer the holder's: nothing may be stored then.
pub(super) async fn end_in(tx: &mut WriteTx, job: &Job) -> Result<bool, StoreError> {
    const END: &str = "DELETE FROM jobs WHERE id = $1 AND attempt = $2 AND task_id = $3 AND holder IS NOT NULL";
    Ok(
        on_tx!(tx, connection => query(END).bind(job.id).bind(job.attempt).bind(&job.task_id).execute(connection).await?.rows_affected())
            > 0,
    )
}

/// Ends a job and its task well; false where the claim is no longer the holder's. `files` belong to the task from now on.
pub async fn finish(db: &Db, job: &Job, outcome: &TaskChange, files: &[&str], now_ms: i64) -> Result<bool, StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    if !end_in(&mut tx, job).await? {
        return Ok(false);
    }
    tasks::change_in(&mut tx, job.project_id, &job.task_id, outcome, now_ms).await?;
    for file in files {
        keep_file_in(&mut tx, file).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// What a job that is given up leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// JSON; else the reason alone is the task's result.
    pub result: Option<String>,
    /// The records that were not taken: where in the files, bytes.
    pub rejected: Option<(String, i64)>,
}

/// How a claim failed.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// Why.
    pub reason: &'a str,
    /// When it is tried again; `None` where it is given up.
    pub again_at: Option<i64>,
    /// What stays where it is given up.
    pub left: &'a Left,
}

/// Notes why a claim failed. Where it is given up, the task has failed, and what it was to make, too, and `told` is sent to who wants it.
pub async fn fail(db: &Db, job: &Job, failed: Failed<'_>, told: OwnEvents, now_ms: i64) -> Result<bool, StoreError> {
    const AGAIN: &str = "UPDATE jobs SET holder = NULL, lease_until = NULL, failures = failures + 1, run_at = $3
        WHERE id = $1 AND attempt = $2 AND task_id = $4 AND holder IS NOT NULL";
    let Failed { reason, again_at, left } = failed;
    let mut tx = WriteTx::begin(db).await?;
    let held = match again_at {
        Some(run_at) => {
            on_tx!(&mut tx, connection => query(AGAIN).bind(job.id).bind(job.attempt).bind(run_at).bind(&job.task_id).execute(connection).await?.rows_affected())
                > 0
        }
        None => end_in(&mut tx, job).await?,
    };
    if !held {
        return Ok(false);
    }
    on_tx!(&mut tx, connection => query(NOTE).bind(job.project_id).bind(&job.task_id).bind(job.attempt).bind(now_ms).bind(reason)
        .execute(connection).await?.rows_affected());
    if again_at.is_none() {
        give_up_in(&mut tx, job.project_id, &job.task_id, reason, left, now_ms).await?;
        told.tell_in(&mut tx, now_ms).await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn give_up_in(
    tx: &mut WriteTx,
    project: ProjectKey,
    task_id: &str,
    reason: &str,
    left: &Left,
    now_ms: i64,
) -> Result<(), StoreError> {
    let alone = || serde_json::json!({ "message": reason }).to_string();
    let result = match &left.result {
        Some(result) => Some(result.clone()),
        None => tasks::purged_in(tx, project, task_id, reason).await?,
    };
    let change = TaskChange {
        status: Some(TaskStatus::Failed),
        operation_status: Some(OperationStatus::Failed),
        result: Some(result.unwrap_or_else(alone)),
        rejected: left.rejected.clone(),
        ..TaskChange::default()
    };
    tasks::change_in(tx, project, task_id, &change, now_ms).await?;
    if let Some((file, _)) = &left.rejected {
        keep_file_in(tx, file).await?;
    }
    super::exports::fail_in(tx, project, task_id, reason, now_ms).await
}

/// Gives a claim back untouched, for another worker to begin it anew: this one is stopping.
pub async fn release(db: &Db, job: &Job, now_ms: i64) -> Result<(), StoreError> {
    const RELEASE: &str = "UPDATE jobs SET holder = NULL, lease_until = NULL, run_at = $3 WHERE id = $1 AND attempt = $2 AND task_id = $4 AND holder IS NOT NULL";
    on_db!(write db, pool => query(RELEASE).bind(job.id).bind(job.attempt).bind(now_ms).bind(&job.task_id).execute(pool).await?.rows_affected());
    Ok(())
}

/// Gives every claim back at once: on SQLite a server that starts is the only one, so all holders are gone.
pub async fn take_over(db: &Db) -> Result<u64, StoreError> {
    // The holder stays, so that the next claim counts this one as lost.
    const ALL: &str = "UPDATE jobs SET lease_until = NULL WHERE holder IS NOT NULL";
    Ok(on_db!(write db, pool => query(ALL).execute(pool).await?.rows_affected()))
}

/// Stops a task's job, at work or not; false where there is none. Its task and export fail with this reason, and `told` is sent to who wants it.
pub async fn cancel(
    db: &Db,
    project: ProjectKey,
    task_id: &str,
    reason: &str,
    told: OwnEvents,
    now_ms: i64,
) -> Result<bool, StoreError> {
    const DROP: &str = "DELETE FROM jobs WHERE project_id = $1 AND task_id = $2 RETURNING attempt, payload";
    let mut tx = WriteTx::begin(db).await?;
    let dropped: Option<(i32, String)> =
        on_tx!(&mut tx, connection => query_as(DROP).bind(project).bind(task_id).fetch_optional(connection).await?);
    let Some((attempt, payload)) = dropped else {
        return Ok(false);
    };
    let left = Left {
        result: tasks::stopped_in(&mut tx, project, task_id, (reason, &payload)).await?,
        rejected: None,
    };
    // Attempts go on from here when it is tried again: a claim, and the file that it was writing, are never taken for another's.
    on_tx!(&mut tx, connection => query(NOTE).bind(project).bind(task_id).bind(attempt).bind(now_ms).bind(reason).execute(connection).await?.rows_affected());
    give_up_in(&mut tx, project, task_id, reason, &left, now_ms).await?;
    told.tell_in(&mut tx, now_ms).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn drop_in(tx: &mut WriteTx, project: ProjectKey, task_id: &str) -> Result<bool, StoreError> {
    const DROP: &str = "DELETE FROM jobs WHERE project_id = $1 AND task_id = $2";
    Ok(on_tx!(tx, connection => query(DROP).bind(project).bind(task_id).execute(connection).await?.rows_affected()) > 0)
}

/// Has a task of this service that failed tried again; false where it has not failed.
pub async fn retry(
    db: &Db,
    project: ProjectKey,
    task_id: &str,
    kind: &str,
    payload: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    const REJECTED: &str = "SELECT rejected FROM tasks WHERE project_id = $1 AND id = $2";
    let mut tx = WriteTx::begin(db).await?;
    let rejected: Option<Option<String>> =
        on_tx!(&mut tx, connection => query_scalar(REJECTED).bind(project).bind(task_id).fetch_optional(connection).await?);
    if !tasks::restart_in(&mut tx, project, task_id, now_ms).await? {
        return Ok(false);
    }
    if let Some(file) = rejected.flatten() {
        // What was not taken is found anew.
        doom_file_in(&mut tx, &file, now_ms, project, ("", 0)).await?;
    }
    super::exports::restart_in(&mut tx, project, task_id, now_ms).await?;
    add_in(&mut tx, project, task_id, kind, payload, now_ms).await?;
    tx.commit().await?;
    Ok(true)
}

/// Why a task's tries failed, the latest first: try, time, reason.
pub async fn failures(db: &Db, project: ProjectKey, task_id: &str) -> Result<Vec<(i32, i64, String)>, StoreError> {
    const FAILURES: &str =
        "SELECT attempt, at, reason FROM job_failures WHERE project_id = $1 AND task_id = $2 ORDER BY attempt DESC LIMIT 50";
    Ok(on_db!(read db, pool => query_as(FAILURES).bind(project).bind(task_id).fetch_all(pool).await?))
}

/// Notes a file that is about to be written: it is deleted unless [`keep_file_in`] comes first. Deleted not before `not_before`, and not while this
/// try of this task goes on.
pub async fn doom_file(db: &Db, file: &str, not_before: i64, project: ProjectKey, task: (&str, i32)) -> Result<(), StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    doom_file_in(&mut tx, file, not_before, project, task).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn doom_file_in(
    tx: &mut WriteTx,
    file: &str,
    not_before: i64,
    project: ProjectKey,
    task: (&str, i32),
) -> Result<(), StoreError> {
    const DOOM: &str = "INSERT INTO doomed_files (file, not_before, project_id, task_id, attempt) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (file) DO UPDATE SET not_before = excluded.not_before, project_id = excluded.project_id, task_id = excluded.task_id,
        attempt = excluded.attempt";
    on_tx!(tx, connection => query(DOOM).bind(file).bind(not_before).bind(project).bind(task.0).bind(task.1).execute(connection).await?.rows_affected());
    Ok(())
}

/// A file belongs to something that is stored in the same transaction.
pub(super) async fn keep_file_in(tx: &mut WriteTx, file: &str) -> Result<(), StoreError> {
    const KEEP: &str = "DELETE FROM doomed_files WHERE file = $1";
    on_tx!(tx, connection => query(KEEP).bind(file).execute(connection).await?.rows_affected());
    Ok(())
}

/// Some of the files that are to be deleted now.
pub async fn doomed_files(db: &Db, now_ms: i64) -> Result<Vec<String>, StoreError> {
    const DUE: &str = "SELECT file FROM doomed_files d WHERE not_before <= $1 AND NOT EXISTS (SELECT 1 FROM jobs j
        WHERE j.project_id = d.project_id AND j.task_id = d.task_id AND j.attempt = d.attempt AND j.lease_until > $1) ORDER BY file LIMIT 100";
    Ok(on_db!(read db, pool => query_scalar(DUE).bind(now_ms).fetch_all(pool).await?))
}

/// A file has been deleted. It is once more a minute later: a part of it may have been on its way.
pub async fn swept(db: &Db, file: &str, now_ms: i64) -> Result<(), StoreError> {
    const ONCE_MORE: &str = "UPDATE doomed_files SET attempt = -1, not_before = $2 WHERE file = $1 AND attempt <> -1";
    const FORGET: &str = "DELETE FROM doomed_files WHERE file = $1";
    let mut tx = WriteTx::begin(db).await?;
    let once_more = on_tx!(&mut tx, connection => query(ONCE_MORE).bind(file).bind(now_ms + LATE_PART_MS).execute(connection).await?.rows_affected());
    if once_more == 0 {
        on_tx!(&mut tx, connection => query(FORGET).bind(file).execute(connection).await?.rows_affected());
    }
    tx.commit().await?;
    Ok(())
}

/// How many jobs wait, and how many are at work.
pub async fn counts(db: &Db, now_ms: i64) -> Result<(i64, i64), StoreError> {
    const COUNTS: &str =
        "SELECT COUNT(CASE WHEN lease_until > $1 THEN NULL ELSE 1 END), COUNT(CASE WHEN lease_until > $1 THEN 1 END) FROM jobs";
    Ok(on_db!(read db, pool => query_as(COUNTS).bind(now_ms).fetch_one(pool).await?))
}
