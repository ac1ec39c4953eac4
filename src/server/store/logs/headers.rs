//! Reading signatures: which blocks may have a text, in the order of a walk.
//!
//! The database cuts the few words that a needle needs out of signatures, and hands many of them over as one text: what costs time is not the reading but
//! the passing of rows. Blocks in groups and single ones are two streams, merged by the end of their time that the walk meets first.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, query_scalar};

use super::list::Walk;
use super::signature::Trigram;
use super::{groups, singles};
use crate::model::query::Order;
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Groups of the first look, which a common text ends, and at most.
const GROUPS: (i64, i64) = (1, 32);
/// Single blocks of the first look, and at most.
const SINGLES: (i64, i64) = (16, 512);
/// How long a look may take for the next one to be at more.
const STEP: Duration = Duration::from_millis(15);
/// Words of a signature that a first look reads, to see which of them leave the fewest logs.
const MOST_WORDS: usize = 12;
/// Words that are read after that at most: of the rarest, each leaves a third of the logs at most, so 8 leave one of 6,500.
const RAREST: usize = 8;

/// A block that may have the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: i64,
    /// The end of its time that the walk meets first.
    pub(super) edge: i64,
}

/// A block or a group of blocks.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) id: i64,
    /// The end of its time that the walk meets first.
    pub(super) edge: i64,
    /// The blocks in it that may have the text, in the walk's order.
    pub(super) candidates: Vec<Header>,
    /// For each word that was read, how many of its logs have the bit.
    pub(super) bits: Vec<u32>,
}

/// Walks over the signatures of a project.
#[derive(Debug)]
pub(super) struct Headers<'a> {
    walk: &'a Walk,
    groups: Stream<'a>,
    singles: Stream<'a>,
}

impl<'a> Headers<'a> {
    /// From the end of the walk's range that comes first.
    pub(super) fn new(db: &'a Db, project: ProjectKey, walk: &'a Walk, trigrams: &[Trigram]) -> Self {
        // Neighbouring trigrams come together, so those that are looked at are spread over the needle.
        let step = trigrams.len().div_ceil(MOST_WORDS).max(1);
        let trigrams: Vec<Trigram> = trigrams.iter().step_by(step).copied().collect();
        let stream = |is_group: bool| Stream::new(db, project, walk, is_group, trigrams.clone());
        Self {
            walk,
            groups: stream(true),
            singles: stream(false),
        }
    }

    /// The blocks of the next unit that may have the text; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Header>>, StoreError> {
        // Single ones first: a block that is grouped in between is then met twice rather than never.
        self.singles.fill().await?;
        self.groups.fill().await?;
        let (Some(single), Some(group)) = (self.singles.edge(), self.groups.edge()) else {
            let left = if self.singles.edge().is_some() {
                &mut self.singles
            } else {
                &mut self.groups
            };
            return Ok(left.units.pop_front().map(|unit| unit.candidates));
        };
        let first = if self.walk.is_sooner(single, group) {
            &mut self.singles
        } else {
            &mut self.groups
        };
        Ok(first.units.pop_front().map(|unit| unit.candidates))
    }

    /// Where the units that are left begin, in the walk's order; none where there are none.
    pub(super) async fn edge(&mut self) -> Result<Option<i64>, StoreError> {
        self.singles.fill().await?;
        self.groups.fill().await?;
        Ok(self.walk.sooner(self.singles.edge(), self.groups.edge()))
    }
}

/// Units of one kind.
#[derive(Debug)]
struct Stream<'a> {
    db: &'a Db,
    project: ProjectKey,
    walk: &'a Walk,
    is_group: bool,
    /// Those whose words are read.
    trigrams: Vec<Trigram>,
    sql: String,
    units: VecDeque<Unit>,
    /// Edge and id of the last unit read.
    last: (i64, i64),
    size: i64,
    is_done: bool,
}

