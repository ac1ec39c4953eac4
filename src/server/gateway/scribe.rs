//! A thread that puts what has ended on disk: it takes exchanges from memory, makes entries of them, and appends them to the spool. What there is no room for is counted.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::entry::{self, Reading};
use super::gap::{Gap, Gaps, Reason};
use super::observe::Ended;
use super::spool::record::Record;
use super::spool::{AppendError, Spool, replace};
use super::tally::{Count, Tally};
use super::waiting::Waiting;
use crate::server::clock::{Clock, Random};

/// It looks around at least so often.
const TICK: Duration = Duration::from_millis(20);
/// What ends meanwhile gathers for so long after each frame: whoever hands something over then has nobody to wake, which costs more than the entry itself.
const GATHER: Duration = Duration::from_millis(4);
/// What is on disk outlives the machine after so long.
const SYNC: Duration = Duration::from_secs(1);
/// Exchanges of one frame, and bytes of their records.
const FRAME: usize = 256;
const FRAME_BYTES: usize = 1 << 20;
/// Exchanges that a list has room for once a rush is over.
const KEPT: usize = 1_024;
/// A gap is told when nothing was missing for so many milliseconds, or when it has lasted so many.
const GAP_QUIET_MS: i64 = 1_000;
const GAP_LASTS_MS: i64 = 60_000;

/// What the scribe is made of.
pub(super) struct ScribeParts {
    pub(super) spool: Arc<Spool>,
    pub(super) gaps: Arc<Gaps>,
    pub(super) reading: Reading,
    pub(super) clock: Clock,
    pub(super) random: Random,
    /// Exchanges that began.
    pub(super) begun: Arc<AtomicU64>,
}

/// The thread, until it is told to stop.
pub(super) struct Scribe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Scribe {
    /// Starts it. What a gateway before this one left unsaid is said first.
    pub(super) fn start(parts: ScribeParts, waiting: Arc<Waiting>) -> io::Result<Self> {
        let stop = Arc::<AtomicBool>::default();
        let mut work = Work::new(parts)?;
        let told = Arc::clone(&stop);
        let thread = Builder::new()
            .name("gateway-scribe".to_owned())
            .spawn(move || work.run(&waiting, &told))?;
        Ok(Self { stop, thread })
    }

    /// Puts on disk what has ended by now, syncs it, and ends.
    pub(super) async fn stop(self) {
        self.stop.store(true, Ordering::Release);
        let ended = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::error!("the gateway's scribe broke: what waited in memory is not recorded");
        }
    }
}

/// Exchanges that are written together.
#[derive(Default)]
struct Frame {
    records: Vec<Record>,
    /// Bytes of the records.
    bytes: usize,
    /// Exchanges that they were made of, what those weighed, and when the last one ended.
    taken: usize,
    weight: usize,
    last: i64,
}

struct Work {
    parts: ScribeParts,
    tally: Tally,
    count: Count,
    /// Exchanges that the scribe is done with.
    done: u64,
    /// The gap as its file has it.
    kept: Option<Gap>,
    synced: Instant,
}

