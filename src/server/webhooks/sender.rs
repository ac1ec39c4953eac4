//! The sender of a process: takes the lanes that nobody holds and something is due to, says that it lives, and stops in order.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Webhooks;
use super::attempt::Maker;
use super::client::Client;
use super::guard::Guard;
use super::lane::{Lane, Shared};
use super::lanes::{LaneKey, Told};
use super::resolve::{self, Lookup};
use super::schedule::Schedule;
use crate::server::clock::LEAP_MS;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::webhooks::due;

/// How often what is due is looked for without anybody ringing: other processes ring elsewhere.
const LOOK: Duration = Duration::from_millis(500);

/// The sender of this process.
#[derive(Debug)]
pub struct Sender {
    stop: CancellationToken,
    looking: JoinHandle<()>,
    lanes: TaskTracker,
    work: TaskTracker,
    webhooks: Webhooks,
    holder: String,
    server: Server,
}

/// Why there is no sender.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The client could not be made.
    #[error("webhooks cannot be sent: {0}")]
    Client(#[from] reqwest::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Starts sending, with the machine's own look-up of names.
pub async fn start(server: &Server) -> Result<Sender, SenderError> {
    start_with(server, resolve::system()).await
}

/// Starts sending, with a look-up of names that is given.
pub async fn start_with(server: &Server, lookup: Lookup) -> Result<Sender, SenderError> {
    if server.is_alone() {
        due::take_over(&server.db).await?;
    }
    let (stop, lanes, work) = (CancellationToken::new(), TaskTracker::new(), TaskTracker::new());
    let shared = Arc::new(Shared {
        db: server.db.clone(),
        maker: Maker {
            client: Client::new(Guard::new(server.config.webhook_allow.clone()), lookup)?,
            clock: server.clock.clone(),
            random: server.random.clone(),
            schedule: Schedule::new(server.config.webhook_schedule.clone()),
            key: Arc::clone(&server.key),
        },
        writer: server.webhooks.writer.clone(),
        lanes: server.webhooks.lanes.clone(),
        lease_until: AtomicI64::new(0),
        stop: stop.clone(),
        work: work.clone(),
    });
    let holder = format!(
        "{}-{}",
        std::process::id(),
        data_encoding::HEXLOWER.encode(&server.random.bytes::<8>())
    );
    let look = Look {
        server: server.clone(),
        shared,
        lanes: lanes.clone(),
        holder: holder.clone(),
        seen: HashMap::new(),
        // Whatever is due later than it can be is looked for at the start.
        before: None,
    };
    Ok(Sender {
        looking: tokio::spawn(look.run()),
        stop,
        lanes,
        work,
        webhooks: server.webhooks.clone(),
        holder,
        server: server.clone(),
    })
}

impl Sender {
    /// Begins no new attempt, waits for those in flight and for what came of them, and gives the lanes back. An attempt that takes longer than a stop may
    /// (`stop_seconds`) is given up with the process: its sendout is still due.
    pub async fn stop(self) {
        self.stop.cancel();
        // It ends at the token; an error would say that it has ended already.
        let _ended = self.looking.await;
        self.lanes.close();
        self.lanes.wait().await;
        self.webhooks.lanes.close();
        self.work.close();
        let patience = Duration::from_secs(self.server.config.stop_seconds.into());
        if tokio::time::timeout(patience, self.work.wait()).await.is_err() {
            tracing::warn!(
                attempts = self.work.len(),
                "some webhooks were not answered in time; they are sent again"
            );
        }
        if let Err(error) = due::leave_lanes(&self.server.db, &self.holder).await {
            tracing::warn!(%error, "lanes could not be given back; their lease will run out");
        }
    }
}

struct Look {
    server: Server,
    shared: Arc<Shared>,
    lanes: TaskTracker,
    holder: String,
    /// When each endpoint was changed last, as far as its lane knows.
    seen: HashMap<LaneKey, i64>,
    /// The steady time, and what the clock said, at the last round.
    before: Option<(Duration, i64)>,
}

impl Look {
    async fn run(mut self) {
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "what is due could not be looked for; tried again");
            }
            tokio::select! {
                () = self.server.webhooks.lanes.rung() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = self.shared.stop.cancelled() => return,
            }
        }
    }

    async fn round(&mut self) -> Result<(), StoreError> {
        let now_ms = self.server.clock.now_ms();
        self.after_a_leap(now_ms).await?;
        let lanes = &self.server.webhooks.lanes;
        let lease_until = self.shared.lease_until.load(Ordering::Acquire);
        if lease_until - now_ms < due::LEASE_MS - 2_000 {
            let held = due::keep_lanes(&self.server.db, &self.holder, now_ms).await?;
            self.shared.lease_until.store(now_ms + due::LEASE_MS, Ordering::Release);
            for (_, endpoint) in lanes.keep(&held) {
                tracing::warn!(endpoint, "another process sends to this endpoint now");
            }
            super::own::tell_failures(&self.server, now_ms).await?;
        }
        for key in due::endpoints(&self.server.db, now_ms).await? {
            self.serve(key, now_ms).await?;
        }
        for (project, endpoint, updated_at) in due::changes(&self.server.db).await? {
            let key = (project, endpoint);
            if self
                .seen
                .insert(key.clone(), updated_at)
                .is_some_and(|seen| seen != updated_at)
            {
                lanes.tell(&key, Told::Changed);
            }
        }
        Ok(())
    }

    /// Where the clock was set back since the last round, what it had made due far ahead comes back, and the lanes are held by the time that it is now.
    async fn after_a_leap(&mut self, now_ms: i64) -> Result<(), StoreError> {
        let steady = self.server.clock.steady();
        let passed = |before: Duration| steady.saturating_sub(before).as_millis() as i64;
        if self
            .before
            .is_none_or(|(before, said)| now_ms < said + passed(before) - LEAP_MS)
        {
            let back = due::come_back(&self.server.db, now_ms).await?;
            if back > 0 {
                tracing::warn!(
                    sendouts = back,
                    "the clock was ahead: what it had made due is due by the time that it is now"
                );
            }
            self.shared.lease_until.store(0, Ordering::Release);
            self.server.webhooks.lanes.all_due();
        }
        self.before = Some((steady, now_ms));
        Ok(())
    }

    /// Sees to it that something is sent to an endpoint.
    async fn serve(&self, key: LaneKey, now_ms: i64) -> Result<(), StoreError> {
        let lanes = &self.server.webhooks.lanes;
        if lanes.tell(&key, Told::Look) {
            return Ok(());
        }
        if !lanes.has(&key) && !due::take_lane(&self.server.db, key.0, &key.1, &self.holder, now_ms).await? {
            return Ok(());
        }
        if let Some((door, told)) = lanes.open(&key) {
            let lane = Lane::new(Arc::clone(&self.shared), key, told, door.downgrade());
            self.lanes.spawn(lane.run());
        }
        Ok(())
    }
}
