//! What an alert does, decided from its counts: it fires, is back to normal, or fires still after it was muted.

use super::entry;
use super::told::told;
use super::watched::Watched;
use crate::model::alert::{AlertEvent, Figures};
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::alerts::{Alert, counts, turn};
use crate::server::store::logs::arrived::Mark;
use crate::server::store::projects::Project;

/// Decides for the alerts of a project that is counted up to a mark; how many did something.
pub(super) async fn decide(server: &Server, project: &Project, mark: Mark, all: &[Watched]) -> Result<usize, StoreError> {
    let mut done = 0;
    for watched in all
        .iter()
        .filter(|watched| watched.alert.active && watched.selection.is_some())
    {
        let now_ms = server.clock.now_ms();
        let figures = figures(server, project, &watched.alert, now_ms).await?;
        let Some(what) = turns(&watched.alert, figures, now_ms) else {
            continue;
        };
        let entry = entry::at(server, watched, what, figures, now_ms);
        let is_told = !entry.muted && (what != AlertEvent::Resolved || watched.alert.told);
        let told = is_told.then(|| told(server, project, watched, &entry));
        if turn::turn(&server.db, project.key, mark, (&watched.alert, &entry), told).await? {
            tracing::info!(
                project = project.id,
                alert = watched.alert.id,
                ?what,
                logs = figures.logs,
                failed = figures.failed,
                "an alert"
            );
            done += 1;
        }
    }
    Ok(done)
}

/// What an alert counted within the window that ends now.
pub(super) async fn figures(server: &Server, project: &Project, alert: &Alert, now_ms: i64) -> Result<Figures, StoreError> {
    let from = alert.condition.window_from(now_ms);
    counts::figures(&server.db, project.key, &alert.id, (from, now_ms)).await
}

/// What an alert does, given what it counted; nothing where all stays as it is.
fn turns(alert: &Alert, figures: Figures, now_ms: i64) -> Option<AlertEvent> {
    if alert.waits_until(now_ms).is_some() {
        return None;
    }
    match (alert.firing, alert.condition.is_met(figures)) {
        (false, true) => Some(AlertEvent::Fired),
        (true, false) => Some(AlertEvent::Resolved),
        (true, true) if !alert.told && !alert.is_muted(now_ms) => Some(AlertEvent::StillFiring),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alert::{AlertKind, Condition, Mute};

    fn alert(kind: AlertKind) -> Alert {
        Alert {
            id: "alert_1".to_owned(),
            view: "view_1".to_owned(),
            name: "a".to_owned(),
            condition: Condition {
                kind,
                threshold: 5,
                least_logs: 1,
                window_minutes: 1,
            },
            recipients: Vec::new(),
            active: true,
            muted_until: None,
            counts_since: 0,
            whole_since: 0,
            firing: false,
            told: false,
            since: 0,
            created_at: 0,
            changed_at: 0,
        }
    }

    const MANY: Figures = Figures { logs: 5, failed: 0 };
    const FEW: Figures = Figures { logs: 4, failed: 0 };

    #[test]
    fn it_fires_once_and_is_over_once() {
        let normal = alert(AlertKind::AtLeast);
        assert_eq!(turns(&normal, FEW, 100_000), None);
        assert_eq!(turns(&normal, MANY, 100_000), Some(AlertEvent::Fired));
        let firing = Alert {
            firing: true,
            told: true,
            ..normal
        };
        assert_eq!(turns(&firing, MANY, 100_000), None);
        assert_eq!(turns(&firing, FEW, 100_000), Some(AlertEvent::Resolved));
    }

    #[test]
    fn what_is_rare_is_missed_after_a_whole_window() {
        let rare = alert(AlertKind::FewerThan);
        assert_eq!(turns(&rare, FEW, 59_999), None);
        assert_eq!(turns(&rare, FEW, 60_000), Some(AlertEvent::Fired));
        // Some logs could not be counted while it fired: it is not known whether it still does.
        let gap = Alert {
            firing: true,
            told: true,
            whole_since: 90_000,
            ..rare
        };
        assert_eq!(turns(&gap, MANY, 100_000), None);
        assert_eq!(turns(&gap, MANY, 150_000), Some(AlertEvent::Resolved));
    }

    #[test]
    fn what_was_muted_when_it_fired_is_told_once_it_is_not() {
        let muted = Alert {
            firing: true,
            muted_until: Some(100_000),
            ..alert(AlertKind::AtLeast)
        };
        assert_eq!(turns(&muted, MANY, 99_999), None);
        assert_eq!(turns(&muted, MANY, 100_000), Some(AlertEvent::StillFiring));
        let for_ever = Alert {
            muted_until: Some(Mute::FOR_EVER),
            ..muted
        };
        assert_eq!(turns(&for_ever, MANY, i64::MAX - 1), None);
        assert_eq!(turns(&for_ever, FEW, 100_000), Some(AlertEvent::Resolved));
    }
}
