//! What a kept view's query means by now: the tab's own query, without what it no longer knows.

use jiff::tz::TimeZone;

use crate::model::alert;
use crate::model::log::Origin;
use crate::model::query::{LogQuery, QueryProblem, escape, pairs};
use crate::model::rights::Rights;
use crate::model::view::{ViewQuery, ViewTab};
use crate::server::selection::{self, QueryContext, SelectionError, records};
use crate::server::state::Server;
use crate::server::store::projects::Project;
use crate::server::store::views::View;

/// Whoever reads a view may see less than who saved it: that is for its list to say, not for the view.
pub(in crate::server) const ALL_RIGHTS: Rights = Rights {
    read_bodies: true,
    read_users: true,
    work: true,
    settle: true,
};

/// Arguments of a view that say how it shows logs, and not which.
const OF_THE_LIST: [&str; 6] = ["from", "to", "order", "limit", "tz", "columns"];

/// Whether a query makes sense to whoever has these rights, as its list would find.
pub fn check(server: &Server, project: &Project, rights: Rights, query: &ViewQuery, now_ms: i64) -> Result<(), SelectionError> {
    let zone = zone(query.zone(), project)?;
    let context = QueryContext {
        now_ms,
        zone: &zone,
        rights,
        key: &server.key,
        project_id: &project.id,
        default_origin: Origin::Application,
    };
    match query {
        ViewQuery::Logs(query) => selection::resolve(query, &context).map(|_| ()),
        ViewQuery::Records(query) => records::resolve(query, &context).map(|_| ()),
    }
}

/// The zone in which times without an offset are meant; a browser's own may be any.
fn zone(asked: Option<&str>, project: &Project) -> Result<TimeZone, QueryProblem> {
    match asked {
        None | Some("utc" | "UTC" | "local") => Ok(TimeZone::UTC),
        Some(name) => selection::zone(name, &project.time_zone),
    }
}

/// The query of a view as its tab reads it, and the arguments that were saved by another version and mean nothing to this one.
pub fn read(server: &Server, project: &Project, view: &View) -> (ViewQuery, Vec<String>) {
    // Two ends of time are held against each other as they were when it was saved.
    let makes_sense = |query: &ViewQuery| check(server, project, ALL_RIGHTS, query, view.changed_at).is_ok();
    read_by(view.tab, &view.query, makes_sense)
}

/// The filters of a view of the Logs tab, and those among them that mean nothing to this version: which logs are meant, not how they are shown.
pub fn filters(server: &Server, project: &Project, view: &View) -> (LogQuery, Vec<String>) {
    let (query, mut left_out) = read(server, project, view);
    left_out.retain(|name| !OF_THE_LIST.contains(&name.as_str()));
    match query {
        ViewQuery::Logs(query) => (alert::watched(&query), left_out),
        ViewQuery::Records(_) => (LogQuery::default(), left_out),
    }
}

fn read_by(tab: ViewTab, text: &str, makes_sense: impl Fn(&ViewQuery) -> bool) -> (ViewQuery, Vec<String>) {
    let understood = |text: &str| ViewQuery::to_save(tab, text).ok().filter(|query| makes_sense(query));
    if let Some(query) = understood(text) {
        return (query, Vec::new());
    }
    let (mut kept, mut query, mut left_out) = (String::new(), ViewQuery::all(tab), Vec::new());
    for (name, value) in pairs(text) {
        let with = format!("{kept}&{}={}", escape(&name), escape(&value));
        match understood(&with) {
            Some(more) => (kept, query) = (with, more),
            None if left_out.contains(&name) => {}
            None => left_out.push(name),
        }
    }
    (query, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_of_another_version_loses_what_is_not_known_and_no_more() {
        let is_known = |query: &ViewQuery| !query.to_query_string().contains("HALF");
        let (query, left_out) = read_by(
            ViewTab::Logs,
            "from=-7d&gone=1&status=HALF&method=GET&limit=9000&gone=2&columns=time,none",
            is_known,
        );
        assert_eq!(query.to_query_string(), "from=-7d&method=GET");
        assert_eq!(left_out, ["gone", "status", "limit", "columns"]);
        let (query, left_out) = read_by(ViewTab::Tasks, "status=DONE", is_known);
        assert_eq!((query.to_query_string().as_str(), left_out.len()), ("status=DONE", 0));
        let (query, left_out) = read_by(ViewTab::Exports, "\0%FF=&&==&x", is_known);
        assert_eq!(query, ViewQuery::all(ViewTab::Exports));
        assert!(!left_out.is_empty());
    }
}
