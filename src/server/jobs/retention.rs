//! Deletes what has passed a project's retention: logs, bodies that go before their logs, exports' files and imports' originals.
//!
//! Looked at once a day for each project, and begun when its owners choose fewer days or ask for it; a task is made only where there is something to delete.
//! Begun again it goes on from what is there, and its numbers go on from what its task says: each step writes them in its own transaction. What is deleted is
//! what had passed at the moment that it was asked for, by what the project keeps while it runs: whoever chooses more days meanwhile keeps the rest.

mod months;
mod pace;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use self::pace::{Pace, Size};
use super::JobError;
use super::run::Progress;
use crate::model::id::IdKind;
use crate::model::log::Origin;
use crate::model::retention::{Cuts, Kept, PurgeResult, Purged};
use crate::model::task::{OperationStatus, TaskStatus, kinds};
use crate::model::zone::rfc3339;
use crate::server::chain::checkpoints;
use crate::server::retention;
use crate::server::state::Server;
use crate::server::store::jobs::{self, Job};
use crate::server::store::logs::purge::{self, Account, FIRST_BLOCK, Purge, Step, first_row};
use crate::server::store::projects::{self, ProjectKey};
use crate::server::store::retention::{self as stored, FilesOf, Work};
use crate::server::store::tasks::{self, NewTask, TaskChange};
use crate::server::store::{StoreError, retention::Due};

/// Its name in the queue.
pub const NAME: &str = "retention";
/// How often it is looked at whose purge is due.
const LOOK: Duration = Duration::from_secs(30);
/// How long it works before it makes way for other work that waits.
const SLICE: Duration = Duration::from_secs(1);
/// Blocks and rows of a step, at first and at most.
const BLOCKS: Size = Size { first: 2, most: 32 };
const ROWS: Size = Size { first: 100, most: 2_000 };
/// How often blocks are gone over while some were in other hands.
const ROUNDS: usize = 3;
/// How long it waits for what is in other hands.
const AGAIN: Duration = Duration::from_millis(500);

/// What it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The moment that days are counted back from, in milliseconds since 1970.
    pub at: i64,
}

/// Who asks for a purge; nobody where it was its time.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The person.
    pub user_id: Option<String>,
    /// The person's e-mail address, or the key's name.
    pub by: Option<String>,
    /// The id of the request that asks.
    pub request_id: Option<String>,
}

/// Begins a purge; gives its task, or that of the one that is on its way. `None` where there is nothing to delete.
pub async fn begin(server: &Server, project: ProjectKey, asker: Asker) -> Result<Option<String>, StoreError> {
    let now_ms = server.clock.now_ms();
    let kept = retention::get(server, project).await?.kept;
    if !has_work(server, project, kept, now_ms).await? {
        return Ok(None);
    }
    let work = work(server, kept, asker, now_ms);
    let running = stored::begin(&server.db, project, &work, now_ms).await?;
    server.bell.ring();
    Ok(Some(running.unwrap_or(work.task.id)))
}

async fn has_work(server: &Server, project: ProjectKey, kept: Kept, now_ms: i64) -> Result<bool, StoreError> {
    let cuts = kept.cuts(now_ms);
    let purge = Purge {
        db: server.db.clone(),
        project,
        cuts,
        at: now_ms,
    };
    let (exports, imports) = retention::files_before(now_ms, cuts);
    Ok(purge::is_due(&purge).await?
        || stored::count_old_files(&server.db, project, FilesOf::Exports, exports).await? > 0
        || stored::count_old_files(&server.db, project, FilesOf::Imports, imports).await? > 0)
}

/// What a purge's task says it was asked for.
fn parameters(kept: Kept, at: i64) -> serde_json::Value {
    let Cuts { application: cut, own } = kept.cuts(at);
    let before = |time: i64| (time > i64::MIN).then(|| rfc3339(time));
    json!({
        "logs_days": kept.logs_days,
        "bodies_days": kept.bodies_days.or(kept.logs_days),
        "logs_before": before(cut.logs),
        "bodies_before": before(cut.bodies),
        "own_days": kept.own_days(),
        "own_before": before(own.logs),
    })
}

fn work(server: &Server, kept: Kept, asker: Asker, now_ms: i64) -> Work {
    Work {
        task: NewTask {
            id: server.random.id(IdKind::Task, now_ms),
            kind: kinds::PURGE.to_owned(),
            own: true,
            request_id: asker.request_id,
            user_id: asker.user_id,
            by: asker.by,
            parameters: Some(parameters(kept, now_ms).to_string()),
            ..NewTask::default()
        },
        kind: NAME,
        payload: json!(Payload { at: now_ms }).to_string(),
    }
}

