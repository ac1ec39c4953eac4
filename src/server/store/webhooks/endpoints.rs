//! Endpoints: made, listed, changed, switched on and off, deleted. Their secrets and headers come and go sealed.

use sqlx::{AssertSqlSafe, query, query_as};

use crate::model::endpoint::{EndpointFacts, Source};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Changed, Db, StoreError};

/// An endpoint to be stored.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// `wh_…`.
    pub id: String,
    /// Where events are sent.
    pub target_url: String,
    /// A person's words.
    pub description: String,
    /// The types that it wants.
    pub events: Vec<String>,
    /// Whether events are sent to it.
    pub active: bool,
    /// What it belongs to.
    pub source: Source,
    /// Sealed.
    pub secret: Vec<u8>,
    /// Sealed.
    pub headers: Option<Vec<u8>>,
    /// Requests a second.
    pub rate_limit: Option<u32>,
}

/// What of an endpoint changes; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct EndpointChange {
    /// Where events are sent.
    pub target_url: Option<String>,
    /// A person's words.
    pub description: Option<String>,
    /// The types that it wants.
    pub events: Option<Vec<String>>,
    /// Whether events are sent to it.
    pub active: Option<bool>,
    /// What it belongs to.
    pub source: Option<Source>,
    /// Sealed; `Some(None)` takes them away.
    pub headers: Option<Option<Vec<u8>>>,
    /// Requests a second; `Some(None)` for as many as it takes.
    pub rate_limit: Option<Option<u32>>,
    /// Whether what waited while it was off is sent now.
    pub send_paused: bool,
}

/// An endpoint with what is sealed.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The facts, without its headers.
    pub facts: EndpointFacts,
    /// Sealed.
    pub secret: Vec<u8>,
    /// Sealed.
    pub old_secret: Option<Vec<u8>>,
    /// Sealed.
    pub headers: Option<Vec<u8>>,
    /// Whether it was deleted.
    pub deleted: bool,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: String,
    created_at: i64,
    updated_at: i64,
    target_url: String,
    description: String,
    events: String,
    active: i16,
    source: i16,
    secret: Vec<u8>,
    old_secret: Option<Vec<u8>>,
    old_secret_until: Option<i64>,
    headers: Option<Vec<u8>>,
    rate_limit: Option<i32>,
    disabled_at: Option<i64>,
    disabled_reason: Option<String>,
    deleted_at: Option<i64>,
    paused_count: i64,
}

const COLUMNS: &str = "id, created_at, updated_at, target_url, description, events, active, source, secret, old_secret, old_secret_until, headers,
    rate_limit, disabled_at, disabled_reason, deleted_at,
    (SELECT COUNT(*) FROM sendouts s WHERE s.project_id = e.project_id AND s.endpoint_id = e.id AND s.paused = 1) AS paused_count";

/// The patterns of a row.
pub(super) fn patterns(json: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(json).map_err(|problem| StoreError::Corrupt(format!("an endpoint's types: {problem}")))
}

impl TryFrom<Row> for Endpoint {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            facts: EndpointFacts {
                events: patterns(&row.events)?,
                id: row.id,
                target_url: row.target_url,
                active: row.active != 0,
                disabled_reason: row.disabled_reason,
                disabled_at: row.disabled_at,
                source: Source::of_number(row.source),
                description: row.description,
                rate_limit: row.rate_limit.map(|rate| rate.max(0) as u32),
                created_at: row.created_at,
                updated_at: row.updated_at,
                has_headers: row.headers.is_some(),
                headers: None,
                old_secret_until: row.old_secret_until,
                paused: row.paused_count.max(0) as u64,
            },
            secret: row.secret,
            old_secret: row.old_secret,
            headers: row.headers,
            deleted: row.deleted_at.is_some(),
        })
    }
}

/// Stores an endpoint.
pub async fn add(db: &Db, project: ProjectKey, new: &NewEndpoint, now_ms: i64) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO endpoints (project_id, id, created_at, updated_at, target_url, description, events, active, source, secret, headers,
        rate_limit) VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let events = serde_json::Value::from(new.events.clone()).to_string();
    on_db!(write db, pool => query(ADD).bind(project).bind(&new.id).bind(now_ms).bind(&new.target_url).bind(&new.description).bind(events)
        .bind(i16::from(new.active)).bind(new.source.number()).bind(&new.secret).bind(&new.headers).bind(new.rate_limit.map(|rate| rate as i32))
        .execute(pool).await?.rows_affected());
    Ok(())
}

