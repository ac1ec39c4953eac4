//! What people see of alerts: their state, their figures where the filters are theirs to ask, and what they did.

use super::decide;
use super::watched::{self, Watched};
use crate::model::alert::{AlertFacts, HistoryLine, SHOWN, logs_link};
use crate::model::id::is_client_id;
use crate::model::query::LogQuery;
use crate::server::access::Member;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::alerts::history::{self, Entry};
use crate::server::store::alerts::mails;

/// A project's alerts, by name.
pub async fn all(server: &Server, member: &Member) -> Result<Vec<AlertFacts>, StoreError> {
    let mut all = Vec::new();
    for watched in watched::all(server, &member.project).await? {
        all.push(facts(server, member, watched).await?);
    }
    Ok(all)
}

/// An alert, and the latest of what it did, the newest first.
pub async fn one(server: &Server, member: &Member, id: &str) -> Result<Option<(AlertFacts, Vec<HistoryLine>)>, StoreError> {
    if !is_client_id(id) {
        return Ok(None);
    }
    let Some(watched) = watched::one(server, &member.project, id).await? else {
        return Ok(None);
    };
    let project = member.project.key;
    let entries = history::latest(&server.db, project, id, SHOWN).await?;
    let mut told = mails::of_alert(&server.db, project, id).await?;
    let view = watched.alert.view.clone();
    let line = |entry: Entry| {
        let filters = LogQuery::parse(&entry.query).unwrap_or_default();
        let has_figures = entry.what.has_figures();
        HistoryLine {
            figures: (has_figures && may_ask(server, member, &filters)).then_some(entry.figures),
            logs: has_figures.then(|| logs_link(&filters, &view, entry.window)),
            mails: told.remove(&entry.id).unwrap_or_default(),
            id: entry.id,
            at: entry.at,
            what: entry.what,
            condition: entry.condition,
            muted: entry.muted,
        }
    };
    let lines = entries.into_iter().map(line).collect();
    Ok(Some((facts(server, member, watched).await?, lines)))
}

/// Whether whoever looks may ask for what filters find.
fn may_ask(server: &Server, member: &Member, filters: &LogQuery) -> bool {
    watched::selection(server, &member.project, member.rights, filters).is_ok()
}

async fn facts(server: &Server, member: &Member, watched: Watched) -> Result<AlertFacts, StoreError> {
    let now_ms = server.clock.now_ms();
    let alert = &watched.alert;
    let is_counted = alert.active && watched.selection.is_some() && may_ask(server, member, &watched.filters);
    let figures = if is_counted {
        Some(decide::figures(server, &member.project, alert, now_ms).await?)
    } else {
        None
    };
    let alert = watched.alert;
    Ok(AlertFacts {
        view: watched.view.map(|view| (view.id, view.name)),
        left_out: watched.left_out,
        condition: alert.condition,
        active: alert.active,
        muted_until: alert.muted_until.filter(|until| *until > now_ms),
        firing: alert.firing,
        since: alert.since,
        counts_since: alert.counts_since,
        waits_until: alert.waits_until(now_ms).filter(|_| alert.active),
        figures,
        changed_at: alert.changed_at,
        id: alert.id,
        name: alert.name,
        recipients: alert.recipients,
    })
}
