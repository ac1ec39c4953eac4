//! The mails that tell of alerts, until a mail server took them or they are given up.

use std::collections::HashMap;

use sqlx::{query, query_as};

use super::history::Entry;
use crate::model::alert::MailsFacts;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

const WAITING: i16 = 0;
const SENT: i16 = 1;
const GIVEN_UP: i16 = 2;

/// A mail to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMail {
    /// `alm_…`.
    pub id: String,
    /// To whom.
    pub recipient: String,
}

/// A mail that is due.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    /// Whose.
    pub project_id: ProjectKey,
    /// `alm_…`.
    pub id: String,
    /// The alert that it tells of.
    pub alert_id: String,
    /// The line of its history.
    pub entry_id: String,
    /// To whom.
    pub recipient: String,
    /// Attempts before.
    pub attempts: i64,
    /// When it became due.
    pub due_at: i64,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailEnd {
    /// A mail server took it.
    Sent,
    /// It failed, and is tried again at a time.
    Again(String, i64),
    /// It failed, and is not tried again.
    GivenUp(String),
}

/// Puts a mail among those that wait.
pub(super) async fn add_in(tx: &mut WriteTx, project: ProjectKey, entry: &Entry, mail: &NewMail) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO alert_mails (project_id, id, alert_id, entry_id, recipient, created_at, status, attempts, due_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6)";
    on_tx!(&mut *tx, connection => query(ADD)
        .bind(project)
        .bind(&mail.id)
        .bind(&entry.alert)
        .bind(&entry.id)
        .bind(&mail.recipient)
        .bind(entry.at)
        .bind(WAITING)
        .bind(0_i64)
        .execute(connection)
        .await?
        .rows_affected());
    Ok(())
}

/// Mails that are due, the longest first; also those whose time a clock that was ahead has put later than `latest`.
pub async fn due(db: &Db, now_ms: i64, latest: i64, most: i64) -> Result<Vec<Due>, StoreError> {
    const DUE: &str = "SELECT m.project_id, m.id, m.alert_id, m.entry_id, m.recipient, m.attempts, m.due_at FROM alert_mails AS m \
         JOIN projects AS p ON p.id = m.project_id WHERE p.deleted_at IS NULL AND (m.due_at <= $1 OR m.due_at > $2) ORDER BY m.due_at, m.id LIMIT $3";
    Ok(on_db!(read db, pool => query_as(DUE).bind(now_ms).bind(latest).bind(most).fetch_all(pool).await?))
}

/// Takes a mail that is due for an attempt: until `until` nobody else does. False where somebody else has.
pub async fn take(db: &Db, mail: &Due, until: i64) -> Result<bool, StoreError> {
    const TAKE: &str = "UPDATE alert_mails SET due_at = $5, attempts = attempts + 1 WHERE project_id = $1 AND id = $2 AND due_at = $3 AND attempts = $4";
    let taken = on_db!(write db, pool => query(TAKE)
        .bind(mail.project_id)
        .bind(&mail.id)
        .bind(mail.due_at)
        .bind(mail.attempts)
        .bind(until)
        .execute(pool)
        .await?
        .rows_affected());
    Ok(taken == 1)
}

/// Notes how an attempt ended that was taken until `until`; nothing where somebody else has taken it since.
pub async fn ended(db: &Db, mail: &Due, until: i64, end: &MailEnd) -> Result<(), StoreError> {
    const ENDED: &str =
        "UPDATE alert_mails SET status = $4, due_at = $5, error = $6 WHERE project_id = $1 AND id = $2 AND due_at = $3";
    let (status, due_at, error) = match end {
        MailEnd::Sent => (SENT, None, None),
        MailEnd::Again(why, at) => (WAITING, Some(*at), Some(why)),
        MailEnd::GivenUp(why) => (GIVEN_UP, None, Some(why)),
    };
    on_db!(write db, pool => query(ENDED)
        .bind(mail.project_id)
        .bind(&mail.id)
        .bind(until)
        .bind(status)
        .bind(due_at)
        .bind(error)
        .execute(pool)
        .await?
        .rows_affected());
    Ok(())
}

/// What became of an alert's mails, by the line that they tell of.
pub async fn of_alert(db: &Db, project: ProjectKey, alert: &str) -> Result<HashMap<String, MailsFacts>, StoreError> {
    const OF: &str = "SELECT entry_id, status, error FROM alert_mails WHERE project_id = $1 AND alert_id = $2 ORDER BY id";
    let rows: Vec<(String, i16, Option<String>)> =
        on_db!(read db, pool => query_as(OF).bind(project).bind(alert).fetch_all(pool).await?);
    let mut all: HashMap<String, MailsFacts> = HashMap::new();
    for (entry, status, error) in rows {
        let facts = all.entry(entry).or_default();
        *match status {
            SENT => &mut facts.sent,
            GIVEN_UP => &mut facts.given_up,
            _ => &mut facts.waiting,
        } += 1;
        facts.error = error.or_else(|| facts.error.take());
    }
    Ok(all)
}
