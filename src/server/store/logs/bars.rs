//! Counting rows into bars, where the counts that are kept do not say.

use std::collections::HashSet;
use std::time::Instant;

use super::conditions::{self, Branch, Plan};
use super::counts::{self, Bars};
use super::keyed;
use super::list::PathNeedle;
use super::units::ONE_BAR;
use super::windows::{Windows, in_time};
use crate::model::log::Status;
use crate::model::query::Order;
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::store::projects::ProjectKey;
use crate::server::store::render;
use crate::server::store::{Db, StoreError};
use sea_query::{Expr, ExprTrait, Query, SelectStatement};

/// Rows that are counted without a look at the time: so many are read within it even where each is looked for on a disk.
const FEW: u64 = 500;
/// Rows that are counted at once while there is time: so many that are in memory take less than the least of windows.
const AT_ONCE: u64 = 2_000;
/// Rows that are read at least where the path is looked at afterwards.
const LOOKED_AT: u64 = 2_000;

/// Counts rows of any selection without text, newest first, up to `bound` or until the time has run out; gives whether all were counted.
pub(super) async fn counted(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    step: i64,
    bound: u64,
    until: Instant,
) -> Result<(Bars, bool), StoreError> {
    if !selection.ids.wanted.is_empty() {
        return Ok((named(db, project, selection, step).await?, true));
    }
    let codes = if conditions::has_code_class(selection) {
        Some(counts::codes_in_use(db, project, selection).await?)
    } else {
        None
    };
    let plan = conditions::plan(selection, codes.as_deref());
    let mut count = Count {
        db,
        project,
        selection,
        path: PathNeedle::of(selection),
        step,
        bars: Bars::new(),
        left: bound,
    };
    let mut few = Bars::new();
    if plan.residual.is_empty() && count.path.is_none() {
        for most in [FEW, AT_ONCE] {
            count.left = std::cmp::min(bound, most);
            let read = count.window(&plan, selection.range);
            let whole = if most == FEW {
                Some(read.await?)
            } else {
                in_time(until, read).await?
            };
            let counted = std::mem::take(&mut count.bars);
            let Some(whole) = whole else {
                return Ok((few, false));
            };
            few = counted;
            if whole || bound <= most {
                return Ok((few, whole));
            }
        }
        count.left = bound;
    }
    let (bars, whole) = count.until(&plan, until).await?;
    // A slow disk may have let less be counted, window by window, than at once.
    let some = |bars: &Bars| bars.values().flatten().sum::<u64>();
    Ok(if whole || some(&bars) >= some(&few) {
        (bars, whole)
    } else {
        (few, false)
    })
}

/// Logs that are named by their ids: they are read by their keys, and are few.
async fn named(db: &Db, project: ProjectKey, selection: &LogSelection, step: i64) -> Result<Bars, StoreError> {
    let keys = keyed::keys_of(db, project, &selection.ids.wanted).await?;
    let rows = keyed::rows(db, project, selection, &keys).await?;
    let (mut bars, mut seen) = (Bars::new(), HashSet::new());
    for facts in rows {
        let bar = bar_of(step, facts.created_at);
        if seen.insert((facts.created_at, facts.id)) {
            counts::add(&mut bars, selection, bar, facts.status, 1);
        }
    }
    Ok(bars)
}

/// Where the bar of a time begins.
const fn bar_of(step: i64, created_at: i64) -> i64 {
    if step == ONE_BAR { 0 } else { created_at - created_at % step }
}

struct Count<'a> {
    db: &'a Db,
    project: ProjectKey,
    selection: &'a LogSelection,
    path: Option<PathNeedle>,
    step: i64,
    bars: Bars,
    /// How many logs may still be counted.
    left: u64,
}

