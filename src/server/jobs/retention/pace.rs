//! How much a step of a purge takes on, and how long it rests after: whoever writes must hardly notice.

use std::time::Duration;

use crate::server::store::logs::write::LogWriter;

/// How long a step may keep others from writing, at least and at most: it takes on more or less, so that it comes near to half of what a batch of logs takes.
/// Who sends logs waits for a batch anyway, and logs that are deleted together share pages of the indexes.
const HELD: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(40));
/// How many times as long it rests while logs come in; else as long as it worked.
const REST_BESIDE: u32 = 2;
const REST: u32 = 1;
/// The shortest and the longest rest.
const RESTS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(500));
/// How long it waits at most while logs wait to be written.
const YIELD: Duration = Duration::from_millis(20);
/// How often it looks whether they do.
const LOOK: Duration = Duration::from_millis(2);

/// How many things a step takes on, at first and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) first: usize,
    pub(super) most: usize,
}

/// The pace of a purge.
#[derive(Debug)]
pub(super) struct Pace {
    size: usize,
    most: usize,
    /// Batches that the writer had written when it was looked at last.
    batches: u64,
}

impl Pace {
    /// Nothing is known yet.
    pub(super) const fn new() -> Self {
        Self {
            size: 1,
            most: 1,
            batches: 0,
        }
    }

    /// Another kind of things begins.
    pub(super) const fn begin(&mut self, size: Size) {
        (self.size, self.most) = (size.first, size.most);
    }

    /// How many things the next step takes on.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// Takes on more or less after a step that kept others waiting for so long, while a batch of logs takes so long.
    fn learn(&mut self, held: Duration, batch: Duration) {
        let may = (batch / 2).clamp(HELD.0, HELD.1);
        let wanted = self.size as f64 * may.as_secs_f64() / held.as_secs_f64().max(0.000_1);
        // Step by step: one long wait for the disk says little about the next.
        self.size = (wanted as usize).clamp(self.size / 2, self.size * 2).clamp(1, self.most);
    }

    /// Learns from a step, and leaves the database to others for a while: longer while logs wait to be written.
    pub(super) async fn rest(&mut self, writer: &LogWriter, held: Duration) {
        self.learn(held, writer.batch_time());
        let batches = writer.batches();
        let is_beside = std::mem::replace(&mut self.batches, batches) != batches;
        let times = if is_beside { REST_BESIDE } else { REST };
        tokio::time::sleep((held * times).clamp(RESTS.0, RESTS.1)).await;
        let mut waited = Duration::ZERO;
        while writer.waiting_bytes() > 0 && waited < YIELD {
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_comes_near_to_what_others_may_wait() {
        let mut pace = Pace::new();
        pace.begin(Size { first: 2, most: 32 });
        for (held_ms, size) in [
            (1, 4),
            (1, 8),
            (2, 16),
            (10, 8),
            (5, 8),
            (400, 4),
            (400, 2),
            (400, 1),
            (400, 1),
            (0, 2),
        ] {
            pace.learn(Duration::from_millis(held_ms), Duration::ZERO);
            assert_eq!(pace.size(), size, "after {held_ms} ms");
        }
        for _ in 0..10 {
            pace.learn(Duration::ZERO, Duration::ZERO);
        }
        assert_eq!(pace.size(), 32);
        // Where a batch takes long, nobody notices a step of half of that.
        pace.learn(Duration::from_millis(40), Duration::from_millis(80));
        assert_eq!(pace.size(), 32);
        pace.learn(Duration::from_millis(80), Duration::from_secs(9));
        assert_eq!(pace.size(), 16, "however long it takes");
    }
}
