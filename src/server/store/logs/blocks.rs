//! Blocks in the database: written, read one by one, read to be opened.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::block::{self, SealedBlock};
use super::month;
use super::signature::Form;
use crate::model::log::Origin;
use crate::model::selection::TimeRange;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::insert::Insert;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Few rows a statement: a block weighs some 30 KB.
const INSERT: Insert = Insert {
    head: "INSERT INTO log_blocks (project_id, origin, id, min_time, max_time, count, small, bytes, sha256, content) VALUES",
    tail: "",
    columns: 10,
};
const SIGN: Insert = Insert {
    head: "INSERT INTO log_signatures (project_id, origin, id, min_time, max_time, small, width, lane, form, signature) VALUES",
    tail: "",
    columns: 10,
};
const ROWS: usize = 20;

/// The condition that blocks, signatures or groups are of an origin; `None` for those of both, from before that was told apart.
pub(super) const fn of_origin(origin: Option<Origin>) -> &'static str {
    match origin {
        Some(Origin::Application) => "origin = 0",
        Some(Origin::Own) => "origin = 1",
        None => "origin IS NULL",
    }
}

/// Writes blocks under their ids.
pub(super) async fn insert<M>(tx: &mut WriteTx, blocks: &[(ProjectKey, i64, &SealedBlock<M>)]) -> Result<(), StoreError> {
    for some in blocks.chunks(ROWS) {
        for chunk in INSERT.chunks(some) {
            let sql = INSERT.sql(chunk.len(), tx.is_sqlite());
            on_tx!(tx, connection => {
                let mut statement = query(sql);
                for (project, id, block) in chunk {
                    statement = statement
                        .bind(*project)
                        .bind(block.origin.map(Origin::number))
                        .bind(*id)
                        .bind(block.min_time)
                        .bind(block.max_time)
                        .bind(block.members.len() as i16)
                        .bind(i16::from(block.small))
                        .bind(block.bytes as i64)
                        .bind(block.sha256.to_vec())
                        .bind(block.content.to_vec());
                }
                statement.execute(connection).await?;
            });
        }
        for chunk in SIGN.chunks(some) {
            let sql = SIGN.sql(chunk.len(), tx.is_sqlite());
            on_tx!(tx, connection => {
                let mut statement = query(sql);
                for (project, id, block) in chunk {
                    statement = statement
                        .bind(*project)
                        .bind(block.origin.map(Origin::number))
                        .bind(*id)
                        .bind(block.min_time)
                        .bind(block.max_time)
                        .bind(i16::from(block.small))
                        .bind(block.width as i32)
                        .bind(block.lane as i32)
                        .bind(Form::NOW.number())
                        .bind(block.signature.to_vec());
                }
                statement.execute(connection).await?;
            });
        }
    }
    Ok(())
}

/// Tells searches that blocks have moved.
pub(super) async fn note_moves(tx: &mut WriteTx, project: ProjectKey) -> Result<(), StoreError> {
    const NOTE: &str = "INSERT INTO log_moves (project_id, moves) VALUES ($1, 1)
        ON CONFLICT (project_id) DO UPDATE SET moves = log_moves.moves + 1";
    on_tx!(tx, connection => query(NOTE).bind(project).execute(connection).await?.rows_affected());
    Ok(())
}

/// How often blocks have moved.
pub(super) async fn moves(db: &Db, project: ProjectKey) -> Result<i64, StoreError> {
    const MOVES: &str = "SELECT moves FROM log_moves WHERE project_id = $1";
    let moves: Option<i64> = on_db!(read db, pool => query_scalar(MOVES).bind(project).fetch_optional(pool).await?);
    Ok(moves.unwrap_or_default())
}

/// A block's content as the database has it: id, bytes before compression, SHA-256, compressed content.
pub(super) type Closed = (i64, i64, Vec<u8>, Vec<u8>);

/// The months in which blocks lie that have logs of some times: a block never leaves its month. None where there is no time, or no calendar for it.
pub(super) fn months_of(times: impl IntoIterator<Item = i64>) -> Option<TimeRange> {
    let months = times.into_iter().fold(None, |known: Option<(i64, i64)>, time| {
        Some(known.map_or((time, time), |(first, last)| (first.min(time), last.max(time))))
    });
    let (first, last) = months?;
    let (from, to) = (month::of(first).start, month::of(last).end);
    (from > i64::MIN && to < i64::MAX).then_some(TimeRange { from, to })
}

/// The condition that keeps PostgreSQL to some months' partitions: else it looks at all there are. SQLite has none, and is not to look at times.
pub(super) fn within(db: &Db, months: Option<TimeRange>) -> String {
    match months.filter(|_| !db.is_sqlite()) {
        // Whole months: there are few such texts.
        Some(TimeRange { from, to }) => format!(" AND min_time >= {from} AND min_time < {to}"),
        None => String::new(),
    }
}

/// The content of one block, opened and checked; `time` is that of one of its logs.
pub(super) async fn read_near(db: &Db, project: ProjectKey, id: i64, time: i64) -> Result<Option<Vec<u8>>, StoreError> {
    read_within(db, project, id, months_of([time])).await
}

/// The content of one block, opened and checked.
pub(super) async fn read(db: &Db, project: ProjectKey, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
    read_within(db, project, id, None).await
}

async fn read_within(db: &Db, project: ProjectKey, id: i64, months: Option<TimeRange>) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = AssertSqlSafe(format!(
        "SELECT id, bytes, sha256, content FROM log_blocks WHERE project_id = $1 AND id = $2{}",
        within(db, months)
    ));
    let closed: Option<Closed> = on_db!(read db, pool => query_as(sql).bind(project).bind(id).fetch_optional(pool).await?);
    closed
        .map(|(id, bytes, sha256, content)| block::open(id, &content, bytes, &sha256))
        .transpose()
}

/// Several blocks of some [months](months_of), still closed, by id. Those that are gone are left out.
pub(super) async fn read_closed(
    db: &Db,
    project: ProjectKey,
    ids: &[i64],
    months: Option<TimeRange>,
) -> Result<HashMap<i64, Closed>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    // Ids are numbers of the database's own, so they may stand in the text.
    let list = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let sql = AssertSqlSafe(format!(
        "SELECT id, bytes, sha256, content FROM log_blocks WHERE project_id = $1 AND id IN ({list}){}",
        within(db, months)
    ));
    let closed: Vec<Closed> = on_db!(read db, pool => query_as(sql).bind(project).persistent(false).fetch_all(pool).await?);
    Ok(closed.into_iter().map(|block| (block.0, block)).collect())
}
