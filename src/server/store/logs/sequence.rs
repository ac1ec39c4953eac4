//! The numbers that logs get in the order they are written, and blocks too.

use std::collections::VecDeque;
use std::ops::Range;

use sqlx::query_scalar;

use crate::server::store::db::{OpenTx, WriteTx};
use crate::server::store::{Db, StoreError};

/// What PostgreSQL's sequence gives with each number: see its `INCREMENT BY`.
const RANGE: i64 = 10_000;

/// Numbers that belong to one transaction.
#[derive(Debug)]
pub(super) struct Numbers(VecDeque<Range<i64>>);

impl Numbers {
    /// The next number.
    pub(super) fn next(&mut self) -> Result<i64, StoreError> {
        while let Some(range) = self.0.front_mut() {
            if let Some(number) = range.next() {
                return Ok(number);
            }
            self.0.pop_front();
        }
        Err(StoreError::Corrupt("more numbers were used than were taken".into()))
    }
}

/// Takes at least so many numbers.
pub(super) async fn take(tx: &mut WriteTx, count: usize) -> Result<Numbers, StoreError> {
    const SQLITE: &str = "UPDATE log_seq SET next = next + $1 RETURNING next";
    const POSTGRES: &str = "SELECT nextval('log_seq') FROM generate_series(1, $1)";
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Numbers(match &mut tx.open {
        OpenTx::Sqlite(transaction) => {
            let next: i64 = query_scalar(SQLITE).bind(count).fetch_one(&mut **transaction).await?;
            std::iter::once(next - count..next).collect()
        }
        OpenTx::Postgres(transaction) => {
            let ranges = count / RANGE + 1;
            let starts: Vec<i64> = query_scalar(POSTGRES).bind(ranges).fetch_all(&mut **transaction).await?;
            starts.into_iter().map(|start| start..start + RANGE).collect()
        }
    }))
}

/// A number that no log stored so far is above: what is stored from now on is.
///
/// PostgreSQL gives numbers by the range and keeps some of a transaction's back, so that a transaction that has begun may still use a lower one: such logs
/// were sent before, and count as stored by then.
pub async fn watermark(db: &Db) -> Result<i64, StoreError> {
    const SQLITE: &str = "SELECT next - 1 FROM log_seq";
    const POSTGRES: &str = "SELECT CASE WHEN is_called THEN last_value + 10000 - 1 ELSE last_value - 1 END FROM log_seq";
    Ok(match db {
        Db::Sqlite { read, .. } => query_scalar(SQLITE).fetch_one(read).await?,
        Db::Postgres(pool) => query_scalar(POSTGRES).fetch_one(pool).await?,
    })
}
