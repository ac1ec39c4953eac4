//! What keeps the logs' tables in shape, in the background.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use super::repeats;
use super::write::{LogWriter, WriteError};
use crate::server::clock::Clock;
use crate::server::store::Db;

/// How often small blocks are merged and full ones grouped.
const MERGE: Duration = Duration::from_secs(10);
/// How many of those turns pass between two looks for answers that nobody can ask for any more: an hour.
const PURGE_TURNS: u64 = 360;

/// Merges small blocks, groups signatures, and forgets old answers, until the writer stops.
pub fn start(db: Db, writer: LogWriter, clock: Clock) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(MERGE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for turn in 0_u64.. {
            ticks.tick().await;
            match catch_up(&writer).await {
                Ok(()) => {}
                Err(WriteError::Stopping) => return,
                Err(problem) => tracing::warn!(%problem, "small blocks of logs could not be merged"),
            }
            if turn.is_multiple_of(PURGE_TURNS)
                && let Err(problem) = repeats::purge(&db, clock.now_ms()).await
            {
                tracing::warn!(%problem, "old answers under Idempotency-Keys could not be forgotten");
            }
        }
    })
}

/// Rounds of merging and grouping until there is nothing left to do: logs may come faster than one round a turn can put them in shape.
///
/// After each round the writer is left alone for as long as the round took.
async fn catch_up(writer: &LogWriter) -> Result<(), WriteError> {
    loop {
        let begun = Instant::now();
        let compacted = writer.compact().await?;
        if compacted.merged + compacted.grouped > 0 {
            tracing::debug!(
                merged = compacted.merged,
                made = compacted.made,
                grouped = compacted.grouped,
                "small blocks of logs were merged, full ones grouped"
            );
        }
        if !compacted.is_behind() {
            return Ok(());
        }
        tokio::time::sleep(begun.elapsed()).await;
    }
}
