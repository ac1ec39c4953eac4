//! Deleting what has passed a project's retention: in bounded steps, the oldest first.
//!
//! Each step is a transaction of its own that leaves everything in step with everything: rows, their counts, what they say, signatures, clients' own ids,
//! originals, and, where a job does it, the numbers of its task. So it can be killed at any moment, and whoever begins anew goes on from what is there. A purge
//! goes over [`some_blocks`] (logs with what they say, and bodies that go before their logs), then over [`some_rows`] whose bodies went earlier, then over
//! [`some_groups`] of signatures; on PostgreSQL whole [`months`] come before all that.
//!
//! No committed state holds the text of a log that is gone, or whose bodies are: a block on the edge is taken apart in the transaction that deletes its rows,
//! and what stays is sealed anew. To delete something else along with a log: its statement in [`rows::Gone::end`].

mod blocks;
mod groups;
pub mod months;
mod rows;

use std::time::{Duration, Instant};

use sqlx::query_scalar;

pub use blocks::some_blocks;
pub use groups::some_groups;
pub use rows::{RowPlace, first_row, some_rows};

use crate::model::retention::{Cuts, PurgeResult, Purged};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::jobs::{self, Job};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError, tasks};

/// What is purged.
#[derive(Clone, Debug)]
pub struct Purge {
    /// Where.
    pub db: Db,
    /// Whose logs.
    pub project: ProjectKey,
    /// Before when.
    pub cuts: Cuts,
}

/// The job that a step is done for: nothing is done once its claim is somebody else's, and its task tells the numbers.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The claim.
    pub job: &'a Job,
    /// The time.
    pub now_ms: i64,
    /// What was deleted before this step.
    pub so_far: &'a Purged,
}

/// What a step did.
#[derive(Clone, Debug)]
pub struct Step<P> {
    /// The numbers.
    pub purged: Purged,
    /// From where to go on; none where this was the last one.
    pub next: Option<P>,
    /// How many things were passed over, since another process had them in hand: to be looked at once more.
    pub passed_over: usize,
    /// How long the transaction was open.
    pub held: Duration,
}

/// What a step came to; `None` where the claim is no longer the job's, and nothing was done.
pub type Stepped<P> = Result<Option<Step<P>>, StoreError>;

/// A place among blocks, or groups of them: first time, id.
pub type BlockPlace = (i64, i64);
/// The place before all of them.
pub const FIRST_BLOCK: BlockPlace = (i64::MIN, i64::MIN);

/// An open step.
struct Open<'a> {
    tx: WriteTx,
    since: Instant,
    account: Option<&'a Account<'a>>,
}

impl<'a> Open<'a> {
    /// Begins a step, where the claim holds.
    async fn begin(db: &Db, account: Option<&'a Account<'a>>) -> Result<Option<Self>, StoreError> {
        let mut tx = WriteTx::begin(db).await?;
        let since = Instant::now();
        if let Some(account) = account
            && !jobs::hold_in(&mut tx, account.job, account.now_ms).await?
        {
            return Ok(None);
        }
        if !tx.is_sqlite() {
            // What PostgreSQL believes of tables that it has not counted yet would have it read them whole.
            const LOOK_UP: &str = "SELECT set_config('enable_seqscan', 'off', true)";
            let _off: String = on_tx!(&mut tx, connection => query_scalar(LOOK_UP).fetch_one(connection).await?);
        }
        Ok(Some(Self { tx, since, account }))
    }

    /// Ends it: the task's numbers are those of all steps up to this one.
    async fn end<P>(mut self, purged: Purged, next: Option<P>, passed_over: usize) -> Stepped<P> {
        if let Some(account) = self.account {
            let mut sum = account.so_far.clone();
            sum.add(&purged);
            tasks::note_result_in(
                &mut self.tx,
                account.job,
                &serde_json::json!(PurgeResult::from(sum)).to_string(),
            )
            .await?;
        }
        self.tx.commit().await?;
        Ok(Some(Step {
            purged,
            next,
            passed_over,
            held: self.since.elapsed(),
        }))
    }
}

/// Whether there is anything to purge.
pub async fn is_due(purge: &Purge) -> Result<bool, StoreError> {
    const BLOCK: &str = "SELECT 1 FROM log_blocks WHERE project_id = $1 AND min_time < $2 LIMIT 1";
    const GROUP: &str = "SELECT 1 FROM log_groups WHERE project_id = $1 AND min_time < $2 LIMIT 1";
    const ROW: &str = "SELECT 1 FROM logs WHERE project_id = $1 AND origin IN (0, 1) AND created_at < $2 LIMIT 1";
    // What is before this goes whatever its origin, and so is there only until the next purge.
    let (bodies, logs) = (purge.cuts.all_bodies(), purge.cuts.all_logs());
    for (sql, before) in [(BLOCK, bodies), (GROUP, bodies), (ROW, logs)] {
        let found: Option<i32> =
            on_db!(read &purge.db, pool => query_scalar(sql).bind(purge.project).bind(before).fetch_optional(pool).await?);
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When the oldest block begins: of logs before this nothing is kept but their facts.
pub async fn oldest_text(db: &Db, project: ProjectKey) -> Result<Option<i64>, StoreError> {
    const OLDEST: &str = "SELECT min_time FROM log_blocks WHERE project_id = $1 ORDER BY min_time, id LIMIT 1";
    Ok(on_db!(read db, pool => query_scalar(OLDEST).bind(project).fetch_optional(pool).await?))
}

/// Numbers of the database's own as a list: they may stand in the text of a statement.
fn list(numbers: impl IntoIterator<Item = i64>) -> String {
    numbers
        .into_iter()
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(",")
}