impl Work {
    fn new(parts: ScribeParts) -> io::Result<Self> {
        let (tally, before) = Tally::open(&parts.spool.folder().join("tally"))?;
        let mut work = Self {
            parts,
            tally,
            count: Count::default(),
            done: 0,
            kept: None,
            synced: Instant::now(),
        };
        let kept = match fs::read(work.gap_file()) {
            Ok(text) => serde_json::from_slice(&text).map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some(gap) = kept {
            work.parts.gaps.restore(gap);
        }
        if before.open() > 0 {
            tracing::warn!(
                missing = before.open(),
                "the gateway before this one was ended with exchanges that are not recorded"
            );
            work.parts.gaps.add(before.at, Reason::Killed, before.open());
        }
        work.keep_gap()?;
        work.tally.write(Count::default())?;
        Ok(work)
    }

    fn gap_file(&self) -> PathBuf {
        self.parts.spool.folder().join("gap.json")
    }

    fn run(&mut self, waiting: &Waiting, stop: &AtomicBool) {
        let mut ended = Vec::new();
        loop {
            let is_last = stop.load(Ordering::Acquire);
            if is_last {
                // What is there then is all that there will be.
                waiting.close();
            }
            waiting.take_all(&mut ended);
            if ended.is_empty() && !is_last {
                waiting.wait(TICK);
                waiting.take_all(&mut ended);
            }
            let was_busy = !ended.is_empty();
            self.write(&mut ended, waiting);
            self.look_around(is_last);
            if is_last {
                return;
            }
            if was_busy {
                std::thread::sleep(GATHER);
            }
        }
    }

    /// Puts exchanges on disk, in as few frames as they fit into.
    fn write(&mut self, ended: &mut Vec<Ended>, waiting: &Waiting) {
        let mut frame = Frame::default();
        for exchange in ended.drain(..) {
            let at = exchange.ended_at;
            match entry::record(&exchange, &self.parts.reading, &self.parts.random) {
                Ok(record) => {
                    frame.bytes += record.weight();
                    frame.records.push(record);
                }
                Err(error) => {
                    tracing::error!(%error, "an exchange could not be written as a log");
                    self.parts.gaps.add(at, Reason::Refused, 1);
                }
            }
            frame.taken += 1;
            frame.weight += exchange.weight;
            frame.last = at;
            if frame.taken >= FRAME || frame.bytes >= FRAME_BYTES {
                self.close(std::mem::take(&mut frame), waiting);
            }
        }
        if frame.taken > 0 {
            self.close(frame, waiting);
        }
        ended.shrink_to(KEPT);
    }

    fn close(&mut self, frame: Frame, waiting: &Waiting) {
        self.append(&frame.records, frame.last);
        self.done += frame.taken as u64;
        waiting.done(frame.weight);
    }

    fn append(&self, records: &[Record], at: i64) {
        if records.is_empty() {
            return;
        }
        let missing = records.len() as u64;
        match self.parts.spool.append(records) {
            Ok(()) => metrics::counter!("gateway_records_spooled_total").increment(missing),
            Err(AppendError::Full) => self.parts.gaps.add(at, Reason::Spool, missing),
            Err(AppendError::Io(error)) => {
                tracing::error!(%error, missing, "the spool cannot be written");
                self.parts.gaps.add(at, Reason::Disk, missing);
            }
        }
    }

    fn look_around(&mut self, is_over: bool) {
        // Read before the gap is kept: what is counted as missing then stands in the gap.
        let turned_away = self.parts.gaps.turned_away();
        self.tell_gap(is_over);
        let kept = self.keep_gap().and_then(|()| self.keep_count(turned_away));
        if let Err(error) = kept {
            tracing::error!(%error, "what is missing in the spool could not be kept");
        }
        if is_over || self.synced.elapsed() >= SYNC {
            self.synced = Instant::now();
            if let Err(error) = self.parts.spool.sync() {
                tracing::error!(%error, "the spool could not be synced");
            }
        }
    }

    /// Appends the log of a gap that is over, where there is room for it.
    fn tell_gap(&self, is_over: bool) {
        let Some(gap) = self.parts.gaps.current() else { return };
        let now_ms = self.parts.clock.now_ms();
        let is_due = is_over || now_ms - gap.to >= GAP_QUIET_MS || now_ms - gap.from >= GAP_LASTS_MS;
        if !is_due {
            return;
        }
        let id = format!("gap_{}_{}_{}", self.parts.spool.id(), gap.from, gap.count());
        match self.parts.spool.append(&[gap.record(&id)]) {
            Ok(()) => {
                tracing::warn!(missing = gap.count(), "requests passed that are not recorded");
                self.parts.gaps.told(&gap);
            }
            Err(AppendError::Full) => {}
            Err(AppendError::Io(error)) => tracing::error!(%error, "the spool cannot be written"),
        }
    }

    fn keep_gap(&mut self) -> io::Result<()> {
        let gap = self.parts.gaps.current();
        if gap == self.kept {
            return Ok(());
        }
        match &gap {
            Some(gap) => replace(&self.gap_file(), &serde_json::to_vec(gap).map_err(io::Error::other)?)?,
            None => fs::remove_file(self.gap_file())?,
        }
        self.kept = gap;
        Ok(())
    }

    fn keep_count(&mut self, turned_away: u64) -> io::Result<()> {
        let count = Count {
            ended: self.done + turned_away,
            begun: self.parts.begun.load(Ordering::Acquire),
            at: self.count.at,
        };
        if count == self.count {
            return Ok(());
        }
        self.count = Count {
            at: self.parts.clock.now_ms(),
            ..count
        };
        self.tally.write(self.count)
    }
}
