//! What keeps the logs' tables in shape, in the background.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

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
            match writer.compact().await {
                Ok(compacted) if compacted.merged > 0 => {
                    tracing::debug!(
                        merged = compacted.merged,
                        made = compacted.made,
                        "small blocks of logs were merged"
                    );
                }
                Ok(_) => {}
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
