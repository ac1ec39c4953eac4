//! Entries that nothing hangs on any more: all of their logs are gone, or those that they tell of as gone are in no entry that is left. Signed checkpoints take
//! their place.

use sqlx::{query, query_as, query_scalar};

use super::entry::Body;
use super::read::Checkpoint;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Entries that are looked at together.
const PAGE: i64 = 2_000;
/// Entries that go with one transaction at most.
const STEP: usize = 500;

/// An entry that may go.
#[derive(Debug, sqlx::FromRow)]
struct Candidate {
    number: i64,
    kind: i16,
    body: Vec<u8>,
    logs_left: Option<i32>,
    is_signed: bool,
}

/// Puts checkpoints, which `sign` signs, in the place of entries that nothing hangs on any more. Gives how many entries went.
pub async fn run(
    db: &Db,
    project: ProjectKey,
    now_ms: i64,
    sign: &(dyn Fn(Checkpoint) -> Checkpoint + Send + Sync),
) -> Result<u64, StoreError> {
    // Where there were logs before the chain, what tells of their deletion is needed as long as any of them may be there.
    let keeps_deletions = began_with_logs(db, project).await?;
    let (mut after, mut gone) = (0, 0);
    loop {
        let page = candidates(db, project, after).await?;
        let Some(last) = page.last().map(|candidate| candidate.number) else {
            return Ok(gone);
        };
        let mut spent = Vec::new();
        for candidate in page {
            if !candidate.is_signed && is_spent(db, project, &candidate, keeps_deletions).await? {
                spent.push(candidate.number);
            }
        }
        for run in spent.chunk_by(|a, b| a + 1 == *b).flat_map(|run| run.chunks(STEP)) {
            gone += replace(db, project, run, now_ms, sign).await?;
        }
        after = last;
    }
}

async fn began_with_logs(db: &Db, project: ProjectKey) -> Result<bool, StoreError> {
    const BEGAN: &str = "SELECT body FROM chain_entries WHERE project_id = $1 AND number = 1";
    let body: Option<Vec<u8>> = on_db!(read db, pool => query_scalar(BEGAN).bind(project).fetch_optional(pool).await?);
    let began = body.and_then(|body| Body::read(0, &body));
    Ok(!matches!(began, Some(Body::Began(before)) if before.logs == 0))
}

async fn candidates(db: &Db, project: ProjectKey, after: i64) -> Result<Vec<Candidate>, StoreError> {
    // The condition is that of the index, word for word.
    const CANDIDATES: &str = "SELECT number, kind, body, logs_left,
            EXISTS (SELECT 1 FROM chain_signed AS s WHERE s.project_id = e.project_id AND s.number = e.number) AS is_signed
        FROM chain_entries AS e WHERE project_id = $1 AND number > $2 AND (logs_left <= 0 OR kind = 2 OR kind = 3) ORDER BY number LIMIT $3";
    Ok(on_db!(read db, pool => query_as(CANDIDATES).bind(project).bind(after).bind(PAGE).fetch_all(pool).await?))
}

