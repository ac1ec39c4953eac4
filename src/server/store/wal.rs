//! SQLite's write-ahead log is moved into the database beside the writer, on a connection of its own: whoever commits does not wait for it.
//!
//! Left to itself SQLite moves it in the commit that makes the log long enough, and all that waits to be written waits for that: at a thousand logs a second it was due more than once a
//! second. A checkpoint that is `PASSIVE` keeps nobody waiting (<https://www.sqlite.org/c3ref/wal_checkpoint_v2.html>). The log begins anew once all of it has been moved when somebody
//! writes. Beside whoever writes all the time that would never be so: when the log has grown long, what little came since the last move is moved on the writer's own connection, on which
//! nobody writes meanwhile. The writer's own checkpoint, at [`LONGEST`], is for processes that have no such watch.

use std::time::Duration;

use sqlx::SqlitePool;

use super::StoreError;

/// Pages that are moved at a time (24 MiB): an index page that is touched often is moved once.
const PAGES: i64 = 3_072;
/// From so many pages on (96 MiB) the log is to begin anew: whoever writes waits for that, so it is seldom.
const LONG: i64 = 12_288;
/// So many pages may be left for that (2 MiB): moving them takes about as long as a commit.
const FEW: i64 = 256;
/// How often the log is moved for no more to be left: beside somebody who writes a lot at a time there always is.
const TRIES: u32 = 4;
/// At so many pages (256 MiB) whoever commits moves the log.
pub(super) const LONGEST: u32 = 32_768;
/// How often it is looked how long the log is.
const LOOK: Duration = Duration::from_millis(50);
/// The same where nothing is written.
const IDLE: Duration = Duration::from_secs(1);
/// Looks without a change after which nothing is said to be written.
const QUIET_LOOKS: u32 = 40;

const MOVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// How long the log is, and how much of it has been moved, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Length {
    pages: i64,
    moved: i64,
}

impl Length {
    /// Pages that are to be moved.
    const fn left(self) -> i64 {
        self.pages - self.moved
    }
}

/// Keeps watch over the log from now on, until the pool is closed; `write` is where everybody writes.
pub(super) fn watch(pool: SqlitePool, write: SqlitePool) {
    tokio::spawn(async move {
        let (mut before, mut quiet) = (None, 0_u32);
        while !pool.is_closed() {
            match look(&pool, &write).await {
                Ok(length) => {
                    quiet = if before == Some(length) { quiet.saturating_add(1) } else { 0 };
                    before = Some(length);
                }
                Err(StoreError::Database(sqlx::Error::PoolClosed)) => return,
                Err(problem) => {
                    tracing::warn!(%problem, "the write-ahead log cannot be moved into the database; it is tried again");
                    quiet = QUIET_LOOKS;
                }
            }
            tokio::time::sleep(if quiet < QUIET_LOOKS { LOOK } else { IDLE }).await;
        }
    });
}

/// Looks how long the log is, and moves it where that is due; gives how long it was.
async fn look(pool: &SqlitePool, write: &SqlitePool) -> Result<Length, StoreError> {
    let length = checkpoint(pool, "PRAGMA wal_checkpoint(NOOP)").await?;
    if length.left() < PAGES {
        return Ok(length);
    }
    let mut now = checkpoint(pool, MOVE).await?;
    if now.pages < LONG {
        return Ok(length);
    }
    let mut tries = 1;
    // Where somebody reads what is older, more cannot be moved.
    while now.left() > FEW && now.moved > length.moved && tries < TRIES {
        now = checkpoint(pool, MOVE).await?;
        tries += 1;
    }
    if now.left() <= PAGES {
        checkpoint(write, MOVE).await?;
    }
    Ok(length)
}

async fn checkpoint(pool: &SqlitePool, pragma: &'static str) -> Result<Length, StoreError> {
    let (_, pages, moved): (i64, i64, i64) = sqlx::query_as(pragma).fetch_one(pool).await?;
    Ok(Length { pages, moved })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::Db;

    #[tokio::test]
    async fn what_was_written_is_moved_beside_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite://{}", folder.path().join("a.db").display()))
            .await
            .unwrap();
        let Db::Sqlite { write, tend, .. } = &db else {
            panic!("SQLite was asked for")
        };
        sqlx::query("CREATE TABLE filled (bytes BLOB)").execute(write).await.unwrap();
        for _ in 0..4 {
            // Some 8 MiB.
            let fill = "INSERT INTO filled SELECT randomblob(8000) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n)";
            sqlx::query(fill).execute(write).await.unwrap();
        }
        let length = look(tend, write).await.unwrap();
        assert!(length.left() >= PAGES, "{length:?}");
        let length = checkpoint(tend, "PRAGMA wal_checkpoint(NOOP)").await.unwrap();
        assert_eq!(length.left(), 0, "{length:?}");
        db.close().await;
    }

    #[tokio::test]
    async fn a_long_log_begins_anew_beside_somebody_who_writes_all_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite://{}", folder.path().join("a.db").display()))
            .await
            .unwrap();
        let Db::Sqlite { write, tend, .. } = &db else {
            panic!("SQLite was asked for")
        };
        sqlx::query("CREATE TABLE filled (bytes BLOB)").execute(write).await.unwrap();
        let writer = write.clone();
        let writing = tokio::spawn(async move {
            loop {
                // Half a megabyte a commit: something new is there whenever the log has been moved.
                let fill = "INSERT INTO filled SELECT randomblob(8000) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 64) SELECT i FROM n)";
                if sqlx::query(fill).execute(&writer).await.is_err() {
                    return;
                }
            }
        });
        let (mut before, mut anew) = (0, 0);
        while anew < 2 {
            let length = look(tend, write).await.unwrap();
            anew += u32::from(length.pages < before);
            before = length.pages;
            assert!(length.pages < i64::from(LONGEST), "it never began anew");
        }
        writing.abort();
        db.close().await;
    }
}
