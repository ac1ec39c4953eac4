//! One lane: what is due to one endpoint is sent in order, at most sixteen at once and no faster than its rate limit.
//!
//! What is accepted is handed over in memory. Where more comes than a lane holds, the rest is read from the database later, in the same order; so is
//! what the schedule sends again.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt::{Item, Maker, Target};
use super::bucket::Bucket;
use super::envelope::Event;
use super::lanes::{LaneKey, Lanes, Told};
use super::writer::Writer;
use crate::server::store::webhooks::due::{self, Due, DuePlace};
use crate::server::store::{Db, StoreError};

/// Requests in flight.
const IN_FLIGHT: usize = 16;
/// Sendouts that a lane holds: in its queue, in flight, and with outcomes on their way to the database.
const HELD: usize = 1_000;
/// Sendouts read at once.
const READ: i64 = 64;
/// How long a lane waits after the database failed.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a busy lane waits before it looks for what it does not hold, in milliseconds.
const LOOK_MS: i64 = 2_000;
/// A lane sends nothing in the last moments of its lease, in milliseconds: another process may have it soon.
const MARGIN_MS: i64 = 1_000;

/// What all lanes of a process share.
pub(super) struct Shared {
    pub(super) db: Db,
    pub(super) maker: Maker,
    pub(super) writer: Writer,
    pub(super) lanes: Lanes,
    /// Until when this process holds its lanes.
    pub(super) lease_until: AtomicI64,
    pub(super) stop: CancellationToken,
    /// Requests in flight, and outcomes on their way.
    pub(super) work: TaskTracker,
}

/// A lane at work.
pub(super) struct Lane {
    pub(super) shared: Arc<Shared>,
    pub(super) key: LaneKey,
    pub(super) told: mpsc::UnboundedReceiver<Told>,
    /// For those that it starts to tell it of their end.
    pub(super) door: mpsc::WeakUnboundedSender<Told>,
    target: Option<Arc<Target>>,
    queue: VecDeque<Item>,
    /// Held: in the queue, in flight, or not stored yet.
    held: HashSet<String>,
    in_flight: usize,
    /// Whether the database has more that is due than the queue.
    more: bool,
    /// Where reading goes on; from the beginning where `None`.
    place: Option<DuePlace>,
    /// When the next sendout is due that is not in the queue.
    next_at: Option<i64>,
    bucket: Bucket,
}

impl Lane {
    pub(super) fn new(
        shared: Arc<Shared>,
        key: LaneKey,
        told: mpsc::UnboundedReceiver<Told>,
        door: mpsc::WeakUnboundedSender<Told>,
    ) -> Self {
        Self {
            shared,
            key,
            told,
            door,
            target: None,
            queue: VecDeque::new(),
            held: HashSet::new(),
            in_flight: 0,
            more: true,
            place: None,
            next_at: None,
            bucket: Bucket::default(),
        }
    }

