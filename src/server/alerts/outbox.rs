//! Sends the mails that tell of alerts: each until the mail server took it, or its tries are used up.
//!
//! A mail is taken for an attempt by moving the time at which it is due; killed in between, it is due again then. So it comes at least once, each time under the
//! same id.

use std::collections::HashMap;

use super::letter::{self, About};
use crate::server::mail::{Letter, Mailer, PATIENCE};
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::alerts::mails::{self, Due, MailEnd};
use crate::server::store::alerts::{self as store, history};
use crate::server::store::projects::{self, Project};
use crate::server::store::views;

/// Seconds before each further attempt; after the last one a mail is given up.
const SCHEDULE: [i64; 6] = [60, 300, 900, 3_600, 3 * 3_600, 6 * 3_600];
/// How long an attempt has the mail for itself, in milliseconds: twice as long as it may take.
const TAKEN_MS: i64 = 2 * 1_000 * PATIENCE.as_secs() as i64;
/// Mails that are read at a time.
const SOME: i64 = 50;

/// Sends what is due; how many mails were tried.
pub(super) async fn send_due(server: &Server) -> Result<usize, StoreError> {
    let Some(mailer) = &server.mail else { return Ok(0) };
    let now_ms = server.clock.now_ms();
    let latest = now_ms + 1_000 * SCHEDULE.iter().max().copied().unwrap_or_default() + TAKEN_MS;
    let due = mails::due(&server.db, now_ms, latest, SOME).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let projects = projects::all(&server.db).await?;
    let projects: HashMap<i64, Project> = projects.into_iter().map(|project| (project.key, project)).collect();
    let mut tried = 0;
    for mail in due {
        let until = server.clock.now_ms() + TAKEN_MS;
        if !mails::take(&server.db, &mail, until).await? {
            continue;
        }
        tried += 1;
        let letter = match projects.get(&mail.project_id) {
            Some(project) => write(server, project, &mail).await?,
            None => None,
        };
        let end = match letter {
            Some(letter) => attempt(server, mailer, &mail, &letter).await,
            None => MailEnd::GivenUp("What it was to tell of is gone.".to_owned()),
        };
        mails::ended(&server.db, &mail, until, &end).await?;
    }
    Ok(tried)
}

async fn write(server: &Server, project: &Project, mail: &Due) -> Result<Option<Letter>, StoreError> {
    let alert = store::find(&server.db, project.key, &mail.alert_id).await?;
    let entry = history::find(&server.db, project.key, &mail.entry_id).await?;
    let (Some(alert), Some(entry)) = (alert, entry) else {
        return Ok(None);
    };
    let view = views::find(&server.db, project.key, &alert.view).await?;
    let about = About {
        project,
        view: view.as_ref().map(|view| view.name.as_str()),
        alert: &alert,
        entry: &entry,
    };
    Ok(Some(letter::write(server, mail, &about)))
}

async fn attempt(server: &Server, mailer: &Mailer, mail: &Due, letter: &Letter) -> MailEnd {
    let Err(error) = mailer.send(letter).await else {
        metrics::counter!("alert_mails_total", "outcome" => "sent").increment(1);
        return MailEnd::Sent;
    };
    metrics::counter!("alert_mails_total", "outcome" => "failed").increment(1);
    tracing::warn!(%error, mail = mail.id, attempt = mail.attempts + 1, "a mail that tells of an alert was not taken");
    let wait = usize::try_from(mail.attempts).ok().and_then(|before| SCHEDULE.get(before));
    match wait {
        Some(seconds) => MailEnd::Again(error.to_string(), server.clock.now_ms() + seconds * 1_000),
        None => MailEnd::GivenUp(error.to_string()),
    }
}
