//! SQLite's side of a copy.

use std::collections::BTreeMap;
use std::path::Path;

use futures::StreamExt;
use futures::stream::BoxStream;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection, query, query_as, query_scalar};

use super::catalogue::{Table, quoted};
use super::value::{self, Row, Value};
use super::{CopyError, Sequences};
use crate::server::store::StoreError;
use crate::server::store::sqlite::{MIGRATOR, PAGE_SIZE};

/// Values that one statement binds at most; SQLite's limit is 32,766.
const PARAMETERS: usize = 16_000;
/// Page cache while a file is made, in KiB.
const CACHE_KIB: u32 = 64 * 1024;

/// A number that is another one once somebody else has written.
pub(super) async fn data_version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    query_scalar("PRAGMA data_version").fetch_one(connection).await
}

/// All rows of a table.
pub(super) fn rows<'c>(connection: &'c mut SqliteConnection, table: &Table) -> BoxStream<'c, Result<Row, sqlx::Error>> {
    // Names that the database gave.
    let sql = AssertSqlSafe(format!("SELECT {} FROM {}", table.columns(), quoted(&table.name)));
    let kinds = table.kinds();
    query(sql)
        .persistent(false)
        .fetch(connection)
        .map(move |row| value::read(&row?, &kinds))
        .boxed()
}

/// The numbers that come next.
pub(super) async fn sequences(connection: &mut SqliteConnection) -> Result<Sequences, sqlx::Error> {
    let logs = query_scalar("SELECT next FROM log_seq").fetch_one(&mut *connection).await?;
    let given: Vec<(String, i64)> = query_as("SELECT name, seq FROM sqlite_sequence")
        .fetch_all(connection)
        .await?;
    Ok(Sequences {
        logs,
        given: given.into_iter().collect::<BTreeMap<_, _>>(),
    })
}

/// A new file with the tables of now. It is synced once it is whole: until then nobody relies on it, and nothing is written twice.
pub(super) async fn create(file: &Path) -> Result<SqliteConnection, CopyError> {
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .page_size(PAGE_SIZE)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        // Rows come table by table as they stood at one moment, where each reference held.
        .foreign_keys(false)
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .connect()
        .await?;
    MIGRATOR.run(&mut connection).await.map_err(StoreError::from)?;
    Ok(connection)
}

/// Takes the indexes away, and gives the statements that make them: made at the end they are sorted once, instead of row by row.
pub(super) async fn take_indexes(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    const INDEXES: &str = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
    let indexes: Vec<(String, String)> = query_as(INDEXES).fetch_all(&mut *connection).await?;
    for (name, _) in &indexes {
        let sql = format!("DROP INDEX {}", quoted(name));
        query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
}

/// Makes the indexes.
pub(super) async fn give_indexes(connection: &mut SqliteConnection, indexes: &[String]) -> Result<(), sqlx::Error> {
    for sql in indexes {
        query(AssertSqlSafe(sql.clone())).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes rows, in one transaction.
pub(super) async fn write(connection: &mut SqliteConnection, table: &Table, rows: &[Row]) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let columns = table.columns.len().max(1);
    for chunk in rows.chunks((PARAMETERS / columns).clamp(1, 500)) {
        let row = format!("({})", vec!["?"; columns].join(","));
        let values = vec![row; chunk.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES {values}", quoted(&table.name), table.columns());
        let mut insert = query(AssertSqlSafe(sql));
        for value in chunk.iter().flatten() {
            insert = match value {
                Value::Null => insert.bind(None::<i64>),
                Value::Number(number) => insert.bind(number),
                Value::Truth(truth) => insert.bind(truth),
                Value::Text(text) => insert.bind(text),
                Value::Bytes(bytes) => insert.bind(bytes),
            };
        }
        insert.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// Sets the numbers that come next.
pub(super) async fn set_sequences(connection: &mut SqliteConnection, sequences: &Sequences) -> Result<(), sqlx::Error> {
    const KEEPING: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'";
    query("UPDATE log_seq SET next = $1")
        .bind(sequences.logs)
        .execute(&mut *connection)
        .await?;
    let keeping: Vec<String> = query_scalar(KEEPING).fetch_all(&mut *connection).await?;
    for table in keeping {
        let given = sequences.given.get(&table).copied().unwrap_or_default();
        query("DELETE FROM sqlite_sequence WHERE name = $1")
            .bind(&table)
            .execute(&mut *connection)
            .await?;
        query("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)")
            .bind(&table)
            .bind(given)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
