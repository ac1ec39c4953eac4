//! Deletes files that belong to nothing, and what deleted projects held.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::state::Server;
use crate::server::store::jobs;
use crate::server::store::purge::{self, Left};

/// How often.
const EVERY: Duration = Duration::from_secs(2);
/// How long others may write between two batches of a deleted project.
const PAUSE: Duration = Duration::from_millis(20);
/// Batches of a deleted project in a round: about a second's work, so that files wait no longer.
const BATCHES: usize = 25;

/// What stopped a round.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Store(#[from] crate::server::store::StoreError),
    #[error(transparent)]
    File(#[from] crate::server::files::FileError),
}

pub(super) async fn run(server: Server, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = round(&server).await {
            tracing::warn!(%error, "files that belong to nothing could not be deleted; tried again");
        }
        if let Err(error) = purge(&server, &stop).await {
            tracing::warn!(%error, "what a deleted project held could not be removed; tried again");
        }
    }
}

async fn round(server: &Server) -> Result<(), SweepError> {
    for file in jobs::doomed_files(&server.db, server.clock.now_ms()).await? {
        server.files.delete(&file).await?;
        jobs::swept(&server.db, &file, server.clock.now_ms()).await?;
    }
    Ok(())
}

/// Removes some of what a deleted project held.
async fn purge(server: &Server, stop: &CancellationToken) -> Result<(), SweepError> {
    for _ in 0..BATCHES {
        let now_ms = server.clock.now_ms();
        let Some(project) = purge::next(&server.db, now_ms).await? else {
            return Ok(());
        };
        match purge::batch(&server.db, project, server.config.retention_days, now_ms).await? {
            Left::More => {}
            Left::Own => tracing::debug!(project, "of a deleted project the log of the log is left"),
            Left::Nothing => tracing::info!(project, "nothing is left of a deleted project"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
    Ok(())
}
