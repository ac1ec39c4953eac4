//! Windows of time: where few of the logs that are read may be wanted, they are read some ten thousand at a time, so that a time budget can stop it.

use std::collections::BTreeMap;

use sqlx::query_as;

use super::tallies::MINUTE;
use crate::model::log::Origin;
use crate::model::query::Order;
use crate::model::selection::TimeRange;
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Logs of the first window; each one after it has twice as many, up to sixteen times.
const FIRST: i64 = 20_000;
const GROWTH: i64 = 16;
/// Minute counts that one look reads for each origin.
const COUNTS: i64 = 3_000;

/// Walks through a range from the end that comes first.
#[derive(Debug)]
pub(super) struct Windows<'a> {
    db: &'a Db,
    project: ProjectKey,
    origins: &'a [Origin],
    order: Order,
    left: TimeRange,
    wanted: i64,
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
            wanted: FIRST,
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
        let cut = self.cut().await?;
        self.wanted = (self.wanted * 2).min(FIRST * GROWTH);
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
    async fn cut(&self) -> Result<Option<i64>, StoreError> {
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
            if sum >= self.wanted || ranked >= known_to {
                // The rank of a rank is the minute again.
                return Ok(Some(rank(ranked)));
            }
        }
        Ok(None)
    }
}
