//! Lines of an alert's history, as they are made.

use super::watched::Watched;
use crate::model::alert::{AlertEvent, Figures};
use crate::model::id::IdKind;
use crate::server::state::Server;
use crate::server::store::alerts::history::Entry;

/// A line of now.
pub(super) fn of(server: &Server, watched: &Watched, what: AlertEvent, figures: Figures) -> Entry {
    at(server, watched, what, figures, server.clock.now_ms())
}

/// A line of a moment.
pub(super) fn at(server: &Server, watched: &Watched, what: AlertEvent, figures: Figures, now_ms: i64) -> Entry {
    let id = server.random.id(IdKind::AlertEntry, now_ms);
    let query = watched.filters.to_query_string();
    Entry::new(id, &watched.alert, (what, figures), query, now_ms)
}
