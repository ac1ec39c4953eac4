//! What lies sealed in the tables, column by column, and which files do, for sealing it anew. What it is sealed for is known to whoever calls.

use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::db::{WriteTx, on_db, on_tx};
use super::{Db, StoreError};

/// A column with sealed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedColumn {
    /// An endpoint's secret.
    EndpointSecret,
    /// The one before it.
    EndpointOldSecret,
    /// An endpoint's own headers.
    EndpointHeaders,
    /// What an event says.
    EventData,
    /// An attempt's headers and answer.
    AttemptContent,
    /// The original of an import beside a log.
    ImportFile,
    /// The secret of a second factor.
    SecondFactor,
    /// What waits to be confirmed as one.
    SecondFactorPending,
}

impl SealedColumn {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::EndpointSecret,
        Self::EndpointOldSecret,
        Self::EndpointHeaders,
        Self::EventData,
        Self::AttemptContent,
        Self::ImportFile,
        Self::SecondFactor,
        Self::SecondFactorPending,
    ];

    /// The table, the column, and the row's key as (number, text, number): what a table lacks stands as a constant.
    const fn place(self) -> (&'static str, &'static str, [&'static str; 3]) {
        match self {
            Self::EndpointSecret => ("endpoints", "secret", ["project_id", "id", "0"]),
            Self::EndpointOldSecret => ("endpoints", "old_secret", ["project_id", "id", "0"]),
            Self::EndpointHeaders => ("endpoints", "headers", ["project_id", "id", "0"]),
            Self::EventData => ("events", "data", ["project_id", "id", "0"]),
            Self::AttemptContent => ("attempts", "content", ["project_id", "sendout_id", "number"]),
            Self::ImportFile => ("import_files", "sealed", ["project_id", "log_id", "0"]),
            Self::SecondFactor => ("users", "totp_secret", ["id", "''", "0"]),
            Self::SecondFactorPending => ("users", "totp_pending", ["id", "''", "0"]),
        }
    }
}

/// What tells a row apart.
pub type SealedKey = (i64, String, i64);

/// Some rows after one, in the order of their keys, with what is sealed in them.
pub async fn after(db: &Db, column: SealedColumn, key: &SealedKey, most: i64) -> Result<Vec<(SealedKey, Vec<u8>)>, StoreError> {
    let (table, name, [first, second, third]) = column.place();
    // Names of ours alone.
    let sql = AssertSqlSafe(format!(
        "SELECT {first}, {second}, CAST({third} AS BIGINT), {name} FROM {table} \
         WHERE {name} IS NOT NULL AND ({first}, {second}, CAST({third} AS BIGINT)) > ($1, $2, $3) ORDER BY 1, 2, 3 LIMIT {most}"
    ));
    let rows: Vec<(i64, String, i64, Vec<u8>)> =
        on_db!(read db, pool => query_as(sql).bind(key.0).bind(&key.1).bind(key.2).fetch_all(pool).await?);
    Ok(rows
        .into_iter()
        .map(|(first, second, third, sealed)| ((first, second, third), sealed))
        .collect())
}

/// Puts bytes in the place of others, where those are still there: how many rows it was.
pub async fn replace(db: &Db, column: SealedColumn, rows: &[(SealedKey, Vec<u8>, Vec<u8>)]) -> Result<u64, StoreError> {
    let (table, name, [first, second, third]) = column.place();
    let sql = format!(
        "UPDATE {table} SET {name} = $5 WHERE {first} = $1 AND {second} = $2 AND CAST({third} AS BIGINT) = $3 AND {name} = $4"
    );
    let mut tx = WriteTx::begin(db).await?;
    let mut changed = 0;
    for (key, before, now) in rows {
        changed += on_tx!(&mut tx, connection => query(AssertSqlSafe(sql.clone()))
            .bind(key.0)
            .bind(&key.1)
            .bind(key.2)
            .bind(before)
            .bind(now)
            .execute(connection)
            .await?
            .rows_affected());
    }
    tx.commit().await?;
    Ok(changed)
}

/// A task's files that lie sealed: the original of an import, and the records that were not taken.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SealedFiles {
    /// Whose.
    pub project_id: i64,
    /// When the task was made; no two of a project were made at the same time.
    pub created_at: i64,
    /// The original, where it is kept still.
    pub file: Option<String>,
    /// The records that were not taken, where there are any.
    pub rejected: Option<String>,
}

/// Some tasks with such files after one (its project and when it was made), in their order.
pub async fn files_after(db: &Db, (project, created_at): (i64, i64), most: i64) -> Result<Vec<SealedFiles>, StoreError> {
    const FILES: &str = "SELECT project_id, created_at, file, rejected FROM tasks
        WHERE (project_id, created_at) > ($1, $2) AND (file IS NOT NULL OR rejected IS NOT NULL)
        ORDER BY project_id, created_at LIMIT $3";
    Ok(on_db!(read db, pool => query_as(FILES).bind(project).bind(created_at).bind(most).fetch_all(pool).await?))
}

/// Whether a file still belongs to its task.
pub async fn has_file(db: &Db, of: &SealedFiles, file: &str) -> Result<bool, StoreError> {
    const HAS: &str = "SELECT COUNT(*) FROM tasks WHERE project_id = $1 AND created_at = $2 AND (file = $3 OR rejected = $3)";
    let found: i64 =
        on_db!(read db, pool => query_scalar(HAS).bind(of.project_id).bind(of.created_at).bind(file).fetch_one(pool).await?);
    Ok(found > 0)
}
