//! Putting entries on a chain, in the transaction that changes what they speak of.
//!
//! The head is locked from here to the commit, so entries are the last thing that a transaction writes: of two that write into a project at the same time the
//! second waits for the first one's commit, and no two wait for one another. Several projects' heads are locked in the order of their numbers.

use sqlx::{query, query_as, query_scalar};

use super::canon::{self, Digest};
use super::entry::{self, Before, Body};
use super::fact::FactKind;
use super::noted::{Leaves, Notes, Times};
use super::seqs::Seqs;
use super::stored;
use crate::server::store::StoreError;
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::projects::ProjectKey;

/// Where a chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    number: i64,
    digest: Digest,
}

/// Puts what a transaction noted on the chains, project by project: two transactions never wait for one another's heads.
pub(in crate::server::store) async fn append(tx: &mut WriteTx, notes: Notes) -> Result<(), StoreError> {
    for (project, noted) in notes.0 {
        let at = noted.at;
        if noted.is_begun && head(tx, project).await?.is_none() {
            begin(tx, project, at, &Body::Facts(Vec::new())).await?;
        }
        for run in noted.logs {
            logs(tx, project, run, at).await?;
        }
        lost(tx, project, noted.silenced, noted.deleted, at).await?;
        let mut facts = stored::read_in(tx, project, noted.rows).await?;
        facts.extend(noted.facts);
        if !facts.is_empty() {
            push_one(tx, project, at, &Body::Facts(facts)).await?;
        }
        if noted.is_project_deleted {
            push_one(tx, project, at, &Body::ProjectDeleted).await?;
        }
    }
    Ok(())
}

/// Logs that were written.
async fn logs(tx: &mut WriteTx, project: ProjectKey, run: Leaves, at: i64) -> Result<(), StoreError> {
    const LEAVES: &str = "INSERT INTO chain_leaves (project_id, number, leaves) VALUES ($1, $2, $3)";
    let Leaves { first, leaves, times } = run;
    let count = u32::try_from(leaves.len()).map_err(|_| StoreError::Corrupt("a batch of more than 2^32 logs".into()))?;
    let root = canon::root(&leaves);
    let number = push_last(tx, project, at, (&Body::Logs { first, count, root }, Some(times))).await?;
    // One leaf is the root itself.
    if count > 1 {
        let bytes = leaves.concat();
        on_tx!(tx, connection => query(LEAVES).bind(project).bind(number).bind(bytes).execute(connection).await?.rows_affected());
    }
    Ok(())
}

/// Logs that lost what they said, and logs that are gone.
async fn lost(
    tx: &mut WriteTx,
    project: ProjectKey,
    mut silenced: Vec<(i64, Digest)>,
    deleted: Vec<(i64, i64)>,
    at: i64,
) -> Result<(), StoreError> {
    if !silenced.is_empty() {
        silenced.sort_unstable();
        let (numbers, texts) = silenced.into_iter().unzip();
        push_one(tx, project, at, &Body::Silenced(Seqs::of(numbers), texts)).await?;
    }
    if !deleted.is_empty() {
        push_one(tx, project, at, &Body::Deleted(Seqs::of_ranges(deleted))).await?;
    }
    Ok(())
}

/// Puts an entry at the end; gives its number.
async fn push_one(tx: &mut WriteTx, project: ProjectKey, at: i64, body: &Body) -> Result<i64, StoreError> {
    push_last(tx, project, at, (body, None)).await
}

/// The same of one that may be of logs: with when those were made.
async fn push_last(tx: &mut WriteTx, project: ProjectKey, at: i64, entry: (&Body, Option<Times>)) -> Result<i64, StoreError> {
    let head = match head(tx, project).await? {
        Some(head) => head,
        None => begin(tx, project, at, entry.0).await?,
    };
    Ok(push(tx, project, head, at, entry).await?.number)
}

/// Keeps others from writing on a project's chain until the transaction is over.
pub(super) async fn lock(tx: &mut WriteTx, project: ProjectKey) -> Result<(), StoreError> {
    head(tx, project).await.map(|_| ())
}

async fn head(tx: &mut WriteTx, project: ProjectKey) -> Result<Option<Head>, StoreError> {
    const HEAD: &str = "SELECT number, digest FROM chain_heads WHERE project_id = $1";
    const HEAD_LOCKED: &str = "SELECT number, digest FROM chain_heads WHERE project_id = $1 FOR UPDATE";
    let sql = if tx.is_sqlite() { HEAD } else { HEAD_LOCKED };
    let row: Option<(i64, Vec<u8>)> = on_tx!(tx, connection => query_as(sql).bind(project).fetch_optional(connection).await?);
    row.map(|(number, digest)| {
        let digest = digest
            .try_into()
            .map_err(|_| StoreError::Corrupt(format!("the head of the chain of project {project} is no digest")))?;
        Ok(Head { number, digest })
    })
    .transpose()
}

