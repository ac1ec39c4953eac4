//! Statements that are put together as they are needed: built once with sea-query, rendered for whichever database there is.

use sea_query::{PostgresQueryBuilder, SelectStatement, SqliteQueryBuilder};
use sea_query_sqlx::{SqlxBinder, SqlxValues};
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, query_as_with, query_scalar_with};

use crate::server::store::{Db, StoreError};

/// Runs a select and gives its rows. On SQLite its first table `logs` is read through `index` where one is named: SQLite's planner knows nothing of
/// how many logs a value has, and the branches of a list are cut for their index.
pub(super) async fn fetch<T>(db: &Db, select: &SelectStatement, index: Option<&str>) -> Result<Vec<T>, StoreError>
where
    T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
{
    Ok(match db {
        Db::Sqlite { read, .. } => {
            let (sql, values) = render_sqlite(select, index);
            query_as_with(AssertSqlSafe(sql), values).fetch_all(read).await?
        }
        Db::Postgres(pool) => {
            let (sql, values) = select.build_sqlx(PostgresQueryBuilder);
            query_as_with(AssertSqlSafe(sql), values).fetch_all(pool).await?
        }
    })
}

/// Runs a select of these columns and gives its rows. SQLite's come as one text: its rows are read on a thread of their own and cross to the caller's
/// one by one, which takes longer than reading them.
pub(super) async fn fetch_at_once<T>(
    db: &Db,
    select: &SelectStatement,
    index: Option<&str>,
    columns: &[&str],
) -> Result<Vec<T>, StoreError>
where
    T: Send + Unpin + DeserializeOwned + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
{
    if !db.is_sqlite() {
        return fetch(db, select, index).await;
    }
    let columns: Vec<&[&str]> = columns.iter().map(std::slice::from_ref).collect();
    read_json(&fetch_json(db, select, index, &columns).await?)
}

/// Rows that came as one text.
pub(super) fn read_json<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("rows as JSON cannot be read: {error}")))
}

/// Runs a select and gives all its rows as one text: a JSON array with an array a row, of these columns; a column may itself be a list of columns. What
/// costs time with many rows is not reading them but handing them over one by one.
pub(super) async fn fetch_json(
    db: &Db,
    select: &SelectStatement,
    index: Option<&str>,
    columns: &[&[&str]],
) -> Result<String, StoreError> {
    let array = if db.is_sqlite() { "json_array" } else { "json_build_array" };
    let nested = |columns: &[&str]| match columns {
        [one] => (*one).to_owned(),
        some => format!("{array}({})", some.join(", ")),
    };
    let row: Vec<String> = columns.iter().map(|columns| nested(columns)).collect();
    let row = format!("{array}({})", row.join(", "));
    Ok(match db {
        Db::Sqlite { read, .. } => {
            let (inner, values) = render_sqlite(select, index);
            let sql = format!("SELECT json_group_array({row}) FROM ({inner}) AS some_rows");
            query_scalar_with(AssertSqlSafe(sql), values).fetch_one(read).await?
        }
        Db::Postgres(pool) => {
            let (inner, values) = select.build_sqlx(PostgresQueryBuilder);
            let sql = format!("SELECT CAST(COALESCE(json_agg({row}), '[]') AS TEXT) FROM ({inner}) AS some_rows");
            query_scalar_with(AssertSqlSafe(sql), values).fetch_one(pool).await?
        }
    })
}

/// A select as it would be run, with its values in it, and with places for them.
pub(super) fn written(db: &Db, select: &SelectStatement, index: Option<&str>) -> (String, String) {
    if db.is_sqlite() {
        let sql = indexed(select.to_string(SqliteQueryBuilder), index);
        return (sql, render_sqlite(select, index).0);
    }
    (select.to_string(PostgresQueryBuilder), select.build(PostgresQueryBuilder).0)
}

fn render_sqlite(select: &SelectStatement, index: Option<&str>) -> (String, SqlxValues) {
    let (sql, values) = select.build_sqlx(SqliteQueryBuilder);
    (indexed(sql, index), values)
}

fn indexed(sql: String, index: Option<&str>) -> String {
    match index {
        Some(index) => sql.replacen("FROM \"logs\"", &format!("FROM \"logs\" INDEXED BY {index}"), 1),
        None => sql,
    }
}
