//! Takes jobs from the queue, a bounded number at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{retention, run, sweep};
use crate::server::chain::signing;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::jobs;

/// How often the queue is looked at without anybody ringing: other servers ring elsewhere.
const LOOK: Duration = Duration::from_secs(1);

/// Rings for the workers of this process, so that work begins at once.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// There is work.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// The workers of this process.
#[derive(Debug)]
pub struct Workers {
    stop: CancellationToken,
    looking: JoinHandle<()>,
    sweeping: JoinHandle<()>,
    scheduling: JoinHandle<()>,
    signing: JoinHandle<()>,
    claims: TaskTracker,
}

/// Starts workers; so many jobs run at once.
pub fn start(server: &Server, most: usize) -> Workers {
    let stop = CancellationToken::new();
    let claims = TaskTracker::new();
    let holder = format!(
        "{}-{}",
        std::process::id(),
        server.random.bytes::<4>().map(|byte| format!("{byte:02x}")).concat()
    );
    Workers {
        looking: tokio::spawn(look(server.clone(), holder, most, stop.clone(), claims.clone())),
        sweeping: tokio::spawn(sweep::run(server.clone(), stop.clone())),
        scheduling: tokio::spawn(retention::schedule(server.clone(), stop.clone())),
        signing: tokio::spawn(signing::schedule(server.clone(), stop.clone())),
        stop,
        claims,
    }
}

impl Workers {
    /// Takes no new job, gives back what runs, and waits until that is done.
    pub async fn stop(self) {
        self.stop.cancel();
        // All end at the token; an error would say that they have ended already.
        let _ended = self.looking.await;
        let _ended = self.sweeping.await;
        let _ended = self.scheduling.await;
        let _ended = self.signing.await;
        self.claims.close();
        self.claims.wait().await;
    }
}

async fn look(server: Server, holder: String, most: usize, stop: CancellationToken, claims: TaskTracker) {
    let places = Arc::new(Semaphore::new(most));
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stop.cancelled() => return,
        };
        let Ok(place) = place else { return };
        match next(&server, &holder).await {
            Ok(Some(job)) => {
                let (server, stop) = (server.clone(), stop.clone());
                claims.spawn(async move {
                    run::claim(&server, job, stop).await;
                    drop(place);
                    // The next one need not wait for a look.
                    server.bell.ring();
                });
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the queue could not be read"),
        }
        drop(place);
        tokio::select! {
            () = server.bell.0.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn next(server: &Server, holder: &str) -> Result<Option<jobs::Job>, StoreError> {
    let now_ms = server.clock.now_ms();
    if !jobs::is_due(&server.db, now_ms).await? {
        return Ok(None);
    }
    jobs::claim(&server.db, holder, now_ms).await
}
