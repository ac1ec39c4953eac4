//! One log: its facts, and what it says.

use std::collections::{HashMap, HashSet};

use sqlx::{AssertSqlSafe, query, query_as};

use super::block::{self, Entry, Field};
use super::rows::FactsRow;
use super::{blocks, keyed};
use crate::model::log::{ImportFile, Log, LogFacts, LogText, Origin};
use crate::server::store::chain::canon::Digest;
use crate::server::store::chain::stored;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError, tasks};

/// Blocks whose content is in memory at the same time.
const OPENED_TOGETHER: usize = 8;
/// Ids of one statement, within what every SQLite takes.
const FILES_A_STATEMENT: usize = 200;

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
            Some(block_id) => match text(db, project, block_id, (time, id)).await? {
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
        let facts: LogFacts = row.facts.into();
        let mut import_file = import_file_name(db, project, id).await?;
        if let (None, Origin::Own, Some(task)) = (&import_file, facts.origin, &facts.async_action_id) {
            import_file = tasks::file_name(db, project, task).await?;
        }
        return Ok(Some(Log {
            facts,
            text,
            import_file,
        }));
    }
}

/// Several logs with what they say, in the order given: a page at a time, since that costs few statements more than one log does. A log whose text
/// is not to be had this way (merged away meanwhile) is read by itself; one that has gone meanwhile comes with its facts alone.
pub async fn with_texts(db: &Db, project: ProjectKey, all: Vec<LogFacts>) -> Result<Vec<Log>, StoreError> {
    let mut texts = texts(db, project, &all).await?;
    let mut files = import_files(db, project, &all).await?;
    let mut logs = Vec::with_capacity(all.len());
    for facts in all {
        logs.push(match texts.remove(&facts.id) {
            Some(text) => Log {
                import_file: files.remove(&facts.id),
                text,
                facts,
            },
            None => find(db, project, &facts.id).await?.unwrap_or_else(|| without_text(facts)),
        });
    }
    Ok(logs)
}

/// A log of which only the facts are wanted.
pub const fn without_text(facts: LogFacts) -> Log {
    Log {
        facts,
        text: None,
        import_file: None,
    }
}

/// Texts by id; `None` for a log whose text has expired. What could not be found is left out.
async fn texts(db: &Db, project: ProjectKey, all: &[LogFacts]) -> Result<HashMap<String, Option<LogText>>, StoreError> {
    let keys: Vec<_> = all
        .iter()
        .map(|facts| (facts.origin, facts.created_at, facts.id.as_str()))
        .collect();
    let mut by_block: HashMap<i64, HashSet<String>> = HashMap::new();
    let mut texts = HashMap::with_capacity(keys.len());
    for (id, block) in keyed::places(db, project, &keys).await? {
        match block {
            Some(block) => {
                by_block.entry(block).or_default().insert(id);
            }
            None => drop(texts.insert(id, None)),
        }
    }
    let ids: Vec<i64> = by_block.keys().copied().collect();
    let months = blocks::months_of(all.iter().map(|facts| facts.created_at));
    for some in ids.chunks(OPENED_TOGETHER) {
        for (id, (_, bytes, sha256, content)) in blocks::read_closed(db, project, some, months).await? {
            let content = block::open(id, &content, bytes, &sha256)?;
            let Some(wanted) = by_block.get(&id) else { continue };
            for entry in block::entries(&content)? {
                if wanted.contains(entry.id()?) {
                    texts.insert(entry.id()?.to_owned(), Some(entry.text()?));
                }
            }
        }
    }
    Ok(texts)
}

async fn import_files(db: &Db, project: ProjectKey, all: &[LogFacts]) -> Result<HashMap<String, ImportFile>, StoreError> {
    let mut files = HashMap::new();
    for some in all.chunks(FILES_A_STATEMENT) {
        let places: Vec<String> = (0..some.len()).map(|place| format!("${}", place + 2)).collect();
        let sql = format!(
            "SELECT log_id, name, bytes FROM import_files WHERE project_id = $1 AND log_id IN ({})",
            places.join(",")
        );
        let sql = AssertSqlSafe(sql);
        let found: Vec<(String, String, i64)> = on_db!(read db, pool => {
            let mut statement = query_as(sql).bind(project);
            for facts in some {
                statement = statement.bind(&facts.id);
            }
            statement.fetch_all(pool).await?
        });
        files.extend(found.into_iter().map(|(id, name, bytes)| (id, ImportFile { name, bytes })));
    }
    Ok(files)
}

async fn row(db: &Db, project: ProjectKey, time: i64, id: &str) -> Result<Option<PlacedRow>, StoreError> {
    const FIND: &str = "SELECT * FROM logs WHERE project_id = $1 AND origin IN (0, 1) AND created_at = $2 AND id = $3";
    Ok(on_db!(read db, pool => query_as(FIND).bind(project).bind(time).bind(id).fetch_optional(pool).await?))
}

/// What a log says, from its block; `None` where the block or the entry is not there.
async fn text(db: &Db, project: ProjectKey, block_id: i64, (time, id): (i64, &str)) -> Result<Option<LogText>, StoreError> {
    let Some(content) = blocks::read_near(db, project, block_id, time).await? else {
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

/// What became of an original that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is kept.
    Kept,
    /// The log has one already, which stays: an original is evidence.
    Taken,
    /// There is no such log.
    NoLog,
}

/// Keeps the original of an import beside a log (the bytes as given: the caller has encrypted them, and knows the plain ones' SHA-256; `file.bytes` is the
/// size people see).
pub async fn put_import_file(
    db: &Db,
    project: ProjectKey,
    id: &str,
    file: &ImportFile,
    (sealed, plain): (&[u8], &Digest),
    now_ms: i64,
) -> Result<Put, StoreError> {
    const PUT: &str = "INSERT INTO import_files (project_id, log_id, name, bytes, sealed) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (project_id, log_id) DO NOTHING";
    let Some(time) = keyed::time_of(db, project, id).await? else {
        return Ok(Put::NoLog);
    };
    if row(db, project, time, id).await?.is_none() {
        return Ok(Put::NoLog);
    }
    let mut tx = WriteTx::begin(db).await?;
    let kept = on_tx!(&mut tx, connection => {
        query(PUT).bind(project).bind(id).bind(&file.name).bind(file.bytes).bind(sealed).execute(connection).await?.rows_affected()
    });
    if kept > 0 {
        tx.note(project, now_ms)
            .facts([stored::import_file(id, &file.name, file.bytes, plain)]);
    }
    tx.commit().await?;
    Ok(if kept == 0 { Put::Taken } else { Put::Kept })
}

/// The original of an import, as it was kept.
pub async fn import_file(db: &Db, project: ProjectKey, id: &str) -> Result<Option<(ImportFile, Vec<u8>)>, StoreError> {
    const FIND: &str = "SELECT name, bytes, sealed FROM import_files WHERE project_id = $1 AND log_id = $2";
    let found: Option<(String, i64, Vec<u8>)> =
        on_db!(read db, pool => query_as(FIND).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(found.map(|(name, bytes, sealed)| (ImportFile { name, bytes }, sealed)))
}
