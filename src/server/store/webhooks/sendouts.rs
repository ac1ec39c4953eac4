//! One sendout: read with its attempts, sent again by hand; and all that a selection means, for a retry in bulk.

use sea_query::{Expr, ExprTrait, Query};
use sqlx::{AssertSqlSafe, query, query_as};

use super::rows::{ATTEMPT, AttemptRow, BESIDE, SENDOUT, SendoutRow};
use crate::model::sendout::{AttemptFacts, SendoutFacts};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::jobs::{self, Job};
use crate::server::store::projects::ProjectKey;
use crate::server::store::records::{self, RecordSelection};
use crate::server::store::{Db, StoreError, render, tasks};

/// The event behind a sendout; its data is sealed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StoredEvent {
    /// The event.
    pub id: String,
    /// When it was accepted.
    pub created_at: i64,
    /// Its type.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub entity_id: Option<String>,
    /// The id of its request.
    pub group_id: Option<String>,
    /// Where it came from.
    pub channel: Option<String>,
    /// The person who caused it.
    pub user_id: Option<String>,
    /// The key that posted it.
    pub key_name: Option<String>,
    /// The key's id.
    pub app_id: Option<String>,
    /// Sealed.
    pub data: Vec<u8>,
}

/// What became of the wish to send something again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It is due now.
    Due,
    /// Its endpoint was deleted.
    NoEndpoint,
    /// There is no such sendout.
    NotFound,
}

/// The sendout with this id.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<SendoutFacts>, StoreError> {
    let find = AssertSqlSafe(format!(
        "SELECT {SENDOUT}, {BESIDE} FROM sendouts WHERE project_id = $1 AND id = $2"
    ));
    let row: Option<SendoutRow> = on_db!(read db, pool => query_as(find).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(row.map(SendoutFacts::from))
}

/// A sendout's attempts, oldest first, each with its sealed content.
pub async fn attempts(db: &Db, project: ProjectKey, id: &str) -> Result<Vec<(AttemptFacts, Vec<u8>)>, StoreError> {
    let attempts = AssertSqlSafe(format!(
        "SELECT {ATTEMPT} FROM attempts WHERE project_id = $1 AND sendout_id = $2 ORDER BY number LIMIT 1000"
    ));
    let rows: Vec<AttemptRow> = on_db!(read db, pool => query_as(attempts).bind(project).bind(id).fetch_all(pool).await?);
    Ok(rows.into_iter().map(AttemptRow::split).collect())
}

/// Attempts of a request that are read.
pub const MOST_ATTEMPTS: usize = 1_000;

/// An attempt, without what was said.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct BriefAttempt {
    /// Its sendout.
    pub sendout_id: String,
    /// From 1.
    pub number: i32,
    /// When it began.
    pub at: i64,
    /// The answer's code.
    pub code: Option<i16>,
    /// Why it failed.
    pub error: Option<String>,
}

/// A sendout's attempts, oldest first, without what was said.
pub async fn attempts_of_one(db: &Db, project: ProjectKey, id: &str) -> Result<Vec<BriefAttempt>, StoreError> {
    const ATTEMPTS: &str = "SELECT sendout_id, number, at, code, error FROM attempts WHERE project_id = $1 AND sendout_id = $2
        ORDER BY number LIMIT 1000";
    Ok(on_db!(read db, pool => query_as(ATTEMPTS).bind(project).bind(id).fetch_all(pool).await?))
}

/// The attempts of a request's sendouts, oldest first, without what was said.
pub async fn attempts_of_request(db: &Db, project: ProjectKey, request: &str) -> Result<Vec<BriefAttempt>, StoreError> {
    const ATTEMPTS: &str = "SELECT a.sendout_id, a.number, a.at, a.code, a.error FROM sendouts s
        JOIN attempts a ON a.project_id = s.project_id AND a.sendout_id = s.id
        WHERE s.project_id = $1 AND s.request_id = $2 ORDER BY a.at, a.sendout_id, a.number LIMIT 1000";
    Ok(on_db!(read db, pool => query_as(ATTEMPTS).bind(project).bind(request).fetch_all(pool).await?))
}

