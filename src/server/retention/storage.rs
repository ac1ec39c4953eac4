//! What the database holds, how it grows, and how long the disk will do. Measured now and then, in the background: SQLite walks over its whole file for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::log::Origin;
use crate::model::retention::DAY_MS;
use crate::server::disk;
use crate::server::state::Server;
use crate::server::store::sizes::{self, Whole};
use crate::server::store::{Db, StoreError, projects};

/// How long a measurement is shown before another one is made, in milliseconds.
const FRESH_MS: i64 = 10 * 60 * 1_000;
/// How long a page waits for one; a small database is measured by then.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Days that the growth is told from.
const DAYS: i64 = 7;
/// What the tables of logs begin with.
const OF_LOGS: [&str; 2] = ["log", "import_files"];

/// What the database holds, of all projects together.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// When it was measured, in milliseconds since 1970.
    pub at: i64,
    /// Bytes by table, indexes and all, the largest first.
    pub tables: Vec<(String, i64)>,
    /// The whole database.
    pub whole: Whole,
    /// Bytes that the disk has left for it; `None` where that cannot be known from here.
    pub disk_free: Option<i64>,
    /// Logs.
    pub logs: u64,
    /// Logs that come a day, over the last week.
    pub coming: f64,
    /// Logs that will be deleted a day, over the next week.
    pub going: f64,
}

impl Measured {
    /// Bytes that a log takes with all that belongs to it, about; `None` where there is none.
    pub fn bytes_a_log(&self) -> Option<f64> {
        let of_logs = |name: &str| OF_LOGS.iter().any(|start| name.starts_with(start));
        let bytes: i64 = self
            .tables
            .iter()
            .filter(|(name, _)| of_logs(name))
            .map(|(_, bytes)| bytes)
            .sum();
        (self.logs > 0).then(|| bytes as f64 / self.logs as f64)
    }

    /// Bytes by which it grows a day, about.
    pub fn growth(&self) -> Option<f64> {
        Some((self.coming - self.going) * self.bytes_a_log()?)
    }

    /// Days until the disk is full, about; `None` where it does not grow, or the disk is not known.
    pub fn days_left(&self) -> Option<f64> {
        let free = self.disk_free? + self.whole.reusable.unwrap_or_default();
        let growth = self.growth().filter(|growth| *growth >= 1.0)?;
        Some(free as f64 / growth)
    }
}

/// The last measurement, and whose turn it is to make another.
#[derive(Debug, Default)]
pub struct Known {
    last: Mutex<Option<Arc<Measured>>>,
    turn: tokio::sync::Mutex<()>,
}

impl Known {
    fn last(&self) -> Option<Arc<Measured>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fresh(&self, now_ms: i64) -> Option<Arc<Measured>> {
        self.last().filter(|last| (0..FRESH_MS).contains(&(now_ms - last.at)))
    }
}

/// The last measurement. One that is too old, or missing, is made anew: waited for a little, and found there by who asks again. `None` while the first one is
/// being made.
pub async fn look(server: &Server) -> Option<Arc<Measured>> {
    if let Some(fresh) = server.retention.storage.fresh(server.clock.now_ms()) {
        return Some(fresh);
    }
    // On its own: it is made to its end when whoever asked has gone.
    let making = tokio::spawn(make(server.clone()));
    let _made_or_late = tokio::time::timeout(PATIENCE, making).await;
    server.retention.storage.last()
}

async fn make(server: Server) {
    let known = &server.retention.storage;
    let _turn = known.turn.lock().await;
    let now_ms = server.clock.now_ms();
    if known.fresh(now_ms).is_some() {
        return;
    }
    match measure(&server, now_ms).await {
        Ok(measured) => *known.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(measured)),
        Err(error) => tracing::warn!(%error, "what the database holds could not be measured"),
    }
}

async fn measure(server: &Server, now_ms: i64) -> Result<Measured, StoreError> {
    let db = &server.db;
    let (mut logs, mut came, mut will_go) = (0, 0, 0);
    let mut since = now_ms;
    for project in projects::all(db).await? {
        let cuts = super::kept(server, project.key).await?.cuts(now_ms);
        since = since.min(project.created_at);
        logs += super::count_all(db, project.key).await?;
        for origin in Origin::ALL {
            let cut = cuts.of(origin).logs;
            came += super::count(db, project.key, origin, (now_ms - DAYS * DAY_MS, now_ms)).await?;
            if cut > i64::MIN {
                will_go += super::count(db, project.key, origin, (cut, cut + DAYS * DAY_MS)).await?;
            }
        }
    }
    // Of a service that is a day old, a week's logs came in a day.
    let days = ((now_ms - since) as f64 / DAY_MS as f64).clamp(1.0, DAYS as f64);
    Ok(Measured {
        at: now_ms,
        tables: sizes::tables(db).await?,
        whole: sizes::whole(db).await?,
        disk_free: disk_free(server),
        logs,
        coming: came as f64 / days,
        going: will_go as f64 / DAYS as f64,
    })
}

/// What the disk of a SQLite file has left; a PostgreSQL may be anywhere.
fn disk_free(server: &Server) -> Option<i64> {
    if !matches!(server.db, Db::Sqlite { .. }) {
        return None;
    }
    i64::try_from(disk::free(&server.config.data.folder().ok()?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(coming: f64, going: f64, disk_free: Option<i64>) -> Measured {
        Measured {
            at: 0,
            tables: vec![
                ("log_blocks".to_owned(), 8_000),
                ("logs".to_owned(), 2_000),
                ("events".to_owned(), 5_000),
            ],
            whole: Whole {
                bytes: 16_000,
                reusable: Some(1_000),
            },
            disk_free,
            logs: 100,
            coming,
            going,
        }
    }

    #[test]
    fn the_disk_lasts_for_as_long_as_more_comes_than_goes() {
        let grows = measured(30.0, 10.0, Some(19_000));
        assert_eq!(grows.bytes_a_log(), Some(100.0));
        assert_eq!((grows.growth(), grows.days_left()), (Some(2_000.0), Some(10.0)));
        assert_eq!(measured(10.0, 30.0, Some(19_000)).days_left(), None, "it shrinks");
        assert_eq!(measured(10.0, 10.0, Some(19_000)).days_left(), None, "it stays");
        assert_eq!(measured(30.0, 10.0, None).days_left(), None, "the disk is not known");
        let empty = Measured { logs: 0, ..grows };
        assert_eq!((empty.bytes_a_log(), empty.growth(), empty.days_left()), (None, None, None));
    }
}
