//! What alerts did: a line each, the latest ones kept.

use sqlx::{query, query_as};

use super::{Alert, condition};
use crate::model::alert::{AlertEvent, Condition, Figures, KEPT};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// A line of an alert's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its own id, which sorts as its time does.
    pub id: String,
    /// Whose.
    pub alert: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What.
    pub what: AlertEvent,
    /// What was counted.
    pub figures: Figures,
    /// The condition of then.
    pub condition: Condition,
    /// The window.
    pub window: (i64, i64),
    /// The view's filters of then.
    pub query: String,
    /// Whether it was muted.
    pub muted: bool,
}

impl Entry {
    /// A line of now, under an id that carries the time.
    pub fn new(id: String, alert: &Alert, (what, figures): (AlertEvent, Figures), query: String, now_ms: i64) -> Self {
        Self {
            id,
            alert: alert.id.clone(),
            at: now_ms,
            what,
            figures,
            condition: alert.condition,
            window: (alert.condition.window_from(now_ms), now_ms),
            query,
            muted: alert.is_muted(now_ms),
        }
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct EntryRow {
    id: String,
    alert_id: String,
    at: i64,
    what: i16,
    logs: i64,
    failed: i64,
    kind: i16,
    threshold: i64,
    least_logs: i64,
    window_minutes: i64,
    from_time: i64,
    to_time: i64,
    query: String,
    muted: bool,
}

impl EntryRow {
    pub(super) fn read(self) -> Entry {
        Entry {
            id: self.id,
            alert: self.alert_id,
            at: self.at,
            what: AlertEvent::of_number(self.what),
            figures: Figures {
                logs: self.logs.max(0).unsigned_abs(),
                failed: self.failed.max(0).unsigned_abs(),
            },
            condition: condition((self.kind, self.threshold, self.least_logs, self.window_minutes)),
            window: (self.from_time, self.to_time),
            query: self.query,
            muted: self.muted,
        }
    }
}

/// Writes a line; of more than are kept, the oldest go with the mails that told of them.
pub(super) async fn add_in(tx: &mut WriteTx, project: ProjectKey, entry: &Entry) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO alert_history (project_id, id, alert_id, at, what, logs, failed, kind, threshold, least_logs, window_minutes, from_time, \
         to_time, query, muted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let condition = entry.condition;
    on_tx!(&mut *tx, connection => query(ADD)
        .bind(project)
        .bind(&entry.id)
        .bind(&entry.alert)
        .bind(entry.at)
        .bind(entry.what.number())
        .bind(entry.figures.logs as i64)
        .bind(entry.figures.failed as i64)
        .bind(condition.kind.number())
        .bind(i64::from(condition.threshold))
        .bind(i64::from(condition.least_logs))
        .bind(i64::from(condition.window_minutes))
        .bind(entry.window.0)
        .bind(entry.window.1)
        .bind(&entry.query)
        .bind(entry.muted)
        .execute(connection)
        .await?
        .rows_affected());
    forget_in(tx, project, &entry.alert).await
}

async fn forget_in(tx: &mut WriteTx, project: ProjectKey, alert: &str) -> Result<(), StoreError> {
    const OLD: &str = "SELECT id FROM alert_history WHERE project_id = $1 AND alert_id = $2 ORDER BY id DESC LIMIT 1 OFFSET $3";
    const FORGET: [&str; 2] = [
        "DELETE FROM alert_mails WHERE project_id = $1 AND alert_id = $2 AND entry_id <= $3",
        "DELETE FROM alert_history WHERE project_id = $1 AND alert_id = $2 AND id <= $3",
    ];
    let old: Option<(String,)> = on_tx!(&mut *tx, connection => query_as(OLD).bind(project).bind(alert).bind(KEPT as i64).fetch_optional(connection).await?);
    let Some((old,)) = old else { return Ok(()) };
    for sql in FORGET {
        on_tx!(&mut *tx, connection => query(sql).bind(project).bind(alert).bind(&old).execute(connection).await?.rows_affected());
    }
    Ok(())
}

/// The latest lines of an alert, the newest first.
pub async fn latest(db: &Db, project: ProjectKey, alert: &str, most: usize) -> Result<Vec<Entry>, StoreError> {
    const LATEST: &str = "SELECT id, alert_id, at, what, logs, failed, kind, threshold, least_logs, window_minutes, from_time, to_time, query, muted \
         FROM alert_history WHERE project_id = $1 AND alert_id = $2 ORDER BY id DESC LIMIT $3";
    let rows: Vec<EntryRow> =
        on_db!(read db, pool => query_as(LATEST).bind(project).bind(alert).bind(most as i64).fetch_all(pool).await?);
    Ok(rows.into_iter().map(EntryRow::read).collect())
}

/// A line.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<Entry>, StoreError> {
    const FIND: &str = "SELECT id, alert_id, at, what, logs, failed, kind, threshold, least_logs, window_minutes, from_time, to_time, query, muted \
         FROM alert_history WHERE project_id = $1 AND id = $2";
    let row: Option<EntryRow> = on_db!(read db, pool => query_as(FIND).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(row.map(EntryRow::read))
}