/// The event with this id.
pub async fn event(db: &Db, project: ProjectKey, id: &str) -> Result<Option<StoredEvent>, StoreError> {
    const EVENT: &str = "SELECT id, created_at, type, entity_id, group_id, channel, user_id, key_name, app_id, data FROM events
        WHERE project_id = $1 AND id = $2";
    Ok(on_db!(read db, pool => query_as(EVENT).bind(project).bind(id).fetch_optional(pool).await?))
}

/// The events of a request, oldest first: id, time, type.
pub async fn events_of(db: &Db, project: ProjectKey, request: &str) -> Result<Vec<(String, i64, String)>, StoreError> {
    const EVENTS: &str =
        "SELECT id, created_at, type FROM events WHERE project_id = $1 AND group_id = $2 ORDER BY created_at, id LIMIT 200";
    Ok(on_db!(read db, pool => query_as(EVENTS).bind(project).bind(request).fetch_all(pool).await?))
}

/// The sendouts of a request, oldest first.
pub async fn of_request(db: &Db, project: ProjectKey, request: &str) -> Result<Vec<SendoutFacts>, StoreError> {
    let find = AssertSqlSafe(format!(
        "SELECT {SENDOUT}, {BESIDE} FROM sendouts WHERE project_id = $1 AND request_id = $2 ORDER BY created_at, id LIMIT 200"
    ));
    let rows: Vec<SendoutRow> = on_db!(read db, pool => query_as(find).bind(project).bind(request).fetch_all(pool).await?);
    Ok(rows.into_iter().map(SendoutFacts::from).collect())
}

/// Nothing is sent to an endpoint that was deleted.
const HAS_ENDPOINT: &str = "EXISTS (SELECT 1 FROM endpoints e WHERE e.project_id = sendouts.project_id AND e.id = sendouts.endpoint_id AND e.deleted_at IS NULL)";

/// Its endpoint is there, but switched off.
const IS_OFF: &str = "EXISTS (SELECT 1 FROM endpoints e WHERE e.project_id = sendouts.project_id AND e.id = sendouts.endpoint_id AND e.deleted_at IS NULL AND e.active = 0)";

const AGAIN: &str = "UPDATE sendouts SET scheduled_at = CASE WHEN by_hand = 1 THEN scheduled_at ELSE due_at END, due_at = $3, by_hand = 1,
    updated_at = $3 WHERE project_id = $1 AND id = $2
    AND EXISTS (SELECT 1 FROM endpoints e WHERE e.project_id = sendouts.project_id AND e.id = sendouts.endpoint_id AND e.deleted_at IS NULL)";

/// Has a sendout sent once more, now, or after the attempt that is on its way if that fails; the schedule goes on afterwards as it would have. Gives its
/// endpoint, too.
pub async fn again(db: &Db, project: ProjectKey, id: &str, now_ms: i64) -> Result<(Again, Option<String>), StoreError> {
    let Some(facts) = find(db, project, id).await? else {
        return Ok((Again::NotFound, None));
    };
    let mut tx = WriteTx::begin(db).await?;
    let changed = on_tx!(&mut tx, connection => query(AGAIN).bind(project).bind(id).bind(now_ms).execute(connection).await?.rows_affected());
    tx.commit().await?;
    let became = if changed == 0 { Again::NoEndpoint } else { Again::Due };
    Ok((became, Some(facts.endpoint_id)))
}

/// A place in a retry in bulk.
pub type BulkPlace = (i64, String);

/// How many sendouts there are to be sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgainCount {
    /// In all.
    pub all: u64,
    /// Those of them that their endpoints have taken already.
    pub succeeded: u64,
    /// Those of them whose endpoint is off: they are sent there all the same.
    pub off: u64,
    /// Those that match, but are left out: their endpoint was deleted.
    pub deleted: u64,
}

