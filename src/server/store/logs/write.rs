//! One writer: calls wait in a bounded queue, are written many to a transaction, and are answered after the commit.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::batch;
use super::call::PreparedCall;
use super::compact;
use crate::model::log::NewLog;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Logs of one transaction, and bytes of their text: about 0.2 s of the writer, so that sign-ins and heartbeats never wait long behind it.
const BATCH_LOGS: usize = 10_000;
const BATCH_BYTES: usize = 16 << 20;

/// One call's logs, written together or not at all.
#[derive(Debug)]
pub struct LogCall {
    /// Whose.
    pub project: ProjectKey,
    /// At most 10,000.
    pub logs: Vec<NewLog>,
    /// Makes a repeat of the call harmless.
    pub idempotency: Option<Idempotency>,
    /// What to keep under `idempotency` is made of these.
    pub received_at: i64,
}

/// A client's `Idempotency-Key`, and what the call was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The header's value.
    pub key: String,
    /// SHA-256 of the method, the path and the body.
    pub fingerprint: [u8; 32],
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Logs that were stored.
    pub accepted: u64,
    /// Logs whose id was there already.
    pub duplicates: u64,
    /// Every log's id, in the call's order, duplicates too.
    pub ids: Vec<String>,
}

/// Why a call was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The queue is full; come back after so many seconds.
    #[error("more logs are waiting to be written than this server holds; try again in {retry_after_s} s")]
    Full {
        /// Seconds.
        retry_after_s: u64,
    },
    /// The same `Idempotency-Key` came with another body.
    #[error("this Idempotency-Key was used with another request")]
    KeyReused,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How much the writer holds.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// Bytes of text that may wait; past it calls are refused. At least one call always fits.
    pub queue_bytes: usize,
}

/// The door to the one writer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LogWriter(Arc<Door>);

#[derive(Debug)]
struct Door {
    queue: mpsc::UnboundedSender<Message>,
    load: Arc<Load>,
    /// Calls are prepared on as many threads as there are cores, beside the writer.
    cores: Semaphore,
}

/// How much waits, and how fast it goes.
#[derive(Debug)]
struct Load {
    waiting: AtomicUsize,
    most: usize,
    /// Bytes written in the last second or so.
    bytes_per_second: AtomicU64,
    /// Batches written so far.
    batches: AtomicU64,
    /// How long one takes, in microseconds, over the last dozen or so.
    batch_us: AtomicU64,
}

/// A call's share of the queue, given back when the call has been answered, or has gone away.
#[derive(Debug)]
struct Share {
    load: Arc<Load>,
    bytes: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.load.waiting.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

impl Load {
    /// Takes a share of the queue; one call always fits.
    fn take(self: &Arc<Self>, bytes: usize) -> Result<Share, WriteError> {
        let taken = self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| {
            (waiting == 0 || waiting.saturating_add(bytes) <= self.most).then(|| waiting.saturating_add(bytes))
        });
        match taken {
            Ok(_) => Ok(Share {
                load: Arc::clone(self),
                bytes,
            }),
            Err(waiting) => {
                let speed = self.bytes_per_second.load(Ordering::Relaxed).max(1 << 20);
                Err(WriteError::Full {
                    retry_after_s: (waiting as u64).div_ceil(speed).clamp(1, 60),
                })
            }
        }
    }
}