    /// Sends until the lane is closed, or the process stops.
    pub(super) async fn run(mut self) {
        let stop = self.shared.stop.clone();
        loop {
            if let Err(problem) = self.step().await {
                tracing::warn!(%problem, endpoint = self.key.1, "a lane could not read what is due; tried again");
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => {}
                    () = stop.cancelled() => return,
                }
                continue;
            }
            let wake = self.wake();
            tokio::select! {
                told = self.told.recv() => match told {
                    Some(told) => self.take(told),
                    None => return,
                },
                () = until(wake) => self.look(),
                () = stop.cancelled() => return,
            }
            // What else was told need not wait for a turn of its own.
            while let Ok(told) = self.told.try_recv() {
                self.take(told);
            }
        }
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Hand(item) => self.queue_up(item),
            // What is due may be what it holds: looked for at once only where it holds nothing.
            Told::Look if self.held.is_empty() => self.more = true,
            Told::Look => self.due_at(self.shared.maker.clock.now_ms() + LOOK_MS),
            Told::Due => self.more = true,
            Told::Changed => self.target = None,
            Told::Answered => self.in_flight -= 1,
            Told::Settled { id, next_at, again } => {
                self.held.remove(&id);
                if let Some(next) = next_at {
                    self.due_at(next);
                }
                self.more |= again;
            }
        }
    }

    fn due_at(&mut self, at: i64) {
        self.next_at = Some(self.next_at.map_or(at, |known| known.min(at)));
    }

    fn queue_up(&mut self, item: Item) {
        // Behind what waits in the database, it waits there, too: so the order is kept.
        if self.more || self.held.len() >= HELD {
            self.more = true;
        } else if self.held.insert(item.id.clone()) {
            self.queue.push_back(item);
        }
    }

    /// Time has come for something: the queue's first, or what the database has.
    fn look(&mut self) {
        let now_ms = self.shared.maker.clock.now_ms();
        if self.next_at.is_some_and(|at| at <= now_ms) {
            self.next_at = None;
            self.more = true;
        }
    }

    /// When to wake without being told.
    fn wake(&mut self) -> Option<Duration> {
        let now_ms = self.shared.maker.clock.now_ms();
        let due = self
            .next_at
            .map(|at| Duration::from_millis((at - now_ms).max(1).unsigned_abs()));
        if self.queue.is_empty() || self.in_flight >= IN_FLIGHT {
            return due;
        }
        // Something waits that was not started: for the rate limit, or for the lease.
        let wait = self.bucket.wait(Instant::now()).max(Duration::from_millis(10));
        Some(due.map_or(wait, |due| due.min(wait)))
    }

    async fn step(&mut self) -> Result<(), StoreError> {
        let target = match &self.target {
            Some(target) => Arc::clone(target),
            None => self.read_target().await?,
        };
        // Another process may have taken the lane while this one was not heard of.
        if target.deleted || !self.shared.lanes.has(&self.key) {
            self.queue.clear();
            self.more = false;
            return Ok(());
        }
        if self.queue.is_empty() && self.more {
            self.read().await?;
        }
        self.start(&target);
        Ok(())
    }

    async fn read_target(&mut self) -> Result<Arc<Target>, StoreError> {
        let (project, endpoint) = &self.key;
        let target = super::target::read(&self.shared.db, &self.shared.maker.key, *project, endpoint).await?;
        if !target.active {
            // What was accepted while it was being switched off waits, too. Those in the queue are read again if they are still due.
            crate::server::store::webhooks::endpoints::pause(
                &self.shared.db,
                *project,
                endpoint,
                self.shared.maker.clock.now_ms(),
            )
            .await?;
            for item in std::mem::take(&mut self.queue) {
                self.held.remove(&item.id);
            }
            (self.more, self.place) = (true, None);
        }
        self.bucket.limit(target.rate_limit, Instant::now());
        let target = Arc::new(target);
        self.target = Some(Arc::clone(&target));
        Ok(target)
    }

    /// Reads what is due after the last place, until the queue has something or there is no more.
    async fn read(&mut self) -> Result<(), StoreError> {
        let now_ms = self.shared.maker.clock.now_ms();
        let (project, endpoint) = (self.key.0, self.key.1.clone());
        while self.queue.is_empty() && self.held.len() < HELD {
            let from_beginning = self.place.is_none();
            let place = self.place.take().unwrap_or((i64::MIN, 0, String::new()));
            let page = due::page(&self.shared.db, (project, &endpoint), now_ms, &place, READ).await?;
            let is_last = page.len() < READ as usize;
            self.place = page.last().map(|due| (due.due_at, due.created_at, due.id.clone()));
            for due in page {
                self.queue_due(&due);
            }
            if is_last {
                // Once more from the beginning where reading began in the middle: something may have become due before that place.
                self.place = None;
                if from_beginning {
                    self.more = false;
                    let next = due::next(&self.shared.db, project, &endpoint, now_ms).await?;
                    if let Some(next) = next {
                        self.due_at(next);
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn queue_due(&mut self, due: &Due) {
        if self.held.contains(&due.id) {
            return;
        }
        let Some(event) = Event::of_due(&self.shared.maker.key, due) else {
            tracing::error!(
                sendout = due.id,
                "a sendout's data does not open: it was sealed with another instance key"
            );
            return;
        };
        self.held.insert(due.id.clone());
        self.queue.push_back(Item {
            id: due.id.clone(),
            created_at: due.created_at,
            attempts: due.attempts.max(0) as u32,
            tries: due.tries.max(0) as u32,
            by_hand: due.by_hand != 0,
            first_attempt_at: due.first_attempt_at,
            event: Arc::new(event),
        });
    }

    /// Starts as many as may be in flight.
    fn start(&mut self, target: &Arc<Target>) {
        let lease_until = self.shared.lease_until.load(Ordering::Acquire);
        while self.in_flight < IN_FLIGHT && !self.queue.is_empty() {
            if self.shared.maker.clock.now_ms() > lease_until - MARGIN_MS || !self.bucket.take(Instant::now()) {
                return;
            }
            let (Some(item), Some(door)) = (self.queue.pop_front(), self.door.upgrade()) else {
                return;
            };
            self.in_flight += 1;
            let (shared, target) = (Arc::clone(&self.shared), Arc::clone(target));
            self.shared.work.spawn(attempt(shared, target, item, door));
        }
    }
}

/// Makes an attempt, tells the lane that a place is free, and stores what came of it.
async fn attempt(shared: Arc<Shared>, target: Arc<Target>, item: Item, door: mpsc::UnboundedSender<Told>) {
    let outcome = shared.maker.attempt(&target, &item).await;
    // The lane may have been closed meanwhile; the outcome is stored all the same.
    let _closed = door.send(Told::Answered);
    let word = if outcome.status == crate::model::sendout::SendoutStatus::Succeeded {
        "success"
    } else {
        "failure"
    };
    metrics::counter!("webhook_attempts_total", "outcome" => word).increment(1);
    let (next_at, was_by_hand) = (outcome.next_at, item.by_hand);
    let is_stored = shared.writer.settle(outcome).await;
    let _closed = door.send(Told::Settled {
        id: item.id,
        next_at: next_at.filter(|_| is_stored && !was_by_hand),
        // One that was sent by hand goes on as its schedule says, which the database knows.
        again: !is_stored || was_by_hand,
    });
}

async fn until(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
