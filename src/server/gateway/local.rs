//! The gateway's own spool as a source.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::send::{Source, SourceError, TOGETHER};
use super::spool::{Chunk, Position, Spool};

/// Reads this process' spool.
pub(super) struct LocalSpool {
    spool: Arc<Spool>,
    end: watch::Receiver<Position>,
    /// Nothing more will be appended.
    over: CancellationToken,
}

impl LocalSpool {
    pub(super) fn new(spool: Arc<Spool>, over: CancellationToken) -> Self {
        Self {
            end: spool.ends(),
            spool,
            over,
        }
    }
}

impl Source for LocalSpool {
    fn id(&self) -> &str {
        self.spool.id()
    }

    async fn next(&mut self) -> Result<Option<Chunk>, SourceError> {
        loop {
            let is_over = self.over.is_cancelled();
            self.end.mark_unchanged();
            let chunk = read(&self.spool, self.spool.stored()).await?;
            if chunk.next > self.spool.stored() {
                return Ok(Some(chunk));
            }
            if is_over {
                return Ok(None);
            }
            tokio::select! {
                changed = self.end.changed() => changed.map_err(|error| SourceError(error.to_string()))?,
                () = self.over.cancelled() => {}
            }
        }
    }

    fn has_room(&self) -> bool {
        self.spool.is_half_empty()
    }

    async fn rest(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.over.cancelled() => {}
        }
    }

    async fn acknowledge(&mut self, position: Position) -> Result<(), SourceError> {
        let spool = Arc::clone(&self.spool);
        on_disk(move || spool.acknowledge(position)).await
    }
}

/// Reads some records beside the threads that answer.
pub(super) async fn read(spool: &Arc<Spool>, from: Position) -> Result<Chunk, SourceError> {
    let spool = Arc::clone(spool);
    on_disk(move || spool.read(from, TOGETHER)).await
}

/// Does something with the disk beside the threads that answer.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, SourceError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| SourceError(error.to_string()))?
        .map_err(|error| SourceError(format!("the spool: {error}")))
}
