//! What alerts count, and how far: a project's mark on its chain moves in the transaction that adds what came.

use sqlx::{query, query_as, query_scalar};

use super::history::{self, Entry};
use crate::model::alert::Figures;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::logs::arrived::Mark;
use crate::server::store::projects::{Project, ProjectKey};
use crate::server::store::{Db, StoreError};

/// A project with alerts: how far its logs are counted, and how far it has been written.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Marked {
    /// Which.
    #[sqlx(flatten)]
    pub project: Project,
    /// How far its logs are counted.
    pub mark: Mark,
    /// How far it has been written.
    pub head: Mark,
}

/// Logs of one alert, made within one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted<'a> {
    /// Whose.
    pub alert: &'a str,
    /// When the step began.
    pub step_at: i64,
    /// How many.
    pub figures: Figures,
}

/// What is added at once.
#[derive(Debug)]
pub struct Addition<'a> {
    /// From which mark on, and up to which, it was counted.
    pub marks: (Mark, Mark),
    /// The alerts for which it was: their ids, and since when they count.
    pub known: &'a [(String, i64)],
    /// The counts.
    pub counts: &'a [Counted<'a>],
    /// Up to when the counts of an alert are of no more use.
    pub over: &'a [(&'a str, i64)],
    /// Where some logs could not be read: a line for the history of each alert.
    pub missed: &'a [Entry],
}

/// What came of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is counted.
    Done,
    /// Another server has counted it.
    Moved,
    /// Alerts have come or gone, or count something else by now: it is counted again for those that are there.
    Otherwise,
}

/// The projects that have an alert that is on.
pub async fn projects(db: &Db) -> Result<Vec<Marked>, StoreError> {
    const PROJECTS: &str = "SELECT p.id, p.public_id, p.name, p.time_zone, p.created_at, m.mark, COALESCE(h.number, 0) AS head \
         FROM alert_marks AS m JOIN projects AS p ON p.id = m.project_id LEFT JOIN chain_heads AS h ON h.project_id = m.project_id \
         WHERE p.deleted_at IS NULL AND EXISTS (SELECT 1 FROM alerts AS a WHERE a.project_id = m.project_id AND a.active) ORDER BY p.id";
    Ok(on_db!(read db, pool => query_as(PROJECTS).fetch_all(pool).await?))
}

/// Adds what was counted and moves the mark, both or neither.
pub async fn add(db: &Db, project: ProjectKey, addition: &Addition<'_>) -> Result<Added, StoreError> {
    const MOVE: &str = "UPDATE alert_marks SET mark = $3 WHERE project_id = $1 AND mark = $2";
    const ALERTS: &str = "SELECT id, counts_since FROM alerts WHERE project_id = $1 AND active";
    const ADD: &str = "INSERT INTO alert_counts (project_id, alert_id, step_at, logs, failed) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (project_id, alert_id, step_at) DO UPDATE SET logs = alert_counts.logs + excluded.logs, failed = alert_counts.failed + excluded.failed";
    const OVER: &str = "DELETE FROM alert_counts WHERE project_id = $1 AND alert_id = $2 AND step_at < $3";
    let (from, to) = addition.marks;
    let mut tx = WriteTx::begin(db).await?;
    let moved =
        on_tx!(&mut tx, connection => query(MOVE).bind(project).bind(from).bind(to).execute(connection).await?.rows_affected());
    if moved == 0 {
        return Ok(Added::Moved);
    }
    let mut there: Vec<(String, i64)> =
        on_tx!(&mut tx, connection => query_as(ALERTS).bind(project).fetch_all(connection).await?);
    there.sort_unstable();
    if there != addition.known {
        return Ok(Added::Otherwise);
    }
    for counted in addition.counts {
        on_tx!(&mut tx, connection => query(ADD).bind(project).bind(counted.alert).bind(counted.step_at).bind(counted.figures.logs as i64)
            .bind(counted.figures.failed as i64).execute(connection).await?.rows_affected());
    }
    for (alert, before) in addition.over {
        on_tx!(&mut tx, connection => query(OVER).bind(project).bind(*alert).bind(*before).execute(connection).await?.rows_affected());
    }
    missed_in(&mut tx, project, addition.missed).await?;
    tx.commit().await?;
    Ok(Added::Done)
}

/// Says that logs were not counted: from then on an alert that waits for a whole window waits for it anew.
async fn missed_in(tx: &mut WriteTx, project: ProjectKey, missed: &[Entry]) -> Result<(), StoreError> {
    const BROKEN: &str = "UPDATE alerts SET whole_since = $3 WHERE project_id = $1 AND id = $2";
    for entry in missed {
        on_tx!(&mut *tx, connection => query(BROKEN).bind(project).bind(&entry.alert).bind(entry.at).execute(connection).await?.rows_affected());
        history::add_in(tx, project, entry).await?;
    }
    Ok(())
}

/// What an alert counted within a window, both ends included.
pub async fn figures(db: &Db, project: ProjectKey, alert: &str, (from, to): (i64, i64)) -> Result<Figures, StoreError> {
    const SUM: &str = "SELECT CAST(COALESCE(SUM(logs), 0) AS BIGINT), CAST(COALESCE(SUM(failed), 0) AS BIGINT) FROM alert_counts \
         WHERE project_id = $1 AND alert_id = $2 AND step_at >= $3 AND step_at <= $4";
    let (logs, failed): (i64, i64) =
        on_db!(read db, pool => query_as(SUM).bind(project).bind(alert).bind(from).bind(to).fetch_one(pool).await?);
    Ok(Figures {
        logs: logs.max(0).unsigned_abs(),
        failed: failed.max(0).unsigned_abs(),
    })
}

/// Holds a project's mark, where it has one.
pub(super) async fn lock_mark(tx: &mut WriteTx, project: ProjectKey) -> Result<(), StoreError> {
    const LOCK: &str = "UPDATE alert_marks SET mark = mark WHERE project_id = $1";
    on_tx!(&mut *tx, connection => query(LOCK).bind(project).execute(connection).await?.rows_affected());
    Ok(())
}

/// Holds a project's mark; where nothing counts it stands still, and is set to how far the project has been written.
pub(super) async fn open_mark(tx: &mut WriteTx, project: ProjectKey) -> Result<(), StoreError> {
    const OPEN: &str = "INSERT INTO alert_marks (project_id, mark) VALUES ($1, 0) ON CONFLICT (project_id) DO UPDATE SET mark = alert_marks.mark";
    const ACTIVE: &str = "SELECT COUNT(*) FROM alerts WHERE project_id = $1 AND active";
    const SET: &str =
        "UPDATE alert_marks SET mark = COALESCE((SELECT number FROM chain_heads WHERE project_id = $1), 0) WHERE project_id = $1";
    on_tx!(&mut *tx, connection => query(OPEN).bind(project).execute(connection).await?.rows_affected());
    let active: i64 = on_tx!(&mut *tx, connection => query_scalar(ACTIVE).bind(project).fetch_one(connection).await?);
    if active == 0 {
        on_tx!(&mut *tx, connection => query(SET).bind(project).execute(connection).await?.rows_affected());
    }
    Ok(())
}

/// Holds a project's mark if it still is this one; false where it has moved.
pub(super) async fn hold_mark(tx: &mut WriteTx, project: ProjectKey, mark: Mark) -> Result<bool, StoreError> {
    const HOLD: &str = "UPDATE alert_marks SET mark = mark WHERE project_id = $1 AND mark = $2";
    let held = on_tx!(&mut *tx, connection => query(HOLD).bind(project).bind(mark).execute(connection).await?.rows_affected());
    Ok(held == 1)
}
