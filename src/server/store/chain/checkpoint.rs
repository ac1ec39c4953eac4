//! What stands in the place of entries that are gone, and finding those that may go.

use sqlx::{query, query_as, query_scalar};

use super::append;
use super::read::Checkpoint;
use super::seqs::Seqs;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Entries that are looked at together.
const PAGE: i64 = 5_000;

impl Checkpoint {
    /// Takes what follows into this one.
    pub fn join(&mut self, next: &Self) {
        self.last_number = next.last_number;
        self.digest.clone_from(&next.digest);
        self.entries += next.entries;
        self.logs += next.logs;
    }
}

/// Some entries that tell of logs that are gone, after one: their numbers, and what they say.
pub async fn deletions(db: &Db, project: ProjectKey, after: i64, most: i64) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    const SQL: &str =
        "SELECT number, body FROM chain_entries WHERE project_id = $1 AND number > $2 AND kind = 2 ORDER BY number LIMIT $3";
    Ok(on_db!(read db, pool => query_as(SQL).bind(project).bind(after).bind(most).fetch_all(pool).await?))
}

/// The number of the first log of the first entry that has logs besides these; none where there is no such entry.
pub async fn first_living(db: &Db, project: ProjectKey, deleted: &Seqs) -> Result<Option<i64>, StoreError> {
    const SQL: &str =
        "SELECT first_seq, logs FROM chain_entries WHERE project_id = $1 AND first_seq IS NOT NULL AND first_seq > $2
        ORDER BY first_seq LIMIT $3";
    let mut after = i64::MIN;
    loop {
        let page: Vec<(i64, i32)> =
            on_db!(read db, pool => query_as(SQL).bind(project).bind(after).bind(PAGE).fetch_all(pool).await?);
        let Some((last, _)) = page.last() else { return Ok(None) };
        after = *last;
        let living = page
            .iter()
            .find(|(first, logs)| !deleted.has_all(*first, *first + i64::from(*logs) - 1));
        if let Some((first, _)) = living {
            return Ok(Some(*first));
        }
    }
}

/// Puts signed checkpoints in the place of the entries and checkpoints that they cover; how many entries went. One in which somebody has signed a head meanwhile waits for the next time.
pub async fn put(db: &Db, project: ProjectKey, all: &[Checkpoint]) -> Result<u64, StoreError> {
    const SIGNED: &str = "SELECT COUNT(*) FROM chain_signed WHERE project_id = $1 AND number >= $2 AND number < $3";
    const ENTRIES: &str = "DELETE FROM chain_entries WHERE project_id = $1 AND number >= $2 AND number <= $3";
    const LEAVES: &str = "DELETE FROM chain_leaves WHERE project_id = $1 AND number >= $2 AND number <= $3";
    const CHECKPOINTS: &str = "DELETE FROM chain_checkpoints WHERE project_id = $1 AND first_number >= $2 AND last_number <= $3";
    let mut tx = WriteTx::begin(db).await?;
    append::lock(&mut tx, project).await?;
    let mut gone = 0;
    for checkpoint in all {
        let (first, last) = (checkpoint.first_number, checkpoint.last_number);
        let signed: i64 =
            on_tx!(&mut tx, connection => query_scalar(SIGNED).bind(project).bind(first).bind(last).fetch_one(connection).await?);
        if signed > 0 {
            continue;
        }
        for sql in [LEAVES, CHECKPOINTS] {
            on_tx!(&mut tx, connection => query(sql).bind(project).bind(first).bind(last).execute(connection).await?.rows_affected());
        }
        gone += on_tx!(&mut tx, connection => query(ENTRIES).bind(project).bind(first).bind(last).execute(connection).await?.rows_affected());
        insert(&mut tx, project, checkpoint).await?;
    }
    tx.commit().await?;
    Ok(gone)
}

/// Lets the leaves of some entries go, all of whose logs are gone.
pub async fn forget_leaves(db: &Db, project: ProjectKey, numbers: &[i64]) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM chain_leaves WHERE project_id = $1 AND number = $2";
    let mut tx = WriteTx::begin(db).await?;
    for number in numbers {
        on_tx!(&mut tx, connection => query(FORGET).bind(project).bind(number).execute(connection).await?.rows_affected());
    }
    tx.commit().await
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
