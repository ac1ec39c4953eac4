//! From a spool to the store: records are read in order, stored, and only then acknowledged. Whatever fails is tried again, and every record has its id, so that nothing is lost or
//! stored twice.
//!
//! To store somewhere else: a [`Destination`]; to read from somewhere else: a [`Source`].

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::gap::{Gap, Reason};
use super::pressure::Had;
use super::spool::record::Record;
use super::spool::{Chunk, Position};
use crate::server::clock::Clock;

/// Bytes of records that are stored together, about.
pub(super) const TOGETHER: usize = 4 << 20;
/// While little comes in, records are gathered so long before they are stored: each transaction costs a sync of the disk.
const GATHER: Duration = Duration::from_millis(50);
/// Bytes that are worth storing at once.
const ENOUGH: usize = 256 << 10;
/// The first wait after a failure, and the longest.
const RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// Where records come from.
pub(super) trait Source: Send + 'static {
    /// What tells its records from those of other spools.
    fn id(&self) -> &str;

    /// The next records, as soon as there are some; they stay the next ones until they are acknowledged. None once it is over.
    fn next(&mut self) -> impl Future<Output = Result<Option<Chunk>, SourceError>> + Send;

    /// Notes that everything up to here is stored.
    fn acknowledge(&mut self, position: Position) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Whether records may well wait where they are.
    fn has_room(&self) -> bool {
        false
    }

    /// Lets some time pass; less, once there will be no more records.
    fn rest(&self, pause: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(pause)
    }
}

/// Where records go.
pub(super) trait Destination: Send + Sync + 'static {
    /// Stores records, of which some may be stored already, and answers after the commit.
    fn store(&self, records: &[Record]) -> impl Future<Output = Result<Stored, Away>> + Send;

    /// Whether storing here makes way for what passes, on threads that this task runs on too.
    fn makes_way(&self) -> bool {
        false
    }
}

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    /// Those that are there now and were not before.
    pub(super) new: u64,
    /// Those that were there before.
    pub(super) known: u64,
    /// Those that will never be taken.
    pub(super) refused: u64,
}

impl std::ops::AddAssign for Stored {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.known += other.known;
        self.refused += other.refused;
    }
}

/// The store takes nothing right now.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(super) struct Away {
    pub(super) why: String,
    /// When another try is worth it, where that is known.
    pub(super) retry_after: Option<Duration>,
}

impl Away {
    pub(super) fn because(why: impl std::fmt::Display) -> Self {
        Self {
            why: why.to_string(),
            retry_after: None,
        }
    }
}

/// A spool could not be read, or not be told.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct SourceError(pub(super) String);

/// Sends until the source is over, or until it is told to stop. Whoever stops it lets the source end first.
pub(super) async fn run(mut source: impl Source, destination: impl Destination, clock: Clock, stop: CancellationToken) {
    let mut wait = RETRY;
    loop {
        let chunk = tokio::select! {
            chunk = source.next() => chunk,
            () = stop.cancelled() => return,
        };
        let done = match chunk {
            Ok(None) => return,
            Ok(Some(chunk)) => step(&mut source, &destination, &clock, chunk, &stop).await,
            Err(error) => Err(error),
        };
        let Err(error) = done else {
            wait = RETRY;
            continue;
        };
        tracing::warn!(%error, "the spool cannot be read or told; trying again");
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONGEST_RETRY),
            () = stop.cancelled() => return,
        }
    }
}

/// Stores a chunk, however often that takes, and acknowledges it.
async fn step(
    source: &mut impl Source,
    destination: &impl Destination,
    clock: &Clock,
    chunk: Chunk,
    stop: &CancellationToken,
) -> Result<(), SourceError> {
    let (begun, before) = (Instant::now(), Had::here());
    let Some(stored) = until_stored(destination, &chunk.records, stop).await else {
        return Ok(());
    };
    let worked = begun.elapsed();
    metrics::counter!("gateway_records_stored_total").increment(stored.new);
    let missing = [(Reason::Damaged, chunk.damaged), (Reason::Refused, stored.refused)];
    for (reason, missing) in missing.into_iter().filter(|(_, missing)| *missing > 0) {
        metrics::counter!("gateway_records_dropped_total", "reason" => reason.label()).increment(missing);
        // Told under the same id where it is told again.
        let id = format!("gap_{}_{}_{}", source.id(), chunk.next.segment, chunk.next.offset);
        let id = if reason == Reason::Refused { format!("{id}_r") } else { id };
        let told = [Gap::of(clock.now_ms(), reason, missing).record(&id)];
        if until_stored(destination, &told, stop).await.is_none() {
            return Ok(());
        }
    }
    source.acknowledge(chunk.next).await?;
    let mut pause = Duration::ZERO;
    if chunk.records.iter().map(Record::weight).sum::<usize>() < ENOUGH {
        pause = GATHER;
    }
    if destination.makes_way()
        && source.has_room()
        && let (Some(before), Some(after)) = (before, Had::here())
    {
        pause = pause.max(after.rest_since(before, worked));
    }
    tokio::select! {
        () = source.rest(pause) => {}
        () = stop.cancelled() => {}
    }
    Ok(())
}

