//! Lists of logs, by filter and by text, newest or oldest first, in keyset pages.
//!
//! A list is read through one branch a value of its most selective filter, each on the index of that filter in the list's own order, and merged.
//! What no index settles is checked row by row, a window of time at a go, until the page is full or the time allowed has run out.

use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr};

use super::conditions::{self, Branch, Plan};
use super::fold::fold;
use super::rows::{COLUMNS, FactsRow, shown};
use super::windows::{Windows, in_time};
use super::{counts, keyed, search};
use crate::model::column::Column;
use crate::model::log::{LogFacts, Origin};
use crate::model::page::{Key, Page, Place};
use crate::model::query::Order;
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError, render};

/// Rows that one statement reads at least where the path is looked at afterwards.
const PATH_ROWS: usize = 500;

/// A page that is asked for.
#[derive(Clone, Debug)]
pub struct ListRequest<'a> {
    /// Whose logs.
    pub project: ProjectKey,
    /// Which.
    pub selection: &'a LogSelection,
    /// In which order.
    pub order: Order,
    /// From where.
    pub place: Place,
    /// How many rows at most.
    pub limit: usize,
    /// How long it may take; then the page says how far it got.
    pub budget: Duration,
}

/// Where a list is read from, and in which direction: a page before a key is read backwards.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) order: Order,
    /// Only what comes after this key, in this walk's order.
    pub(super) after: Option<Key>,
    /// The range that is left.
    pub(super) range: TimeRange,
    pub(super) until: Instant,
    /// Rows that are wanted: one more than the page holds.
    pub(super) wanted: usize,
    /// The columns that rows are read with, in the order of [`COLUMNS`].
    pub(super) columns: Vec<&'static str>,
}

/// What a walk found, in its order.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) rows: Vec<LogFacts>,
    /// Set where the time ran out.
    pub(super) searched_to: Option<i64>,
}

/// One page of logs.
pub async fn page(db: &Db, request: ListRequest<'_>) -> Result<Page<LogFacts>, StoreError> {
    let walk = Walk::of(&request);
    walked(db, request, walk).await
}

/// One page of logs for a table that shows these columns alone: the facts may be without what it does not show.
pub async fn page_of(db: &Db, request: ListRequest<'_>, columns: &[Column]) -> Result<Page<LogFacts>, StoreError> {
    let walk = Walk {
        columns: shown(columns).to_vec(),
        ..Walk::of(&request)
    };
    walked(db, request, walk).await
}

async fn walked(db: &Db, request: ListRequest<'_>, walk: Walk) -> Result<Page<LogFacts>, StoreError> {
    let selection = LogSelection {
        range: walk.range,
        ..request.selection.clone()
    };
    let walked = if walk.range.from >= walk.range.to || request.limit == 0 {
        Walked {
            rows: Vec::new(),
            searched_to: None,
        }
    } else if selection.text.is_empty() {
        rows(db, request.project, &selection, &walk).await?
    } else {
        search::rows(db, request.project, &selection, &walk).await?
    };
    Ok(Walk::page(walked, &request))
}

/// The rows that a walk over facts alone finds.
pub(super) async fn rows(db: &Db, project: ProjectKey, selection: &LogSelection, walk: &Walk) -> Result<Walked, StoreError> {
    if !selection.ids.wanted.is_empty() {
        let keys = keyed::keys_of(db, project, &selection.ids.wanted).await?;
        let mut rows = keyed::rows(db, project, selection, &keys).await?;
        rows.retain(|facts| walk.is_ahead(facts));
        return Ok(Walked {
            rows: walk.sorted(rows),
            searched_to: None,
        });
    }
    let codes = if conditions::has_code_class(selection) {
        Some(counts::codes_in_use(db, project, selection).await?)
    } else {
        None
    };
    let reader = Reader {
        db,
        project,
        origins: &selection.origins,
        plan: conditions::plan(selection, codes.as_deref()),
        path: PathNeedle::of(selection),
        up_to_seq: selection.up_to_seq,
        walk,
    };
    if reader.is_settled() {
        return Ok(Walked {
            rows: reader.window(walk.range, walk.wanted).await?,
            searched_to: None,
        });
    }
    reader.windows().await
}

