//! Making, changing and deleting alerts, and what the views that they watch may not become meanwhile.

use sqlx::{query, query_scalar};

use super::history::{self, Entry};
use super::{Alert, counts};
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertChanged {
    /// It is done.
    Done,
    /// The view that it is to watch is not there, not shared, or of another tab.
    NoView,
    /// It is no longer as it was known to be: changed by somebody else, or gone.
    Otherwise,
}

/// Keeps a new alert, which counts from now on.
pub async fn add(db: &Db, project: ProjectKey, alert: &Alert, began: &Entry) -> Result<AlertChanged, StoreError> {
    const ADD: &str = "INSERT INTO alerts (project_id, id, view_id, name, kind, threshold, least_logs, window_minutes, recipients, active, muted_until, \
         counts_since, whole_since, firing, told, since, created_at, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    let mut tx = WriteTx::begin(db).await?;
    if !lock_view(&mut tx, project, &alert.view).await? {
        return Ok(AlertChanged::NoView);
    }
    counts::open_mark(&mut tx, project).await?;
    let condition = alert.condition;
    on_tx!(&mut tx, connection => query(ADD)
        .bind(project)
        .bind(&alert.id)
        .bind(&alert.view)
        .bind(&alert.name)
        .bind(condition.kind.number())
        .bind(i64::from(condition.threshold))
        .bind(i64::from(condition.least_logs))
        .bind(i64::from(condition.window_minutes))
        .bind(alert.recipients.join("\n"))
        .bind(alert.active)
        .bind(alert.muted_until)
        .bind(alert.counts_since)
        .bind(alert.whole_since)
        .bind(alert.firing)
        .bind(alert.told)
        .bind(alert.since)
        .bind(alert.created_at)
        .bind(alert.changed_at)
        .execute(connection)
        .await?
        .rows_affected());
    history::add_in(&mut tx, project, began).await?;
    tx.commit().await?;
    Ok(AlertChanged::Done)
}

/// Gives an alert other settings, if it has not changed since `known`; with `began`, its counts begin anew.
pub async fn change(
    db: &Db,
    project: ProjectKey,
    known: i64,
    alert: &Alert,
    began: Option<&Entry>,
) -> Result<AlertChanged, StoreError> {
    const CHANGE: &str = "UPDATE alerts SET view_id = $4, name = $5, kind = $6, threshold = $7, least_logs = $8, window_minutes = $9, recipients = $10, \
         active = $11, muted_until = $12, changed_at = $13 WHERE project_id = $1 AND id = $2 AND changed_at = $3";
    let mut tx = WriteTx::begin(db).await?;
    if !lock_view(&mut tx, project, &alert.view).await? {
        return Ok(AlertChanged::NoView);
    }
    counts::open_mark(&mut tx, project).await?;
    let condition = alert.condition;
    let changed = on_tx!(&mut tx, connection => query(CHANGE)
        .bind(project)
        .bind(&alert.id)
        .bind(known)
        .bind(&alert.view)
        .bind(&alert.name)
        .bind(condition.kind.number())
        .bind(i64::from(condition.threshold))
        .bind(i64::from(condition.least_logs))
        .bind(i64::from(condition.window_minutes))
        .bind(alert.recipients.join("\n"))
        .bind(alert.active)
        .bind(alert.muted_until)
        .bind(alert.changed_at)
        .execute(connection)
        .await?
        .rows_affected());
    if changed == 0 {
        return Ok(AlertChanged::Otherwise);
    }
    if let Some(began) = began {
        begin_anew(&mut tx, project, began).await?;
    }
    tx.commit().await?;
    Ok(AlertChanged::Done)
}

/// Sets what can be changed of an alert whatever becomes of its view: whether it is on, and until when it is muted. Switched off it counts nothing and does not fire.
pub async fn quiet(db: &Db, project: ProjectKey, known: i64, alert: &Alert) -> Result<AlertChanged, StoreError> {
    const QUIET: &str = "UPDATE alerts SET active = $4, muted_until = $5, changed_at = $6, firing = (firing AND $4), told = (told AND $4) \
         WHERE project_id = $1 AND id = $2 AND changed_at = $3";
    let mut tx = WriteTx::begin(db).await?;
    counts::lock_mark(&mut tx, project).await?;
    let changed = on_tx!(&mut tx, connection => query(QUIET)
        .bind(project)
        .bind(&alert.id)
        .bind(known)
        .bind(alert.active)
        .bind(alert.muted_until)
        .bind(alert.changed_at)
        .execute(connection)
        .await?
        .rows_affected());
    if changed == 0 {
        return Ok(AlertChanged::Otherwise);
    }
    tx.commit().await?;
    Ok(AlertChanged::Done)
}

