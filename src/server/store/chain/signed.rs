//! Keeping heads that were signed, and finding chains that have moved since.

use sqlx::{query, query_as, query_scalar};

use super::append;
use super::read::{SignedRow, Unsigned};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::webhooks::events::OwnEvents;
use crate::server::store::{Db, StoreError};

/// The chains that have moved since their last signed head, where that is from before a time; of one that was never signed, where it began before then.
pub async fn unsigned(db: &Db, before_ms: i64, latest_ms: i64) -> Result<Vec<Unsigned>, StoreError> {
    const UNSIGNED: &str = "SELECT h.project_id AS project, p.public_id AS project_id, h.number, h.digest FROM chain_heads AS h
        JOIN projects AS p ON p.id = h.project_id
        LEFT JOIN chain_signed AS s ON s.project_id = h.project_id
            AND s.number = (SELECT MAX(number) FROM chain_signed WHERE project_id = h.project_id)
        LEFT JOIN chain_entries AS b ON b.project_id = h.project_id AND b.number = 1
        WHERE p.deleted_at IS NULL AND COALESCE(s.number, 0) < h.number AND (COALESCE(s.at, b.at, 0) <= $1 OR s.at > $2) ORDER BY h.project_id LIMIT 1000";
    Ok(on_db!(read db, pool => query_as(UNSIGNED).bind(before_ms).bind(latest_ms).fetch_all(pool).await?))
}

/// Keeps a signed head, and tells of it; false where that entry's is kept already, which is told of by whoever kept it, or the entry is not there any more.
pub async fn keep(
    db: &Db,
    project: ProjectKey,
    row: &SignedRow,
    told: Option<OwnEvents>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    const THERE: &str = "SELECT (SELECT COUNT(*) FROM chain_entries WHERE project_id = $1 AND number = $2 AND digest = $3)
        + (SELECT COUNT(*) FROM chain_checkpoints WHERE project_id = $1 AND last_number = $2 AND digest = $3)";
    const KEEP: &str = "INSERT INTO chain_signed (project_id, number, digest, at, key, signature) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (project_id, number) DO NOTHING";
    let mut tx = WriteTx::begin(db).await?;
    append::lock(&mut tx, project).await?;
    // It may have gone behind a checkpoint since it was the end.
    let there: i64 = on_tx!(&mut tx, connection => query_scalar(THERE).bind(project).bind(row.number).bind(&row.digest).fetch_one(connection).await?);
    if there == 0 {
        return Ok(false);
    }
    let kept = on_tx!(&mut tx, connection => query(KEEP).bind(project).bind(row.number).bind(&row.digest).bind(row.at).bind(&row.key)
        .bind(&row.signature).execute(connection).await?.rows_affected());
    if let Some(told) = told.filter(|_| kept == 1) {
        told.tell_in(&mut tx, now_ms).await?;
    }
    tx.commit().await?;
    Ok(kept == 1)
}
