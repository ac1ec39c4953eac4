//! Narrow rows with their numbers, and with where what they say lies.

use sea_query::SelectStatement;

use super::rows::{COLUMNS, FactsRow};
use crate::server::store::{Db, StoreError, render};

/// A row, its number, its block and its place there.
pub(super) type Placed = (FactsRow, i64, Option<i64>, i16);

/// The same, as PostgreSQL gives it: making a text of many rows costs it more than handing them over.
#[derive(Debug, sqlx::FromRow)]
struct PlacedRow {
    #[sqlx(flatten)]
    facts: FactsRow,
    seq: i64,
    block_id: Option<i64>,
    slot: i16,
}

impl From<PlacedRow> for Placed {
    fn from(row: PlacedRow) -> Self {
        (row.facts, row.seq, row.block_id, row.slot)
    }
}

/// Asks a select for what [`fetch`] reads.
pub(super) fn columns(select: &mut SelectStatement) -> &mut SelectStatement {
    select.columns(COLUMNS).columns(["seq", "block_id", "slot"])
}

/// Runs a select of these columns.
pub(super) async fn fetch(db: &Db, select: &SelectStatement) -> Result<Vec<Placed>, StoreError> {
    if !db.is_sqlite() {
        let rows: Vec<PlacedRow> = render::fetch(db, select, None).await?;
        return Ok(rows.into_iter().map(Placed::from).collect());
    }
    let columns: [&[&str]; 4] = [&COLUMNS, &["seq"], &["block_id"], &["slot"]];
    render::read_json(&render::fetch_json(db, select, None, &columns).await?)
}