impl Walk {
    pub(super) fn of(request: &ListRequest<'_>) -> Self {
        let (order, after) = match (&request.place, request.order) {
            (Place::Start, order) => (order, None),
            (Place::After(key), order) => (order, Some(key.clone())),
            (Place::Before(key), Order::NewestFirst) => (Order::OldestFirst, Some(key.clone())),
            (Place::Before(key), Order::OldestFirst) => (Order::NewestFirst, Some(key.clone())),
        };
        let whole = request.selection.range;
        let mut range = whole;
        if let Some(key) = &after {
            match order {
                // A key without an id stands before all rows of its millisecond.
                Order::NewestFirst => {
                    range.to = std::cmp::min(range.to, key.created_at.saturating_add(i64::from(!key.id.is_empty())));
                }
                Order::OldestFirst => range.from = std::cmp::max(range.from, key.created_at),
            }
        }
        // A key outside of the range says nothing that the range does not; a database that is told both may begin at the key, and read all that lies between.
        let says_more = |key: &Key| !key.id.is_empty() && whole.from <= key.created_at && key.created_at < whole.to;
        let wanted = request.limit.saturating_add(1);
        Self {
            order,
            after: after.filter(says_more),
            range,
            until: Instant::now() + request.budget,
            wanted,
            columns: COLUMNS.to_vec(),
        }
    }

    /// Whether a row comes after the key that the walk began at.
    pub(super) fn is_ahead(&self, facts: &LogFacts) -> bool {
        let place = (facts.created_at, facts.id.as_str());
        self.after.as_ref().is_none_or(|key| match self.order {
            Order::NewestFirst => place < (key.created_at, key.id.as_str()),
            Order::OldestFirst => place > (key.created_at, key.id.as_str()),
        })
    }

    /// Whether the walk meets the first time before the second.
    pub(super) fn is_sooner(&self, first: i64, second: i64) -> bool {
        if self.order == Order::NewestFirst {
            first > second
        } else {
            first < second
        }
    }

    /// The one of two times that the walk meets first.
    pub(super) fn sooner(&self, first: Option<i64>, second: Option<i64>) -> Option<i64> {
        match (first, second) {
            (Some(first), Some(second)) => Some(if self.is_sooner(first, second) { first } else { second }),
            (first, second) => first.or(second),
        }
    }

    /// How far a walk has got that has read all before `edge`, and not all at it.
    pub(super) const fn reach(&self, edge: i64) -> i64 {
        match self.order {
            Order::NewestFirst => edge.saturating_add(1),
            Order::OldestFirst => edge,
        }
    }

    /// Whether stopping at `edge` would be further than where the walk began: one that goes on must get on.
    pub(super) fn has_moved(&self, edge: i64) -> bool {
        match self.order {
            Order::NewestFirst => self.reach(edge) < self.range.to,
            Order::OldestFirst => self.reach(edge) > self.range.from,
        }
    }

    /// Rows in the walk's order, each once, as many as are wanted.
    pub(super) fn sorted(&self, mut rows: Vec<LogFacts>) -> Vec<LogFacts> {
        rows.sort_unstable_by(|a, b| {
            let order = (a.created_at, &a.id).cmp(&(b.created_at, &b.id));
            if self.order == Order::NewestFirst {
                order.reverse()
            } else {
                order
            }
        });
        rows.dedup_by(|a, b| a.created_at == b.created_at && a.id == b.id);
        rows.truncate(self.wanted);
        rows
    }

    /// The condition that a key stands for.
    pub(super) fn condition(&self) -> Option<SimpleExpr> {
        self.after.as_ref().map(|key| key_condition(key, self.order))
    }

