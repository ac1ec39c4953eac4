//! What lies on the disk, by what it is for.

use rusqlite::Connection;
use sqlx::PgPool;

use super::stand::{Kind, Stand};
use crate::Outcome;

/// Bytes by purpose, and of everything.
pub struct Sizes {
    pub parts: Vec<(&'static str, u64)>,
    pub whole: u64,
}

/// What a tree of SQLite's, or a relation of PostgreSQL's, is for: by its table, and whether it is an index beside it.
const PURPOSES: [(&str, &str); 14] = [
    ("logs", "rows: what a list shows, in the order of time"),
    ("logs index", "indexes, one a filter"),
    ("log_blocks", "texts: addresses, headers, bodies, compressed"),
    ("log_signatures", "search: signatures of blocks"),
    ("log_groups", "search: groups of signatures"),
    ("log_slices", "search: groups of signatures"),
    ("log_ids", "clients' own ids"),
    ("log_minutes", "counts"),
    ("log_quarters", "counts"),
    ("log_value_hours", "counts"),
    ("log_value_days", "counts"),
    ("log_value_weeks", "counts"),
    ("chain_leaves", "chain: 32 bytes a log"),
    ("chain", "chain: entries and heads"),
];
const REST: &str = "everything else, and what is free";

/// Of the large database.
pub async fn of(stand: &Stand) -> Outcome<Sizes> {
    match stand.kind {
        Kind::Sqlite => of_sqlite(&Connection::open(stand.database("large"))?),
        Kind::Postgres => of_postgres(&PgPool::connect(&stand.url("large")).await?).await,
    }
}

fn of_sqlite(database: &Connection) -> Outcome<Sizes> {
    const TREES: &str = "SELECT name, tbl_name, type FROM sqlite_schema WHERE rootpage > 0";
    const SIZE: &str = "SELECT pgsize FROM dbstat WHERE name = ?1 AND aggregate = TRUE";
    let trees: Vec<(String, String, String)> = database
        .prepare(TREES)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for (name, table, kind) in trees {
        let size: i64 = database.query_row(SIZE, [&name], |row| row.get(0))?;
        found.push((table, kind == "index", size as u64));
    }
    let whole: i64 = database.query_row(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        [],
        |row| row.get(0),
    )?;
    Ok(Sizes::of(found, whole as u64))
}

async fn of_postgres(pool: &PgPool) -> Outcome<Sizes> {
    // A partition counts for the table that it is of.
    const SIZES: &str = "SELECT CAST(COALESCE(p.relname, c.relname) AS TEXT), CAST(SUM(pg_table_size(c.oid)) AS BIGINT), CAST(SUM(pg_indexes_size(c.oid)) AS BIGINT)
        FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid LEFT JOIN pg_class AS p ON p.oid = i.inhparent
        WHERE c.relkind = 'r' AND c.relnamespace = CAST('public' AS REGNAMESPACE) GROUP BY 1";
    let tables: Vec<(String, i64, i64)> = sqlx::query_as(SIZES).fetch_all(pool).await?;
    let whole: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
        .fetch_one(pool)
        .await?;
    let found = tables
        .into_iter()
        .flat_map(|(table, rows, indexes)| [(table.clone(), false, rows as u64), (table, true, indexes as u64)]);
    Ok(Sizes::of(found, whole as u64))
}

impl Sizes {
    fn of(found: impl IntoIterator<Item = (String, bool, u64)>, whole: u64) -> Self {
        let mut parts: Vec<(&str, u64)> = Vec::new();
        for (_, words) in PURPOSES {
            if !parts.iter().any(|(known, _)| *known == words) {
                parts.push((words, 0));
            }
        }
        for (table, is_index, bytes) in found {
            let Some(words) = purpose(&table, is_index) else {
                continue;
            };
            if let Some((_, sum)) = parts.iter_mut().find(|(known, _)| *known == words) {
                *sum += bytes;
            }
        }
        let known: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
        parts.push((REST, whole.saturating_sub(known)));
        Self { parts, whole }
    }
}

fn purpose(table: &str, is_index: bool) -> Option<&'static str> {
    let table = match table {
        "logs" if is_index => "logs index",
        "chain_leaves" => table,
        table if table.starts_with("chain_") => "chain",
        table => table,
    };
    PURPOSES.iter().find(|(known, _)| *known == table).map(|(_, words)| *words)
}