#[derive(Debug)]
enum Message {
    Call(Box<Waiting>),
    Compact(oneshot::Sender<Result<compact::Compacted, StoreError>>),
    Stop(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Waiting {
    call: PreparedCall,
    answer: oneshot::Sender<Result<Written, WriteError>>,
    share: Share,
}

impl LogWriter {
    /// Starts the writer's task; it runs until [`LogWriter::stop`] and writes all that waits by then.
    pub fn start(db: Db, options: WriterOptions) -> Self {
        let (queue, messages) = mpsc::unbounded_channel();
        let load = Arc::new(Load {
            waiting: AtomicUsize::new(0),
            most: options.queue_bytes,
            bytes_per_second: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            batch_us: AtomicU64::new(0),
        });
        tokio::spawn(
            Writer {
                db,
                messages,
                held: None,
                load: Arc::clone(&load),
            }
            .run(),
        );
        Self(Arc::new(Door {
            queue,
            load,
            cores: Semaphore::new(cores()),
        }))
    }

    /// Whether the writer still takes calls.
    pub fn is_alive(&self) -> bool {
        !self.0.queue.is_closed()
    }

    /// Waits until the call is committed. Refuses at once where the queue is full.
    pub async fn write(&self, call: LogCall) -> Result<Written, WriteError> {
        if call.logs.is_empty() {
            return Ok(Written {
                accepted: 0,
                duplicates: 0,
                ids: Vec::new(),
            });
        }
        let share = self.0.load.take(batch_bytes(&call))?;
        let call = self.prepare(call).await?;
        let (answer, answered) = oneshot::channel();
        self.0
            .queue
            .send(Message::Call(Box::new(Waiting { call, answer, share })))
            .map_err(|_| WriteError::Stopping)?;
        answered.await.map_err(|_| WriteError::Stopping)?
    }

    async fn prepare(&self, call: LogCall) -> Result<PreparedCall, WriteError> {
        if call.logs.len() < super::block::MAX_LOGS {
            return Ok(PreparedCall::of_few(call));
        }
        let _core = self.0.cores.acquire().await.map_err(|_| WriteError::Stopping)?;
        let prepared = tokio::task::spawn_blocking(move || PreparedCall::of_many(call)).await;
        Ok(prepared.map_err(|_| WriteError::Stopping)??)
    }

    /// Merges blocks that came too small, in the writer's turn.
    pub async fn compact(&self) -> Result<compact::Compacted, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.0
            .queue
            .send(Message::Compact(answer))
            .map_err(|_| WriteError::Stopping)?;
        Ok(answered.await.map_err(|_| WriteError::Stopping)??)
    }

    /// Bytes of text that wait to be written.
    pub fn waiting_bytes(&self) -> usize {
        self.0.load.waiting.load(Ordering::Acquire)
    }

    /// Batches that this writer has written so far: whoever looks twice sees whether logs come in.
    pub fn batches(&self) -> u64 {
        self.0.load.batches.load(Ordering::Relaxed)
    }

    /// How long a batch takes these days, from when it is begun until it is committed: what a call waits for anyway.
    pub fn batch_time(&self) -> Duration {
        Duration::from_micros(self.0.load.batch_us.load(Ordering::Relaxed))
    }

    /// Writes what waits, then ends.
    pub async fn stop(&self) {
        let (answer, answered) = oneshot::channel();
        if self.0.queue.send(Message::Stop(answer)).is_ok() {
            // An error here says that the writer has ended already, which is what was asked for.
            let _ended = answered.await;
        }
    }
}

fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// What a call weighs: its text, and a row's worth of bytes a log.
fn batch_bytes(call: &LogCall) -> usize {
    const ROW: usize = 400;
    let text = |log: &NewLog| {
        let text = &log.text;
        text.url.len()
            + text.request.headers.len()
            + text.request.body.len()
            + text.response.headers.len()
            + text.response.body.len()
            + ROW
    };
    call.logs.iter().map(text).sum()
}

/// The writer's task.
struct Writer {
    db: Db,
    messages: mpsc::UnboundedReceiver<Message>,
    /// The message that did not fit into the batch before.
    held: Option<Message>,
    load: Arc<Load>,
}

impl Writer {
    async fn run(mut self) {
        let mut stopped = Vec::new();
        while let Some(message) = self.next().await {
            match message {
                Message::Call(first) => {
                    let batch = self.gather(*first);
                    self.write(batch).await;
                }
                Message::Compact(answer) => {
                    // Whoever asked may have gone; the merging is done all the same.
                    let _gone = answer.send(compact::run(&self.db).await);
                }
                Message::Stop(answer) => {
                    stopped.push(answer);
                    self.messages.close();
                }
            }
        }
        for answer in stopped {
            let _gone = answer.send(());
        }
    }

    async fn next(&mut self) -> Option<Message> {
        match self.held.take() {
            Some(message) => Some(message),
            None => self.messages.recv().await,
        }
    }

    /// Whole calls that wait, up to a batch's size.
    fn gather(&mut self, first: Waiting) -> VecDeque<Waiting> {
        let (mut logs, mut bytes) = (first.call.len(), first.share.bytes);
        let mut batch = VecDeque::from([first]);
        while let Ok(message) = self.messages.try_recv() {
            match message {
                Message::Call(next) if logs + next.call.len() <= BATCH_LOGS && bytes + next.share.bytes <= BATCH_BYTES => {
                    logs += next.call.len();
                    bytes += next.share.bytes;
                    batch.push_back(*next);
                }
                other => {
                    self.held = Some(other);
                    break;
                }
            }
        }
        batch
    }

    async fn write(&self, batch: VecDeque<Waiting>) {
        let started = Instant::now();
        let bytes: usize = batch.iter().map(|waiting| waiting.share.bytes).sum();
        let (calls, answers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|waiting| (waiting.call, (waiting.answer, waiting.share)))
            .unzip();
        let results = self.write_calls(&calls).await;
        let speed = bytes as f64 / started.elapsed().as_secs_f64().max(0.001);
        self.load.bytes_per_second.store(speed as u64, Ordering::Relaxed);
        let (spent, before) = (
            started.elapsed().as_micros() as u64,
            self.load.batch_us.load(Ordering::Relaxed),
        );
        self.load.batch_us.store((before * 7 + spent) / 8, Ordering::Relaxed);
        self.load.batches.fetch_add(1, Ordering::Relaxed);
        for ((answer, share), result) in answers.into_iter().zip(results) {
            // There is room again by the time that the caller hears of it.
            drop(share);
            // Whoever asked may have gone; the logs are written all the same.
            let _gone = answer.send(result);
        }
    }

    /// All calls in one transaction; where that fails, each on its own, so that none fails for another's sake.
    async fn write_calls(&self, calls: &[PreparedCall]) -> Vec<Result<Written, WriteError>> {
        match batch::write(&self.db, calls).await {
            Ok(results) => results,
            Err(problem) if calls.len() == 1 => vec![Err(problem.into())],
            // What may be stored already must not be stored once more: ids that the server gave are guarded by nothing. Their senders know how to repeat it.
            Err(StoreError::Doubtful(problem)) => {
                tracing::warn!(%problem, calls = calls.len(), "nobody knows whether a batch of logs was committed");
                let doubtful = || Err(StoreError::Doubtful(sqlx::Error::WorkerCrashed).into());
                calls.iter().map(|_| doubtful()).collect()
            }
            Err(problem) => {
                tracing::warn!(%problem, calls = calls.len(), "a batch of logs failed; its calls are written one by one");
                let mut results = Vec::with_capacity(calls.len());
                for call in calls {
                    let alone = batch::write(&self.db, std::slice::from_ref(call)).await;
                    results.push(
                        alone
                            .map_err(WriteError::from)
                            .and_then(|mut one| one.pop().unwrap_or(Err(WriteError::Stopping))),
                    );
                }
                results
            }
        }
    }
}
