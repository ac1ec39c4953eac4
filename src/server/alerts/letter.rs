//! What a mail says of an alert.

use super::told::page;
use crate::model::alert::{AlertEvent, logs_link};
use crate::model::query::LogQuery;
use crate::model::zone::Zone;
use crate::server::mail::Letter;
use crate::server::state::Server;
use crate::server::store::alerts::Alert;
use crate::server::store::alerts::history::Entry;
use crate::server::store::alerts::mails::Due;
use crate::server::store::projects::Project;

/// What is written about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) project: &'a Project,
    pub(super) alert: &'a Alert,
    /// What the view is called; none where it is gone.
    pub(super) view: Option<&'a str>,
    pub(super) entry: &'a Entry,
}

/// The mail.
pub(super) fn write(server: &Server, mail: &Due, about: &About<'_>) -> Letter {
    let public = server.config.public_url();
    // The filters of then are as the view had them; what cannot be read any more is left out, and the link shows the window.
    let filters = LogQuery::parse(&about.entry.query).unwrap_or_default();
    let logs = logs_link(&filters, &about.alert.view, about.entry.window);
    Letter {
        id: mail.id.clone(),
        at: about.entry.at,
        to: mail.recipient.clone(),
        subject: subject(about),
        text: text(
            about,
            &format!("{public}/projects/{}/logs{logs}", about.project.id),
            &page(server, about.project, &about.alert.id),
        ),
    }
}

fn subject(about: &About<'_>) -> String {
    let what = match about.entry.what {
        AlertEvent::Tested => "Test",
        other => other.label(),
    };
    format!("[{}] {what}: {}", about.project.name, about.alert.name)
}

fn text(about: &About<'_>, logs: &str, page: &str) -> String {
    let (entry, condition) = (about.entry, about.entry.condition);
    let happened = match entry.what {
        AlertEvent::Tested => "This is a test: somebody pressed Test, and nothing has happened.",
        AlertEvent::Resolved => "The alert is back to normal.",
        AlertEvent::StillFiring => "The alert fired while it was muted, and fires still.",
        _ => "The alert fires.",
    };
    let zone = Zone::utc();
    let (from, to) = entry.window;
    let view = about.view.unwrap_or("a view that is gone");
    format!(
        "{happened}\n\n\
         Alert: {}\n\
         Project: {}\n\
         View: {view}\n\
         Condition: {}\n\
         Counted: {}\n\
         From: {}\n\
         To: {}\n\n\
         The logs of this window:\n{logs}\n\n\
         The alert, its history, and how to mute it:\n{page}\n",
        about.alert.name,
        about.project.name,
        condition.words(),
        condition.figures(entry.figures),
        zone.full(from),
        zone.full(to),
    )
}
