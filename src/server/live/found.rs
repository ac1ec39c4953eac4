//! What came that somebody's filters mean: the latest of it, and how much it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::log::{LogFacts, Status};
use crate::server::store::logs::arrived::Mark;

/// Logs that are told one by one: a page has no more.
const MOST: usize = 100;
/// What is counted together, in milliseconds.
const MINUTE: i64 = 60_000;

/// Logs that came.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// How far the project had been written by then.
    pub mark: Mark,
    /// The latest, the newest first.
    pub logs: Vec<Arc<LogFacts>>,
    /// How many came,
    pub count: u64,
    /// and how many of them failed.
    pub failed: u64,
    /// Successes and failures of each minute that has any, by its beginning in milliseconds since 1970.
    pub minutes: BTreeMap<i64, (u64, u64)>,
}

impl Found {
    /// Adds a log.
    pub(super) fn add(&mut self, facts: &Arc<LogFacts>) {
        let failed = facts.status == Status::Failure;
        self.count += 1;
        self.failed += u64::from(failed);
        let minute = self.minutes.entry(facts.created_at.div_euclid(MINUTE) * MINUTE).or_default();
        *(if failed { &mut minute.1 } else { &mut minute.0 }) += 1;
        self.logs.push(Arc::clone(facts));
        if self.logs.len() >= 2 * MOST {
            self.keep_latest();
        }
    }

    /// As it is told.
    pub(super) fn told(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self.keep_latest();
        self
    }

    fn keep_latest(&mut self) {
        self.logs
            .sort_unstable_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        self.logs.truncate(MOST);
    }
}
