//! Reading signatures: which blocks may have a text, in the order of a walk, many blocks a row.
//!
//! The database cuts the few words that a needle needs out of each signature, and hands a few hundred blocks over as one text: what costs time is not
//! the reading but the passing of rows.

use sqlx::{AssertSqlSafe, query_scalar};

use super::list::Walk;
use crate::model::query::Order;
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Blocks of the first look, which a common text ends, and at most.
const CHUNK: (i64, i64) = (32, 2_048);
/// Words of a signature that are looked at: each leaves about a third of the logs.
const MOST_HASHES: usize = 16;

/// A block that may have the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: i64,
    /// The end of its time that the walk meets first.
    pub(super) edge: i64,
}

/// Some blocks.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Those that may have the text, in the walk's order.
    pub(super) candidates: Vec<Header>,
    /// No block that comes later reaches past this time.
    pub(super) edge: i64,
    /// Whether there are no more blocks.
    pub(super) is_last: bool,
}

/// Walks over the signatures of a project.
#[derive(Debug)]
pub(super) struct Headers<'a> {
    db: &'a Db,
    project: ProjectKey,
    walk: &'a Walk,
    hashes: Vec<i64>,
    sql: String,
    /// Edge and id of the last block seen.
    last: (i64, i64),
    size: i64,
    is_done: bool,
}

impl<'a> Headers<'a> {
    /// From the end of the walk's range that comes first.
    pub(super) fn new(db: &'a Db, project: ProjectKey, walk: &'a Walk, hashes: &[u32]) -> Self {
        // Neighbouring trigrams come together, so those that are looked at are spread over the needle.
        let step = hashes.len().div_ceil(MOST_HASHES).max(1);
        let hashes: Vec<i64> = hashes.iter().step_by(step).map(|hash| i64::from(*hash)).collect();
        let last = match walk.order {
            Order::NewestFirst => (i64::MAX, i64::MAX),
            Order::OldestFirst => (i64::MIN, i64::MIN),
        };
        let sql = sql(db.is_sqlite(), walk.order, hashes.len());
        Self {
            db,
            project,
            walk,
            hashes,
            sql,
            last,
            size: CHUNK.0,
            is_done: false,
        }
    }

    /// The next blocks; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Chunk>, StoreError> {
        if self.is_done {
            return Ok(None);
        }
        let size = self.size;
        self.size = (size * 4).min(CHUNK.1);
        let sql = AssertSqlSafe(self.sql.as_str());
        let range = self.walk.range;
        let lines: Option<String> = on_db!(read self.db, pool => {
            let mut query = query_scalar(sql).bind(self.project).bind(range.from).bind(range.to).bind(self.last.0).bind(self.last.1).bind(size);
            for hash in &self.hashes {
                query = query.bind(*hash);
            }
            query.fetch_one(pool).await?
        });
        let lines = lines.unwrap_or_default();
        let mut candidates = Vec::new();
        let mut count = 0;
        for line in lines.split(';').filter(|line| !line.is_empty()) {
            let (header, may_have) =
                read_line(line).ok_or_else(|| StoreError::Corrupt(format!("a block's line {line:?} cannot be read")))?;
            if may_have {
                candidates.push(header);
            }
            self.last = (header.edge, header.id);
            count += 1;
        }
        self.is_done = count < size;
        Ok(Some(Chunk {
            candidates,
            edge: self.last.0,
            is_last: self.is_done,
        }))
    }
}

/// One text of lines `id,edge,lane,words`, the words in hexadecimal one after another.
fn sql(sqlite: bool, order: Order, hashes: usize) -> String {
    let (edge, compare, direction) = match order {
        Order::NewestFirst => ("max_time", "<", "DESC"),
        Order::OldestFirst => ("min_time", ">", "ASC"),
    };
    let (hex, join) = if sqlite {
        ("hex(", "group_concat")
    } else {
        ("encode(", "string_agg")
    };
    let end = if sqlite { ")" } else { ", 'hex')" };
    // A word's place is hash * width / 2^32.
    let place = |hash: usize| format!("CAST(1 + ((${} * width) >> 32) * lane AS INTEGER)", hash + 7);
    let words: String = (0..hashes)
        .map(|hash| format!(" || {hex}substr(signature, {}, lane){end}", place(hash)))
        .collect();
    format!(
        "SELECT {join}(line, ';') FROM (
            SELECT id || ',' || {edge} || ',' || lane || ','{words} AS line FROM log_blocks
            WHERE project_id = $1 AND max_time >= $2 AND min_time < $3 AND ({edge}, id) {compare} ($4, $5)
            ORDER BY {edge} {direction}, id {direction} LIMIT $6) AS lines"
    )
}

/// A block, and whether one of its logs has every word's bit.
fn read_line(line: &str) -> Option<(Header, bool)> {
    let mut fields = line.split(',');
    let mut number = || fields.next()?.parse::<i64>().ok();
    let (id, edge, lane) = (number()?, number()?, number()?);
    let words = fields.next()?;
    let digits = usize::try_from(lane).ok()?.checked_mul(2).filter(|digits| *digits > 0)?;
    let mut left = u64::MAX;
    for start in (0..words.len()).step_by(digits) {
        // Both sides of an AND are written the same way round, so the order of bytes does not matter.
        left &= u64::from_str_radix(words.get(start..start + digits)?, 16).ok()?;
    }
    Some((Header { id, edge }, left != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whether_a_log_has_every_word() {
        assert!(read_line("7,1000,1,0103").unwrap().1);
        assert!(!read_line("7,1000,1,0102").unwrap().1);
        assert!(read_line("7,1000,8,").unwrap().1, "a needle without trigrams may be anywhere");
        assert!(read_line("7,1000,2,010").is_none());
        assert!(read_line("7,x,2,0100").is_none());
    }
}
