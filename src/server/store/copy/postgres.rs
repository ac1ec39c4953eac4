//! PostgreSQL's side of a copy.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use data_encoding::HEXLOWER;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use sqlx::{AssertSqlSafe, PgConnection, query, query_as, query_scalar};

use super::catalogue::{Table, quoted};
use super::value::{self, Kind, Row, Value};
use super::{CopyError, Sequences};
use crate::server::store::logs::month::{self, Month};
use crate::server::store::postgres::make_partition;

/// Bytes that are handed to PostgreSQL at once.
const SEND: usize = 1 << 20;

/// All rows of a table, partition by partition: a partitioned table itself is never locked, so that a month can be added meanwhile, and nobody waits for
/// whoever adds it.
pub(super) fn rows<'c>(connection: &'c mut PgConnection, table: &Table) -> BoxStream<'c, Result<Row, sqlx::Error>> {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| match column.kind {
            Kind::Number => format!("CAST({} AS BIGINT)", quoted(&column.name)),
            _ => quoted(&column.name),
        })
        .collect();
    let columns = columns.join(", ");
    // Names that the database gave.
    let selects: Vec<String> = table
        .leaves
        .iter()
        .map(|leaf| format!("SELECT {columns} FROM {}", quoted(leaf)))
        .collect();
    if selects.is_empty() {
        return stream::empty().boxed();
    }
    let kinds = table.kinds();
    query(AssertSqlSafe(selects.join(" UNION ALL ")))
        .persistent(false)
        .fetch(connection)
        .map(move |row| value::read(&row?, &kinds))
        .boxed()
}

/// Which tables a table's rows refer to.
pub(super) async fn parents(connection: &mut PgConnection) -> Result<BTreeMap<String, BTreeSet<String>>, sqlx::Error> {
    const REFERENCES: &str = "SELECT CAST(c.relname AS TEXT), CAST(p.relname AS TEXT) FROM pg_constraint AS f
        JOIN pg_class AS c ON c.oid = f.conrelid JOIN pg_class AS p ON p.oid = f.confrelid WHERE f.contype = 'f'";
    let references: Vec<(String, String)> = query_as(REFERENCES).fetch_all(connection).await?;
    let mut parents: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, parent) in references {
        parents.entry(table).or_default().insert(parent);
    }
    Ok(parents)
}

/// Keeps months from being dropped while they are read.
pub(super) async fn hold(connection: &mut PgConnection, tables: &[Table]) -> Result<(), sqlx::Error> {
    lock(connection, tables.iter().flat_map(|table| &table.leaves), "ACCESS SHARE").await
}

/// Keeps everybody else from writing; refuses where anybody has.
pub(super) async fn take_if_empty(connection: &mut PgConnection, tables: &[Table]) -> Result<(), CopyError> {
    lock(connection, tables.iter().map(|table| &table.name), "EXCLUSIVE").await?;
    let mut used = Vec::new();
    for table in tables {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", quoted(&table.name));
        if query_scalar::<_, bool>(AssertSqlSafe(sql))
            .persistent(false)
            .fetch_one(&mut *connection)
            .await?
        {
            used.push(table.name.as_str());
        }
    }
    if used.is_empty() {
        Ok(())
    } else {
        Err(CopyError::NotEmpty(used.join(", ")))
    }
}

