//! Keeping heads that were signed, and finding chains that have moved since.

use sqlx::{query, query_as};

use super::read::{SignedRow, Unsigned};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::webhooks::events::OwnEvents;
use crate::server::store::{Db, StoreError};

/// The chains that have moved since their last signed head, where that is from before a time.
pub async fn unsigned(db: &Db, before_ms: i64) -> Result<Vec<Unsigned>, StoreError> {
    const UNSIGNED: &str = "SELECT h.project_id AS project, p.public_id AS project_id, h.number, h.digest FROM chain_heads AS h
        JOIN projects AS p ON p.id = h.project_id
        LEFT JOIN chain_signed AS s ON s.project_id = h.project_id
            AND s.number = (SELECT MAX(number) FROM chain_signed WHERE project_id = h.project_id)
        WHERE p.deleted_at IS NULL AND (s.number IS NULL OR (s.number < h.number AND s.at <= $1)) ORDER BY h.project_id LIMIT 1000";
    Ok(on_db!(read db, pool => query_as(UNSIGNED).bind(before_ms).fetch_all(pool).await?))
}

/// Keeps a signed head, and tells of it; false where that entry's is kept already, which is told of by whoever kept it.
pub async fn keep(
    db: &Db,
    project: ProjectKey,
    row: &SignedRow,
    told: Option<OwnEvents>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    const KEEP: &str = "INSERT INTO chain_signed (project_id, number, digest, at, key, signature) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (project_id, number) DO NOTHING";
    let mut tx = WriteTx::begin(db).await?;
    let kept = on_tx!(&mut tx, connection => query(KEEP).bind(project).bind(row.number).bind(&row.digest).bind(row.at).bind(&row.key)
        .bind(&row.signature).execute(connection).await?.rows_affected());
    if let Some(told) = told.filter(|_| kept == 1) {
        told.tell_in(&mut tx, now_ms).await?;
    }
    tx.commit().await?;
    Ok(kept == 1)
}
