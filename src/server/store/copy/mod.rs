//! All rows of a database in another one, checked: a SQLite file's in an empty PostgreSQL (`audit-log copy`), and a PostgreSQL's in a new SQLite file
//! (`audit-log backup`).
//!
//! Both databases are asked for their tables and columns, so that no list here can lack one: a table or a column that one of the two alone has is refused.
//! By its name only `log_seq` is known, which is a table on one side and a sequence on the other. Rows are read as a stream, in one snapshot, and written
//! some megabytes at a time; what arrived is read once more, and held against what was sent. To add a type of column: its [`value::Kind`].

mod catalogue;
mod postgres;
mod pour;
mod sqlite;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sqlx::{Connection, PgConnection, SqliteConnection};

use self::catalogue::Table;
pub(super) use self::catalogue::quoted;
use self::pour::{Sink, Telling, pour, sum};
use self::value::Sum;
use super::{Db, StoreError};

/// Why a database was not copied. Nothing of it is in the other one then.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// One of the two failed at a table.
    #[error("the table {table}: {error}")]
    Table {
        /// Which.
        table: String,
        /// What the database said.
        error: sqlx::Error,
    },
    /// They do not have the same tables and columns.
    #[error("the two databases are not made alike: {0}")]
    Unlike(String),
    /// There is something where it was to go.
    #[error(
        "the target is not empty: it has rows in {0}. Give a database that is new; what an interrupted copy leaves behind is empty, and may be used"
    )]
    NotEmpty(String),
    /// Something else arrived than was sent.
    #[error("what arrived is not what was sent, and nothing was kept: {0}")]
    Differs(String),
    /// It goes from SQLite to PostgreSQL, and not otherwise.
    #[error(
        "a copy goes from a SQLite file to PostgreSQL: give `--database-url sqlite://FILE` and `--to postgres://USER@HOST/NAME`"
    )]
    Direction,
}

impl From<sqlx::Error> for CopyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Which table.
    pub table: &'a str,
    /// The how manieth, from 1.
    pub nth: usize,
    /// Of how many.
    pub of: usize,
    /// Rows of it so far.
    pub rows: u64,
    /// Whether they are being read once more, to be compared.
    pub comparing: bool,
}

/// What was copied, table by table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Each table, and its rows.
    pub tables: Vec<(String, u64)>,
    /// Whether somebody wrote into the source meanwhile: that is not in the copy.
    pub is_behind: bool,
}

impl Copied {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// What hears how far it is.
pub type Told<'a> = &'a mut (dyn FnMut(Progress<'_>) + Send);

/// Copies a SQLite database, as it is at one moment, into a PostgreSQL without rows; both brought up to date beforehand. One transaction: it is there whole and
/// compared, or not at all.
pub async fn to_postgres(source: &Db, target: &Db, told: Told<'_>) -> Result<Copied, CopyError> {
    let (Db::Sqlite { read, .. }, Db::Postgres(pool)) = (source, target) else {
        return Err(CopyError::Direction);
    };
    let mut reader = read.acquire().await?;
    let version = sqlite::data_version(&mut reader).await?;
    let mut from = reader.begin().await?;
    let mut to = pool.begin().await?;
    let tables = catalogue::agreed(catalogue::of_sqlite(&mut from).await?, catalogue::of_postgres(&mut to).await?)?;
    let tables = in_order(tables, &postgres::parents(&mut to).await?);
    postgres::take_if_empty(&mut to, &tables).await?;
    let mut target = postgres::Target::of(&mut to, &tables).await?;
    let mut sent = Vec::with_capacity(tables.len());
    for (nth, table) in (1..).zip(&tables) {
        let mut telling = Telling::new(told, table, nth, tables.len(), false);
        sent.push(
            pour(
                sqlite::rows(&mut from, table),
                Sink::Postgres(&mut target),
                table,
                &mut telling,
            )
            .await?,
        );
    }
    target.set_sequences(&sqlite::sequences(&mut from).await?).await?;
    let mut arrived = Vec::with_capacity(tables.len());
    for (nth, table) in (1..).zip(&tables) {
        let mut telling = Telling::new(told, table, nth, tables.len(), true);
        arrived.push(sum(postgres::rows(&mut to, &table.whole()), table, &mut telling).await?);
    }
    let copied = compare(&tables, &sent, &arrived)?;
    to.commit().await?;
    // Until somebody does this PostgreSQL takes the tables for small ones, and reads them from end to end.
    sqlx::query("ANALYZE").execute(pool).await?;
    from.rollback().await?;
    Ok(Copied {
        is_behind: sqlite::data_version(&mut reader).await? != version,
        ..copied
    })
}

/// Copies a PostgreSQL, as it is at one moment, into a SQLite file that is new or has no bytes. Nobody waits for it but a purge that would drop a month.
pub async fn to_sqlite(source: &Db, file: &Path, told: Told<'_>) -> Result<Copied, CopyError> {
    let Db::Postgres(pool) = source else {
        return Err(CopyError::Direction);
    };
    let mut to = sqlite::create(file).await?;
    let mut from = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    same_version(&mut from, &mut to).await?;
    let tables = catalogue::agreed(catalogue::of_postgres(&mut from).await?, catalogue::of_sqlite(&mut to).await?)?;
    postgres::hold(&mut from, &tables).await?;
    let indexes = sqlite::take_indexes(&mut to).await?;
    let mut sent = Vec::with_capacity(tables.len());
    for (nth, table) in (1..).zip(&tables) {
        let mut telling = Telling::new(told, table, nth, tables.len(), false);
        sent.push(pour(postgres::rows(&mut from, table), Sink::Sqlite(&mut to), table, &mut telling).await?);
    }
    let sequences = postgres::sequences(&mut from).await?;
    from.rollback().await?;
    sqlite::set_sequences(&mut to, &sequences).await?;
    sqlite::give_indexes(&mut to, &indexes).await?;
    let mut arrived = Vec::with_capacity(tables.len());
    for (nth, table) in (1..).zip(&tables) {
        let mut telling = Telling::new(told, table, nth, tables.len(), true);
        arrived.push(sum(sqlite::rows(&mut to, table), table, &mut telling).await?);
    }
    let copied = compare(&tables, &sent, &arrived)?;
    to.close().await?;
    Ok(copied)
}

/// The numbers that come next, where they are not made of the rows that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sequences {
    /// Of `log_seq`.
    logs: i64,
    /// The highest that was ever given, by table: rows that were deleted count, since their numbers must not come again.
    given: BTreeMap<String, i64>,
}

/// Holds what arrived against what was sent.
fn compare(tables: &[Table], sent: &[Sum], arrived: &[Sum]) -> Result<Copied, CopyError> {
    let both = || tables.iter().zip(sent.iter().zip(arrived));
    let different: Vec<String> = both()
        .filter(|(_, (sent, arrived))| sent != arrived)
        .map(|(table, (sent, arrived))| match (sent.rows, arrived.rows) {
            (sent, arrived) if sent == arrived => format!("{} ({sent} rows, of another content)", table.name),
            (sent, arrived) => format!("{} ({sent} rows were sent, {arrived} arrived)", table.name),
        })
        .collect();
    if !different.is_empty() {
        return Err(CopyError::Differs(different.join(", ")));
    }
    Ok(Copied {
        tables: both().map(|(table, (sent, _))| (table.name.clone(), sent.rows)).collect(),
        is_behind: false,
    })
}

/// Tables in an order in which what a row refers to is there before it.
fn in_order(mut tables: Vec<Table>, parents: &BTreeMap<String, BTreeSet<String>>) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let is_there = |name: &String| !tables.iter().any(|table| table.name == *name);
        let refers_to_those = |table: &Table| {
            parents
                .get(&table.name)
                .is_none_or(|parents| parents.iter().all(|parent| *parent == table.name || is_there(parent)))
        };
        // Tables that refer to one another in a circle have no such order: the database says so then.
        let next = tables.iter().position(refers_to_those).unwrap_or(0);
        ordered.push(tables.remove(next));
    }
    ordered
}

