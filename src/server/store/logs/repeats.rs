//! Calls that carry an `Idempotency-Key`: the first answer is kept for 24 hours and given again.

use std::collections::HashMap;

use sqlx::{query, query_as};

use super::call::PreparedCall;
use super::rows::column_text;
use super::write::Written;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// How long an answer is kept, in milliseconds.
pub(super) const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;

/// What becomes of a call that is not written.
#[derive(Debug)]
pub(super) enum Fate {
    /// Its key came with another request before.
    Reused,
    /// It was written before.
    Answered(Written),
    /// The call at this place of the same batch is the same.
    SameAs(usize),
}

/// A key as the database has it.
pub(super) fn stored_key(key: &str) -> String {
    column_text(key).into_owned()
}

/// Settles which calls are repeats, and takes the keys of those that are not. The answer is filled in before the commit.
pub(super) async fn settle(tx: &mut WriteTx, calls: &[PreparedCall]) -> Result<Vec<Option<Fate>>, StoreError> {
    const FORGET: &str = "DELETE FROM idempotency_keys WHERE project_id = $1 AND key = $2 AND created_at < $3";
    const TAKE: &str =
        "INSERT INTO idempotency_keys (project_id, key, fingerprint, created_at, answer) VALUES ($1, $2, $3, $4, '')
        ON CONFLICT (project_id, key) DO NOTHING";
    const KNOWN: &str = "SELECT fingerprint, answer FROM idempotency_keys WHERE project_id = $1 AND key = $2";
    let mut fates = Vec::with_capacity(calls.len());
    let mut taken: HashMap<(ProjectKey, String), usize> = HashMap::new();
    for (index, call) in calls.iter().enumerate() {
        let Some(idempotency) = &call.idempotency else {
            fates.push(None);
            continue;
        };
        let key = stored_key(&idempotency.key);
        let fingerprint = idempotency.fingerprint.to_vec();
        let oldest = call.received_at - KEPT_MS;
        on_tx!(tx, connection => query(FORGET).bind(call.project).bind(key.clone()).bind(oldest).execute(connection).await?.rows_affected());
        let took = on_tx!(tx, connection => {
            query(TAKE).bind(call.project).bind(key.clone()).bind(fingerprint.clone()).bind(call.received_at).execute(connection).await?.rows_affected()
        });
        if took == 1 {
            taken.insert((call.project, key), index);
            fates.push(None);
            continue;
        }
        let (first, answer): (Vec<u8>, String) =
            on_tx!(tx, connection => query_as(KNOWN).bind(call.project).bind(key.clone()).fetch_one(connection).await?);
        fates.push(Some(match taken.get(&(call.project, key)) {
            _ if first != fingerprint => Fate::Reused,
            Some(same) => Fate::SameAs(*same),
            None => Fate::Answered(
                serde_json::from_str(&answer)
                    .map_err(|problem| StoreError::Corrupt(format!("the answer kept under an Idempotency-Key: {problem}")))?,
            ),
        }));
    }
    Ok(fates)
}

/// Forgets answers older than 24 hours; gives how many.
pub(super) async fn purge(db: &Db, now_ms: i64) -> Result<u64, StoreError> {
    const PURGE: &str = "DELETE FROM idempotency_keys WHERE created_at < $1";
    Ok(on_db!(write db, pool => query(PURGE).bind(now_ms - KEPT_MS).execute(pool).await?.rows_affected()))
}