impl<'a> Stream<'a> {
    fn new(db: &'a Db, project: ProjectKey, walk: &'a Walk, is_group: bool, trigrams: Vec<Trigram>) -> Self {
        let last = match walk.order {
            Order::NewestFirst => (i64::MAX, i64::MAX),
            Order::OldestFirst => (i64::MIN, i64::MIN),
        };
        let sql = sql(db, is_group, walk.order, trigrams.len());
        let size = if is_group { GROUPS.0 } else { SINGLES.0 };
        Self {
            db,
            project,
            walk,
            is_group,
            trigrams,
            sql,
            units: VecDeque::new(),
            last,
            size,
            is_done: false,
        }
    }

    fn edge(&self) -> Option<i64> {
        self.units.front().map(|unit| unit.edge)
    }

    async fn fill(&mut self) -> Result<(), StoreError> {
        if self.is_done || !self.units.is_empty() {
            return Ok(());
        }
        let (size, begun) = (self.size, Instant::now());
        let sql = AssertSqlSafe(self.sql.as_str());
        let range = self.walk.range;
        let lines: Option<String> = on_db!(read self.db, pool => {
            let mut query = query_scalar(sql).bind(self.project).bind(range.from).bind(range.to).bind(self.last.0).bind(self.last.1).bind(size);
            for trigram in &self.trigrams {
                query = query.bind(i64::from(trigram.hash));
            }
            query.fetch_one(pool).await?
        });
        // Where reading is slow, a search must not be late for the end of its time.
        if begun.elapsed() < STEP {
            self.size = (size * 4).min(if self.is_group { GROUPS.1 } else { SINGLES.1 });
        }
        let lines = lines.unwrap_or_default();
        for line in lines.split(';').filter(|line| !line.is_empty()) {
            let unit = if self.is_group {
                groups::read_line(line, self.walk.order, range, &self.trigrams)
            } else {
                singles::read_line(line, &self.trigrams)
            };
            let unit = unit.ok_or_else(|| {
                let start: String = line.chars().take(80).collect();
                StoreError::Corrupt(format!("a signature cannot be read: {start}"))
            })?;
            self.last = (unit.edge, unit.id);
            self.units.push_back(unit);
        }
        self.is_done = (self.units.len() as i64) < size;
        self.keep_rarest();
        Ok(())
    }

    /// After the first look, goes on with those words alone that fewest logs have: the others cost reading and leave out little.
    fn keep_rarest(&mut self) {
        if self.trigrams.len() <= RAREST || self.units.is_empty() {
            return;
        }
        let mut ranked: Vec<(u32, Trigram)> = self
            .trigrams
            .iter()
            .enumerate()
            .map(|(word, trigram)| (self.units.iter().filter_map(|unit| unit.bits.get(word)).sum(), *trigram))
            .collect();
        ranked.sort_unstable_by_key(|(bits, _)| *bits);
        self.trigrams = ranked.into_iter().take(RAREST).map(|(_, trigram)| trigram).collect();
        self.sql = sql(self.db, self.is_group, self.walk.order, self.trigrams.len());
    }
}

/// The statement that reads units of one kind.
pub(super) fn sql(db: &Db, is_group: bool, order: Order, words: usize) -> String {
    let write = if is_group { groups::sql } else { singles::sql };
    write(db.is_sqlite(), order, words)
}

/// The column of the edge that a walk meets first, how later ones compare, and in which direction they lie.
pub(super) const fn direction(order: Order) -> (&'static str, &'static str, &'static str) {
    match order {
        Order::NewestFirst => ("max_time", "<", "DESC"),
        Order::OldestFirst => ("min_time", ">", "ASC"),
    }
}

/// How a database writes bytes in hexadecimal, around them, and joins texts.
pub(super) const fn dialect(sqlite: bool) -> (&'static str, &'static str, &'static str) {
    if sqlite {
        ("hex(", ")", "group_concat")
    } else {
        ("encode(", ", 'hex')", "string_agg")
    }
}

/// The bytes that hexadecimal digits of either case stand for.
pub(super) fn parse_hex(text: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}