    /// Puts a branch's rows in the walk's order, as many as are asked for.
    pub(super) fn put_in_order(&self, select: &mut SelectStatement, branch: &Branch, limit: usize) {
        let order = if self.order == Order::NewestFirst {
            sea_query::Order::Desc
        } else {
            sea_query::Order::Asc
        };
        if let Some(column) = branch.leading() {
            select.order_by(column, order.clone());
        }
        select
            .order_by("created_at", order.clone())
            .order_by("id", order)
            .limit(limit as u64);
    }

    fn page(walked: Walked, request: &ListRequest<'_>) -> Page<LogFacts> {
        let Walked { mut rows, searched_to } = walked;
        let is_full = rows.len() > request.limit;
        // A full page ends at its last row, wherever the search had got to.
        let searched_to = searched_to.filter(|_| !is_full);
        let more = is_full || searched_to.is_some();
        rows.truncate(request.limit);
        if matches!(request.place, Place::Before(_)) {
            rows.reverse();
            return Page {
                rows,
                more_before: more,
                more_after: true,
                searched_to,
            };
        }
        Page {
            rows,
            more_before: matches!(request.place, Place::After(_)),
            more_after: more,
            searched_to,
        }
    }
}

fn key_condition(key: &Key, order: Order) -> SimpleExpr {
    let place = Expr::tuple([Expr::col("created_at"), Expr::col("id")]);
    let edge = Expr::tuple([Expr::val(key.created_at), Expr::val(key.id.clone())]);
    match order {
        Order::NewestFirst => place.lt(edge),
        Order::OldestFirst => place.gt(edge),
    }
}

/// A literal part of the path, in any case.
pub(super) struct PathNeedle(Finder<'static>);

impl PathNeedle {
    /// What the selection asks of the path.
    pub(super) fn of(selection: &LogSelection) -> Option<Self> {
        selection
            .path
            .as_ref()
            .map(|path| Self(Finder::new(&fold(path.as_bytes())).into_owned()))
    }

    /// Whether a path has it.
    pub(super) fn is_in(&self, path: &str) -> bool {
        self.0.find(&fold(path.as_bytes())).is_some()
    }

    /// What is looked for, folded.
    pub(super) fn needle(&self) -> &[u8] {
        self.0.needle()
    }
}

/// Reads a plan's branches.
pub(super) struct Reader<'a> {
    pub(super) db: &'a Db,
    pub(super) project: ProjectKey,
    pub(super) origins: &'a [Origin],
    pub(super) plan: Plan,
    pub(super) path: Option<PathNeedle>,
    pub(super) up_to_seq: Option<i64>,
    pub(super) walk: &'a Walk,
}

