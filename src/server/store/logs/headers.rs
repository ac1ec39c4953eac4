//! Reading signatures: which blocks may have a text, in the order of a walk.
//!
//! The database cuts the few words that a needle needs out of signatures, and hands many of them over as one text: what costs time is not the reading but
//! the passing of rows. Blocks in groups and single ones are two streams, merged by the end of their time that the walk meets first.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, query_scalar};

use super::list::Walk;
use super::signature::Trigram;
use super::windows::in_time;
use super::{blocks, groups, singles};
use crate::model::query::Order;
use crate::model::selection::TimeRange;
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Groups of a look: of the first, which a common text ends, and of later ones where those before were quick.
const GROUPS: [usize; 4] = [1, 4, 16, 32];
/// Single blocks of a look.
const SINGLES: [usize; 4] = [16, 64, 256, 512];
/// How long a look may take for the next one to be at more.
const STEP: Duration = Duration::from_millis(15);
/// How long a look takes for the next one to be at less: what came before it may have been in memory, and it on a slow disk.
const SLOW: Duration = Duration::from_millis(60);
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

    /// Reads on where there is nothing left of a kind, and gives where the units begin that are left, in the walk's order; none at the end.
    ///
    /// What has not come a little after the time has run out is left unread where the search `may_stop` there. It has begun before the edge that is given, then.
    pub(super) async fn edge(&mut self, may_stop: impl Fn(i64) -> bool) -> Result<Option<i64>, StoreError> {
        // Single ones first: a block that is grouped in between is then met twice rather than never.
        for stream in [&mut self.singles, &mut self.groups] {
            if may_stop(stream.last.0) {
                in_time(self.walk.until, stream.fill()).await?;
            } else {
                stream.fill().await?;
            }
        }
        Ok(self.walk.sooner(self.singles.edge(), self.groups.edge()))
    }

    /// The blocks that may have the text of the next unit, of those that are [read](Self::edge).
    pub(super) fn next(&mut self) -> Vec<Header> {
        let is_single_first = match (self.singles.edge(), self.groups.edge()) {
            (Some(single), Some(group)) => self.walk.is_sooner(single, group),
            (single, _) => single.is_some(),
        };
        let first = if is_single_first {
            &mut self.singles
        } else {
            &mut self.groups
        };
        first.units.pop_front().map(|unit| unit.candidates).unwrap_or_default()
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
    units: VecDeque<Unit>,
    /// Edge and id of the last unit read.
    last: (i64, i64),
    /// Which of the sizes of a look is the next one's.
    level: usize,
    is_done: bool,
}

impl<'a> Stream<'a> {
    fn new(db: &'a Db, project: ProjectKey, walk: &'a Walk, is_group: bool, trigrams: Vec<Trigram>) -> Self {
        let last = match walk.order {
            Order::NewestFirst => (i64::MAX, i64::MAX),
            Order::OldestFirst => (i64::MIN, i64::MIN),
        };
        Self {
            db,
            project,
            walk,
            is_group,
            trigrams,
            units: VecDeque::new(),
            last,
            level: 0,
            is_done: false,
        }
    }

    /// Where what is left begins: the first unit that was read, or whatever is unread.
    fn edge(&self) -> Option<i64> {
        let unread = (!self.is_done).then_some(self.last.0);
        self.units.front().map(|unit| unit.edge).or(unread)
    }

    async fn fill(&mut self) -> Result<(), StoreError> {
        if self.is_done || !self.units.is_empty() {
            return Ok(());
        }
        let sizes = if self.is_group { GROUPS } else { SINGLES };
        let (size, begun) = (sizes[self.level], Instant::now());
        let range = self.walk.range;
        let sql = AssertSqlSafe(sql(self.db, self.is_group, self.walk.order, range, self.trigrams.len(), size));
        let lines: Option<String> = on_db!(read self.db, pool => {
            let mut query = query_scalar(sql).bind(self.project).bind(range.from).bind(range.to).bind(self.last.0).bind(self.last.1);
            for trigram in &self.trigrams {
                query = query.bind(i64::from(trigram.hash));
            }
            query.fetch_one(pool).await?
        });
        // Where reading is slow, a search must not be late for the end of its time.
        self.level = match begun.elapsed() {
            took if took < STEP => (self.level + 1).min(sizes.len() - 1),
            took if took > SLOW => self.level.saturating_sub(1),
            _ => self.level,
        };
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
        self.is_done = self.units.len() < size;
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
    }
}

/// The statement that reads so many units of one kind.
///
/// How many they are, and of which months, is written in it: PostgreSQL's plan for any value would read a whole month and sort it, and look at all months there are.
pub(super) fn sql(db: &Db, is_group: bool, order: Order, range: TimeRange, words: usize, size: usize) -> String {
    let write = if is_group { groups::sql } else { singles::sql };
    let months = blocks::months_of([range.from, range.to.saturating_sub(1)]);
    write(db.is_sqlite(), order, words, &blocks::within(db, months), size)
}

/// The column of the edge that a walk meets first, how later ones compare, and in which direction they lie.
pub(super) const fn direction(order: Order) -> (&'static str, &'static str, &'static str) {
    match order {
        Order::NewestFirst => ("max_time", "<", "DESC"),
        Order::OldestFirst => ("min_time", ">", "ASC"),
    }
}

/// What keeps a walk from the newest on to the index of the ends: a condition on `min_time` that names a value which is not known yet lets PostgreSQL believe that next
/// to nothing is left, and read a month by its beginnings to sort it.
pub(super) const fn unindexed(order: Order) -> &'static str {
    match order {
        Order::NewestFirst => " + 0",
        Order::OldestFirst => "",
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
