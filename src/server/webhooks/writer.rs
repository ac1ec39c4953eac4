//! The one writer of events and outcomes: what waits is written in one transaction, answered after its commit, and handed to the lanes in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::attempt::Item;
use super::envelope::{self, Event};
use super::lanes::Lanes;
use crate::model::endpoint::kinds;
use crate::model::id::IdKind;
use crate::server::clock::{Clock, LEAP_MS, Random};
use crate::server::secrets::InstanceKey;
use crate::server::store::webhooks::events::{Accepted, NewEvent};
use crate::server::store::webhooks::outcomes::{Outcome, SwitchedOff};
use crate::server::store::webhooks::write;
use crate::server::store::{Db, StoreError};

/// Events, and outcomes, of one transaction.
const BATCH: usize = 2_000;
/// Events that may wait; past it posts are refused.
const WAITING: usize = 20_000;
/// Bytes of events that may wait.
const WAITING_BYTES: usize = 64 << 20;

/// Why an event was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// Too many wait; come back after so many seconds.
    #[error("more events are waiting to be written than this server holds; try again in {retry_after_s} s")]
    Full {
        /// Seconds.
        retry_after_s: u64,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whoever waits for what becomes of an event.
type Answer = oneshot::Sender<Result<Accepted, AcceptError>>;

/// An event on its way to the writer.
struct Post {
    event: NewEvent,
    data: String,
    answer: Answer,
}

/// An outcome on its way to the writer.
struct End {
    outcome: Outcome,
    answer: oneshot::Sender<bool>,
}

enum Message {
    Post(Box<Post>),
    End(Box<End>),
    Stop(oneshot::Sender<()>),
}

/// The door to the writer. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::UnboundedSender<Message>,
    waiting: Arc<AtomicUsize>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// What the writer needs.
pub(super) struct WriterParts {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) key: Arc<InstanceKey>,
    pub(super) lanes: Lanes,
}

impl Writer {
    pub(super) fn start(parts: WriterParts) -> Self {
        let (queue, messages) = mpsc::unbounded_channel();
        tokio::spawn(
            Work {
                parts,
                messages,
                last_ms: 0,
            }
            .run(),
        );
        Self {
            queue,
            waiting: Arc::default(),
            waiting_bytes: Arc::default(),
        }
    }

    /// Waits until the event and its sendouts are committed.
    pub(super) async fn accept(&self, event: NewEvent, data: String) -> Result<Accepted, AcceptError> {
        let bytes = event.data.len() + data.len();
        let _share = Share::take(self, bytes)?;
        let (answer, answered) = oneshot::channel();
        let post = Post { event, data, answer };
        self.queue
            .send(Message::Post(Box::new(post)))
            .map_err(|_| AcceptError::Stopping)?;
        answered.await.map_err(|_| AcceptError::Stopping)?
    }

    /// Waits until an outcome is committed; false where it could not be.
    pub(super) async fn settle(&self, outcome: Outcome) -> bool {
        let (answer, answered) = oneshot::channel();
        let sent = self.queue.send(Message::End(Box::new(End { outcome, answer })));
        sent.is_ok() && answered.await.unwrap_or(false)
    }

    /// Writes what waits, then ends.
    pub(super) async fn stop(&self) {
        let (answer, answered) = oneshot::channel();
        if self.queue.send(Message::Stop(answer)).is_ok() {
            // An error says that it has ended already.
            let _ended = answered.await;
        }
    }
}

/// A post's share of what may wait; given back when it was answered, or whoever asked has gone.
struct Share<'a>(&'a Writer, usize);

impl<'a> Share<'a> {
    fn take(writer: &'a Writer, bytes: usize) -> Result<Self, AcceptError> {
        let waiting = writer.waiting.fetch_add(1, Ordering::AcqRel);
        let held = writer.waiting_bytes.fetch_add(bytes, Ordering::AcqRel);
        let share = Self(writer, bytes);
        if waiting >= WAITING || (held > 0 && held + bytes > WAITING_BYTES) {
            return Err(AcceptError::Full { retry_after_s: 1 });
        }
        Ok(share)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        self.0.waiting_bytes.fetch_sub(self.1, Ordering::AcqRel);
    }
}