/// Removes an alert with its counts, its history and the mails that still wait, if it has not changed since `known`.
pub async fn remove(db: &Db, project: ProjectKey, known: i64, id: &str) -> Result<AlertChanged, StoreError> {
    const REMOVE: &str = "DELETE FROM alerts WHERE project_id = $1 AND id = $2 AND changed_at = $3";
    const ITS: [&str; 3] = [
        "DELETE FROM alert_counts WHERE project_id = $1 AND alert_id = $2",
        "DELETE FROM alert_mails WHERE project_id = $1 AND alert_id = $2",
        "DELETE FROM alert_history WHERE project_id = $1 AND alert_id = $2",
    ];
    let mut tx = WriteTx::begin(db).await?;
    counts::lock_mark(&mut tx, project).await?;
    let gone = on_tx!(&mut tx, connection => query(REMOVE).bind(project).bind(id).bind(known).execute(connection).await?.rows_affected());
    if gone == 0 {
        return Ok(AlertChanged::Otherwise);
    }
    for sql in ITS {
        on_tx!(&mut tx, connection => query(sql).bind(project).bind(id).execute(connection).await?.rows_affected());
    }
    tx.commit().await?;
    Ok(AlertChanged::Done)
}

/// Lets an alert's counts begin anew: what it counted goes, and it does not fire.
async fn begin_anew(tx: &mut WriteTx, project: ProjectKey, began: &Entry) -> Result<(), StoreError> {
    // Later than before, whatever the clock says: what was counted for the counts of before finds no place in these.
    const BEGIN: &str = "UPDATE alerts SET counts_since = CASE WHEN counts_since < $3 THEN $3 ELSE counts_since + 1 END, whole_since = $3, firing = $4, \
         told = $4, since = $3 WHERE project_id = $1 AND id = $2";
    const COUNTS: &str = "DELETE FROM alert_counts WHERE project_id = $1 AND alert_id = $2";
    on_tx!(&mut *tx, connection => query(BEGIN).bind(project).bind(&began.alert).bind(began.at).bind(false).execute(connection).await?.rows_affected());
    on_tx!(&mut *tx, connection => query(COUNTS).bind(project).bind(&began.alert).execute(connection).await?.rows_affected());
    history::add_in(tx, project, began).await
}

/// Holds a shared view of the Logs tab as it is; false where it is none.
async fn lock_view(tx: &mut WriteTx, project: ProjectKey, view: &str) -> Result<bool, StoreError> {
    const LOCK: &str = "UPDATE views SET changed_at = changed_at WHERE project_id = $1 AND id = $2 AND shared AND tab = 'logs'";
    let held = on_tx!(&mut *tx, connection => query(LOCK).bind(project).bind(view).execute(connection).await?.rows_affected());
    Ok(held == 1)
}

/// The name of an alert that watches a view, whose row is held; none where none does.
pub(in crate::server::store) async fn watching_in(
    tx: &mut WriteTx,
    project: ProjectKey,
    view: &str,
) -> Result<Option<String>, StoreError> {
    const WATCHING: &str = "SELECT name FROM alerts WHERE project_id = $1 AND view_id = $2 ORDER BY name LIMIT 1";
    Ok(on_tx!(&mut *tx, connection => query_scalar(WATCHING).bind(project).bind(view).fetch_optional(connection).await?))
}

/// Lets the counts of all that watch a view begin anew: it has other filters now. `began` makes the line of an alert's history that says so.
pub(in crate::server::store) async fn view_changed_in(
    tx: &mut WriteTx,
    project: ProjectKey,
    view: &str,
    began: &(dyn Fn(&Alert) -> Entry + Sync),
) -> Result<(), StoreError> {
    const WATCHING: &str = "SELECT id, view_id, name, kind, threshold, least_logs, window_minutes, recipients, active, muted_until, counts_since, \
         whole_since, firing, told, since, created_at, changed_at FROM alerts WHERE project_id = $1 AND view_id = $2 AND active";
    counts::lock_mark(tx, project).await?;
    let rows: Vec<super::Row> =
        on_tx!(&mut *tx, connection => sqlx::query_as(WATCHING).bind(project).bind(view).fetch_all(connection).await?);
    for row in rows {
        begin_anew(tx, project, &began(&row.read())).await?;
    }
    Ok(())
}