/// Refuses a source whose schema is not this program's: its rows would not fit.
async fn same_version(from: &mut PgConnection, to: &mut SqliteConnection) -> Result<(), CopyError> {
    const VERSION: &str = "SELECT MAX(version) FROM _sqlx_migrations";
    let has: Option<i64> = sqlx::query_scalar(VERSION).fetch_one(from).await?;
    let wanted: Option<i64> = sqlx::query_scalar(VERSION).fetch_one(to).await?;
    if has == wanted {
        return Ok(());
    }
    let [has, wanted] = [has, wanted].map(Option::unwrap_or_default);
    Err(CopyError::Unlike(format!(
        "the database is at migration {has}, this program at {wanted}; use the program that serves it"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Table {
        Table {
            name: name.to_owned(),
            columns: Vec::new(),
            leaves: Vec::new(),
        }
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        let parents =
            [("a", "c"), ("b", "a"), ("c", "c")].map(|(table, parent)| (table.to_owned(), BTreeSet::from([parent.to_owned()])));
        let ordered = in_order(vec![table("a"), table("b"), table("c"), table("d")], &BTreeMap::from(parents));
        let names: Vec<&str> = ordered.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["c", "a", "b", "d"]);
        let circle = [("a", "b"), ("b", "a")].map(|(table, parent)| (table.to_owned(), BTreeSet::from([parent.to_owned()])));
        assert_eq!(in_order(vec![table("a"), table("b")], &BTreeMap::from(circle)).len(), 2);
    }

    #[test]
    fn a_table_that_arrived_otherwise_is_named() {
        let row = |number| vec![value::Value::Number(number)];
        let sum = |numbers: &[i64]| {
            let mut sum = Sum::default();
            for number in numbers {
                sum.add(&row(*number));
            }
            sum
        };
        let tables = [table("logs"), table("users")];
        assert_eq!(sum(&[1, 2, 2]), sum(&[2, 1, 2]), "the order of rows is nobody's");
        let copied = compare(&tables, &[sum(&[1, 2]), sum(&[])], &[sum(&[2, 1]), sum(&[])]).unwrap();
        assert_eq!(copied.tables, [("logs".to_owned(), 2), ("users".to_owned(), 0)]);
        let error = compare(&tables, &[sum(&[1, 2]), sum(&[1])], &[sum(&[1, 3]), sum(&[])])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("logs (2 rows, of another content), users (1 rows were sent, 0 arrived)"),
            "{error}"
        );
    }
}