/// How many sendouts a selection means that could be sent again: changed last by `pin`, and not on their way.
pub async fn count_again(db: &Db, project: ProjectKey, selection: &RecordSelection, pin: i64) -> Result<AgainCount, StoreError> {
    let mut count = Query::select();
    count
        .expr(Expr::cust(format!("COUNT(CASE WHEN {HAS_ENDPOINT} THEN 1 END)")))
        .expr(Expr::cust(format!(
            "COUNT(CASE WHEN status = 2 AND {HAS_ENDPOINT} THEN 1 END)"
        )))
        .expr(Expr::cust(format!("COUNT(CASE WHEN {IS_OFF} THEN 1 END)")))
        .expr(Expr::cust("COUNT(*)"));
    idle(&mut count, project, selection, pin);
    let counted: Vec<(i64, i64, i64, i64)> = render::fetch(db, &count, None).await?;
    Ok(counted
        .first()
        .map_or_else(AgainCount::default, |(all, succeeded, off, with_deleted)| AgainCount {
            all: all.unsigned_abs(),
            succeeded: succeeded.unsigned_abs(),
            off: off.unsigned_abs(),
            deleted: (with_deleted - all).unsigned_abs(),
        }))
}

/// The next of them, oldest first.
pub async fn some_again(
    db: &Db,
    project: ProjectKey,
    selection: &RecordSelection,
    (pin, after): (i64, Option<&BulkPlace>),
    limit: u64,
) -> Result<Vec<BulkPlace>, StoreError> {
    let mut select = Query::select();
    select.columns(["created_at", "id"]);
    meant(&mut select, project, selection, pin);
    if let Some((created_at, id)) = after {
        let place = Expr::tuple([Expr::col("created_at"), Expr::col("id")]);
        select.and_where(place.gt(Expr::tuple([Expr::val(*created_at), Expr::val(id.clone())])));
    }
    select
        .order_by("created_at", sea_query::Order::Asc)
        .order_by("id", sea_query::Order::Asc)
        .limit(limit);
    render::fetch(db, &select, None).await
}

/// Those that are sent again.
fn meant(select: &mut sea_query::SelectStatement, project: ProjectKey, selection: &RecordSelection, pin: i64) {
    idle(select, project, selection, pin);
    select.and_where(Expr::cust(HAS_ENDPOINT));
}

/// Those that a selection means and that are not on their way, whatever became of their endpoint.
fn idle(select: &mut sea_query::SelectStatement, project: ProjectKey, selection: &RecordSelection, pin: i64) {
    select
        .from("sendouts")
        .and_where(Expr::col("project_id").eq(project))
        // What was changed since was sent meanwhile, or is asked for already: so a job that begins again retries nothing twice.
        .and_where(Expr::col("updated_at").lte(pin))
        .and_where(
            Expr::col("due_at")
                .is_null()
                .or(Expr::col("status").eq(1_i16).and(Expr::col("by_hand").eq(0_i16))),
        );
    records::narrow(select, selection);
}

/// Has these sent once more, those of them that were not changed since `pin`; gives how many that makes with those `before`, which the task keeps, so that
/// one that is stopped says how far it got. `None` where the claim is no longer the holder's: what
/// was stopped makes nothing due, not even for the time that it takes to notice.
pub async fn some_due(
    db: &Db,
    job: &Job,
    (ids, before): (&[BulkPlace], u64),
    pin: i64,
    now_ms: i64,
) -> Result<Option<u64>, StoreError> {
    // What waits for its first attempt is sent anyway.
    let again = format!("{AGAIN} AND updated_at <= $4 AND NOT (status = 0 AND paused = 0 AND due_at IS NOT NULL)");
    let later = if now_ms > pin { now_ms } else { pin + 1 };
    let mut tx = WriteTx::begin(db).await?;
    if !jobs::hold_in(&mut tx, job, now_ms).await? {
        return Ok(None);
    }
    let mut changed = before;
    for (_, id) in ids {
        changed += on_tx!(&mut tx, connection => query(AssertSqlSafe(again.clone())).bind(job.project_id).bind(id).bind(later).bind(pin)
            .execute(connection).await?.rows_affected());
    }
    tasks::note_done_in(&mut tx, job, changed).await?;
    tx.commit().await?;
    Ok(Some(changed))
}