/// None where it was told to stop before.
async fn until_stored(destination: &impl Destination, records: &[Record], stop: &CancellationToken) -> Option<Stored> {
    let (mut wait, mut is_away) = (RETRY, false);
    loop {
        let away = tokio::select! {
            biased;
            stored = destination.store(records) => match stored {
                Ok(stored) => {
                    if is_away {
                        tracing::warn!("what was recorded is stored again");
                    }
                    metrics::gauge!("gateway_store_away").set(0.0);
                    return Some(stored);
                }
                Err(away) => away,
            },
            () = stop.cancelled() => return None,
        };
        if !std::mem::replace(&mut is_away, true) {
            tracing::warn!(why = %away, "what was recorded cannot be stored: it waits in the spool");
            metrics::gauge!("gateway_store_away").set(1.0);
        }
        tokio::select! {
            () = tokio::time::sleep(away.retry_after.unwrap_or(wait)) => wait = (wait * 2).min(LONGEST_RETRY),
            () = stop.cancelled() => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Chunks, and what was acknowledged of them.
    #[derive(Default)]
    struct Chunks {
        left: VecDeque<Chunk>,
        acknowledged: Arc<Mutex<Vec<u64>>>,
    }

    impl Source for Chunks {
        fn id(&self) -> &'static str {
            "0123456789abcdef"
        }

        async fn next(&mut self) -> Result<Option<Chunk>, SourceError> {
            Ok(self.left.front().map(|chunk| Chunk {
                records: chunk.records.clone(),
                ..*chunk
            }))
        }

        async fn acknowledge(&mut self, position: Position) -> Result<(), SourceError> {
            self.left.pop_front();
            self.acknowledged.lock().unwrap().push(position.offset);
            Ok(())
        }
    }

    /// A store that is away the first time, and refuses what it is told to.
    #[derive(Clone, Default)]
    struct Kept {
        calls: Arc<Mutex<u32>>,
        entries: Arc<Mutex<Vec<String>>>,
    }

    impl Destination for Kept {
        async fn store(&self, records: &[Record]) -> Result<Stored, Away> {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            if *calls == 1 {
                return Err(Away::because("it is away"));
            }
            let (bad, good): (Vec<_>, Vec<_>) = records.iter().partition(|record| record.entry == "bad");
            self.entries
                .lock()
                .unwrap()
                .extend(good.iter().map(|record| record.entry.clone()));
            Ok(Stored {
                new: good.len() as u64,
                known: 0,
                refused: bad.len() as u64,
            })
        }
    }

    fn chunk(offset: u64, entries: &[&str], damaged: u64) -> Chunk {
        let record = |entry: &&str| Record {
            entry: (*entry).to_owned(),
            file: None,
        };
        Chunk {
            records: entries.iter().map(record).collect(),
            next: Position { segment: 1, offset },
            damaged,
        }
    }

    #[tokio::test]
    async fn what_is_away_is_asked_again_and_what_is_lost_is_told() {
        let source = Chunks {
            left: [chunk(10, &["a", "bad", "b"], 0), chunk(20, &["c"], 5)].into(),
            ..Chunks::default()
        };
        let (acknowledged, kept) = (Arc::clone(&source.acknowledged), Kept::default());
        run(source, kept.clone(), Clock::System, CancellationToken::new()).await;
        assert_eq!(*acknowledged.lock().unwrap(), [10, 20]);
        let entries = kept.entries.lock().unwrap();
        assert_eq!(
            (entries[0].as_str(), entries[1].as_str(), entries[3].as_str()),
            ("a", "b", "c")
        );
        for (told, id, reason) in [(2, "1_10_r", "refused by the store\":1"), (4, "1_20", "spool damaged\":5")] {
            assert!(
                entries[told].contains(&format!("gap_0123456789abcdef_{id}\"")),
                "{}",
                entries[told]
            );
            assert!(entries[told].contains(reason), "{}", entries[told]);
        }
        assert_eq!(entries.len(), 5);
    }

    /// A store that is away for good.
    struct Gone;

    impl Destination for Gone {
        async fn store(&self, _: &[Record]) -> Result<Stored, Away> {
            Err(Away::because("it is away"))
        }
    }

    #[tokio::test]
    async fn nothing_is_acknowledged_that_is_not_stored() {
        let source = Chunks {
            left: [chunk(10, &["a"], 0)].into(),
            ..Chunks::default()
        };
        let acknowledged = Arc::clone(&source.acknowledged);
        let stop = CancellationToken::new();
        let sending = tokio::spawn(run(source, Gone, Clock::System, stop.clone()));
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.cancel();
        sending.await.unwrap();
        assert!(acknowledged.lock().unwrap().is_empty());
    }
}
