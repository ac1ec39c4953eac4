//! Calls that carry an `Idempotency-Key`, other than those that send logs: these keep theirs in the writer's own transaction (`logs/repeats.rs`).

use sqlx::{query, query_as};

use super::db::{WriteTx, on_db, on_tx};
use super::projects::ProjectKey;
use super::{Db, StoreError};

/// How long a first answer is given again, in milliseconds.
const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
/// A call that has not ended by then, in milliseconds, has gone with its server.
const LOST_MS: i64 = 5 * 60 * 1_000;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the call is the first, and noted.
    New,
    /// The first call's answer, as [`keep`] was given it.
    Answered(String),
    /// The first call has not ended yet.
    Running,
    /// The key came with another call.
    Other,
}

/// Notes a call under its key, unless one is known.
pub async fn begin(db: &Db, project: ProjectKey, key: &str, fingerprint: &[u8], now_ms: i64) -> Result<Known, StoreError> {
    const FORGET: &str = "DELETE FROM idempotency_keys WHERE project_id = $1 AND key = $2 AND (created_at < $3 OR (created_at < $4 AND answer = ''))";
    const NOTE: &str =
        "INSERT INTO idempotency_keys (project_id, key, fingerprint, created_at, answer) VALUES ($1, $2, $3, $4, '')
        ON CONFLICT (project_id, key) DO NOTHING";
    const KNOWN: &str = "SELECT fingerprint, answer FROM idempotency_keys WHERE project_id = $1 AND key = $2";
    let mut tx = WriteTx::begin(db).await?;
    on_tx!(&mut tx, connection => query(FORGET).bind(project).bind(key).bind(now_ms - KEPT_MS).bind(now_ms - LOST_MS)
        .execute(connection).await?.rows_affected());
    let noted = on_tx!(&mut tx, connection => query(NOTE).bind(project).bind(key).bind(fingerprint).bind(now_ms)
        .execute(connection).await?.rows_affected());
    let known = if noted > 0 {
        Known::New
    } else {
        let known: Option<(Vec<u8>, String)> =
            on_tx!(&mut tx, connection => query_as(KNOWN).bind(project).bind(key).fetch_optional(connection).await?);
        match known {
            Some((first, _)) if first != fingerprint => Known::Other,
            Some((_, answer)) if !answer.is_empty() => Known::Answered(answer),
            _ => Known::Running,
        }
    };
    tx.commit().await?;
    Ok(known)
}

/// Keeps the first call's answer.
pub async fn keep(db: &Db, project: ProjectKey, key: &str, answer: &str) -> Result<(), StoreError> {
    const KEEP: &str = "UPDATE idempotency_keys SET answer = $3 WHERE project_id = $1 AND key = $2 AND answer = ''";
    on_db!(write db, pool => query(KEEP).bind(project).bind(key).bind(answer).execute(pool).await?.rows_affected());
    Ok(())
}

/// Forgets a call that changed nothing: it may come again as if it were the first.
pub async fn forget(db: &Db, project: ProjectKey, key: &str) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM idempotency_keys WHERE project_id = $1 AND key = $2 AND answer = ''";
    on_db!(write db, pool => query(FORGET).bind(project).bind(key).execute(pool).await?.rows_affected());
    Ok(())
}