/// The project's endpoints, oldest first; deleted ones are left out.
pub async fn list(db: &Db, project: ProjectKey) -> Result<Vec<Endpoint>, StoreError> {
    let list = AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM endpoints e WHERE project_id = $1 AND deleted_at IS NULL ORDER BY created_at, id"
    ));
    let rows: Vec<Row> = on_db!(read db, pool => query_as(list).bind(project).fetch_all(pool).await?);
    rows.into_iter().map(Endpoint::try_from).collect()
}

/// The endpoint with this id; one that was deleted says so.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<Endpoint>, StoreError> {
    let find = AssertSqlSafe(format!("SELECT {COLUMNS} FROM endpoints e WHERE project_id = $1 AND id = $2"));
    let row: Option<Row> = on_db!(read db, pool => query_as(find).bind(project).bind(id).fetch_optional(pool).await?);
    row.map(Endpoint::try_from).transpose()
}

/// A transaction in which nobody else changes an endpoint, and the endpoint as it is; none that was deleted.
async fn begin(db: &Db, project: ProjectKey, id: &str) -> Result<(WriteTx, Option<Endpoint>), StoreError> {
    const LOCK: &str = "UPDATE endpoints SET id = id WHERE project_id = $1 AND id = $2";
    let mut tx = WriteTx::begin(db).await?;
    on_tx!(&mut tx, connection => query(LOCK).bind(project).bind(id).execute(connection).await?.rows_affected());
    let endpoint = one_in(&mut tx, project, id).await?;
    Ok((tx, endpoint.filter(|endpoint| !endpoint.deleted)))
}

async fn one_in(tx: &mut WriteTx, project: ProjectKey, id: &str) -> Result<Option<Endpoint>, StoreError> {
    let find = format!("SELECT {COLUMNS} FROM endpoints e WHERE project_id = $1 AND id = $2");
    let row: Option<Row> =
        on_tx!(tx, connection => query_as(AssertSqlSafe(find.clone())).bind(project).bind(id).fetch_optional(connection).await?);
    row.map(Endpoint::try_from).transpose()
}

/// Ends what [`begin`] began.
async fn end(mut tx: WriteTx, project: ProjectKey, before: Endpoint) -> Result<Option<Changed<Endpoint>>, StoreError> {
    let after = one_in(&mut tx, project, &before.facts.id).await?;
    tx.commit().await?;
    Ok(after.map(|after| Changed { before, after }))
}

/// Changes an endpoint; nothing where there is none. Switched on, it has no reason any more to be off; switched off, what waits for it is paused.
pub async fn change(
    db: &Db,
    project: ProjectKey,
    id: &str,
    change: &EndpointChange,
    now_ms: i64,
) -> Result<Option<Changed<Endpoint>>, StoreError> {
    const CHANGE: &str = "UPDATE endpoints SET updated_at = CASE WHEN updated_at >= $3 THEN updated_at + 1 ELSE $3 END,
        target_url = COALESCE($4, target_url), description = COALESCE($5, description),
        events = COALESCE($6, events), active = COALESCE($7, active), source = COALESCE($8, source),
        headers = CASE WHEN $9 = 1 THEN $10 ELSE headers END, rate_limit = CASE WHEN $11 = 1 THEN $12 ELSE rate_limit END,
        disabled_at = CASE WHEN $7 = 1 THEN NULL ELSE disabled_at END,
        disabled_reason = CASE WHEN $7 = 1 THEN NULL ELSE disabled_reason END
        WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL";
    let events = change
        .events
        .clone()
        .map(|events| serde_json::Value::from(events).to_string());
    let (mut tx, before) = begin(db, project, id).await?;
    let Some(before) = before else { return Ok(None) };
    on_tx!(&mut tx, connection => query(CHANGE)
        .bind(project)
        .bind(id)
        .bind(now_ms)
        .bind(&change.target_url)
        .bind(&change.description)
        .bind(&events)
        .bind(change.active.map(i16::from))
        .bind(change.source.map(Source::number))
        .bind(i16::from(change.headers.is_some()))
        .bind(change.headers.clone().flatten())
        .bind(i16::from(change.rate_limit.is_some()))
        .bind(change.rate_limit.flatten().map(|rate| rate as i32))
        .execute(connection)
        .await?
        .rows_affected());
    if change.active == Some(false) {
        pause_in(&mut tx, project, id, now_ms).await?;
    }
    if change.send_paused {
        resume_in(&mut tx, project, id, now_ms).await?;
    }
    end(tx, project, before).await
}

