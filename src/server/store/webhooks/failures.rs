//! Failed logs that the event `log.failure` tells of: counted with the logs, told at most once a minute an endpoint of the API.

use std::collections::BTreeMap;

use sqlx::{query, query_as, query_scalar};

use super::events::{self, NewEvent};
use crate::model::endpoint::{kinds, wants};
use crate::server::clock::LEAP_MS;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// How long an endpoint of the API is quiet after it was told of, in milliseconds.
const QUIET_MS: i64 = 60_000;

/// Counts failures of a transaction's logs, where the project has an endpoint that wants to be told.
pub(in crate::server::store) async fn count_in(
    tx: &mut WriteTx,
    counts: &BTreeMap<(ProjectKey, &str), i64>,
) -> Result<(), StoreError> {
    const COUNT: &str = "INSERT INTO failure_counts (project_id, endpoint, waiting, told, told_at) VALUES ($1, $2, $3, 0, 0)
        ON CONFLICT (project_id, endpoint) DO UPDATE SET waiting = failure_counts.waiting + excluded.waiting";
    let mut asked: Option<(ProjectKey, bool)> = None;
    // In the order of their keys, so that two transactions never wait for one another.
    for ((project, endpoint), count) in counts {
        let wanted = match asked {
            Some((of, wanted)) if of == *project => wanted,
            _ => is_wanted(tx, *project).await?,
        };
        asked = Some((*project, wanted));
        if wanted {
            on_tx!(tx, connection => query(COUNT).bind(*project).bind(*endpoint).bind(*count).execute(connection).await?.rows_affected());
        }
    }
    Ok(())
}

async fn is_wanted(tx: &mut WriteTx, project: ProjectKey) -> Result<bool, StoreError> {
    const PATTERNS: &str = "SELECT events FROM endpoints WHERE project_id = $1 AND deleted_at IS NULL AND active = 1";
    let rows: Vec<String> = on_tx!(tx, connection => query_scalar(PATTERNS).bind(project).fetch_all(connection).await?);
    for row in rows {
        if wants(&super::endpoints::patterns(&row)?, kinds::LOG_FAILURE) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells of what was counted, where it is time; true where something was told.
pub async fn tell(
    db: &Db,
    now_ms: i64,
    event: &(dyn Fn(ProjectKey, &str, i64) -> NewEvent + Sync),
    ids: &mut (dyn FnMut(usize) -> Vec<String> + Send),
) -> Result<bool, StoreError> {
    // What was told later than now was told by a clock that was ahead.
    const DUE: &str = "SELECT 1 FROM failure_counts WHERE waiting > 0 AND (told_at <= $1 OR told_at > $2) LIMIT 1";
    const TAKE: &str = "UPDATE failure_counts SET told = waiting, waiting = 0, told_at = $2 WHERE waiting > 0 AND (told_at <= $1 OR told_at > $3)
        RETURNING project_id, endpoint, told";
    let due: Option<i32> =
        on_db!(read db, pool => query_scalar(DUE).bind(now_ms - QUIET_MS).bind(now_ms + LEAP_MS).fetch_optional(pool).await?);
    if due.is_none() {
        return Ok(false);
    }
    let mut tx = WriteTx::begin(db).await?;
    let taken: Vec<(ProjectKey, String, i64)> = on_tx!(&mut tx, connection => query_as(TAKE).bind(now_ms - QUIET_MS).bind(now_ms).bind(now_ms + LEAP_MS).fetch_all(connection).await?);
    for (project, endpoint, count) in &taken {
        events::tell_in(&mut tx, &event(*project, endpoint, *count), now_ms, ids).await?;
    }
    tx.commit().await?;
    Ok(!taken.is_empty())
}
