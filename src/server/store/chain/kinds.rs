//! Values of another kind than their column's: SQLite lets any column hold any value, and a row with such a one cannot be read. Whoever verifies still names it.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, query_as};

use crate::server::store::copy::quoted;
use crate::server::store::projects::ProjectKey;
use crate::server::store::readers::Readers;
use crate::server::store::{Db, StoreError};

/// Rows of a table that are named; more say nothing more.
const NAMED: i64 = 20;

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Which: its table, and its key as SQLite writes it, as `logs 0, 1764412800000, 'log_1'`.
    pub row: String,
    /// The column.
    pub column: String,
}

/// A column: its table, its name, the type that it was made with, and its place in the key, 0 where it is not in it.
type Column = (String, String, String, i64);

/// A project's rows that hold something of another kind than their columns, and those of tables that know no project; none on PostgreSQL, which takes no such value.
pub async fn misfits(db: &Db, project: ProjectKey) -> Result<Vec<Misfit>, StoreError> {
    const COLUMNS: &str = "SELECT t.name, c.name, c.type, c.pk FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name <> '_sqlx_migrations' ORDER BY t.name, c.cid";
    let Db::Sqlite { read, .. } = db else {
        return Ok(Vec::new());
    };
    let columns: Vec<Column> = query_as(COLUMNS).fetch_all(read).await?;
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for column in columns {
        tables.entry(column.0.clone()).or_default().push(column);
    }
    let mut found = Vec::new();
    for (table, columns) in tables {
        found.extend(of_table(read, project, &table, &columns).await?);
    }
    Ok(found)
}

async fn of_table(read: &Readers, project: ProjectKey, table: &str, columns: &[Column]) -> Result<Vec<Misfit>, StoreError> {
    let checks: Vec<(&str, String)> = columns
        .iter()
        .filter_map(|(_, name, of, _)| Some((name.as_str(), other_kind(&quoted(name), of)?)))
        .collect();
    if checks.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<&str> = checks.iter().map(|(_, check)| check.as_str()).collect();
    let cases: String = checks
        .iter()
        .map(|(name, check)| format!(" WHEN {check} THEN '{}'", name.replace('\'', "''")))
        .collect();
    let is_project = |column: &&Column| column.1 == "project_id";
    let mut key: Vec<&Column> = columns
        .iter()
        .filter(|column| (column.3 > 0 || column.1 == "id") && !is_project(column))
        .collect();
    // An id stands last where it is not in the key: people look for it.
    key.sort_by_key(|column| if column.3 > 0 { column.3 } else { i64::MAX });
    let key: Vec<String> = key.iter().map(|column| format!("quote({})", quoted(&column.1))).collect();
    let key = if key.is_empty() {
        "''".to_owned()
    } else {
        key.join(" || ', ' || ")
    };
    let whose = if columns.iter().any(|column| is_project(&column)) {
        "project_id = $1"
    } else {
        "$1 IS NOT NULL"
    };
    // Names that the database gave.
    let sql = AssertSqlSafe(format!(
        "SELECT {key}, CASE{cases} END FROM {} WHERE {whose} AND ({}) LIMIT $2",
        quoted(table),
        all.join(" OR "),
    ));
    let rows: Vec<(String, String)> = query_as(sql)
        .persistent(false)
        .bind(project)
        .bind(NAMED)
        .fetch_all(read)
        .await?;
    let named = rows.into_iter().map(|(key, column)| Misfit {
        row: format!("{table} {key}").trim_end().to_owned(),
        column,
    });
    Ok(named.collect())
}

/// When a column does not hold what the type that it was made with says; none for types that nothing here has.
fn other_kind(column: &str, of: &str) -> Option<String> {
    let is_not = |kind: &str| format!("typeof({column}) NOT IN ('{kind}', 'null')");
    let within = |bits: u32| {
        let bound = 1_i64 << (bits - 1);
        format!("{} OR {column} NOT BETWEEN {} AND {}", is_not("integer"), -bound, bound - 1)
    };
    Some(match of.to_ascii_uppercase().as_str() {
        "BIGINT" => is_not("integer"),
        // SQLite's own word for the number of a row, of any size.
        "INTEGER" if column == "\"id\"" => is_not("integer"),
        "INTEGER" => within(32),
        "SMALLINT" => within(16),
        "BOOLEAN" => within(2),
        "TEXT" => is_not("text"),
        "BLOB" => is_not("blob"),
        _ => return None,
    })
}
