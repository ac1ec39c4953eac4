//! Rows on their way: a stream of them in, some megabytes at a time out, summed up as they pass.

use futures::TryStreamExt;
use futures::stream::BoxStream;
use sqlx::SqliteConnection;

use super::catalogue::Table;
use super::value::{self, Row, Sum};
use super::{CopyError, Progress, postgres, sqlite};

/// Bytes of rows that are written together; a single row may be larger.
const BATCH_BYTES: usize = 4 << 20;
/// Rows that are written together.
const BATCH_ROWS: usize = 5_000;

/// Where rows go.
pub(super) enum Sink<'a, 'c> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut postgres::Target<'c>),
}

impl Sink<'_, '_> {
    async fn write(&mut self, table: &Table, rows: &[Row]) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => sqlite::write(connection, table, rows).await,
            Self::Postgres(target) => target.write(table, rows).await,
        }
    }
}

/// Says how far a table is, now and then.
pub(super) struct Telling<'a, 't> {
    told: &'a mut (dyn FnMut(Progress<'_>) + Send + 't),
    table: &'a str,
    nth: usize,
    of: usize,
    comparing: bool,
}

impl<'a, 't> Telling<'a, 't> {
    pub(super) fn new(
        told: &'a mut (dyn FnMut(Progress<'_>) + Send + 't),
        table: &'a Table,
        nth: usize,
        of: usize,
        comparing: bool,
    ) -> Self {
        Self {
            told,
            table: &table.name,
            nth,
            of,
            comparing,
        }
    }

    fn tell(&mut self, rows: u64) {
        (self.told)(Progress {
            table: self.table,
            nth: self.nth,
            of: self.of,
            rows,
            comparing: self.comparing,
        });
    }
}

/// Sends all rows of a table, and sums them up.
pub(super) async fn pour(
    mut rows: BoxStream<'_, Result<Row, sqlx::Error>>,
    mut sink: Sink<'_, '_>,
    table: &Table,
    telling: &mut Telling<'_, '_>,
) -> Result<Sum, CopyError> {
    let (mut sum, mut batch, mut bytes) = (Sum::default(), Vec::new(), 0);
    telling.tell(0);
    loop {
        let row = rows.try_next().await.map_err(at(table))?;
        let is_last = row.is_none();
        if let Some(row) = row {
            sum.add(&row);
            bytes += value::bytes(&row);
            batch.push(row);
        }
        if !batch.is_empty() && (is_last || bytes >= BATCH_BYTES || batch.len() >= BATCH_ROWS) {
            sink.write(table, &batch).await.map_err(at(table))?;
            batch.clear();
            bytes = 0;
            telling.tell(sum.rows);
        }
        if is_last {
            return Ok(sum);
        }
    }
}

/// Sums all rows of a table up.
pub(super) async fn sum(
    mut rows: BoxStream<'_, Result<Row, sqlx::Error>>,
    table: &Table,
    telling: &mut Telling<'_, '_>,
) -> Result<Sum, CopyError> {
    let mut sum = Sum::default();
    while let Some(row) = rows.try_next().await.map_err(at(table))? {
        sum.add(&row);
        if sum.rows.is_multiple_of(BATCH_ROWS as u64) {
            telling.tell(sum.rows);
        }
    }
    Ok(sum)
}

fn at(table: &Table) -> impl FnOnce(sqlx::Error) -> CopyError {
    |error| CopyError::Table {
        table: table.name.clone(),
        error,
    }
}
