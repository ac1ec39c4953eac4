//! What a backup asks of the database: a SQLite file as it stands at one moment while others write into it, and which files its rows name.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection, query, query_scalar};

use super::db::on_db;
use super::{Db, StoreError};

/// How long it waits where another connection holds the file for itself, as while a server starts.
const PATIENCE: Duration = Duration::from_secs(30);
/// Page cache for the copy that is written, in KiB.
const CACHE_KIB: u32 = 32 * 1024;

/// The columns that name files, and those that say how many bytes they have: of none at all nothing lies anywhere.
const NAMES: [(&str, &str, &str); 3] = [
    ("exports", "file", "bytes"),
    ("tasks", "file", "file_bytes"),
    ("tasks", "rejected", "rejected_bytes"),
];

/// A SQLite file that is to be backed up. It is neither made nor brought up to date: a server of another version may be at work on it.
#[derive(Debug)]
pub struct SqliteSource {
    connection: SqliteConnection,
}

impl SqliteSource {
    /// Opens it.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let path = super::sqlite::path(url);
        if !Path::new(path).is_file() {
            return Err(StoreError::Url(format!("there is no database {path}")));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(false)
            .busy_timeout(PATIENCE);
        let connection = options.pragma("cache_size", format!("-{CACHE_KIB}")).connect().await?;
        Ok(Self { connection })
    }

    /// Bytes that a copy takes, about: what is free inside the file is not copied.
    pub async fn bytes(&mut self) -> Result<u64, StoreError> {
        const BYTES: &str =
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        let bytes: i64 = query_scalar(BYTES).fetch_one(&mut self.connection).await?;
        Ok(bytes.unsigned_abs())
    }

    /// Copies it as it stands now into a file that is not there, or has no bytes. Whoever writes goes on meanwhile; the write-ahead log keeps growing until
    /// the copy is done, since what stood at its beginning must stay readable.
    pub async fn copy_to(mut self, file: &Path) -> Result<(), StoreError> {
        query("VACUUM INTO $1")
            .bind(text_of(file)?)
            .execute(&mut self.connection)
            .await?;
        self.connection.close().await?;
        Ok(())
    }
}

fn text_of(file: &Path) -> Result<&str, StoreError> {
    file.to_str().ok_or_else(|| {
        StoreError::Url(format!(
            "{} is no text, which SQLite needs a file's name to be",
            file.display()
        ))
    })
}

/// A copy that is whole; nobody else has it open.
async fn open_copy(file: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new().filename(text_of(file)?);
    Ok(options.read_only(true).immutable(true).connect().await?)
}

/// Looks a copy through, page by page, and gives the files that its rows name.
pub async fn check_copy(file: &Path) -> Result<Vec<String>, StoreError> {
    let mut copy = open_copy(file).await?;
    let found: String = query_scalar("PRAGMA quick_check(1)").fetch_one(&mut copy).await?;
    if found != "ok" {
        return Err(StoreError::Corrupt(format!("the copy does not hold together: {found}")));
    }
    let selects = NAMES.map(|(table, column, bytes)| {
        format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL AND COALESCE({bytes}, 1) > 0")
    });
    let sql = format!("{} ORDER BY 1", selects.join(" UNION "));
    let names = query_scalar(AssertSqlSafe(sql)).fetch_all(&mut copy).await?;
    copy.close().await?;
    Ok(names)
}

/// Whether a row names a file still.
pub async fn is_named(db: &Db, file: &str) -> Result<bool, StoreError> {
    let named = NAMES.map(|(table, column, _)| format!("EXISTS (SELECT 1 FROM {table} WHERE {column} = $1)"));
    let sql = AssertSqlSafe(format!("SELECT {}", named.join(" OR ")));
    Ok(on_db!(read db, pool => query_scalar::<_, bool>(sql).bind(file).fetch_one(pool).await?))
}
