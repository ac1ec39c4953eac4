//! Logs in the order in which they were stored: those that came after an entry of their project's chain, for whoever follows it.
//!
//! A chain has an entry for each committed batch, its entries have no gap, and a later one is never seen before an earlier one, whichever server wrote it. So the
//! number of an entry says what has been seen and what has not.

use std::cmp::{max, min};

use sea_query::{Expr, ExprTrait, Query};
use sqlx::{query_as, query_scalar};

use super::{one, placed, scan};
use crate::model::log::{Log, Origin};
use crate::model::query::Order;
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError, render};

/// Entries that are read at a time.
const ENTRIES: i64 = 500;
/// Logs that are read at a time: whoever is further behind reads the list anew.
const LOGS: usize = 20_000;
/// Batches are read together as long as their logs were made within so many milliseconds.
const TOGETHER_MS: i64 = 10 * 60 * 1_000;

/// How far a project has been written: the number of its chain's last entry.
pub type Mark = i64;

/// How far a project has been written by now; 0 where nothing ever was.
pub async fn mark(db: &Db, project: ProjectKey) -> Result<Mark, StoreError> {
    const HEAD: &str = "SELECT number FROM chain_heads WHERE project_id = $1";
    let number: Option<i64> = on_db!(read db, pool => query_scalar(HEAD).bind(project).fetch_optional(pool).await?);
    Ok(number.unwrap_or_default())
}

/// How far each of some projects has been written; those are left out where nothing ever was.
pub async fn marks(db: &Db, projects: &[ProjectKey]) -> Result<Vec<(ProjectKey, Mark)>, StoreError> {
    let mut select = Query::select();
    select
        .columns(["project_id", "number"])
        .from("chain_heads")
        .and_where(Expr::col("project_id").is_in(projects.iter().copied()));
    render::fetch(db, &select, None).await
}

/// What came after a mark.
#[derive(Debug)]
pub struct Arrivals {
    /// How far it reaches.
    pub mark: Mark,
    /// Whether there was more than is read here: whoever shows a list reads it anew.
    pub missed: bool,
    /// Up to which entry those that came went behind a checkpoint, where some did: smaller portions do not bring them back.
    pub gone: Option<Mark>,
    /// Whether more has been written after it by now.
    pub more: bool,
    /// Whether something else than logs was written: a task, an export, an attempt.
    pub facts: bool,
    left: Vec<scan::Placed>,
}

/// A batch as its entry tells of it: the entry's number; the first log's number and how many they are; when the first and the last were made.
type Batch = (i64, Option<i64>, Option<i32>, Option<i64>, Option<i64>);

/// Batches whose logs are read by one statement.
#[derive(Debug)]
struct Together {
    times: TimeRange,
    /// The first and the last number of each batch.
    numbers: Vec<(i64, i64)>,
}

/// Reads what came after a mark, up to another one at most, as far as it was made within a range.
pub async fn after(db: &Db, project: ProjectKey, (mark, until): (Mark, Mark), range: TimeRange) -> Result<Arrivals, StoreError> {
    const BATCHES: &str = "SELECT number, first_seq, logs, from_time, to_time FROM chain_entries
        WHERE project_id = $1 AND number > $2 AND number <= $3 ORDER BY number LIMIT $4";
    let batches: Vec<Batch> =
        on_db!(read db, pool => query_as(BATCHES).bind(project).bind(mark).bind(until).bind(ENTRIES).fetch_all(pool).await?);
    // Entries that went behind a checkpoint took along what they told.
    let gone = batches.first().filter(|first| first.0 != mark + 1).map(|first| first.0 - 1);
    let mut arrivals = Arrivals {
        mark: batches.last().map_or(mark, |last| last.0),
        missed: gone.is_some(),
        gone,
        more: batches.len() as i64 == ENTRIES,
        facts: batches.iter().any(|(_, first, ..)| first.is_none()),
        left: Vec::new(),
    };
    let Some(all) = together(&batches, range) else {
        arrivals.missed = true;
        return Ok(arrivals);
    };
    for some in all {
        arrivals.left.extend(read(db, project, &some).await?);
        if arrivals.left.len() > LOGS {
            arrivals.missed = true;
            arrivals.left.clear();
            break;
        }
    }
    Ok(arrivals)
}

