//! One log of an embedded view: one that its view selects now, and no other of the project.

use std::time::Duration;

use super::answer::Refused;
use super::list::{columns, here};
use super::{Asked, KIND, Recording, Visit};
use crate::api::log::shown_up_to;
use crate::app::pages::embed::log::{self as view, EmbedLog};
use crate::model::column::Column;
use crate::model::id::is_client_id;
use crate::model::log::{Log, LogFacts};
use crate::model::page::Place;
use crate::model::query::{Order, escape};
use crate::model::selection::{LogSelection, OneOf};
use crate::server::http::recording;
use crate::server::selection::resolve;
use crate::server::store::StoreError;
use crate::server::store::logs::list::{self, ListRequest};
use crate::server::store::logs::{matching, one};

/// Rows of a body: nothing on the page reads on.
const ROWS: u32 = 2_000;

/// The page.
pub(super) async fn page(visit: &Visit, id: &str, asked: &Asked, recording: Option<&Recording>) -> Result<String, Refused> {
    if !is_client_id(id) {
        return Err(Refused::NoLog);
    }
    let (selection, _) = resolve(&visit.shown.query, &visit.context()).map_err(|_| Refused::NoLog)?;
    let log = log(visit, &selection, id).await?.ok_or(Refused::NoLog)?;
    // It is a log of the log that was opened as much as of the link.
    recording::about(recording, "api_log", id);
    recording::beside(recording, KIND, &visit.found.embed.id);
    let rights = visit.shown.rights;
    let mut shown = shown_up_to(log, rights, ROWS);
    // Neither is there for this page: a download and a command for somebody who works.
    shown.import_file = None;
    shown.curl = None;
    let has_ip = columns(visit, &visit.shown.query).contains(&Column::Ip);
    if !rights.read_users && !has_ip {
        // Where somebody came from is who they are, unless whoever made the view shows it.
        shown.facts.ip = None;
    }
    let at = shown.facts.created_at;
    let list = here(asked).map(|turn| format!("?{}={}", turn.argument(), escape(&turn.cursor)));
    Ok(view::page(EmbedLog {
        around: visit.around(at, at),
        log: shown,
        bodies: rights.read_bodies,
        list: list.unwrap_or_else(|| "?".to_owned()),
    }))
}

/// The log, if the view selects it; what it says only where the link shows that.
async fn log(visit: &Visit, selection: &LogSelection, id: &str) -> Result<Option<Log>, StoreError> {
    let Some(facts) = facts(visit, selection, id).await? else {
        return Ok(None);
    };
    let log = if visit.shown.rights.read_bodies {
        one::find(&visit.server.db, visit.found.project.key, id).await?
    } else {
        Some(one::without_text(facts))
    };
    Ok(log.filter(|log| matching::is_meant(selection, log)))
}

/// The facts of a log of the view's time and traffic: what lies outside is not even read.
async fn facts(visit: &Visit, selection: &LogSelection, id: &str) -> Result<Option<LogFacts>, StoreError> {
    let only = LogSelection {
        origins: selection.origins.clone(),
        ids: OneOf {
            wanted: vec![id.to_owned()],
            left_out: Vec::new(),
        },
        ..LogSelection::all(selection.range)
    };
    let request = ListRequest {
        project: visit.found.project.key,
        selection: &only,
        order: Order::NewestFirst,
        place: Place::Start,
        limit: 1,
        budget: Duration::from_millis(visit.server.config.search_ms.into()),
    };
    let page = list::page(&visit.server.db, request).await?;
    Ok(page.rows.into_iter().next())
}