/// Gives an endpoint a new secret; the one before is signed with, too, until then. Nothing where there is no such endpoint.
pub async fn rotate(
    db: &Db,
    project: ProjectKey,
    id: &str,
    secret: &[u8],
    old_until: i64,
    now_ms: i64,
) -> Result<Option<Changed<Endpoint>>, StoreError> {
    const ROTATE: &str = "UPDATE endpoints SET old_secret = secret, old_secret_until = $4, secret = $3,
        updated_at = CASE WHEN updated_at >= $5 THEN updated_at + 1 ELSE $5 END
        WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL";
    let (mut tx, before) = begin(db, project, id).await?;
    let Some(before) = before else { return Ok(None) };
    on_tx!(&mut tx, connection => query(ROTATE).bind(project).bind(id).bind(secret).bind(old_until).bind(now_ms).execute(connection).await?.rows_affected());
    end(tx, project, before).await
}

/// Deletes an endpoint: what waits for it is sent no more; what was sent stays. Gives it as it was; nothing where there is none.
pub async fn delete(db: &Db, project: ProjectKey, id: &str, now_ms: i64) -> Result<Option<Endpoint>, StoreError> {
    const DELETE: &str = "UPDATE endpoints SET deleted_at = $3, active = 0, updated_at = CASE WHEN updated_at >= $3 THEN updated_at + 1 ELSE $3 END
        WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL";
    const GIVE_UP: &str =
        "UPDATE sendouts SET status = 3, paused = 0, due_at = NULL, scheduled_at = NULL, by_hand = 0, updated_at = $3,
        last_error = COALESCE(last_error, 'The endpoint was deleted before this was sent')
        WHERE project_id = $1 AND endpoint_id = $2 AND status < 2";
    let (mut tx, before) = begin(db, project, id).await?;
    let Some(before) = before else { return Ok(None) };
    on_tx!(&mut tx, connection => query(DELETE).bind(project).bind(id).bind(now_ms).execute(connection).await?.rows_affected());
    on_tx!(&mut tx, connection => query(GIVE_UP).bind(project).bind(id).bind(now_ms).execute(connection).await?.rows_affected());
    tx.commit().await?;
    Ok(Some(before))
}

/// What waits for an endpoint waits until it is switched on again.
pub async fn pause(db: &Db, project: ProjectKey, id: &str, now_ms: i64) -> Result<(), StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    pause_in(&mut tx, project, id, now_ms).await?;
    tx.commit().await
}

pub(super) async fn pause_in(tx: &mut WriteTx, project: ProjectKey, id: &str, now_ms: i64) -> Result<(), StoreError> {
    const PAUSE: &str = "UPDATE sendouts SET paused = 1, due_at = CASE WHEN by_hand = 1 THEN due_at ELSE NULL END, scheduled_at = NULL, updated_at = $3
        WHERE project_id = $1 AND endpoint_id = $2 AND due_at IS NOT NULL AND paused = 0 AND status < 2
        AND EXISTS (SELECT 1 FROM endpoints e WHERE e.project_id = $1 AND e.id = $2 AND e.active = 0)";
    on_tx!(tx, connection => query(PAUSE).bind(project).bind(id).bind(now_ms).execute(connection).await?.rows_affected());
    Ok(())
}

async fn resume_in(tx: &mut WriteTx, project: ProjectKey, id: &str, now_ms: i64) -> Result<(), StoreError> {
    const RESUME: &str = "UPDATE sendouts SET paused = 0, due_at = $3, updated_at = $3
        WHERE project_id = $1 AND endpoint_id = $2 AND paused = 1 AND status < 2
        AND EXISTS (SELECT 1 FROM endpoints e WHERE e.project_id = $1 AND e.id = $2 AND e.active = 1)";
    on_tx!(tx, connection => query(RESUME).bind(project).bind(id).bind(now_ms).execute(connection).await?.rows_affected());
    Ok(())
}
