//! The list of an embedded view.

use std::time::Duration;

use super::answer::Refused;
use super::{Asked, Visit};
use crate::api::logs::{Turn, Turning, shown, turns};
use crate::app::pages::embed::list::{self as view, EmbedList};
use crate::model::column::Column;
use crate::model::query::LogQuery;
use crate::server::selection::resolve;
use crate::server::store::logs::list::{self, ListRequest};

/// The page.
pub(super) async fn page(visit: &Visit, asked: &Asked) -> Result<String, Refused> {
    let query = LogQuery {
        after: asked.after.clone(),
        before: asked.before.clone().filter(|_| asked.after.is_none()),
        ..visit.shown.query.clone()
    };
    // The view itself was checked: what makes no sense here is a place that this list never gave out.
    let (selection, place) = resolve(&query, &visit.context()).map_err(|_| Refused::NoPlace)?;
    let request = ListRequest {
        project: visit.found.project.key,
        selection: &selection,
        order: query.order,
        place: place.clone(),
        limit: usize::from(query.limit),
        budget: Duration::from_millis(visit.server.config.search_ms.into()),
    };
    let rows = list::page(&visit.server.db, request).await?;
    let turning = Turning {
        key: &visit.server.key,
        bound_to: &visit.found.embed.id,
        order: query.order,
        place: &place,
    };
    let (newer, older, searched) = turns(&turning, &rows);
    let range = selection.range;
    // One that ends with now lets in what clocks that run ahead have sent, and still ends with now.
    let to = if query.to.is_none() {
        range.to.min(visit.now.max(range.from + 1))
    } else {
        range.to
    };
    let earliest = rows.rows.iter().map(|facts| facts.created_at).fold(range.from, i64::min);
    let columns = columns(visit, &query);
    Ok(view::page(EmbedList {
        around: visit.around(earliest, range.to),
        rows: shown(&rows.rows, &columns, visit.shown.rights),
        columns,
        order: query.order,
        newer,
        older,
        searched,
        range: (range.from, to),
        here: here(asked),
    }))
}

/// The view's columns; a link that does not show who did it has no column for that either.
pub(super) fn columns(visit: &Visit, query: &LogQuery) -> Vec<Column> {
    let mut columns = Column::chosen(&query.columns);
    columns.retain(|column| visit.shown.rights.read_users || !column.reads_users());
    columns
}

/// The place of this very page.
pub(super) fn here(asked: &Asked) -> Option<Turn> {
    let turn = |after: bool, cursor: &Option<String>| {
        cursor.as_ref().map(|cursor| Turn {
            after,
            cursor: cursor.clone(),
        })
    };
    turn(true, &asked.after).or_else(|| turn(false, &asked.before))
}
