//! What an alert does: its state, the line of its history, the event and the mails, all in one transaction or nothing of it.

use sqlx::query;

use super::Alert;
use super::counts::hold_mark;
use super::history::{self, Entry};
use super::mails::{self, NewMail};
use crate::model::alert::AlertEvent;
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::logs::arrived::Mark;
use crate::server::store::projects::ProjectKey;
use crate::server::store::webhooks::events::OwnEvents;
use crate::server::store::{Db, StoreError};

/// What goes out with it.
#[derive(Debug)]
pub struct Told {
    /// The event.
    pub event: OwnEvents,
    /// The mails.
    pub mails: Vec<NewMail>,
}

/// Turns an alert's state, as it was found when the project was counted up to a mark; false where it is no longer so, or another server has turned it.
pub async fn turn(
    db: &Db,
    project: ProjectKey,
    mark: Mark,
    (alert, entry): (&Alert, &Entry),
    told: Option<Told>,
) -> Result<bool, StoreError> {
    const TURN: &str = "UPDATE alerts SET firing = $6, told = $7, since = CASE WHEN firing = $6 THEN since ELSE $8 END \
         WHERE project_id = $1 AND id = $2 AND active AND firing = $3 AND told = $4 AND counts_since = $5 AND changed_at = $9";
    let mut tx = WriteTx::begin(db).await?;
    if !hold_mark(&mut tx, project, mark).await? {
        return Ok(false);
    }
    let firing = entry.what != AlertEvent::Resolved;
    let turned = on_tx!(&mut tx, connection => query(TURN)
        .bind(project)
        .bind(&alert.id)
        .bind(alert.firing)
        .bind(alert.told)
        .bind(alert.counts_since)
        .bind(firing)
        .bind(firing && told.is_some())
        .bind(entry.at)
        .bind(alert.changed_at)
        .execute(connection)
        .await?
        .rows_affected());
    if turned == 0 {
        return Ok(false);
    }
    history::add_in(&mut tx, project, entry).await?;
    if let Some(told) = told {
        tell_in(&mut tx, project, entry, told).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Tells of an alert although nothing has happened; whether any endpoint wants to hear of it.
pub async fn test(db: &Db, project: ProjectKey, entry: &Entry, told: Told) -> Result<bool, StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    history::add_in(&mut tx, project, entry).await?;
    let heard = tell_in(&mut tx, project, entry, told).await?;
    tx.commit().await?;
    Ok(heard)
}

async fn tell_in(tx: &mut WriteTx, project: ProjectKey, entry: &Entry, told: Told) -> Result<bool, StoreError> {
    let heard = told.event.tell_in(tx, entry.at).await?;
    for mail in &told.mails {
        mails::add_in(tx, project, entry, mail).await?;
    }
    Ok(heard)
}
