//! Deletes files that belong to nothing.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::state::Server;
use crate::server::store::jobs;

/// How often.
const EVERY: Duration = Duration::from_secs(2);

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
    }
}

async fn round(server: &Server) -> Result<(), SweepError> {
    for file in jobs::doomed_files(&server.db, server.clock.now_ms()).await? {
        server.files.delete(&file).await?;
        jobs::swept(&server.db, &file, server.clock.now_ms()).await?;
    }
    Ok(())
}
