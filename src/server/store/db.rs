//! Opening, migrating and closing a database.

use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use super::chain::{self, Noted, Notes};
use super::projects::ProjectKey;
use super::readers::Readers;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no, or could not be reached.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The database broke off while a transaction was committed: whether it was is not known.
    #[error("the database broke off at a commit, which may have been made or not: {0}")]
    Doubtful(sqlx::Error),
    /// The migrations could not be applied.
    #[error("the database could not be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// What the database holds is not what was written: said with what and where.
    #[error("the database holds something broken: {0}")]
    Corrupt(String),
    /// The URL names no database that this product knows.
    #[error("{0}")]
    Url(String),
    /// Something that must be unique is taken already.
    #[error("{0} is taken already")]
    Taken(String),
}

/// A database.
#[derive(Clone, Debug)]
pub enum Db {
    /// One file; many readers, one writer.
    Sqlite {
        /// Connections that read.
        read: Readers,
        /// The one connection that writes.
        write: SqlitePool,
        /// The one that moves what was written into the database's file; opened where a watch is kept.
        tend: SqlitePool,
    },
    /// A server.
    Postgres(PgPool),
}

/// Runs the same statement on whichever database there is: `on_db!(read db, pool => query(...).fetch_all(pool).await?)`.
macro_rules! on_db {
    (read $db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::server::store::Db::Sqlite { read: $pool, .. } => $body,
            $crate::server::store::Db::Postgres($pool) => $body,
        }
    };
    (write $db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::server::store::Db::Sqlite { write: $pool, .. } => $body,
            $crate::server::store::Db::Postgres($pool) => $body,
        }
    };
}
pub(crate) use on_db;

impl Db {
    /// Opens `sqlite://path` (made where it is not there) or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        match url.split(':').next() {
            Some("sqlite") => super::sqlite::open(url).await,
            Some("postgres" | "postgresql") => super::postgres::open(url).await,
            // The URL may hold a password, so it is not repeated.
            _ => Err(StoreError::Url(
                "a database's URL begins with sqlite:// or postgres://".to_owned(),
            )),
        }
    }

    /// Opens a database that must be there: no file is made.
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        let file = url.starts_with("sqlite:").then(|| super::sqlite::path(url));
        match file.filter(|file| !std::path::Path::new(file).is_file()) {
            Some(file) => Err(StoreError::Url(format!("there is no database {file}"))),
            None => Self::open(url).await,
        }
    }

    /// Sees to it, from now on, that nobody waits for a database that is away, nor for one that tidies up.
    pub fn watch(&self) {
        match self {
            Self::Sqlite { tend, write, .. } => super::wal::watch(tend.clone(), write.clone()),
            Self::Postgres(pool) => super::reach::watch(pool.clone()),
        }
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { write, .. } => super::sqlite::migrate(write).await,
            Self::Postgres(pool) => super::postgres::migrate(pool).await,
        }
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on_db!(read self, pool => sqlx::query("SELECT 1").execute(pool).await.map(|_| ()))?;
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write, tend } => {
                tend.close().await;
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A transaction that writes.
#[derive(Debug)]
pub(super) struct WriteTx {
    pub(super) open: OpenTx,
    /// What it notes on projects' chains when it commits.
    noted: Notes,
}

/// The database's own transaction.
#[derive(Debug)]
pub(super) enum OpenTx {
    /// Holds the database's write lock from its beginning.
    Sqlite(Transaction<'static, Sqlite>),
    /// One among many.
    Postgres(Transaction<'static, Postgres>),
}

/// Runs the same statement in whichever transaction there is: `on_tx!(tx, connection => query(...).execute(connection).await?)`.
macro_rules! on_tx {
    ($tx:expr, $connection:ident => $body:expr) => {
        match &mut (*$tx).open {
            $crate::server::store::db::OpenTx::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
            $crate::server::store::db::OpenTx::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
        }
    };
}
pub(super) use on_tx;

impl WriteTx {
    /// Begins a transaction that will write.
    pub(super) async fn begin(db: &Db) -> Result<Self, StoreError> {
        let open = match db {
            // A deferred transaction that reads first may find the lock taken when it comes to write.
            Db::Sqlite { write, .. } => OpenTx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Db::Postgres(pool) => OpenTx::Postgres(pool.begin().await?),
        };
        Ok(Self {
            open,
            noted: Notes::default(),
        })
    }

    /// What is noted on a project's chain when this commits; `at` is when it happens.
    pub(super) fn note(&mut self, project: ProjectKey, at: i64) -> &mut Noted {
        self.noted.of(project, at)
    }

    /// Makes what it wrote last, once that is on the chains.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let noted = std::mem::take(&mut self.noted);
        chain::append(&mut self, noted).await?;
        let made = match self.open {
            OpenTx::Sqlite(transaction) => transaction.commit().await,
            OpenTx::Postgres(transaction) => transaction.commit().await,
        };
        made.map_err(|error| {
            if is_doubtful(&error) {
                StoreError::Doubtful(error)
            } else {
                error.into()
            }
        })
    }

    /// Whether it is on SQLite.
    pub(super) const fn is_sqlite(&self) -> bool {
        matches!(self.open, OpenTx::Sqlite(_))
    }
}

/// Whether a commit that ended so may have been made all the same: its answer did not come, PostgreSQL was told to stop over it (class 57), or what SQLite had
/// written could not be synced (1034).
fn is_doubtful(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            (code.len() == 5 && (code.starts_with("57") || code.starts_with("08"))) || code == "1034"
        }
        _ => false,
    }
}

impl Db {
    /// Whether it is SQLite.
    pub(in crate::server) const fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }
}