struct Work {
    parts: WriterParts,
    messages: mpsc::UnboundedReceiver<Message>,
    last_ms: i64,
}

/// What one transaction is to write.
#[derive(Default)]
struct Batch {
    posts: Vec<(NewEvent, String, Answer)>,
    ends: Vec<(Outcome, oneshot::Sender<bool>)>,
    stops: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn put(&mut self, message: Message) {
        match message {
            Message::Post(post) => self.posts.push((post.event, post.data, post.answer)),
            Message::End(end) => self.ends.push((end.outcome, end.answer)),
            Message::Stop(answer) => self.stops.push(answer),
        }
    }

    const fn len(&self) -> usize {
        self.posts.len() + self.ends.len()
    }
}

impl Work {
    async fn run(mut self) {
        let mut stops = Vec::new();
        while let Some(first) = self.messages.recv().await {
            let mut batch = Batch::default();
            batch.put(first);
            while batch.len() < BATCH
                && let Ok(next) = self.messages.try_recv()
            {
                batch.put(next);
            }
            if !batch.stops.is_empty() {
                self.messages.close();
                stops.append(&mut batch.stops);
            }
            if batch.len() > 0 {
                self.write(batch).await;
            }
        }
        for answer in stops {
            let _gone = answer.send(());
        }
    }

    async fn write(&mut self, batch: Batch) {
        // Rising from one transaction to the next, so that the order in the database is the order in memory; unless the clock was far ahead, whose times nothing can
        // be given that is due now.
        let clock_ms = self.parts.clock.now_ms();
        let is_leap = self.last_ms > clock_ms + LEAP_MS;
        let now_ms = if is_leap { clock_ms } else { clock_ms.max(self.last_ms + 1) };
        self.last_ms = now_ms;
        let mut events = Vec::with_capacity(batch.posts.len());
        let mut rest = Vec::with_capacity(batch.posts.len());
        for (event, data, answer) in batch.posts {
            events.push(event);
            rest.push((data, answer));
        }
        let (outcomes, settled): (Vec<_>, Vec<_>) = batch.ends.into_iter().unzip();
        match self.store(&events, &outcomes, now_ms).await {
            Ok(written) => {
                self.hand(&events, &rest, &written.accepted, now_ms);
                for ((_, answer), accepted) in rest.into_iter().zip(written.accepted) {
                    let _gone = answer.send(Ok(accepted));
                }
                for answer in settled {
                    let _gone = answer.send(true);
                }
                self.switched(&written.off);
            }
            // What may be stored already is not stored once more: events' senders know how to repeat them, and outcomes are looked for in the database.
            Err(problem) if events.len() + outcomes.len() == 1 || matches!(problem, StoreError::Doubtful(_)) => {
                tracing::warn!(%problem, events = events.len(), outcomes = outcomes.len(), "events or outcomes could not be stored");
                for (_, answer) in rest {
                    let _gone = answer.send(Err(self.again(&problem)));
                }
                for answer in settled {
                    let _gone = answer.send(false);
                }
            }
            Err(problem) => {
                tracing::warn!(%problem, "a batch of events and outcomes failed; they are written one by one");
                self.one_by_one(events, rest, outcomes, settled).await;
            }
        }
    }

    async fn one_by_one(
        &mut self,
        events: Vec<NewEvent>,
        rest: Vec<(String, Answer)>,
        outcomes: Vec<Outcome>,
        settled: Vec<oneshot::Sender<bool>>,
    ) {
        for (outcome, answer) in outcomes.into_iter().zip(settled) {
            let mut batch = Batch::default();
            batch.ends.push((outcome, answer));
            Box::pin(self.write(batch)).await;
        }
        for (event, (data, answer)) in events.into_iter().zip(rest) {
            let mut batch = Batch::default();
            batch.posts.push((event, data, answer));
            Box::pin(self.write(batch)).await;
        }
    }

    /// A store's error is told to one; nobody else has it.
    fn again(&self, problem: &StoreError) -> AcceptError {
        AcceptError::Store(match problem {
            StoreError::Corrupt(what) => StoreError::Corrupt(what.clone()),
            StoreError::Taken(what) => StoreError::Taken(what.clone()),
            StoreError::Doubtful(_) => StoreError::Doubtful(sqlx::Error::WorkerCrashed),
            StoreError::Database(sqlx::Error::PoolTimedOut) => StoreError::Database(sqlx::Error::PoolTimedOut),
            other => StoreError::Database(sqlx::Error::Io(std::io::Error::other(other.to_string()))),
        })
    }