/// Looks at whose purge is due, until told to stop. Several servers may look at the same time: one of them makes it.
pub(super) async fn schedule(server: Server, stop: CancellationToken) {
    loop {
        if let Err(error) = round(&server).await {
            tracing::warn!(%error, "it could not be seen whose logs have passed their retention");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Makes the purges that are due, of projects that have something to delete; gives their tasks. A project that is new here gets its first time.
pub async fn round(server: &Server) -> Result<Vec<String>, StoreError> {
    let now_ms = server.clock.now_ms();
    let mut made = Vec::new();
    for due in stored::due(&server.db, now_ms).await? {
        let next_at = retention::next_time(due.project, &due.time_zone, now_ms);
        let work = match due {
            Due { next_at: None, .. } => None,
            Due { project, .. } => {
                let kept = retention::get(server, project).await?.kept;
                let is_wanted = has_work(server, project, kept, now_ms).await?;
                is_wanted.then(|| work(server, kept, Asker::default(), now_ms))
            }
        };
        if stored::turn(&server.db, &due, next_at, work.as_ref(), now_ms).await?
            && let Some(work) = work
        {
            made.push(work.task.id);
        }
    }
    if !made.is_empty() {
        server.bell.ring();
    }
    Ok(made)
}

/// Goes on from what is there.
pub(super) async fn run(server: &Server, job: &Job, progress: &Progress) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_str(&job.payload)
        .map_err(|error| JobError::Fail(format!("what it is to do cannot be read: {error}")))?;
    let mut run = Run::begin(server, job, progress, payload.at).await?;
    run.months().await?;
    run.blocks().await?;
    run.rows().await?;
    run.groups().await?;
    run.files(FilesOf::Exports).await?;
    run.files(FilesOf::Imports).await?;
    run.checkpoints().await?;
    run.end().await
}

/// A claim at work.
struct Run<'a> {
    server: &'a Server,
    job: &'a Job,
    progress: &'a Progress,
    at: i64,
    /// What this task has deleted, in the claims before this one, too.
    done: Purged,
    /// Logs and bodies that it will have deleted in the end, about.
    total: u64,
    pace: Pace,
    since: Instant,
}

impl<'a> Run<'a> {
    async fn begin(server: &'a Server, job: &'a Job, progress: &'a Progress, at: i64) -> Result<Self, JobError> {
        let task = tasks::find(&server.db, job.project_id, &job.task_id).await?;
        let so_far = task.and_then(|task| serde_json::from_str::<PurgeResult>(task.result.as_deref()?).ok());
        let done = so_far.map(|result| result.purged).unwrap_or_default();
        let kept = retention::kept(server, job.project_id).await?;
        let left = retention::preview(&server.db, job.project_id, kept, at).await?;
        Ok(Self {
            server,
            job,
            progress,
            at,
            total: done.logs + done.bodies + left.logs + left.bodies,
            done,
            pace: Pace::new(),
            since: Instant::now(),
        })
    }

    /// What is to be purged, by what the project keeps now.
    async fn purge(&self) -> Result<Purge, StoreError> {
        let kept = retention::kept(self.server, self.job.project_id).await?;
        Ok(Purge {
            db: self.server.db.clone(),
            project: self.job.project_id,
            cuts: kept.cuts(self.at),
            at: self.server.clock.now_ms(),
        })
    }

    fn account(&self) -> Account<'_> {
        Account {
            job: self.job,
            now_ms: self.server.clock.now_ms(),
            so_far: &self.done,
        }
    }

    /// Counts a step, leaves the database to others for a while, and makes way for other work after some time.
    async fn after<P>(&mut self, step: Option<Step<P>>) -> Result<Step<P>, JobError> {
        let step = step.ok_or(JobError::Lost)?;
        self.done.add(&step.purged);
        count_metrics(&step.purged);
        tracing::debug!(logs = step.purged.logs, bodies = step.purged.bodies, held = ?step.held, "a step of a purge");
        let gone_through = self.done.logs + self.done.bodies;
        self.progress.set((gone_through * 99 / self.total.max(1)).min(99) as u8);
        self.pace.rest(&self.server.writer, step.held).await;
        if self.since.elapsed() >= SLICE {
            if jobs::is_due(&self.server.db, self.server.clock.now_ms()).await? {
                return Err(JobError::MakeWay);
            }
            self.since = Instant::now();
        }
        Ok(step)
    }

    /// Logs with what they say, and bodies that go before their logs.
    async fn blocks(&mut self) -> Result<(), JobError> {
        self.pace.begin(BLOCKS);
        for _ in 0..ROUNDS {
            let (mut place, mut passed_over) = (Some(FIRST_BLOCK), 0);
            while let Some(from) = place {
                let (purge, account) = (self.purge().await?, self.account());
                let step = purge::some_blocks(&purge, from, self.pace.size(), Some(&account)).await?;
                let step = self.after(step).await?;
                (place, passed_over) = (step.next, passed_over + step.passed_over);
            }
            if passed_over == 0 {
                return Ok(());
            }
            // Somebody merges them just now: they are others then.
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// Logs whose bodies went before.
    async fn rows(&mut self) -> Result<(), JobError> {
        self.pace.begin(ROWS);
        let mut place = Some(first_row(Origin::Application));
        while let Some(from) = place {
            let (purge, account) = (self.purge().await?, self.account());
            let step = purge::some_rows(&purge, &from, self.pace.size(), Some(&account)).await?;
            place = self.after(step).await?.next;
        }
        Ok(())
    }

    /// Signatures of what is gone.
    async fn groups(&mut self) -> Result<(), JobError> {
        let mut place = Some(FIRST_BLOCK);
        while let Some(from) = place {
            let (purge, account) = (self.purge().await?, self.account());
            let step = purge::some_groups(&purge, from, Some(&account)).await?;
            place = self.after(step).await?.next;
        }
        Ok(())
    }

    /// Files that have been kept for long enough.
    async fn files(&mut self, of: FilesOf) -> Result<(), JobError> {
        let (server, project) = (self.server, self.job.project_id);
        loop {
            let (exports, imports) = retention::files_before(self.at, self.purge().await?.cuts);
            let before = if of == FilesOf::Exports { exports } else { imports };
            let mut went = false;
            for old in stored::old_files(&server.db, project, of, before).await? {
                let mut purged = Purged::default();
                for file in [Some(&old.file), old.beside.as_ref()].into_iter().flatten() {
                    purged.bytes_about += server.files.stored_bytes(file).await?;
                    match of {
                        FilesOf::Exports => purged.export_files += 1,
                        FilesOf::Imports => purged.originals += 1,
                    }
                }
                let mut sum = self.done.clone();
                sum.add(&purged);
                let now_ms = server.clock.now_ms();
                if stored::let_go(&server.db, (self.job, &sum), of, &old, now_ms)
                    .await?
                    .ok_or(JobError::Lost)?
                {
                    (self.done, went) = (sum, true);
                    count_metrics(&purged);
                }
            }
            if !went {
                return Ok(());
            }
        }
    }

    /// Entries of the chain that nothing hangs on any more.
    async fn checkpoints(&self) -> Result<(), JobError> {
        let project = self.job.project_id;
        if let Some(id) = projects::public_id(&self.server.db, project).await?
            && let Err(problem) = checkpoints::run(self.server, project, &id).await
        {
            // What was to be deleted is: that is what the task tells of.
            tracing::error!(%problem, project = id, "no checkpoint took the place of entries of the chain that nothing hangs on any more");
        }
        Ok(())
    }

    async fn end(self) -> Result<(), JobError> {
        tracing::info!(
            task = self.job.task_id,
            logs = self.done.logs,
            bodies = self.done.bodies,
            "a purge is done"
        );
        if jobs::finish(
            &self.server.db,
            self.job,
            &outcome(&self.done),
            &[],
            self.server.clock.now_ms(),
        )
        .await?
        {
            Ok(())
        } else {
            Err(JobError::Lost)
        }
    }
}

fn outcome(purged: &Purged) -> TaskChange {
    TaskChange {
        status: Some(TaskStatus::Done),
        operation_status: Some(OperationStatus::Success),
        progress: Some(100),
        result: Some(json!(PurgeResult::from(purged.clone())).to_string()),
        rejected: None,
    }
}

fn count_metrics(purged: &Purged) {
    metrics::counter!("retention_logs_deleted_total").increment(purged.logs);
    metrics::counter!("retention_bodies_deleted_total").increment(purged.bodies);
    metrics::counter!("retention_files_deleted_total").increment(purged.export_files + purged.originals);
}
