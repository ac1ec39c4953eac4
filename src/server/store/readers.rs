//! The connections that read a SQLite database.
//!
//! Not a pool of sqlx's: that asks each connection that comes back whether it is still well, with a task of its own and a change of thread and back.
//! A connection whose statement has ended is well, and goes straight to whoever asks next. One whose statement
//! was left (the reader went away, the time was over) may still be at it: that one is asked, and comes back once it answers.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo};
use sqlx::{ConnectOptions as _, Connection as _, Describe, Either, Error, Execute, Executor, SqlStr, Sqlite};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long one waits for a connection, as with a pool of sqlx's.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes sure of a connection that was just opened.
pub(super) type Check = for<'c> fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<(), Error>>;

/// The connections, at most so many; opened as they are needed. Statements run on it as on a pool; rows come once all of them are there.
#[derive(Clone, Debug)]
pub struct Readers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: SqliteConnectOptions,
    check: Check,
    connections: u32,
    /// One for each connection that is not in use.
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<SqliteConnection>>,
    closed: AtomicBool,
}

impl Readers {
    /// Opens the first of at most `connections`; each is checked once it is open.
    pub(super) async fn open(options: SqliteConnectOptions, connections: u32, check: Check) -> Result<Self, Error> {
        let readers = Self(Arc::new(Inner {
            options,
            check,
            connections,
            turns: Arc::new(Semaphore::new(connections as usize)),
            idle: Mutex::default(),
            closed: AtomicBool::new(false),
        }));
        readers.acquire().await?.done();
        Ok(readers)
    }

    /// A connection of one's own, for more than one statement. It comes back when it is dropped.
    pub(super) async fn acquire(&self) -> Result<Reader, Error> {
        if self.is_closed() {
            return Err(Error::PoolClosed);
        }
        // Most find one that is idle, and need no clock.
        if let Ok(turn) = Arc::clone(&self.0.turns).try_acquire_owned() {
            let idle = self.idle().pop();
            if let Some(connection) = idle {
                return Ok(self.lent(connection, turn));
            }
        }
        timeout(PATIENCE, self.wait()).await.map_err(|_| Error::PoolTimedOut)?
    }

    async fn wait(&self) -> Result<Reader, Error> {
        let turn = Arc::clone(&self.0.turns)
            .acquire_owned()
            .await
            .map_err(|_| Error::PoolClosed)?;
        if self.is_closed() {
            return Err(Error::PoolClosed);
        }
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(self.lent(connection, turn))
    }

    fn lent(&self, connection: SqliteConnection, turn: OwnedSemaphorePermit) -> Reader {
        Reader {
            connection: Some(connection),
            readers: self.clone(),
            turn: Some(turn),
        }
    }

    fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    async fn connect(&self) -> Result<SqliteConnection, Error> {
        let mut connection = self.0.options.connect().await?;
        (self.0.check)(&mut connection).await?;
        Ok(connection)
    }

