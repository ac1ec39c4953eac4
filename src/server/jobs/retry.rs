//! Sends again what a selection of sendouts meant when it was asked for: those that were not changed since, at a pace, oldest first.
//!
//! Begun again it retries nothing twice: what it made due carries a later change than the moment that was asked at.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::JobError;
use super::run::Progress;
use crate::model::format::count;
use crate::model::id::IdKind;
use crate::model::task::{OperationStatus, TaskStatus, kinds};
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::jobs::{self, Job};
use crate::server::store::projects::ProjectKey;
use crate::server::store::records::RecordSelection;
use crate::server::store::tasks::{NewTask, TaskChange};
use crate::server::store::webhooks::sendouts::{self, BulkPlace};

/// Its name in the queue.
pub const NAME: &str = "retry";
/// Parts of a second that the pace is kept in.
const PARTS: u32 = 10;

/// What it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Which.
    pub selection: RecordSelection,
    /// What was changed later is left out, in milliseconds since 1970.
    pub pin: i64,
    /// How many there were.
    pub total: u64,
    /// How many a second.
    pub per_second: u32,
}

/// Who asks for a retry in bulk.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The person.
    pub user_id: Option<String>,
    /// The person's e-mail address, or the key's name.
    pub by: Option<String>,
    /// The id of the request that asks, and of the log that it becomes.
    pub request: Option<(String, String)>,
}

/// What is to be sent again, and how fast.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which.
    pub selection: RecordSelection,
    /// The moment that the set was counted at: what came or changed later is not in it.
    pub pin: i64,
    /// How many a second at most.
    pub per_second: u32,
}

/// Begins to send again all that a selection meant at a moment, at most so many a second; gives the task's id.
pub async fn begin(server: &Server, project: ProjectKey, wish: Wish, asker: Asker) -> Result<String, StoreError> {
    let now_ms = server.clock.now_ms();
    let pin = wish.pin.min(now_ms);
    let mut selection = wish.selection;
    selection.range.to = selection.range.to.min(pin + 1);
    let payload = Payload {
        pin,
        total: sendouts::count_again(&server.db, project, &selection, pin).await?.all,
        selection,
        per_second: wish.per_second.max(1),
    };
    let (request_id, log_id) = asker.request.unzip();
    let payload = json!(payload).to_string();
    let task = NewTask {
        id: server.random.id(IdKind::Task, now_ms),
        kind: kinds::RETRY.to_owned(),
        own: true,
        request_id,
        log_id,
        user_id: asker.user_id,
        by: asker.by,
        parameters: Some(payload.clone()),
        ..NewTask::default()
    };
    jobs::add(&server.db, project, &task, NAME, &payload, now_ms).await?;
    server.bell.ring();
    Ok(task.id)
}

/// Goes through them from the beginning.
pub(super) async fn run(server: &Server, job: &Job, progress: &Progress) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_str(&job.payload)
        .map_err(|error| JobError::Fail(format!("what it is to do cannot be read: {error}")))?;
    let chunk = (payload.per_second / PARTS).clamp(1, 1_000);
    let pause = Duration::from_secs_f64(f64::from(chunk) / f64::from(payload.per_second.max(1)));
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut after: Option<BulkPlace> = None;
    // A worker before this one may have come far: what it made due is no longer among them.
    let left = sendouts::count_again(&server.db, job.project_id, &payload.selection, payload.pin)
        .await?
        .all;
    let mut gone_through = payload.total.saturating_sub(left);
    let mut again = gone_through;
    loop {
        progress.set((gone_through * 99 / payload.total.max(1)).min(99) as u8);
        ticks.tick().await;
        let asked = (payload.pin, after.as_ref());
        let some = sendouts::some_again(&server.db, job.project_id, &payload.selection, asked, chunk.into()).await?;
        let Some(last) = some.last() else { break };
        let due = sendouts::some_due(&server.db, job, (&some, again), payload.pin, server.clock.now_ms()).await?;
        again = due.ok_or(JobError::Lost)?;
        server.webhooks.ring();
        after = Some(last.clone());
        gone_through += some.len() as u64;
    }
    end(server, job, again).await
}

async fn end(server: &Server, job: &Job, again: u64) -> Result<(), JobError> {
    let sendouts = if again == 1 { "sendout was" } else { "sendouts were" };
    let message = format!("{} {sendouts} sent again", count(again));
    let outcome = TaskChange {
        status: Some(TaskStatus::Done),
        operation_status: Some(OperationStatus::Success),
        progress: Some(100),
        result: Some(json!({ "message": message, "done_count": again }).to_string()),
        rejected: None,
    };
    if jobs::finish(&server.db, job, &outcome, &[], server.clock.now_ms()).await? {
        Ok(())
    } else {
        Err(JobError::Lost)
    }
}
