//! One writer: calls wait in a bounded queue, are written many to a transaction, and are answered after the commit.

use crate::model::log::NewLog;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
pub struct LogWriter {}

impl LogWriter {
    /// Starts the writer's task; it runs until [`LogWriter::stop`] and writes all that waits by then.
    pub fn start(db: Db, options: WriterOptions) -> Self {
        let _ = (db, options);
        todo!()
    }

    /// Waits until the call is committed. Refuses at once where the queue is full.
    pub async fn write(&self, call: LogCall) -> Result<Written, WriteError> {
        let _ = call;
        todo!()
    }

    /// Writes what waits, then ends.
    pub async fn stop(&self) {
        todo!()
    }
}
