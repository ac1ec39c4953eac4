//! Counting what came: each log that was written since a project's mark is held once against what its alerts watch.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry;
use super::watched::{self, Watched};
use crate::model::alert::{AlertEvent, Condition, Figures};
use crate::model::log::{Log, Status};
use crate::model::selection::TimeRange;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::alerts::counts::{self, Added, Addition, Counted, Marked};
use crate::server::store::logs::arrived::{self, Arrivals, Mark};
use crate::server::store::logs::matching::{Meaning, Seen};

/// An alert that counts: what it watches, and how.
#[derive(Debug)]
struct Counter {
    id: String,
    meaning: Meaning,
    condition: Condition,
    /// Logs that were made before are of no use any more.
    from: i64,
}

/// What was counted, by the place of its counter and the step.
type Counts = BTreeMap<(usize, i64), Figures>;

/// What comes next on a project's chain.
enum Next {
    /// Logs, or other things.
    Came(Box<Arrivals>),
    /// Up to there nothing can be read.
    Gone(Mark),
}

/// Counts what came in a project up to how far it had been written; gives the mark that is reached, or none where another server is at it.
pub(super) async fn catch_up(server: &Server, marked: &Marked) -> Result<Option<(Mark, Vec<Watched>)>, StoreError> {
    let mut mark = marked.mark;
    loop {
        let all = watched::all(server, &marked.project).await?;
        if mark == marked.head {
            return Ok(Some((mark, all)));
        }
        let counters = Arc::new(counters(&all, server.clock.now_ms()));
        let (to, counts, missed) = match next(server, marked, mark, &counters).await? {
            Next::Came(mut arrivals) => {
                let counts = count(server, marked, &mut arrivals, &counters).await?;
                (arrivals.mark, counts, false)
            }
            Next::Gone(to) => (to, Counts::new(), true),
        };
        match add(server, marked, (mark, to), &all, (&counters, &counts), missed).await? {
            Added::Done => mark = to,
            Added::Otherwise => {}
            Added::Moved => return Ok(None),
        }
    }
}

fn counters(all: &[Watched], now_ms: i64) -> Vec<Counter> {
    let counter = |watched: &Watched| {
        let condition = watched.alert.condition;
        Some(Counter {
            id: watched.alert.id.clone(),
            meaning: Meaning::of(watched.selection.clone()?),
            condition,
            from: condition.window_from(now_ms),
        })
    };
    all.iter()
        .filter(|watched| watched.alert.active)
        .filter_map(counter)
        .collect()
}

/// What comes after a mark, in portions that can be read: of more logs than are read at once, fewer entries are asked for.
async fn next(server: &Server, marked: &Marked, mark: Mark, counters: &[Counter]) -> Result<Next, StoreError> {
    let project = marked.project.key;
    // A database that was restored to an earlier state has fewer entries than were counted.
    if marked.head < mark {
        tracing::warn!(project, "a project has been written less far than its alerts had counted");
        return Ok(Next::Gone(marked.head));
    }
    let range = TimeRange {
        from: counters.iter().map(|counter| counter.from).min().unwrap_or(i64::MAX),
        to: i64::MAX,
    };
    let mut until = marked.head;
    loop {
        let arrivals = arrived::after(&server.db, project, (mark, until), range).await?;
        if let Some(gone) = arrivals.gone {
            return Ok(Next::Gone(gone));
        }
        if arrivals.mark <= mark {
            return Ok(Next::Gone(until));
        }
        if !arrivals.missed {
            return Ok(Next::Came(Box::new(arrivals)));
        }
        let portion = (arrivals.mark - mark) / 2;
        if portion == 0 {
            return Ok(Next::Gone(arrivals.mark));
        }
        until = mark + portion;
    }
}

async fn count(
    server: &Server,
    marked: &Marked,
    arrivals: &mut Arrivals,
    counters: &Arc<Vec<Counter>>,
) -> Result<Counts, StoreError> {
    let with_texts = counters.iter().any(|counter| !counter.meaning.selection().text.is_empty());
    let mut counts = Counts::new();
    while let Some(logs) = arrivals.some(&server.db, marked.project.key, with_texts).await? {
        let counters = Arc::clone(counters);
        // Long texts take a while.
        let counted = tokio::task::spawn_blocking(move || {
            tally(&logs, &counters, &mut counts);
            counts
        });
        let counted = counted.await;
        counts = counted.map_err(|problem| StoreError::Database(sqlx::Error::Io(std::io::Error::other(problem))))?;
    }
    Ok(counts)
}

fn tally(logs: &[Log], counters: &[Counter], counts: &mut Counts) {
    for log in logs {
        let seen = Seen::of(log);
        for (place, counter) in counters.iter().enumerate() {
            let step = counter.condition.step_of(log.facts.created_at);
            if step < counter.from || !counter.meaning.means(&seen) {
                continue;
            }
            let figures = counts.entry((place, step)).or_default();
            figures.logs += 1;
            figures.failed += u64::from(log.facts.status == Status::Failure);
        }
    }
}

async fn add(
    server: &Server,
    marked: &Marked,
    marks: (Mark, Mark),
    all: &[Watched],
    (counters, counts): (&[Counter], &Counts),
    missed: bool,
) -> Result<Added, StoreError> {
    let active = all.iter().filter(|watched| watched.alert.active);
    let mut known: Vec<(String, i64)> = active
        .clone()
        .map(|watched| (watched.alert.id.clone(), watched.alert.counts_since))
        .collect();
    known.sort_unstable();
    let counted = |((place, step_at), figures): (&(usize, i64), &Figures)| Counted {
        alert: &counters[*place].id,
        step_at: *step_at,
        figures: *figures,
    };
    // What has left its window goes when something comes: a look that counts nothing writes nothing but the mark.
    let over: Vec<(&str, i64)> = if counts.is_empty() {
        Vec::new()
    } else {
        counters.iter().map(|counter| (counter.id.as_str(), counter.from)).collect()
    };
    let missed: Vec<_> = active
        .filter(|_| missed)
        .map(|watched| entry::of(server, watched, AlertEvent::Missed, Figures::default()))
        .collect();
    let counts: Vec<Counted<'_>> = counts.iter().map(counted).collect();
    let addition = Addition {
        marks,
        known: &known,
        counts: &counts,
        over: &over,
        missed: &missed,
    };
    counts::add(&server.db, marked.project.key, &addition).await
}
