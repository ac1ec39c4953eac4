//! What SQLite alone needs: connections whose durability is checked, and inserts of many rows with one statement.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use futures::FutureExt as _;
use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::insert::KEPT_STATEMENTS;
use super::readers::Readers;
use super::{Db, StoreError, wal};

/// How long a connection waits for another one's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections that read.
const READERS: u32 = 4;
/// Page cache of the writer in KiB: the tails of all indexes of a batch fit.
const WRITER_CACHE_KIB: u32 = 48 * 1024;
/// Page cache of each reader in KiB.
const READER_CACHE_KIB: u32 = 6 * 1024;
/// A page holds about 25 narrow rows, and a signature of 16 KiB spans two or three.
pub(super) const PAGE_SIZE: u32 = 8192;
/// What brings the schema up to date.
pub(super) static MIGRATOR: Migrator = sqlx::migrate!("migrations/sqlite");

/// The file that a URL names.
pub(super) fn path(url: &str) -> &str {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    path.strip_prefix("//").unwrap_or(path).split('?').next().unwrap_or_default()
}

/// Opens the file, making it and its folder where they are not there.
pub(super) async fn open(url: &str) -> Result<Db, StoreError> {
    let path = path(url);
    if path.is_empty() || path.contains(":memory:") {
        return Err(StoreError::Url(format!(
            "{url}: name a file, as in sqlite://data/audit-log.db; a database in memory cannot be shared"
        )));
    }
    if let Some(folder) = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|problem| StoreError::Url(format!("the folder {} cannot be made: {problem}", folder.display())))?;
    }
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .page_size(PAGE_SIZE)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .statement_cache_capacity(KEPT_STATEMENTS)
        .busy_timeout(BUSY_TIMEOUT);
    let write = pool(1)
        .connect_with(
            options
                .clone()
                .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
                .pragma("wal_autocheckpoint", wal::LONGEST.to_string()),
        )
        .await?;
    // The first connection has made the file, so that the others find it.
    let tend = pool(1).connect_lazy_with(options.clone().pragma("wal_autocheckpoint", "0"));
    let reading = options
        .pragma("cache_size", format!("-{READER_CACHE_KIB}"))
        .pragma("query_only", "ON");
    let read = Readers::open(reading, READERS, |connection| assert_durable(connection).boxed()).await?;
    Ok(Db::Sqlite { read, write, tend })
}

fn pool(connections: u32) -> sqlx::pool::PoolOptions<sqlx::Sqlite> {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        // A file is not gone from one moment to the next as a server may be; the question whether it is there costs a change of thread and back, as a statement does.
        .test_before_acquire(false)
        // Where SQLite rolled back by itself (the disk was full), sqlx believes to be in that transaction for ever, and begins no other: such a connection goes.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .after_connect(|connection, _| Box::pin(async move { assert_durable(connection).await }))
}

/// Reads back what was asked for: a build or a file system that silently gives less must not serve.
async fn assert_durable(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await?;
    let foreign_keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *connection).await?;
    let timeout: i64 = sqlx::query_scalar("PRAGMA busy_timeout").fetch_one(&mut *connection).await?;
    let wanted_timeout = i64::try_from(BUSY_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
    if !mode.eq_ignore_ascii_case("wal") || synchronous != 2 || foreign_keys != 1 || timeout != wanted_timeout {
        let found = format!(
            "SQLite did not take its settings: journal_mode={mode}, synchronous={synchronous}, foreign_keys={foreign_keys}, busy_timeout={timeout}"
        );
        return Err(sqlx::Error::Configuration(found.into()));
    }
    Ok(())
}

/// Brings the schema up to date.
pub(super) async fn migrate(write: &SqlitePool) -> Result<(), StoreError> {
    Ok(MIGRATOR.run(write).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_connection_is_durable() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&format!("sqlite://{}/new/folder/a.db", folder.path().display()))
            .await
            .unwrap();
        let Db::Sqlite { read, write, .. } = &db else {
            panic!("SQLite was asked for")
        };
        let mut held = Vec::new();
        for _ in 0..READERS {
            let mut reader = read.acquire().await.unwrap();
            is_checked(&mut reader).await;
            held.push(reader);
        }
        is_checked(&mut write.acquire().await.unwrap()).await;
    }

    async fn is_checked(connection: &mut SqliteConnection) {
        assert_durable(connection).await.unwrap();
        sqlx::query("PRAGMA synchronous = NORMAL")
            .execute(&mut *connection)
            .await
            .unwrap();
        assert!(assert_durable(connection).await.is_err(), "a lesser setting is seen");
    }

    #[tokio::test]
    async fn a_database_in_memory_is_refused() {
        for url in ["sqlite::memory:", "sqlite://", "sqlite:"] {
            assert!(matches!(open(url).await, Err(StoreError::Url(_))), "{url}");
        }
    }
}
