//! One claim: the work, a heartbeat beside it, and what becomes of its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{JobError, export, import, retention, retry};
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::jobs::{self, Failed, Job, Left};
use crate::server::webhooks::own;

/// How often a worker is heard of.
const BEAT: Duration = Duration::from_secs(1);
/// Tries that may end with a reason before a job is given up.
const TRIES: i32 = 5;
/// Workers that may be lost over a job: one that kills whoever takes it must not do so for ever.
const LOST: i32 = 100;

/// How far a job got, in percent; read by the heartbeat.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

impl Progress {
    pub(super) fn set(&self, percent: u8) {
        self.0.store(percent.min(100), Ordering::Relaxed);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Works on a claim until it ends, is lost, or the server stops.
pub(super) async fn claim(server: &Server, job: Job, stop: CancellationToken) {
    let progress = Progress::default();
    metrics::counter!("jobs_claimed_total", "kind" => job.kind.clone()).increment(1);
    let ended = if job.lost > LOST {
        Err(JobError::Fail(format!("{LOST} workers were lost over it")))
    } else {
        tokio::select! {
            ended = work(server, &job, &progress) => ended,
            () = beats(server, &job, &progress) => Err(JobError::Lost),
            () = stop.cancelled() => return give_back(server, &job).await,
        }
    };
    let outcome = match &ended {
        Ok(()) => "done",
        Err(JobError::Retry(_)) => "retry",
        Err(JobError::Fail(_) | JobError::Leave { .. }) => "failed",
        Err(JobError::Lost) => "lost",
        Err(JobError::MakeWay) => "made way",
    };
    metrics::counter!("jobs_ended_total", "kind" => job.kind.clone(), "outcome" => outcome).increment(1);
    match ended {
        Ok(()) => {}
        Err(JobError::MakeWay) => give_back(server, &job).await,
        Err(error) => note(server, &job, &error).await,
    }
}

/// Gives a claim back untouched; what has waited longer goes first.
async fn give_back(server: &Server, job: &Job) {
    if let Err(error) = jobs::release(&server.db, job, server.clock.now_ms()).await {
        tracing::warn!(%error, task = job.task_id, "a job could not be given back; its lease will run out");
    }
}

async fn work(server: &Server, job: &Job, progress: &Progress) -> Result<(), JobError> {
    match job.kind.as_str() {
        export::NAME => export::run(server, job, progress).await,
        import::NAME => import::run(server, job, progress).await,
        retention::NAME => retention::run(server, job, progress).await,
        retry::NAME => retry::run(server, job, progress).await,
        other => Err(JobError::Fail(format!("this version does not know the work {other:?}"))),
    }
}

/// Says every second that the worker lives; returns once the claim is no longer its own.
async fn beats(server: &Server, job: &Job, progress: &Progress) {
    loop {
        match jobs::heartbeat(&server.db, job, Some(progress.get()), server.clock.now_ms()).await {
            Ok(true) => {}
            Ok(false) => return,
            // The lease outlasts some beats that do not get through.
            Err(error) => tracing::warn!(%error, task = job.task_id, "a heartbeat did not get through"),
        }
        tokio::time::sleep(BEAT).await;
    }
}

async fn note(server: &Server, job: &Job, error: &JobError) {
    let now_ms = server.clock.now_ms();
    let again_at = match error {
        JobError::Lost | JobError::MakeWay => return,
        JobError::Retry(_) if job.failures + 1 < TRIES => Some(now_ms + (1_000_i64 << job.failures.clamp(0, 10))),
        JobError::Retry(_) | JobError::Fail(_) | JobError::Leave { .. } => None,
    };
    tracing::warn!(%error, task = job.task_id, kind = job.kind, attempt = job.attempt, given_up = again_at.is_none(), "a job failed");
    let nothing = Left::default();
    let failed = Failed {
        reason: &error.to_string(),
        again_at,
        left: if let JobError::Leave { left, .. } = error {
            left
        } else {
            &nothing
        },
    };
    if let Err(error) = fail(server, job, failed, now_ms).await {
        tracing::error!(%error, task = job.task_id, "a job's failure could not be noted; its lease will run out");
    }
}

async fn fail(server: &Server, job: &Job, failed: Failed<'_>, now_ms: i64) -> Result<(), StoreError> {
    let told = own::task_failed(server, job.project_id, &job.task_id, failed.reason).await?;
    jobs::fail(&server.db, job, failed, told, now_ms).await?;
    server.webhooks.ring();
    Ok(())
}
