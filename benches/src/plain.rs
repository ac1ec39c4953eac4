//! The baselines: the same rows, raw bodies and secondary indexes, written straight into a database.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use sqlx::postgres::PgPoolCopyExt;

use crate::Outcome;
use crate::data::Row;

/// What a plain table keeps beside the product's own columns: the texts, raw.
const RAW: [&str; 5] = ["url", "request_headers", "request_body", "response_headers", "response_body"];

/// The product's own `logs` table and secondary indexes, as it made them.
pub struct Schema {
    columns: Vec<String>,
    indexes: Vec<String>,
}

impl Schema {
    /// Reads them from a database that the product has migrated.
    pub fn of_sqlite(database: &Path) -> Outcome<Self> {
        let connection = Connection::open(database)?;
        let columns = connection
            .prepare("SELECT name FROM pragma_table_info('logs')")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let indexes = connection
            .prepare("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'logs' AND sql IS NOT NULL")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(Self { columns, indexes })
    }

    fn all_columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).chain(RAW).collect()
    }
}

/// What a row has in a column of the product's; its bookkeeping columns get a number.
fn value(row: &Row, number: i64, column: &str) -> Value {
    let text = |text: &str| Value::Text(text.to_owned());
    match column {
        "created_at" => Value::Integer(row.created_at),
        "id" => Value::Text(format!("log_{number:026}")),
        "status" => Value::Integer(i64::from(row.status_code >= 400)),
        "status_code" => Value::Integer(row.status_code),
        "request_id" => text(&row.request_id),
        "channel" => text(row.channel),
        "method" => text(row.method),
        "endpoint" => text(&row.endpoint),
        "path" | "url" => text(&row.path),
        "user_email" => text(&row.user_email),
        "app_id" => text(&row.app_id),
        "duration_us" => Value::Integer(row.duration_ms * 1_000),
        "ip" => text(&row.ip),
        "resource_type" => text(row.resource_type),
        "resource_id" => text(&row.resource_id),
        "request_bytes" => Value::Integer(row.request_body.len() as i64),
        "response_bytes" => Value::Integer(row.response_body.len() as i64),
        "request_headers" => text(&row.request_headers),
        "request_body" => text(&row.request_body),
        "response_headers" => text(&row.response_headers),
        "response_body" => text(&row.response_body),
        "project_id" => Value::Integer(1),
        "seq" => Value::Integer(number),
        "block_id" => Value::Integer(number / 64),
        "slot" => Value::Integer(number % 64),
        "origin" | "notes" => Value::Integer(0),
        _ => Value::Null,
    }
}

/// A prepared-statement loop into SQLite, WAL, `synchronous=FULL`, 1,000 rows a transaction; with `fts5`, a trigram index over the texts too.
/// Gives the time that the loop took.
pub fn sqlite(path: &Path, schema: &Schema, rows: impl Iterator<Item = Row>, fts5: bool) -> Outcome<Duration> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let columns = schema.all_columns();
    connection.execute_batch(&format!("CREATE TABLE logs ({})", columns.join(", ")))?;
    for index in &schema.indexes {
        connection.execute_batch(index)?;
    }
    if fts5 {
        connection.execute_batch(&format!(
            "CREATE VIRTUAL TABLE texts USING fts5({}, tokenize = 'trigram', content = '', detail = 'none')",
            RAW.join(", ")
        ))?;
    }
    let marks = |count: usize| vec!["?"; count].join(", ");
    let insert = format!("INSERT INTO logs ({}) VALUES ({})", columns.join(", "), marks(columns.len()));
    let insert_text = format!(
        "INSERT INTO texts (rowid, {}) VALUES ({})",
        RAW.join(", "),
        marks(RAW.len() + 1)
    );

    let mut spent = Duration::ZERO;
    let mut rows = rows.enumerate().peekable();
    while rows.peek().is_some() {
        let batch: Vec<_> = rows.by_ref().take(1_000).collect();
        let begun = Instant::now();
        let transaction = connection.transaction()?;
        {
            let mut logs = transaction.prepare_cached(&insert)?;
            let mut texts = if fts5 {
                Some(transaction.prepare_cached(&insert_text)?)
            } else {
                None
            };
            for (number, row) in &batch {
                let number = *number as i64 + 1;
                logs.execute(params_from_iter(columns.iter().map(|column| value(row, number, column))))?;
                if let Some(texts) = &mut texts {
                    let raw = RAW.iter().map(|column| value(row, number, column));
                    texts.execute(params_from_iter(std::iter::once(Value::Integer(number)).chain(raw)))?;
                }
            }
        }
        transaction.commit()?;
        spent += begun.elapsed();
    }
    Ok(spent)
}

/// COPY into PostgreSQL, 1,000 rows a transaction, into a plain table of the same columns and indexes.
pub async fn postgres(pool: &sqlx::PgPool, rows: impl Iterator<Item = Row>) -> Outcome<Duration> {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'logs' AND table_schema = 'public' ORDER BY ordinal_position",
    )
    .fetch_all(pool)
    .await?;
    let raw = RAW.map(|column| format!("ADD COLUMN {column} TEXT")).join(", ");
    let indexes: Vec<String> =
        sqlx::query_scalar("SELECT indexdef FROM pg_indexes WHERE tablename = 'logs' AND schemaname = 'public'")
            .fetch_all(pool)
            .await?;
    run(pool, "CREATE TABLE plain (LIKE logs)".to_owned()).await?;
    run(pool, format!("ALTER TABLE plain {raw}")).await?;
    for (number, index) in indexes.iter().enumerate() {
        let Some((_, definition)) = index.split_once(" USING ") else {
            continue;
        };
        let unique = if index.contains("UNIQUE") { "UNIQUE" } else { "" };
        run(
            pool,
            format!("CREATE {unique} INDEX plain_{number} ON plain USING {definition}"),
        )
        .await?;
    }
    let all: Vec<&str> = columns.iter().map(String::as_str).chain(RAW).collect();
    let copy = format!("COPY plain ({}) FROM STDIN", all.join(", "));

    let mut spent = Duration::ZERO;
    let mut rows = rows.enumerate().peekable();
    while rows.peek().is_some() {
        let mut text = String::new();
        for (number, row) in rows.by_ref().take(1_000) {
            let line: Vec<String> = all
                .iter()
                .map(|column| copy_text(value(&row, number as i64 + 1, column)))
                .collect();
            text.push_str(&line.join("\t"));
            text.push('\n');
        }
        let begun = Instant::now();
        let mut sink = pool.copy_in_raw(&copy).await?;
        sink.send(text.as_bytes()).await?;
        sink.finish().await?;
        spent += begun.elapsed();
    }
    Ok(spent)
}

async fn run(pool: &sqlx::PgPool, sql: String) -> Outcome<()> {
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await?;
    Ok(())
}

/// A value as COPY's text format has it (PostgreSQL's documentation, COPY, "Text Format").
fn copy_text(value: Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text
            .replace('\\', "\\\\")
            .replace('\t', "\\t")
            .replace('\n', "\\n")
            .replace('\r', "\\r"),
        _ => "\\N".to_owned(),
    }
}