impl Count<'_> {
    /// Counts window by window, newest first, until the time has run out; gives whether all were counted. The first one is counted however long it takes: some
    /// logs are told of.
    async fn until(mut self, plan: &Plan, until: Instant) -> Result<(Bars, bool), StoreError> {
        let Self {
            db, project, selection, ..
        } = self;
        let mut windows = Windows::new(db, project, &selection.origins, selection.range, Order::NewestFirst);
        let mut is_first = true;
        while let Some(window) = windows.next().await? {
            let read = self.window(plan, window);
            let may_go_on = if std::mem::take(&mut is_first) {
                read.await?
            } else {
                in_time(until, read).await? == Some(true)
            };
            if !may_go_on {
                return Ok((self.bars, false));
            }
            if Instant::now() >= until && !windows.is_done() {
                return Ok((self.bars, false));
            }
        }
        Ok((self.bars, true))
    }

    /// Counts a window; false where the bound was met.
    async fn window(&mut self, plan: &Plan, window: TimeRange) -> Result<bool, StoreError> {
        let mut seen = HashSet::new();
        for branch in &plan.branches {
            // One more than may be counted tells whether there are more.
            let limit = self.left.saturating_add(1);
            let (counted, cut): (Vec<(i64, i16, i64)>, bool) = if plan.overlapping || self.path.is_some() {
                self.one_by_one(plan, branch, window, limit, &mut seen).await?
            } else {
                let grouped = self.grouped(plan, branch, window, limit);
                let columns = ["bar", "status", "amount"];
                (
                    render::fetch_at_once(self.db, &grouped, branch.sqlite_index(), &columns).await?,
                    false,
                )
            };
            for (bar, status, count) in counted {
                let taken = std::cmp::min(count.unsigned_abs(), self.left);
                self.left -= taken;
                counts::add(&mut self.bars, self.selection, bar, Status::of_number(status), taken as i64);
                if taken < count.unsigned_abs() {
                    return Ok(false);
                }
            }
            if cut {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn rows(&self, plan: &Plan, branch: &Branch, window: TimeRange, limit: u64) -> SelectStatement {
        let mut select = Query::select();
        branch.restrict(&mut select, self.project, window);
        for condition in &plan.residual {
            select.and_where(condition.clone());
        }
        if let Some(path) = &self.path {
            select.and_where(conditions::path_may_contain(path.needle(), self.db.is_sqlite()));
        }
        select
            .order_by("created_at", sea_query::Order::Desc)
            .order_by("id", sea_query::Order::Desc)
            .limit(limit);
        select
    }

    fn grouped(&self, plan: &Plan, branch: &Branch, window: TimeRange, limit: u64) -> SelectStatement {
        let created_at = || Expr::col("created_at");
        let bar = if self.step == ONE_BAR {
            Expr::cust("CAST(0 AS BIGINT)")
        } else {
            created_at().sub(created_at().modulo(self.step))
        };
        let mut rows = self.rows(plan, branch, window, limit);
        rows.expr_as(bar, "bar").column("status");
        let mut grouped = Query::select();
        grouped
            .column("bar")
            .column("status")
            .expr_as(Expr::cust("COUNT(*)"), "amount")
            .from_subquery(rows, "counted")
            .group_by_columns(["bar", "status"]);
        grouped
    }

    /// Row by row, where two branches may give the same log, or the path has to be looked at; and whether there were more rows than may be read.
    async fn one_by_one(
        &self,
        plan: &Plan,
        branch: &Branch,
        window: TimeRange,
        limit: u64,
        seen: &mut HashSet<(i64, String)>,
    ) -> Result<(Vec<(i64, i16, i64)>, bool), StoreError> {
        // Where the path is looked at some rows are passed over, so a few more than may be counted are read.
        let limit = if self.path.is_some() {
            std::cmp::max(limit, LOOKED_AT)
        } else {
            limit
        };
        let mut rows = self.rows(plan, branch, window, limit);
        let columns = ["created_at", "id", "status", "path"];
        rows.columns(columns);
        let rows: Vec<(i64, String, i16, String)> =
            render::fetch_at_once(self.db, &rows, branch.sqlite_index(), &columns).await?;
        let cut = rows.len() as u64 == limit;
        let mut counted = Vec::new();
        for (created_at, id, status, path) in rows {
            if self.path.as_ref().is_none_or(|needle| needle.is_in(&path)) && seen.insert((created_at, id)) {
                counted.push((bar_of(self.step, created_at), status, 1));
            }
        }
        Ok((counted, cut))
    }
}
