//! Which tables and columns there are, as each database says itself.

use std::collections::BTreeMap;

use sqlx::{PgConnection, SqliteConnection, query_as};

use super::CopyError;
use super::value::Kind;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A table, its columns by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Where its rows lie on PostgreSQL: its partitions, else itself.
    pub(super) leaves: Vec<String>,
}

impl Table {
    /// Its columns, as a statement lists them.
    pub(super) fn columns(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        names.join(", ")
    }

    /// The same one, read through itself: with the partitions that were made since.
    pub(super) fn whole(&self) -> Self {
        Self {
            leaves: vec![self.name.clone()],
            ..self.clone()
        }
    }

    /// What its columns hold.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        self.columns.iter().map(|column| column.kind).collect()
    }
}

/// A name as a statement has it.
pub(in crate::server::store) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What is not copied: each side keeps its own record of migrations, and the numbers of logs are set apart.
const LEFT_OUT: [&str; 2] = ["_sqlx_migrations", "log_seq"];

/// The tables of a SQLite file.
pub(super) async fn of_sqlite(connection: &mut SqliteConnection) -> Result<Vec<Table>, CopyError> {
    const COLUMNS: &str = "SELECT t.name, c.name, c.type FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1, 2";
    tables(query_as(COLUMNS).fetch_all(connection).await?, &BTreeMap::new())
}

/// The tables of a PostgreSQL.
pub(super) async fn of_postgres(connection: &mut PgConnection) -> Result<Vec<Table>, CopyError> {
    const COLUMNS: &str = "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), format_type(a.atttypid, NULL)
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = CAST(current_schema() AS REGNAMESPACE) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY 1, 2";
    const LEAVES: &str = "SELECT CAST(p.relname AS TEXT), CAST(c.relname AS TEXT)
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_class AS p ON p.oid = i.inhparent
        WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS REGNAMESPACE) ORDER BY 1, 2";
    const PARTITIONED: &str = "SELECT CAST(relname AS TEXT), CAST('' AS TEXT) FROM pg_class
        WHERE relkind = 'p' AND relnamespace = CAST(current_schema() AS REGNAMESPACE)";
    let columns = query_as(COLUMNS).fetch_all(&mut *connection).await?;
    let mut leaves: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let partitioned: Vec<(String, String)> = query_as(PARTITIONED).fetch_all(&mut *connection).await?;
    for (table, _) in partitioned {
        leaves.insert(table, Vec::new());
    }
    let parts: Vec<(String, String)> = query_as(LEAVES).fetch_all(connection).await?;
    for (table, leaf) in parts {
        leaves.entry(table).or_default().push(leaf);
    }
    tables(columns, &leaves)
}

fn tables(columns: Vec<(String, String, String)>, leaves: &BTreeMap<String, Vec<String>>) -> Result<Vec<Table>, CopyError> {
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for (table, name, of) in columns.into_iter().filter(|(table, ..)| !LEFT_OUT.contains(&table.as_str())) {
        let kind =
            Kind::of(&of).ok_or_else(|| CopyError::Unlike(format!("nothing is known of the type {of} of {table}.{name}")))?;
        tables.entry(table).or_default().push(Column { name, kind });
    }
    let with_leaves = |(name, columns): (String, Vec<Column>)| Table {
        leaves: leaves.get(&name).cloned().unwrap_or_else(|| vec![name.clone()]),
        name,
        columns,
    };
    Ok(tables.into_iter().map(with_leaves).collect())
}

/// The tables of both, where they have the same ones with the same columns; where rows lie is PostgreSQL's to say.
pub(super) fn agreed(source: Vec<Table>, target: Vec<Table>) -> Result<Vec<Table>, CopyError> {
    let alone = |some: &[Table], others: &[Table]| {
        let is_there = |table: &&Table| others.iter().any(|other| other.name == table.name);
        some.iter().find(|table| !is_there(table)).map(|table| table.name.clone())
    };
    if let Some(name) = alone(&source, &target) {
        return Err(CopyError::Unlike(format!("the table {name} is in the source alone")));
    }
    if let Some(name) = alone(&target, &source) {
        return Err(CopyError::Unlike(format!("the table {name} is in the target alone")));
    }
    for (one, other) in source.iter().zip(&target) {
        let is_in = |columns: &[Column], column: &&Column| columns.contains(column);
        let odd = one.columns.iter().find(|column| !is_in(&other.columns, column));
        let odd = odd.or_else(|| other.columns.iter().find(|column| !is_in(&one.columns, column)));
        if let Some(column) = odd {
            return Err(CopyError::Unlike(format!(
                "the column {}.{} is in one of the two alone, or of another type there",
                one.name, column.name
            )));
        }
    }
    // A SQLite table lies in itself alone, so whoever says more of it is PostgreSQL.
    let leaves = |(one, other): (Table, Table)| if one.leaves == [one.name.clone()] { other } else { one };
    Ok(source.into_iter().zip(target).map(leaves).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(columns: &[(&str, &str, &str)]) -> Vec<Table> {
        let columns = columns
            .iter()
            .map(|(table, column, of)| ((*table).to_owned(), (*column).to_owned(), (*of).to_owned()));
        tables(columns.collect(), &BTreeMap::new()).unwrap()
    }

    #[test]
    fn a_table_or_column_of_one_side_alone_is_named() {
        let one = [("logs", "id", "TEXT"), ("users", "id", "INTEGER")];
        let same = of(&[
            ("logs", "id", "text"),
            ("users", "id", "bigint"),
            ("log_seq", "next", "bigint"),
        ]);
        assert_eq!(agreed(of(&one), same.clone()).unwrap(), same);
        for (other, word) in [
            (&[("logs", "id", "text")][..], "users is in the source alone"),
            (
                &[("keys", "id", "text"), ("logs", "id", "text"), ("users", "id", "bigint")],
                "keys is in the target alone",
            ),
            (&[("logs", "id", "bytea"), ("users", "id", "bigint")], "logs.id"),
            (
                &[("logs", "id", "text"), ("logs", "seq", "bigint"), ("users", "id", "bigint")],
                "logs.seq",
            ),
        ] {
            let error = agreed(of(&one), of(other)).unwrap_err().to_string();
            assert!(error.contains(word), "{word}: {error}");
        }
    }

    #[test]
    fn a_type_that_is_not_known_is_named() {
        let columns = vec![("logs".to_owned(), "at".to_owned(), "timestamp with time zone".to_owned())];
        let error = tables(columns, &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains("logs.at"), "{error}");
    }
}
