//! How much a step of a purge takes on, and how long it rests after: whoever writes must hardly notice.

use std::time::{Duration, Instant};

use crate::server::store::logs::write::LogWriter;

/// How long a step may keep others from writing, at least and at most: it takes on more or less, so that it comes near to half of what a batch of logs takes.
/// Who sends logs waits for a batch anyway, and logs that are deleted together share pages of the indexes.
const HELD: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(40));
/// How many times as long it rests while logs come in, at least and at most: longer while batches take longer than they do without a purge.
const RESTS_BESIDE: (u32, u32) = (2, 24);
/// How many times as long it rests while none do.
const REST: u32 = 1;
/// The shortest and the longest rest.
const RESTS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_secs(1));
/// Batches take longer beside a purge where they take more than so many percent of what they do without,
const SLOWER: u32 = 130;
/// and as long as without where it is less than so many.
const AS_QUICK: u32 = 115;
/// How long batches take without a purge is seen while it rests for so many of them, or for so long,
const SEEN_BATCHES: u64 = 16;
const SEEN: Duration = Duration::from_secs(2);
/// and again after so long: it is not the same all day.
const SEEN_AGAIN: Duration = Duration::from_mins(1);
/// How long it waits at most for a moment in which no log waits to be written. Where there is none for long, more comes in than is written, and each step would make
/// those who wait wait longer; yet a purge that never came on would let the disk fill.
const YIELD: Duration = Duration::from_secs(1);
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
    /// How many times as long as a step it rests.
    times: u32,
    /// How long a batch takes without a purge, and when that was seen.
    alone: Option<(Duration, Instant)>,
}

impl Pace {
    /// Nothing is known yet.
    pub(super) const fn new() -> Self {
        Self {
            size: 1,
            most: 1,
            batches: 0,
            times: RESTS_BESIDE.0,
            alone: None,
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

    /// Rests more or less, by how long a batch takes beside the purge and without.
    fn adapt(&mut self, beside: Duration, alone: Duration) {
        if beside * 100 > alone * SLOWER {
            self.times = (self.times * 2).min(RESTS_BESIDE.1);
        } else if beside * 100 < alone * AS_QUICK {
            self.times = (self.times - 1).max(RESTS_BESIDE.0);
        }
    }

    /// Learns from a step, and leaves the database to others for a while: longer while logs come in, longer still where that takes them longer.
    pub(super) async fn rest(&mut self, writer: &LogWriter, held: Duration) {
        let batches = writer.batches();
        let is_beside = std::mem::replace(&mut self.batches, batches) != batches;
        if is_beside {
            let alone = self.batch_alone(writer).await;
            self.adapt(writer.batch_time(), alone);
            self.learn(held, alone);
        } else {
            self.learn(held, Duration::ZERO);
        }
        let times = if is_beside { self.times } else { REST };
        tokio::time::sleep((held * times).clamp(RESTS.0, RESTS.1)).await;
        let mut waited = Duration::ZERO;
        while writer.waiting_bytes() > 0 && waited < YIELD {
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
    }

    /// How long a batch takes without a purge. Where that was not seen lately, it rests until it is.
    async fn batch_alone(&mut self, writer: &LogWriter) -> Duration {
        if let Some((alone, _)) = self.alone.filter(|(_, seen)| seen.elapsed() < SEEN_AGAIN) {
            return alone;
        }
        let (begun, first) = (Instant::now(), writer.batches());
        while writer.batches() < first + SEEN_BATCHES && begun.elapsed() < SEEN {
            tokio::time::sleep(LOOK).await;
        }
        let alone = writer.batch_time();
        self.alone = Some((alone, Instant::now()));
        self.batches = writer.batches();
        alone
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

    #[test]
    fn who_writes_more_slowly_beside_it_is_left_alone_for_longer() {
        let mut pace = Pace::new();
        let ms = Duration::from_millis;
        for (beside, times) in [
            (100, 2),
            (131, 4),
            (200, 8),
            (120, 8),
            (110, 7),
            (500, 14),
            (500, 24),
            (500, 24),
            (90, 23),
        ] {
            pace.adapt(ms(beside), ms(100));
            assert_eq!(pace.times, times, "a batch takes {beside} ms");
        }
        for _ in 0..50 {
            pace.adapt(ms(80), ms(100));
        }
        assert_eq!(pace.times, 2);
    }
}
