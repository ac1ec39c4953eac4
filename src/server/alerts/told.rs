//! What goes out when an alert does something: the event for webhooks, and mails to its addresses.

use serde_json::{Value, json};

use super::watched::Watched;
use crate::model::alert::{AlertEvent, AlertKind};
use crate::model::endpoint::kinds;
use crate::model::id::IdKind;
use crate::model::query::escape;
use crate::model::zone::rfc3339;
use crate::server::state::Server;
use crate::server::store::alerts::history::Entry;
use crate::server::store::alerts::mails::NewMail;
use crate::server::store::alerts::turn::Told;
use crate::server::store::projects::Project;
use crate::server::webhooks::own;

/// What tells of a line of an alert's history.
pub(super) fn told(server: &Server, project: &Project, watched: &Watched, entry: &Entry) -> Told {
    let kind = if entry.what == AlertEvent::Resolved {
        kinds::ALERT_RESOLVED
    } else {
        kinds::ALERT_FIRED
    };
    let data = data(server, project, watched, entry);
    Told {
        event: own::alert(server, project.key, kind, &watched.alert.id, data),
        mails: mails(server, watched, entry),
    }
}

/// The event's data: figures, and names that people gave; neither filters, which may name persons, nor anything of a log.
fn data(server: &Server, project: &Project, watched: &Watched, entry: &Entry) -> Value {
    let condition = entry.condition;
    let threshold = match condition.kind {
        AlertKind::FailureShare => json!(f64::from(condition.threshold) / 10.0),
        AlertKind::AtLeast | AlertKind::FewerThan => json!(condition.threshold),
    };
    json!({
        "object": "alert",
        "id": watched.alert.id,
        "name": watched.alert.name,
        "status": if entry.what == AlertEvent::Resolved { "NORMAL" } else { "FIRING" },
        "test": entry.what == AlertEvent::Tested,
        "view": watched.view.as_ref().map(|view| json!({ "id": view.id, "name": view.name })),
        "kind": condition.kind,
        "threshold": threshold,
        "least_logs": (condition.kind == AlertKind::FailureShare).then_some(condition.least_logs),
        "window_minutes": condition.window_minutes,
        "count": entry.figures.logs,
        "failed": entry.figures.failed,
        "failure_share": entry.figures.share(),
        "from": rfc3339(entry.window.0),
        "to": rfc3339(entry.window.1),
        "url": page(server, project, &watched.alert.id),
    })
}

/// The alert's own page.
pub(super) fn page(server: &Server, project: &Project, alert: &str) -> String {
    let (public, id) = (server.config.public_url(), escape(alert));
    format!("{public}/projects/{}/settings/alerts/{id}", project.id)
}

/// A mail to each address, where a mail server is configured.
fn mails(server: &Server, watched: &Watched, entry: &Entry) -> Vec<NewMail> {
    if server.mail.is_none() {
        return Vec::new();
    }
    let mail = |recipient: &String| NewMail {
        id: server.random.id(IdKind::AlertMail, entry.at),
        recipient: recipient.clone(),
    };
    watched.alert.recipients.iter().map(mail).collect()
}
