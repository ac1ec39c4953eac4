//! What is to be sent, in order, and who sends to which endpoint.

use sqlx::{query, query_as, query_scalar};

use crate::server::clock::LEAP_MS;
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// How long a lane is held without being heard of, in milliseconds.
pub const LEASE_MS: i64 = 10_000;

/// A sendout that is due, with its event; the data is sealed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Due {
    /// The sendout's time.
    pub created_at: i64,
    /// The sendout.
    pub id: String,
    /// Attempts so far.
    pub attempts: i32,
    /// Those that the schedule made.
    pub tries: i32,
    /// Whether it was asked for by hand.
    pub by_hand: i16,
    /// When it is due.
    pub due_at: i64,
    /// When the first attempt began.
    pub first_attempt_at: Option<i64>,
    /// The event.
    pub event_id: String,
    /// When the event was accepted.
    pub event_created_at: i64,
    /// The event's type.
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

/// A place among what is due: when, the sendout's time, the sendout.
pub type DuePlace = (i64, i64, String);

/// What is due to an endpoint by now, after a place, in the order that it is to be sent.
pub async fn page(
    db: &Db,
    (project, endpoint): (ProjectKey, &str),
    now_ms: i64,
    after: &DuePlace,
    limit: i64,
) -> Result<Vec<Due>, StoreError> {
    const PAGE: &str = "SELECT s.created_at, s.id, s.attempts, s.tries, s.by_hand, s.due_at, s.first_attempt_at, e.id AS event_id,
        e.created_at AS event_created_at, e.type, e.entity_id, e.group_id, e.channel, e.user_id, e.key_name, e.app_id, e.data
        FROM sendouts s JOIN events e ON e.project_id = s.project_id AND e.id = s.event_id
        WHERE s.project_id = $1 AND s.endpoint_id = $2 AND s.due_at IS NOT NULL AND s.due_at <= $3 AND (s.due_at, s.created_at, s.id) > ($4, $5, $6)
        ORDER BY s.due_at, s.created_at, s.id LIMIT $7";
    Ok(
        on_db!(read db, pool => query_as(PAGE).bind(project).bind(endpoint).bind(now_ms).bind(after.0).bind(after.1).bind(&after.2).bind(limit)
        .fetch_all(pool).await?),
    )
}

/// When the next sendout to an endpoint is due after now.
pub async fn next(db: &Db, project: ProjectKey, endpoint: &str, now_ms: i64) -> Result<Option<i64>, StoreError> {
    const NEXT: &str =
        "SELECT MIN(due_at) FROM sendouts WHERE project_id = $1 AND endpoint_id = $2 AND due_at IS NOT NULL AND due_at > $3";
    Ok(on_db!(read db, pool => query_scalar(NEXT).bind(project).bind(endpoint).bind(now_ms).fetch_one(pool).await?))
}

/// The endpoints that something is due to.
pub async fn endpoints(db: &Db, now_ms: i64) -> Result<Vec<(ProjectKey, String)>, StoreError> {
    const DUE: &str = "SELECT project_id, id FROM endpoints e WHERE deleted_at IS NULL AND EXISTS (SELECT 1 FROM sendouts s
        WHERE s.project_id = e.project_id AND s.endpoint_id = e.id AND s.due_at IS NOT NULL AND s.due_at <= $1)";
    Ok(on_db!(read db, pool => query_as(DUE).bind(now_ms).fetch_all(pool).await?))
}

/// Takes an endpoint's lane where nobody holds it; false where somebody does.
pub async fn take_lane(db: &Db, project: ProjectKey, endpoint: &str, holder: &str, now_ms: i64) -> Result<bool, StoreError> {
    const TAKE: &str = "INSERT INTO lanes (project_id, endpoint_id, holder, claim, lease_until) VALUES ($1, $2, $3, 1, $4)
        ON CONFLICT (project_id, endpoint_id) DO UPDATE SET holder = excluded.holder, claim = lanes.claim + 1, lease_until = excluded.lease_until
        WHERE lanes.lease_until <= $5 OR lanes.lease_until > $6";
    // A lease that ends later than any can was taken by a clock that was ahead.
    let latest = now_ms + LEASE_MS + LEAP_MS;
    let taken = on_db!(write db, pool => query(TAKE).bind(project).bind(endpoint).bind(holder).bind(now_ms + LEASE_MS).bind(now_ms).bind(latest).execute(pool).await?.rows_affected());
    Ok(taken > 0)
}

/// Says that a process lives; gives the lanes that it still holds.
pub async fn keep_lanes(db: &Db, holder: &str, now_ms: i64) -> Result<Vec<(ProjectKey, String)>, StoreError> {
    const KEEP: &str = "UPDATE lanes SET lease_until = $2 WHERE holder = $1 RETURNING project_id, endpoint_id";
    Ok(on_db!(write db, pool => query_as(KEEP).bind(holder).bind(now_ms + LEASE_MS).fetch_all(pool).await?))
}

/// Gives a process's lanes back.
pub async fn leave_lanes(db: &Db, holder: &str) -> Result<(), StoreError> {
    const LEAVE: &str = "DELETE FROM lanes WHERE holder = $1";
    on_db!(write db, pool => query(LEAVE).bind(holder).execute(pool).await?.rows_affected());
    Ok(())
}

/// Gives every lane back at once: on SQLite a server that starts is the only one.
pub async fn take_over(db: &Db) -> Result<(), StoreError> {
    const ALL: &str = "DELETE FROM lanes";
    on_db!(write db, pool => query(ALL).execute(pool).await?.rows_affected());
    Ok(())
}

/// Brings back what a clock made due that was ahead, and has been set back: as long after now as it was to be after it was noted.
pub async fn come_back(db: &Db, now_ms: i64) -> Result<u64, StoreError> {
    const BACK: &str = "UPDATE sendouts SET due_at = due_at - (updated_at - $1), scheduled_at = scheduled_at - (updated_at - $1), updated_at = $1
        WHERE due_at IS NOT NULL AND due_at > $1 AND updated_at > $2";
    Ok(on_db!(write db, pool => query(BACK).bind(now_ms).bind(now_ms + LEAP_MS).execute(pool).await?.rows_affected()))
}

/// When each of the endpoints of a project that is not deleted was changed last.
pub async fn changes(db: &Db) -> Result<Vec<(ProjectKey, String, i64)>, StoreError> {
    const CHANGES: &str = "SELECT project_id, id, updated_at FROM endpoints";
    Ok(on_db!(read db, pool => query_as(CHANGES).fetch_all(pool).await?))
}
