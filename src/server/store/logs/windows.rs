//! Windows of time: where few of the logs that are read may be wanted, they are read some thousands at a time, so that a time budget can stop it.
//! How many are in one follows what reading those before it took: a budget is met whatever the machine, and whatever is looked for. Those before it may have been
//! in memory, though, and it on a slow disk: what is not there [a little after the time has run out](in_time) is not waited for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sqlx::query_as;
use tokio::time::timeout_at;

use super::tallies::MINUTE;
use crate::model::log::Origin;
use crate::model::query::Order;
use crate::model::selection::TimeRange;
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Logs of the first window, of the smallest and of the largest.
const FIRST: i64 = 2_500;
const LEAST: i64 = FIRST;
const MOST: i64 = 128 * FIRST;
/// How long reading a window should take.
const STEP: Duration = Duration::from_millis(40);
/// How long a window that is being read when the time has run out is waited for: most are there within it.
const GRACE: Duration = STEP;
/// Minute counts that one look reads for each origin.
const COUNTS: i64 = 3_000;

/// How many logs a window should have after one of so many, which took so long: no more than twice as many.
fn after(logs: i64, took: Duration) -> i64 {
    let fits = i128::from(logs) * STEP.as_micros() as i128 / took.as_micros().max(1) as i128;
    i64::try_from(fits).unwrap_or(i64::MAX).min(logs * 2).clamp(LEAST, MOST)
}

/// What reading gives, unless it is not there a little after `until`; what has not begun by then does not begin. Its statement ends by itself: it reads no more than its
/// window, or its look.
pub(super) async fn in_time<T>(
    until: Instant,
    read: impl Future<Output = Result<T, StoreError>>,
) -> Result<Option<T>, StoreError> {
    if Instant::now() >= until {
        return Ok(None);
    }
    timeout_at((until + GRACE).into(), read).await.ok().transpose()
}

/// Walks through a range from the end that comes first.
#[derive(Debug)]
pub(super) struct Windows<'a> {
    db: &'a Db,
    project: ProjectKey,
    origins: &'a [Origin],
    order: Order,
    left: TimeRange,
    /// When the last window was given out, and how many logs it was to have.
    given: Option<(Instant, i64)>,
}

impl<'a> Windows<'a> {
    /// All of a range.
    pub(super) const fn new(db: &'a Db, project: ProjectKey, origins: &'a [Origin], range: TimeRange, order: Order) -> Self {
        Self {
            db,
            project,
            origins,
            order,
            left: range,
            given: None,
        }
    }

    /// The edge of what has been given out, in the walk's direction.
    pub(super) const fn reached(&self) -> i64 {
        match self.order {
            Order::NewestFirst => self.left.to,
            Order::OldestFirst => self.left.from,
        }
    }

    /// Whether everything has been given out.
    pub(super) const fn is_done(&self) -> bool {
        self.left.from >= self.left.to
    }

    /// The next window; the last one reaches to the end of the range.
    pub(super) async fn next(&mut self) -> Result<Option<TimeRange>, StoreError> {
        if self.is_done() {
            return Ok(None);
        }
        let wanted = self.given.map_or(FIRST, |(at, logs)| after(logs, at.elapsed()));
        let cut = self.cut(wanted).await?;
        self.given = Some((Instant::now(), wanted));
        let TimeRange { from, to } = self.left;
        Ok(Some(match self.order {
            Order::NewestFirst => {
                let cut = cut.map_or(from, |minute| minute.saturating_mul(MINUTE).max(from));
                self.left.to = cut;
                TimeRange { from: cut, to }
            }
            Order::OldestFirst => {
                let cut = cut.map_or(to, |minute| minute.saturating_add(1).saturating_mul(MINUTE).min(to));
                self.left.from = cut;
                TimeRange { from, to: cut }
            }
        }))
    }

    /// The minute with which the next window has enough logs; none where all that is left has fewer.
    async fn cut(&self, wanted: i64) -> Result<Option<i64>, StoreError> {
        const BACK: &str = "SELECT minute, count FROM log_minutes
            WHERE project_id = $1 AND origin = $2 AND minute >= $3 AND minute <= $4 ORDER BY minute DESC LIMIT $5";
        const ON: &str = "SELECT minute, count FROM log_minutes
            WHERE project_id = $1 AND origin = $2 AND minute >= $3 AND minute <= $4 ORDER BY minute LIMIT $5";
        let (first, last) = (self.left.from.div_euclid(MINUTE), (self.left.to - 1).div_euclid(MINUTE));
        // Minutes are ranked by how soon the walk meets them.
        let (sql, rank): (_, fn(i64) -> i64) = match self.order {
            Order::NewestFirst => (BACK, |minute| -minute),
            Order::OldestFirst => (ON, |minute| minute),
        };
        let mut logs: BTreeMap<i64, i64> = BTreeMap::new();
        let mut known_to = i64::MAX;
        for origin in self.origins {
            let counts: Vec<(i64, i64)> = on_db!(read self.db, pool => {
                query_as(sql).bind(self.project).bind(origin.number()).bind(first).bind(last).bind(COUNTS).fetch_all(pool).await?
            });
            if let Some((minute, _)) = counts.last().filter(|_| counts.len() as i64 == COUNTS) {
                known_to = known_to.min(rank(*minute));
            }
            for (minute, count) in counts {
                *logs.entry(rank(minute)).or_default() += count;
            }
        }
        let mut sum = 0;
        for (ranked, count) in logs {
            sum += count;
            if sum >= wanted || ranked >= known_to {
                // The rank of a rank is the minute again.
                return Ok(Some(rank(ranked)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_follows_what_the_one_before_took() {
        assert_eq!(after(FIRST, STEP / 100), 2 * FIRST, "no more than twice as many");
        assert_eq!(after(8 * FIRST, STEP * 2), 4 * FIRST);
        assert_eq!(after(FIRST, STEP * 1_000), LEAST);
        assert_eq!(after(MOST, Duration::ZERO), MOST);
    }
}
