//! Deleting what has passed a project's retention: in bounded steps, the oldest first.
//!
//! Each step is a transaction of its own that leaves everything in step with everything: rows, their counts, what they say, signatures, clients' own ids,
//! originals, and, where a job does it, the numbers of its task. So it can be killed at any moment, and whoever begins anew goes on from what is there. A purge
//! goes over [`some_blocks`] (logs with what they say, and bodies that go before their logs), then over [`some_rows`] whose bodies went earlier, then over
//! [`some_groups`] of signatures; on PostgreSQL whole [`months`] come before all that.
//!
//! No committed state holds the text of a log that is gone, or whose bodies are: a block on the edge is taken apart in the transaction that deletes its rows,
//! and what stays is sealed anew. Blocks are of one origin each, and go by that origin's cut; those from before hold both, and what stays of them is told
//! apart. To delete something else along with a log: its statement in [`rows::Gone::end`].

mod blocks;
mod groups;
pub mod months;
mod rows;

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, query_scalar};

pub use blocks::some_blocks;
pub use groups::some_groups;
pub use rows::{RowPlace, first_row, some_rows};

use crate::model::log::Origin;
use crate::model::retention::{Cuts, PurgeResult, Purged};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::jobs::{self, Job};
use crate::server::store::logs::blocks::of_origin;
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
    /// When it happens.
    pub at: i64,
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

impl Account<'_> {
    /// Whether the task tells of a project's logs: it tells of its own project alone.
    fn tells(account: Option<&Self>, project: ProjectKey) -> bool {
        account.is_none_or(|account| account.job.project_id == project)
    }
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

/// What blocks and groups may be of: an origin, or, from before that was told apart, both. The latter are taken apart as soon as anything of them may go.
const OF: [Option<Origin>; 3] = [Some(Origin::Application), Some(Origin::Own), None];

/// Whether there is anything to purge. A purge leaves nothing of what is found here: else there would be one every day.
pub async fn is_due(purge: &Purge) -> Result<bool, StoreError> {
    for origin in OF {
        let (of, before) = (of_origin(origin), purge.cuts.end_of(origin));
        for table in ["log_blocks", "log_groups"] {
            let sql = format!("SELECT 1 FROM {table} WHERE project_id = $1 AND {of} AND min_time < $2 LIMIT 1");
            if is_there(purge, sql, before).await? {
                return Ok(true);
            }
        }
        if let Some(origin) = origin {
            let sql = format!("SELECT 1 FROM logs WHERE project_id = $1 AND {of} AND created_at < $2 LIMIT 1");
            if is_there(purge, sql, purge.cuts.of(origin).logs).await? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

async fn is_there(purge: &Purge, sql: String, before: i64) -> Result<bool, StoreError> {
    let sql = AssertSqlSafe(sql);
    let found: Option<i32> =
        on_db!(read &purge.db, pool => query_scalar(sql).bind(purge.project).bind(before).fetch_optional(pool).await?);
    Ok(found.is_some())
}

/// When the oldest block of an origin begins: of its logs before this nothing is kept but their facts.
pub async fn oldest_text(db: &Db, project: ProjectKey, origin: Origin) -> Result<Option<i64>, StoreError> {
    let mut oldest: Option<i64> = None;
    for of in [Some(origin), None] {
        let sql = AssertSqlSafe(format!(
            "SELECT min_time FROM log_blocks WHERE project_id = $1 AND {} ORDER BY min_time, id LIMIT 1",
            of_origin(of)
        ));
        let first: Option<i64> = on_db!(read db, pool => query_scalar(sql).bind(project).fetch_optional(pool).await?);
        oldest = oldest.into_iter().chain(first).min();
    }
    Ok(oldest)
}

/// Numbers of the database's own as a list: they may stand in the text of a statement.
fn list(numbers: impl IntoIterator<Item = i64>) -> String {
    numbers
        .into_iter()
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(",")
}