impl Reader<'_> {
    /// Whether indexes settle everything, so that a page never reads rows in vain.
    pub(super) fn is_settled(&self) -> bool {
        self.plan.residual.is_empty() && self.path.is_none()
    }

    /// The rows of window after window, until there are enough or the time has run out. The first one is read however long it takes: a list must get on.
    async fn windows(&self) -> Result<Walked, StoreError> {
        let walk = self.walk;
        let mut windows = Windows::new(self.db, self.project, self.origins, walk.range, walk.order);
        let (mut rows, mut searched_to) = (Vec::new(), None);
        while let Some(window) = windows.next().await? {
            let read = self.window(window, walk.wanted - rows.len());
            let found = match searched_to {
                None => Some(read.await?),
                Some(_) => in_time(walk.until, read).await?,
            };
            let Some(found) = found else {
                return Ok(Walked { rows, searched_to });
            };
            rows.extend(found);
            searched_to = Some(windows.reached());
            if rows.len() >= walk.wanted || windows.is_done() {
                break;
            }
            if Instant::now() >= walk.until {
                return Ok(Walked { rows, searched_to });
            }
        }
        Ok(Walked { rows, searched_to: None })
    }

    /// The first rows of a window, in the walk's order.
    async fn window(&self, window: TimeRange, wanted: usize) -> Result<Vec<LogFacts>, StoreError> {
        let mut rows = Vec::new();
        for branch in &self.plan.branches {
            rows.extend(self.branch(branch, window, wanted).await?);
        }
        let mut rows = self.walk.sorted(rows);
        rows.truncate(wanted);
        Ok(rows)
    }

    async fn branch(&self, branch: &Branch, window: TimeRange, wanted: usize) -> Result<Vec<LogFacts>, StoreError> {
        let Some(path) = &self.path else {
            return self.read(branch, window, self.walk.condition(), wanted).await;
        };
        let mut found = Vec::new();
        let mut condition = self.walk.condition();
        loop {
            let some = self.read(branch, window, condition, wanted.max(PATH_ROWS)).await?;
            let is_last = some.len() < wanted.max(PATH_ROWS);
            condition = some.last().map(|facts| {
                key_condition(
                    &Key {
                        created_at: facts.created_at,
                        id: facts.id.clone(),
                    },
                    self.walk.order,
                )
            });
            found.extend(some.into_iter().filter(|facts| path.is_in(&facts.path)));
            if is_last || found.len() >= wanted {
                return Ok(found);
            }
        }
    }

    async fn read(
        &self,
        branch: &Branch,
        window: TimeRange,
        place: Option<SimpleExpr>,
        limit: usize,
    ) -> Result<Vec<LogFacts>, StoreError> {
        let select = self.select(branch, window, place, limit);
        let rows: Vec<FactsRow> = render::fetch_at_once(self.db, &select, branch.sqlite_index(), &self.walk.columns).await?;
        Ok(rows.into_iter().map(LogFacts::from).collect())
    }

    /// The statement that reads a branch.
    pub(super) fn select(&self, branch: &Branch, window: TimeRange, place: Option<SimpleExpr>, limit: usize) -> SelectStatement {
        let mut select = Query::select();
        select.columns(COLUMNS);
        branch.restrict(&mut select, self.project, window);
        if let Some(last) = self.up_to_seq {
            select.and_where(Expr::col("seq").lte(last));
        }
        if let Some(place) = place {
            select.and_where(place);
        }
        for condition in &self.plan.residual {
            select.and_where(condition.clone());
        }
        if let Some(path) = &self.path {
            select.and_where(conditions::path_may_contain(path.needle(), self.db.is_sqlite()));
        }
        self.walk.put_in_order(&mut select, branch, limit);
        select
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(order: Order, place: Place) -> Walk {
        let selection = LogSelection::all(TimeRange { from: 100, to: 200 });
        Walk::of(&ListRequest {
            project: 1,
            selection: &selection,
            order,
            place,
            limit: 1,
            budget: Duration::ZERO,
        })
    }

    fn key(created_at: i64) -> Key {
        Key {
            created_at,
            id: "a".to_owned(),
        }
    }

    #[test]
    fn a_key_outside_of_the_range_is_not_told_to_the_database() {
        for (order, place) in [
            (Order::NewestFirst, Place::Before(key(50))),
            (Order::OldestFirst, Place::After(key(50))),
            (Order::NewestFirst, Place::After(key(200))),
            (Order::OldestFirst, Place::Before(key(300))),
        ] {
            let walk = walk(order, place.clone());
            assert_eq!(walk.after, None, "{place:?}");
            assert_eq!((walk.range.from, walk.range.to), (100, 200), "{place:?}");
        }
        let walk = walk(Order::NewestFirst, Place::After(key(199)));
        assert_eq!(walk.after, Some(key(199)));
        assert_eq!((walk.range.from, walk.range.to), (100, 200));
    }

    #[test]
    fn a_key_within_the_range_cuts_it() {
        let walk = walk(Order::OldestFirst, Place::After(key(150)));
        assert_eq!(walk.after, Some(key(150)));
        assert_eq!((walk.range.from, walk.range.to), (150, 200));
    }
}