    async fn store(&self, events: &[NewEvent], outcomes: &[Outcome], now_ms: i64) -> Result<write::Written, StoreError> {
        let tell = |off: &SwitchedOff| self.disabled(off, now_ms);
        let mut ids = ids(&self.parts.random, now_ms);
        write::batch(&self.parts.db, events, outcomes, now_ms, &tell, &mut ids).await
    }

    /// The event that an endpoint was switched off, for the other ones.
    fn disabled(&self, off: &SwitchedOff, now_ms: i64) -> NewEvent {
        let data = json!({ "id": off.endpoint_id, "object": "webhook", "target_url": off.target_url, "active": false,
            "disabled_at": envelope::time(now_ms), "disabled_reason": off.reason });
        let event = own_event(
            &self.parts.key,
            &self.parts.random,
            (off.project, kinds::WEBHOOK_DISABLED),
            &data,
            now_ms,
        );
        NewEvent {
            entity_id: Some(off.endpoint_id.clone()),
            except: Some(off.endpoint_id.clone()),
            ..event
        }
    }

    /// What was accepted is handed on in memory, so that nothing is read back.
    fn hand(&self, events: &[NewEvent], rest: &[(String, Answer)], accepted: &[Accepted], now_ms: i64) {
        for ((event, (data, _)), accepted) in events.iter().zip(rest).zip(accepted) {
            let Accepted::New(sendouts) = accepted else { continue };
            if sendouts.iter().all(|sendout| sendout.paused) {
                continue;
            }
            let open = Arc::new(Event::of_new(event, data, now_ms));
            for sendout in sendouts.iter().filter(|sendout| !sendout.paused) {
                let item = Item {
                    id: sendout.id.clone(),
                    created_at: now_ms,
                    attempts: 0,
                    tries: 0,
                    by_hand: event.only.is_some(),
                    first_attempt_at: None,
                    event: Arc::clone(&open),
                };
                self.parts.lanes.hand(event.project, &sendout.endpoint_id, item);
            }
        }
    }

    fn switched(&self, off: &[SwitchedOff]) {
        for switched in off {
            metrics::counter!("webhook_endpoints_disabled_total").increment(1);
            tracing::warn!(
                endpoint = switched.endpoint_id,
                reason = switched.reason,
                "a webhook endpoint was switched off"
            );
            self.parts.lanes.changed(switched.project, &switched.endpoint_id);
        }
        if !off.is_empty() {
            self.parts.lanes.ring();
        }
    }
}

/// Gives sendouts' ids of one time, in rising order: what is listed by (time, id) is then listed as it came.
pub(super) fn ids(random: &Random, now_ms: i64) -> impl FnMut(usize) -> Vec<String> + Send + use<> {
    let random = random.clone();
    let mut last = String::new();
    move |count| {
        let mut ids: Vec<String> = (0..count).map(|_| random.id(IdKind::Sendout, now_ms)).collect();
        ids.sort_unstable();
        // A second call of the same transaction goes on after the first one's.
        if ids.first().is_some_and(|first| *first <= last) {
            ids.retain(|id| *id > last);
            while ids.len() < count {
                let id = random.id(IdKind::Sendout, now_ms + 1);
                ids.push(id);
            }
            ids.sort_unstable();
        }
        if let Some(id) = ids.last() {
            last.clone_from(id);
        }
        ids
    }
}

/// An event of this service's own.
pub(super) fn own_event(
    key: &InstanceKey,
    random: &Random,
    (project, kind): (crate::server::store::projects::ProjectKey, &str),
    data: &serde_json::Value,
    now_ms: i64,
) -> NewEvent {
    NewEvent {
        project,
        id: random.id(IdKind::Event, now_ms),
        kind: kind.to_owned(),
        channel: Some("audit-log".to_owned()),
        data: envelope::seal(key, &data.to_string(), random),
        ..NewEvent::default()
    }
}