async fn lock<'n>(connection: &mut PgConnection, names: impl Iterator<Item = &'n String>, mode: &str) -> Result<(), sqlx::Error> {
    let names: Vec<String> = names.map(|name| quoted(name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let sql = format!("LOCK TABLE {} IN {mode} MODE", names.join(", "));
    query(AssertSqlSafe(sql)).persistent(false).execute(connection).await?;
    Ok(())
}

/// The numbers that come next.
pub(super) async fn sequences(connection: &mut PgConnection) -> Result<Sequences, sqlx::Error> {
    const LOGS: &str = "SELECT CASE WHEN is_called THEN last_value + 10000 ELSE last_value END FROM log_seq";
    let logs = query_scalar(LOGS).fetch_one(&mut *connection).await?;
    let mut given = BTreeMap::new();
    for (table, column) in numbered(connection).await? {
        const LAST: &str = "SELECT COALESCE(pg_sequence_last_value(CAST(pg_get_serial_sequence($1, $2) AS REGCLASS)), 0)";
        let last: i64 = query_scalar(LAST)
            .bind(quoted(&table))
            .bind(column)
            .fetch_one(&mut *connection)
            .await?;
        given.insert(table, last);
    }
    Ok(Sequences { logs, given })
}

/// The tables that number their rows themselves, and in which column.
async fn numbered(connection: &mut PgConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    const NUMBERED: &str = "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT) FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE a.attidentity <> '' AND NOT c.relispartition AND c.relnamespace = CAST(current_schema() AS REGNAMESPACE) ORDER BY 1";
    query_as(NUMBERED).fetch_all(connection).await
}

/// A PostgreSQL that is being filled.
pub(super) struct Target<'c> {
    connection: &'c mut PgConnection,
    /// The column by which a table is partitioned: its place among the columns.
    months_of: BTreeMap<String, usize>,
    /// The months that have partitions.
    months: HashSet<Month>,
}

impl<'c> Target<'c> {
    pub(super) async fn of(connection: &'c mut PgConnection, tables: &[Table]) -> Result<Self, sqlx::Error> {
        const PARTITIONED: &str = "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT) FROM pg_partitioned_table AS p
            JOIN pg_class AS c ON c.oid = p.partrelid JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
            WHERE c.relnamespace = CAST(current_schema() AS REGNAMESPACE)";
        let partitioned: Vec<(String, String)> = query_as(PARTITIONED).fetch_all(&mut *connection).await?;
        let place = |(table, column): &(String, String)| {
            let columns = &tables.iter().find(|one| one.name == *table)?.columns;
            Some((table.clone(), columns.iter().position(|one| one.name == *column)?))
        };
        Ok(Self {
            connection,
            months_of: partitioned.iter().filter_map(place).collect(),
            months: HashSet::new(),
        })
    }

    /// Writes rows.
    pub(super) async fn write(&mut self, table: &Table, rows: &[Row]) -> Result<(), sqlx::Error> {
        if let Some(place) = self.months_of.get(&table.name) {
            let times = rows.iter().filter_map(|row| match row.get(*place) {
                Some(Value::Number(time)) => Some(*time),
                _ => None,
            });
            let months: HashSet<Month> = times.map(month::of).collect();
            for month in months {
                if !self.months.contains(&month) {
                    make_partition(self.connection, &month).await?;
                    self.months.insert(month);
                }
            }
        }
        let sql = format!("COPY {} ({}) FROM STDIN", quoted(&table.name), table.columns());
        let mut copy = self.connection.copy_in_raw(&sql).await?;
        let mut text = Vec::with_capacity(SEND);
        for row in rows {
            line(row, &mut text);
            if text.len() >= SEND {
                copy.send(std::mem::take(&mut text)).await?;
            }
        }
        copy.send(text).await?;
        copy.finish().await?;
        Ok(())
    }

    /// Sets the numbers that come next: after those that were ever given, and after those that are there.
    pub(super) async fn set_sequences(self, sequences: &Sequences) -> Result<(), sqlx::Error> {
        const SET: &str = "SELECT setval(CAST(pg_get_serial_sequence($1, $2) AS REGCLASS), GREATEST($3, 1), $3 > 0)";
        query("SELECT setval('log_seq', $1, FALSE)")
            .bind(sequences.logs)
            .execute(&mut *self.connection)
            .await?;
        for (table, column) in numbered(self.connection).await? {
            let sql = format!("SELECT COALESCE(MAX({}), 0) FROM {}", quoted(&column), quoted(&table));
            let there: i64 = query_scalar(AssertSqlSafe(sql))
                .persistent(false)
                .fetch_one(&mut *self.connection)
                .await?;
            let given = sequences.given.get(&table).copied().unwrap_or_default().max(there);
            query(SET)
                .bind(quoted(&table))
                .bind(column)
                .bind(given)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }
}

/// A row as `COPY` reads it.
fn line(row: &[Value], text: &mut Vec<u8>) {
    for (place, value) in row.iter().enumerate() {
        if place > 0 {
            text.push(b'\t');
        }
        match value {
            Value::Null => text.extend_from_slice(b"\\N"),
            Value::Number(number) => text.extend_from_slice(number.to_string().as_bytes()),
            Value::Truth(truth) => text.push(if *truth { b't' } else { b'f' }),
            Value::Text(given) => escaped(given, text),
            Value::Bytes(bytes) => {
                text.extend_from_slice(b"\\\\x");
                text.extend_from_slice(HEXLOWER.encode(bytes).as_bytes());
            }
        }
    }
    text.push(b'\n');
}

fn escaped(given: &str, text: &mut Vec<u8>) {
    for byte in given.bytes() {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            b'\t' => text.extend_from_slice(b"\\t"),
            byte => text.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_copy_reads() {
        let mut text = Vec::new();
        let row = [
            Value::Null,
            Value::Number(-7),
            Value::Truth(true),
            Value::Text("a\tb\\N\r\nü".to_owned()),
            Value::Text(String::new()),
            Value::Bytes(vec![0, 255, 92]),
        ];
        line(&row, &mut text);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "\\N\t-7\tt\ta\\tb\\\\N\\r\\nü\t\t\\\\x00ff5c\n"
        );
    }
}