/// Begins a chain; another process may have been first. `body` is what comes next: where that is of logs or facts, they are there already, and not counted.
async fn begin(tx: &mut WriteTx, project: ProjectKey, at: i64, body: &Body) -> Result<Head, StoreError> {
    const PROJECT: &str = "SELECT public_id FROM projects WHERE id = $1";
    const BEGIN: &str =
        "INSERT INTO chain_heads (project_id, number, digest) VALUES ($1, 0, $2) ON CONFLICT (project_id) DO NOTHING";
    let id: String = on_tx!(&mut *tx, connection => query_scalar(PROJECT).bind(project).fetch_one(connection).await?);
    let origin = Head {
        number: 0,
        digest: entry::origin(&id),
    };
    let begun = on_tx!(&mut *tx, connection => query(BEGIN).bind(project).bind(origin.digest.to_vec()).execute(connection).await?.rows_affected());
    if begun == 0 {
        return head(tx, project)
            .await?
            .ok_or_else(|| StoreError::Corrupt(format!("project {project} has no chain, and cannot begin one")));
    }
    let before = stored_before(tx, project, body).await?;
    push(tx, project, origin, at, (&Body::Began(before), None)).await
}

/// What a project has by now, without what an entry is about to speak of.
async fn stored_before(tx: &mut WriteTx, project: ProjectKey, body: &Body) -> Result<Before, StoreError> {
    const LOGS: &str = "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM log_minutes WHERE project_id = $1";
    let mut logs: i64 = on_tx!(&mut *tx, connection => query_scalar(LOGS).bind(project).fetch_one(connection).await?);
    match body {
        Body::Logs { count, .. } => logs -= i64::from(*count),
        // They were there before.
        Body::Deleted(seqs) => logs += seqs.count() as i64,
        _ => {}
    }
    let mut facts = Vec::new();
    for (kind, sql) in [
        (FactKind::Task, "SELECT COUNT(*) FROM tasks WHERE project_id = $1"),
        (FactKind::Export, "SELECT COUNT(*) FROM exports WHERE project_id = $1"),
        (
            FactKind::ImportFile,
            "SELECT COUNT(*) FROM import_files WHERE project_id = $1",
        ),
        (FactKind::Attempt, "SELECT COUNT(*) FROM attempts WHERE project_id = $1"),
        (
            FactKind::MaskRules,
            "SELECT COUNT(*) FROM (SELECT 1 FROM mask_rules WHERE project_id = $1 LIMIT 1) AS one",
        ),
        (
            FactKind::Retention,
            "SELECT COUNT(*) FROM retention WHERE project_id = $1 AND (logs_days IS NOT NULL OR bodies_days IS NOT NULL)",
        ),
    ] {
        let mut count: i64 = on_tx!(&mut *tx, connection => query_scalar(sql).bind(project).fetch_one(connection).await?);
        if let Body::Facts(about) = body {
            count -= about.iter().filter(|fact| fact.kind == kind && fact.digest.is_some()).count() as i64;
        }
        if count > 0 {
            facts.push((kind, count.unsigned_abs()));
        }
    }
    Ok(Before {
        logs: logs.max(0).unsigned_abs(),
        facts,
    })
}

async fn push(
    tx: &mut WriteTx,
    project: ProjectKey,
    head: Head,
    at: i64,
    (body, times): (&Body, Option<Times>),
) -> Result<Head, StoreError> {
    const PUSH: &str =
        "INSERT INTO chain_entries (project_id, number, at, kind, body, digest, first_seq, logs, from_time, to_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    const MOVE: &str = "UPDATE chain_heads SET number = $2, digest = $3 WHERE project_id = $1";
    let bytes = body.write();
    let number = head.number + 1;
    let digest = entry::digest(&head.digest, number, at, body.kind(), &bytes);
    let (first, count) = match body {
        Body::Logs { first, count, .. } => (Some(*first), Some(*count as i32)),
        _ => (None, None),
    };
    on_tx!(&mut *tx, connection => query(PUSH).bind(project).bind(number).bind(at).bind(body.kind()).bind(bytes).bind(digest.to_vec())
        .bind(first).bind(count).bind(times.map(|times| times.first)).bind(times.map(|times| times.last)).execute(connection).await?.rows_affected());
    on_tx!(&mut *tx, connection => query(MOVE).bind(project).bind(number).bind(digest.to_vec()).execute(connection).await?.rows_affected());
    Ok(Head { number, digest })
}