    /// Gives out no more from now on, and closes them, each once its statement has ended.
    pub(super) async fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        // Nothing refuses it: nobody closes the semaphore.
        let _all = self.0.turns.acquire_many(self.0.connections).await;
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a connection that read was not closed well");
            }
        }
    }

    fn give_back(&self, connection: SqliteConnection) {
        // In a transaction nobody holds any more, a connection would read what was there back then.
        if !connection.is_in_transaction() {
            self.idle().push(connection);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        // Whoever panicked left the list whole: every change is one call.
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in use.
#[derive(Debug)]
pub(super) struct Reader {
    /// There until it is dropped.
    connection: Option<SqliteConnection>,
    readers: Readers,
    turn: Option<OwnedSemaphorePermit>,
}

impl Reader {
    /// Gives it back, everything that was asked of it having been answered.
    fn done(mut self) {
        if let Some(connection) = self.connection.take() {
            self.readers.give_back(connection);
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let (Some(mut connection), Some(turn)) = (self.connection.take(), self.turn.take()) else {
            return;
        };
        // Without a runtime the program is at its end, and the connection is closed.
        let Ok(runtime) = Handle::try_current() else { return };
        let readers = self.readers.clone();
        runtime.spawn(async move {
            match connection.ping().await {
                Ok(()) => readers.give_back(connection),
                Err(error) => tracing::warn!(%error, "a connection that read is closed: it does not answer"),
            }
            drop(turn);
        });
    }
}

impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection
            .as_ref()
            .unwrap_or_else(|| unreachable!("a reader has its connection until it is dropped"))
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection
            .as_mut()
            .unwrap_or_else(|| unreachable!("a reader has its connection until it is dropped"))
    }
}

impl<'c> Executor<'c> for &Readers {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<SqliteQueryResult, SqliteRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let readers = self.clone();
        let all = async move {
            let mut reader = readers.acquire().await?;
            let rows: Vec<_> = reader.fetch_many(query).try_collect().await?;
            // What a statement did comes last. Without it its thread is gone, and the connection with it.
            if matches!(rows.last(), Some(Either::Left(_))) {
                reader.done();
            }
            Ok::<_, Error>(stream::iter(rows.into_iter().map(Ok)))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<SqliteRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let readers = self.clone();
        async move {
            let mut reader = readers.acquire().await?;
            let row = reader.fetch_optional(query).await?;
            reader.done();
            Ok(row)
        }
        .boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [SqliteTypeInfo]) -> BoxFuture<'e, Result<SqliteStatement, Error>>
    where
        'c: 'e,
    {
        let readers = self.clone();
        async move {
            let mut reader = readers.acquire().await?;
            let statement = reader.prepare_with(sql, parameters).await?;
            reader.done();
            Ok(statement)
        }
        .boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Sqlite>, Error>>
    where
        'c: 'e,
    {
        let readers = self.clone();
        async move {
            let mut reader = readers.acquire().await?;
            let described = reader.describe(sql).await?;
            reader.done();
            Ok(described)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{query, query_scalar};

    use super::*;

    async fn readers(connections: u32) -> (tempfile::TempDir, Readers) {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("a.db"))
            .create_if_missing(true);
        let readers = Readers::open(options, connections, |_| async { Ok(()) }.boxed())
            .await
            .unwrap();
        (folder, readers)
    }

    /// Something that takes its time, and says that it is over.
    const LONG: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT COUNT(*) FROM n";

    #[tokio::test]
    async fn statements_share_the_connections() {
        let (_folder, readers) = readers(2).await;
        let asked = (0..50_i64).map(|number| {
            let readers = &readers;
            async move {
                query_scalar::<_, i64>("SELECT $1 + 1")
                    .bind(number)
                    .fetch_one(readers)
                    .await
                    .unwrap()
            }
        });
        let answers = futures::future::join_all(asked).await;
        assert_eq!(answers, (1..=50).collect::<Vec<i64>>());
        assert!(readers.idle().len() <= 2);
    }

    #[tokio::test]
    async fn a_statement_that_was_left_holds_its_connection_until_it_ends() {
        let (_folder, readers) = readers(2).await;
        let left = timeout(Duration::from_millis(20), query_scalar::<_, i64>(LONG).fetch_one(&readers)).await;
        assert!(left.is_err(), "it was over too soon to be left");
        assert!(readers.idle().is_empty(), "its connection waits for nobody yet");
        // The other one is there for others, and both once the statement has ended.
        let one: i64 = query_scalar("SELECT 1").fetch_one(&readers).await.unwrap();
        assert_eq!(one, 1);
        let (first, second) = (readers.acquire().await.unwrap(), readers.acquire().await.unwrap());
        first.done();
        second.done();
        assert_eq!(readers.idle().len(), 2);
    }

    #[tokio::test]
    async fn a_statement_that_fails_leaves_its_connection_well() {
        let (_folder, readers) = readers(1).await;
        assert!(query("SELECT nothing").fetch_all(&readers).await.is_err());
        let rows = query("SELECT 1 UNION ALL SELECT 2").fetch_all(&readers).await.unwrap();
        assert_eq!(rows.len(), 2);
    }

    #[tokio::test]
    async fn a_transaction_that_was_left_is_over() {
        let (_folder, readers) = readers(1).await;
        let mut reader = readers.acquire().await.unwrap();
        let transaction = reader.begin().await.unwrap();
        drop(transaction);
        drop(reader);
        let reader = readers.acquire().await.unwrap();
        assert!(!reader.is_in_transaction());
    }

    #[tokio::test]
    async fn what_is_closed_gives_out_no_more() {
        let (_folder, readers) = readers(1).await;
        let reader = readers.acquire().await.unwrap();
        let closing = readers.clone();
        let closing = tokio::spawn(async move { closing.close().await });
        tokio::task::yield_now().await;
        assert!(matches!(query("SELECT 1").fetch_all(&readers).await, Err(Error::PoolClosed)));
        assert!(!closing.is_finished(), "one is still at it");
        drop(reader);
        closing.await.unwrap();
        assert!(matches!(query("SELECT 1").fetch_all(&readers).await, Err(Error::PoolClosed)));
        assert!(readers.idle().is_empty());
    }
}
