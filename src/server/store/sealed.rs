//! What lies sealed in the tables, column by column, for sealing it anew. What it is sealed for is known to whoever calls.

use sqlx::{AssertSqlSafe, query, query_as};

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
