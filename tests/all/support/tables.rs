//! Tables as a database itself lists them, and a row in each: so that a table that somebody adds is not forgotten by tests that go over all of them.

use audit_log::server::store::Db;
use sqlx::AssertSqlSafe;

/// Each table with its columns and their types, in lower case; without what belongs to the database and to migrations.
pub async fn tables(db: &Db) -> Vec<(String, Vec<(String, String)>)> {
    const SQLITE: &str = "SELECT t.name, c.name, lower(c.type) FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid";
    const POSTGRES: &str = "SELECT CAST(c.table_name AS TEXT), CAST(c.column_name AS TEXT), CAST(c.data_type AS TEXT) FROM information_schema.columns AS c
        JOIN pg_class AS t ON t.oid = to_regclass(c.table_name) AND NOT t.relispartition
        WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position";
    let columns: Vec<(String, String, String)> = match db {
        Db::Sqlite { read, .. } => sqlx::query_as(SQLITE).fetch_all(read).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_as(POSTGRES).fetch_all(pool).await.unwrap(),
    };
    let mut tables: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for (table, column, of) in columns {
        if table == "_sqlx_migrations" {
            continue;
        }
        match tables.last_mut().filter(|(last, _)| *last == table) {
            Some((_, columns)) => columns.push((column, of)),
            None => tables.push((table, vec![(column, of)])),
        }
    }
    tables
}

/// Rows of a table.
pub async fn count(db: &Db, table: &str) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    match db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    }
}

/// Runs a statement.
pub async fn execute(db: &Db, sql: String) {
    let sql = AssertSqlSafe(sql);
    match db {
        Db::Sqlite { write, .. } => drop(sqlx::query(sql).execute(write).await.unwrap()),
        Db::Postgres(pool) => drop(sqlx::query(sql).execute(pool).await.unwrap()),
    }
}

/// Puts a row into each table that has none, of a project and a user that are there, and of a time at which there are logs: values that each type takes, signs among them that want care.
pub async fn fill_the_empty(db: &Db, project: i64, user: i64) {
    for (table, columns) in tables(db).await {
        if count(db, &table).await > 0 {
            continue;
        }
        let value = |(name, of): &(String, String)| match (name.as_str(), of.as_str()) {
            ("project_id", _) => project.to_string(),
            ("user_id", _) => user.to_string(),
            ("role", _) => "'owner'".to_owned(),
            ("kind", "text") => "'key'".to_owned(),
            ("tab", "text") => "'logs'".to_owned(),
            (name, "bigint") if name.ends_with("_at") || name.ends_with("_time") => {
                "(SELECT MAX(created_at) FROM logs)".to_owned()
            }
            (_, "smallint" | "integer" | "bigint") => "1".to_owned(),
            (_, "boolean") => "TRUE".to_owned(),
            (_, "blob") => "X'005CFF0A'".to_owned(),
            (_, "bytea") => "'\\x005cff0a'".to_owned(),
            (_, "text") => "'a\\b\\N\\.ü\"\t,\r\n.'".to_owned(),
            (name, of) => panic!("{table}.{name} is of the type {of}: say here what goes in"),
        };
        let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let values: Vec<String> = columns.iter().map(value).collect();
        execute(
            db,
            format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", ")),
        )
        .await;
    }
}
