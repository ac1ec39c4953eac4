//! Alerts: what each watches, what it counted, what it did, and the mails that tell of it.
//!
//! Whoever moves a project's mark, or lets an alert's counts begin anew, holds the mark's row: what is counted, and since when, changes for one at a time.
//! Views are locked before it, alerts after.

pub mod change;
pub mod counts;
pub mod history;
pub mod mails;
pub mod turn;

use sqlx::query_as;

use super::db::on_db;
use super::projects::ProjectKey;
use super::{Db, StoreError};
use crate::model::alert::{AlertKind, Condition};

/// An alert as it is kept. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// `alert_…`.
    pub id: String,
    /// The view that it watches.
    pub view: String,
    /// What people call it.
    pub name: String,
    /// When it fires.
    pub condition: Condition,
    /// Who is told by mail.
    pub recipients: Vec<String>,
    /// Whether it counts and tells.
    pub active: bool,
    /// Until when nothing is sent.
    pub muted_until: Option<i64>,
    /// Logs that were made before are not counted. Rises whenever its counts begin anew.
    pub counts_since: i64,
    /// Since when every log was counted.
    pub whole_since: i64,
    /// Whether it fires.
    pub firing: bool,
    /// Whether it was told that it fires.
    pub told: bool,
    /// Since when it fires, or does not.
    pub since: i64,
    /// When it was made.
    pub created_at: i64,
    /// When somebody changed it last; rises with every change.
    pub changed_at: i64,
}

impl Alert {
    /// Whether nothing is sent at a time.
    pub fn is_muted(&self, now_ms: i64) -> bool {
        self.muted_until.is_some_and(|until| until > now_ms)
    }

    /// Until when it waits for one whole window: what is rare is known to be missing once there was time for it to come.
    pub fn waits_until(&self, now_ms: i64) -> Option<i64> {
        let until = self.whole_since.saturating_add(self.condition.window_ms());
        (self.condition.kind == AlertKind::FewerThan && until > now_ms).then_some(until)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    view_id: String,
    name: String,
    kind: i16,
    threshold: i64,
    least_logs: i64,
    window_minutes: i64,
    recipients: String,
    active: bool,
    muted_until: Option<i64>,
    counts_since: i64,
    whole_since: i64,
    firing: bool,
    told: bool,
    since: i64,
    created_at: i64,
    changed_at: i64,
}

impl Row {
    fn read(self) -> Alert {
        Alert {
            condition: condition((self.kind, self.threshold, self.least_logs, self.window_minutes)),
            recipients: self.recipients.lines().map(str::to_owned).collect(),
            id: self.id,
            view: self.view_id,
            name: self.name,
            active: self.active,
            muted_until: self.muted_until,
            counts_since: self.counts_since,
            whole_since: self.whole_since,
            firing: self.firing,
            told: self.told,
            since: self.since,
            created_at: self.created_at,
            changed_at: self.changed_at,
        }
    }
}

/// A condition as its columns have it: kind, threshold, least logs, window.
fn condition((kind, threshold, least_logs, window): (i16, i64, i64, i64)) -> Condition {
    let number = |value: i64| u32::try_from(value).unwrap_or_default();
    Condition {
        kind: AlertKind::of_number(kind),
        threshold: number(threshold),
        least_logs: number(least_logs),
        window_minutes: number(window),
    }
}

/// A project's alerts, by name.
pub async fn list(db: &Db, project: ProjectKey) -> Result<Vec<Alert>, StoreError> {
    const LIST: &str = "SELECT id, view_id, name, kind, threshold, least_logs, window_minutes, recipients, active, muted_until, counts_since, \
         whole_since, firing, told, since, created_at, changed_at FROM alerts WHERE project_id = $1 ORDER BY name, id";
    let rows: Vec<Row> = on_db!(read db, pool => query_as(LIST).bind(project).fetch_all(pool).await?);
    Ok(rows.into_iter().map(Row::read).collect())
}

/// An alert of a project.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<Alert>, StoreError> {
    const FIND: &str = "SELECT id, view_id, name, kind, threshold, least_logs, window_minutes, recipients, active, muted_until, counts_since, \
         whole_since, firing, told, since, created_at, changed_at FROM alerts WHERE project_id = $1 AND id = $2";
    let row: Option<Row> = on_db!(read db, pool => query_as(FIND).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(row.map(Row::read))
}