async fn is_spent(db: &Db, project: ProjectKey, candidate: &Candidate, keeps_deletions: bool) -> Result<bool, StoreError> {
    let seqs = match Body::read(candidate.kind, &candidate.body) {
        Some(Body::Logs { .. }) => return Ok(candidate.logs_left.is_some_and(|left| left <= 0)),
        Some(Body::Deleted(seqs)) if !keeps_deletions => seqs,
        Some(Body::Silenced(seqs, _)) if !keeps_deletions => seqs,
        _ => return Ok(false),
    };
    for (first, last) in seqs.ranges() {
        if has_living(db, project, (*first, *last)).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether an entry has logs of these numbers, and any of its logs is left.
async fn has_living(db: &Db, project: ProjectKey, (first, last): (i64, i64)) -> Result<bool, StoreError> {
    const LIVING: &str = "SELECT COUNT(*) FROM chain_entries WHERE project_id = $1 AND first_seq IS NOT NULL AND first_seq <= $3 AND first_seq + logs > $2
        AND first_seq >= COALESCE((SELECT MAX(first_seq) FROM chain_entries WHERE project_id = $1 AND first_seq <= $2), $2) AND logs_left > 0";
    let living: i64 = on_db!(read db, pool => query_scalar(LIVING).bind(project).bind(first).bind(last).fetch_one(pool).await?);
    Ok(living > 0)
}

/// What is left to sum up of entries: the last one's digest, how many there are, and their logs.
type Sum = (Vec<u8>, i64, i64);

/// Puts a checkpoint in the place of entries that follow one another, and of the checkpoints beside them.
async fn replace(
    db: &Db,
    project: ProjectKey,
    run: &[i64],
    now_ms: i64,
    sign: &(dyn Fn(Checkpoint) -> Checkpoint + Send + Sync),
) -> Result<u64, StoreError> {
    const SUM: &str = "SELECT (SELECT digest FROM chain_entries WHERE project_id = $1 AND number = $3),
        COUNT(*), CAST(COALESCE(SUM(logs), 0) AS BIGINT) FROM chain_entries WHERE project_id = $1 AND number >= $2 AND number <= $3";
    const BEFORE: &str = "SELECT digest FROM chain_entries WHERE project_id = $1 AND number = $2";
    const GONE: &str = "DELETE FROM chain_entries WHERE project_id = $1 AND number >= $2 AND number <= $3";
    let (Some(first), Some(last)) = (run.first().copied(), run.last().copied()) else {
        return Ok(0);
    };
    let mut tx = WriteTx::begin(db).await?;
    let (digest, entries, logs): Sum =
        on_tx!(&mut tx, connection => query_as(SUM).bind(project).bind(first).bind(last).fetch_one(connection).await?);
    let before: Option<Vec<u8>> =
        on_tx!(&mut tx, connection => query_scalar(BEFORE).bind(project).bind(first - 1).fetch_optional(connection).await?);
    let mut checkpoint = Checkpoint {
        first_number: first,
        last_number: last,
        entries,
        logs,
        at: now_ms,
        before: before.unwrap_or_default(),
        digest,
        key: Vec::new(),
        signature: Vec::new(),
    };
    join(&mut tx, project, &mut checkpoint).await?;
    if checkpoint.before.is_empty() {
        return Err(StoreError::Corrupt(format!(
            "entry {} of the chain of project {project} is not there",
            first - 1
        )));
    }
    on_tx!(&mut tx, connection => query(GONE).bind(project).bind(first).bind(last).execute(connection).await?.rows_affected());
    insert(&mut tx, project, &sign(checkpoint)).await?;
    tx.commit().await?;
    Ok(entries.unsigned_abs())
}

/// Takes the checkpoints before and after into this one.
async fn join(tx: &mut WriteTx, project: ProjectKey, checkpoint: &mut Checkpoint) -> Result<(), StoreError> {
    const BESIDE: &str = "DELETE FROM chain_checkpoints WHERE project_id = $1 AND (last_number = $2 OR first_number = $3)
        RETURNING first_number, last_number, entries, logs, at, before, digest, key, signature";
    let (before, after) = (checkpoint.first_number - 1, checkpoint.last_number + 1);
    let beside: Vec<Checkpoint> =
        on_tx!(tx, connection => query_as(BESIDE).bind(project).bind(before).bind(after).fetch_all(connection).await?);
    for other in beside {
        checkpoint.entries += other.entries;
        checkpoint.logs += other.logs;
        if other.last_number == before {
            (checkpoint.first_number, checkpoint.before) = (other.first_number, other.before);
        } else {
            (checkpoint.last_number, checkpoint.digest) = (other.last_number, other.digest);
        }
    }
    Ok(())
}

async fn insert(tx: &mut WriteTx, project: ProjectKey, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    const INSERT: &str =
        "INSERT INTO chain_checkpoints (project_id, first_number, last_number, entries, logs, at, before, digest, key, signature)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    on_tx!(tx, connection => query(INSERT)
        .bind(project)
        .bind(checkpoint.first_number)
        .bind(checkpoint.last_number)
        .bind(checkpoint.entries)
        .bind(checkpoint.logs)
        .bind(checkpoint.at)
        .bind(&checkpoint.before)
        .bind(&checkpoint.digest)
        .bind(&checkpoint.key)
        .bind(&checkpoint.signature)
        .execute(connection)
        .await?
        .rows_affected());
    Ok(())
}