/// Which batches are read together; none where one of them does not say when its logs were made.
fn together(batches: &[Batch], range: TimeRange) -> Option<Vec<Together>> {
    let mut all: Vec<Together> = Vec::new();
    for (_, first, count, from, to) in batches {
        let Some((first, count)) = first.zip(*count) else { continue };
        let times = TimeRange {
            from: max(*from.as_ref()?, range.from),
            to: min(to.as_ref()?.saturating_add(1), range.to),
        };
        if times.from >= times.to {
            continue;
        }
        let numbers = (first, first + i64::from(count) - 1);
        match all.last_mut() {
            Some(before) if is_short(before.with(times)) => {
                before.times = before.with(times);
                before.numbers.push(numbers);
            }
            _ => all.push(Together {
                times,
                numbers: vec![numbers],
            }),
        }
    }
    Some(all)
}

impl Together {
    fn with(&self, times: TimeRange) -> TimeRange {
        TimeRange {
            from: min(self.times.from, times.from),
            to: max(self.times.to, times.to),
        }
    }
}

const fn is_short(times: TimeRange) -> bool {
    times.to.saturating_sub(times.from) <= TOGETHER_MS
}

async fn read(db: &Db, project: ProjectKey, Together { times, numbers }: &Together) -> Result<Vec<scan::Placed>, StoreError> {
    let first = numbers.iter().map(|(first, _)| *first).min().unwrap_or_default();
    let last = numbers.iter().map(|(_, last)| *last).max().unwrap_or_default();
    let mut select = Query::select();
    placed::columns(&mut select)
        .from("logs")
        .and_where(Expr::col("project_id").eq(project))
        .and_where(Expr::col("origin").is_in(Origin::ALL.map(Origin::number)))
        .and_where(Expr::col("created_at").gte(times.from))
        .and_where(Expr::col("created_at").lt(times.to))
        .and_where(Expr::col("seq").between(first, last))
        .limit(LOGS as u64 + 1);
    // Several servers write at the same time: numbers between those of two batches may be a third one's, which is told of later.
    let is_told = |seq: i64| numbers.iter().any(|(first, last)| (*first..=*last).contains(&seq));
    let rows = placed::fetch(db, &select).await?.into_iter();
    Ok(rows
        .filter(|(_, seq, ..)| is_told(*seq))
        .map(|(facts, _, block, slot)| (facts, block, slot))
        .collect())
}

impl Arrivals {
    /// How many logs are left.
    pub const fn len(&self) -> usize {
        self.left.len()
    }

    /// Whether none are.
    pub const fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Some more of the logs, with what they say where that is wanted; none at the end.
    pub async fn some(&mut self, db: &Db, project: ProjectKey, with_texts: bool) -> Result<Option<Vec<Log>>, StoreError> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let kept = if with_texts {
            scan::within(&self.left[..self.left.len().min(scan::CHUNK)])
        } else {
            self.left.len().min(scan::CHUNK)
        };
        let rest = self.left.split_off(kept);
        let some = std::mem::replace(&mut self.left, rest);
        if !with_texts {
            let alone = some.into_iter().map(|(facts, ..)| one::without_text(facts.into()));
            return Ok(Some(alone.collect()));
        }
        let scan = scan::Scan {
            db: db.clone(),
            project,
            selection: LogSelection::all(TimeRange { from: 0, to: i64::MAX }),
            order: Order::NewestFirst,
            with_texts,
        };
        scan.with_texts(some).await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALWAYS: TimeRange = TimeRange {
        from: i64::MIN,
        to: i64::MAX,
    };

    fn batch(number: i64, first: i64, count: i32, (from, to): (i64, i64)) -> Batch {
        (number, Some(first), Some(count), Some(from), Some(to))
    }

    #[test]
    fn batches_of_about_the_same_time_are_read_together() {
        let fact = (3, None, None, None, None);
        let batches = [
            batch(1, 10, 5, (1_000, 2_000)),
            batch(2, 15, 1, (1_500, 1_500)),
            fact,
            batch(4, 16, 2, (5_000_000, 5_000_001)),
        ];
        let all = together(&batches, ALWAYS).unwrap();
        let read: Vec<_> = all.iter().map(|some| (some.times, some.numbers.clone())).collect();
        let times = |from, to| TimeRange { from, to };
        assert_eq!(
            read,
            [
                (times(1_000, 2_001), vec![(10, 14), (15, 15)]),
                (times(5_000_000, 5_000_002), vec![(16, 17)])
            ]
        );
    }

    #[test]
    fn what_nobody_wants_is_not_read() {
        let batches = [batch(1, 10, 5, (1_000, 2_000)), batch(2, 15, 5, (2_000, 9_000))];
        let wanted = TimeRange { from: 2_001, to: 3_000 };
        let all = together(&batches, wanted).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].times, &all[0].numbers[..]), (wanted, &[(15, 19)][..]));
    }

    #[test]
    fn a_batch_that_does_not_say_when_is_missed() {
        assert!(together(&[(1, Some(10), Some(5), None, None)], ALWAYS).is_none());
    }
}
