//! One log: its facts, and what it says.

use sqlx::{query, query_as};

use super::block::{self, Entry, Field};
use super::rows::FactsRow;
use super::{blocks, keyed};
use crate::model::log::{ImportFile, Log, LogText};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// A narrow row, and where its text lies.
#[derive(Debug, sqlx::FromRow)]
struct PlacedRow {
    #[sqlx(flatten)]
    facts: FactsRow,
    block_id: Option<i64>,
}

/// The log with this id.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<Log>, StoreError> {
    let Some(time) = keyed::time_of(db, project, id).await? else {
        return Ok(None);
    };
    // Blocks are merged behind the back of whoever reads: a row that names a block that has gone is read once more.
    let mut first_try = true;
    loop {
        let Some(row) = row(db, project, time, id).await? else {
            return Ok(None);
        };
        let text = match row.block_id {
            None => None,
            Some(block_id) => match text(db, project, block_id, id).await? {
                None if first_try => {
                    first_try = false;
                    continue;
                }
                None => {
                    return Err(StoreError::Corrupt(format!(
                        "log {id} names block {block_id}, which does not have it"
                    )));
                }
                found => found,
            },
        };
        let import_file = import_file_name(db, project, id).await?;
        return Ok(Some(Log {
            facts: row.facts.into(),
            text,
            import_file,
        }));
    }
}

async fn row(db: &Db, project: ProjectKey, time: i64, id: &str) -> Result<Option<PlacedRow>, StoreError> {
    const FIND: &str = "SELECT * FROM logs WHERE project_id = $1 AND origin IN (0, 1) AND created_at = $2 AND id = $3";
    Ok(on_db!(read db, pool => query_as(FIND).bind(project).bind(time).bind(id).fetch_optional(pool).await?))
}

/// What a log says, from its block; `None` where the block or the entry is not there.
async fn text(db: &Db, project: ProjectKey, block_id: i64, id: &str) -> Result<Option<LogText>, StoreError> {
    let Some(content) = blocks::read(db, project, block_id).await? else {
        return Ok(None);
    };
    let entries = block::entries(&content)?;
    entries
        .iter()
        .find(|entry| entry.field(Field::Id) == id.as_bytes())
        .map(Entry::text)
        .transpose()
}

async fn import_file_name(db: &Db, project: ProjectKey, id: &str) -> Result<Option<ImportFile>, StoreError> {
    const FIND: &str = "SELECT name, bytes FROM import_files WHERE project_id = $1 AND log_id = $2";
    let found: Option<(String, i64)> = on_db!(read db, pool => query_as(FIND).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(found.map(|(name, bytes)| ImportFile { name, bytes }))
}

/// Keeps the original of an import beside a log (the bytes as given: the caller has encrypted them; `file.bytes` is the size people see).
/// Replaces an earlier one. False where there is no such log.
pub async fn put_import_file(
    db: &Db,
    project: ProjectKey,
    id: &str,
    file: &ImportFile,
    sealed: &[u8],
) -> Result<bool, StoreError> {
    const PUT: &str = "INSERT INTO import_files (project_id, log_id, name, bytes, sealed) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (project_id, log_id) DO UPDATE SET name = excluded.name, bytes = excluded.bytes, sealed = excluded.sealed";
    let Some(time) = keyed::time_of(db, project, id).await? else {
        return Ok(false);
    };
    if row(db, project, time, id).await?.is_none() {
        return Ok(false);
    }
    let mut tx = WriteTx::begin(db).await?;
    on_tx!(&mut tx, connection => {
        query(PUT).bind(project).bind(id).bind(&file.name).bind(file.bytes).bind(sealed).execute(connection).await?.rows_affected()
    });
    tx.commit().await?;
    Ok(true)
}

/// The original of an import, as it was kept.
pub async fn import_file(db: &Db, project: ProjectKey, id: &str) -> Result<Option<(ImportFile, Vec<u8>)>, StoreError> {
    const FIND: &str = "SELECT name, bytes, sealed FROM import_files WHERE project_id = $1 AND log_id = $2";
    let found: Option<(String, i64, Vec<u8>)> =
        on_db!(read db, pool => query_as(FIND).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(found.map(|(name, bytes, sealed)| (ImportFile { name, bytes }, sealed)))
}
