//! Lists of tasks, exports and sendouts: by filter, newest or oldest first, in keyset pages.

use sea_query::{Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr};
use serde::{Deserialize, Serialize};

use super::exports::ExportRow;
use super::projects::ProjectKey;
use super::render;
use super::tasks::TaskRow;
use super::webhooks::rows::SendoutRow;
use super::{Db, StoreError};
use crate::model::endpoint::Source;
use crate::model::export::{ExportFacts, ExportStatus};
use crate::model::page::{Key, Page, Place};
use crate::model::query::Order;
use crate::model::selection::{CodeRange, OneOf, TimeRange};
use crate::model::sendout::{SendoutFacts, SendoutStatus};
use crate::model::tab::Tab;
use crate::model::task::{OperationStatus, TaskFacts, TaskStatus};

/// Which records of a tab are meant. Numbers are those of the statuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSelection {
    /// Which tab.
    pub tab: Tab,
    /// When they were made.
    pub range: TimeRange,
    /// By argument of the tab's filters: what they must be, or must not be.
    pub filters: Vec<(String, OneOf)>,
}

/// A page that is asked for.
#[derive(Clone, Debug)]
pub struct RecordRequest<'a> {
    /// Whose.
    pub project: ProjectKey,
    /// Which.
    pub selection: &'a RecordSelection,
    /// In which order.
    pub order: Order,
    /// From where.
    pub place: Place,
    /// How many at most.
    pub limit: usize,
}

/// One page of tasks.
pub async fn tasks(db: &Db, request: RecordRequest<'_>) -> Result<Page<TaskFacts>, StoreError> {
    let mut select = select(&request, "tasks", super::tasks::FACTS);
    narrow(&mut select, request.selection);
    let rows: Vec<TaskRow> = render::fetch(db, &select, None).await?;
    Ok(page(rows.into_iter().map(TaskFacts::from).collect(), &request))
}

/// One page of exports.
pub async fn exports(db: &Db, request: RecordRequest<'_>) -> Result<Page<ExportFacts>, StoreError> {
    let mut select = select(&request, "exports", super::exports::FACTS);
    narrow(&mut select, request.selection);
    let rows: Vec<ExportRow> = render::fetch(db, &select, None).await?;
    Ok(page(rows.into_iter().map(ExportFacts::from).collect(), &request))
}

/// One page of sendouts.
pub async fn sendouts(db: &Db, request: RecordRequest<'_>) -> Result<Page<SendoutFacts>, StoreError> {
    let mut select = select(&request, "sendouts", super::webhooks::rows::SENDOUT);
    select.expr(Expr::cust(super::webhooks::rows::BESIDE));
    narrow(&mut select, request.selection);
    let rows: Vec<SendoutRow> = render::fetch(db, &select, None).await?;
    Ok(page(rows.into_iter().map(SendoutFacts::from).collect(), &request))
}

/// One page of exports as the reference turns them: by number, and how many there are in all.
pub async fn numbered_exports(
    db: &Db,
    project: ProjectKey,
    selection: &RecordSelection,
    (by_status, order): (bool, Order),
    (limit, skipped): (u64, u64),
) -> Result<(Vec<ExportFacts>, u64), StoreError> {
    let direction = match order {
        Order::NewestFirst => sea_query::Order::Desc,
        Order::OldestFirst => sea_query::Order::Asc,
    };
    let mut select = Query::select();
    select
        .columns(columns(super::exports::FACTS))
        .from("exports")
        .and_where(Expr::col("project_id").eq(project));
    narrow(&mut select, selection);
    if by_status {
        select.order_by("status", direction.clone());
    }
    select
        .order_by("created_at", direction.clone())
        .order_by("id", direction)
        .limit(limit)
        .offset(skipped);
    let rows: Vec<ExportRow> = render::fetch(db, &select, None).await?;
    let mut count = Query::select();
    count
        .expr(Expr::cust("COUNT(*)"))
        .from("exports")
        .and_where(Expr::col("project_id").eq(project));
    narrow(&mut count, selection);
    let total: Vec<(i64,)> = render::fetch(db, &count, None).await?;
    let total = total.first().map_or(0, |(total,)| total.unsigned_abs());
    Ok((rows.into_iter().map(ExportFacts::from).collect(), total))
}

/// The times of the oldest and the newest record that a selection means; none where it means none.
pub async fn ends(db: &Db, project: ProjectKey, selection: &RecordSelection) -> Result<Option<(i64, i64)>, StoreError> {
    let mut times = Vec::with_capacity(2);
    for direction in [sea_query::Order::Asc, sea_query::Order::Desc] {
        let mut one = Query::select();
        one.column("created_at")
            .from(table(selection.tab))
            .and_where(Expr::col("project_id").eq(project))
            .order_by("created_at", direction)
            .limit(1);
        narrow(&mut one, selection);
        let found: Vec<(i64,)> = render::fetch(db, &one, None).await?;
        times.extend(found.first().map(|(time,)| *time));
    }
    Ok(match times.as_slice() {
        [oldest, newest] => Some((*oldest, *newest)),
        _ => None,
    })
}

/// How many records a selection means, counted up to a bound.
pub async fn count(db: &Db, project: ProjectKey, selection: &RecordSelection, bound: u64) -> Result<u64, StoreError> {
    let mut some = Query::select();
    some.expr(Expr::cust("1"))
        .from(table(selection.tab))
        .and_where(Expr::col("project_id").eq(project))
        .limit(bound);
    narrow(&mut some, selection);
    let mut count = Query::select();
    count.expr(Expr::cust("COUNT(*)")).from_subquery(some, "some");
    let total: Vec<(i64,)> = render::fetch(db, &count, None).await?;
    Ok(total.first().map_or(0, |(total,)| total.unsigned_abs()))
}

/// Whether the project has any record of a tab.
pub async fn any(db: &Db, project: ProjectKey, tab: Tab) -> Result<bool, StoreError> {
    let everything = RecordSelection {
        tab,
        range: TimeRange { from: 0, to: i64::MAX },
        filters: Vec::new(),
    };
    Ok(count(db, project, &everything, 1).await? > 0)
}

const fn table(tab: Tab) -> &'static str {
    match tab {
        Tab::Tasks => "tasks",
        Tab::Exports => "exports",
        Tab::Sendouts => "sendouts",
    }
}

fn columns(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(", ")
}

fn select(request: &RecordRequest<'_>, table: &'static str, facts: &'static str) -> SelectStatement {
    let (order, after) = match (&request.place, request.order) {
        (Place::Start, order) => (order, None),
        (Place::After(key), order) => (order, Some(key)),
        (Place::Before(key), Order::NewestFirst) => (Order::OldestFirst, Some(key)),
        (Place::Before(key), Order::OldestFirst) => (Order::NewestFirst, Some(key)),
    };
    let direction = match order {
        Order::NewestFirst => sea_query::Order::Desc,
        Order::OldestFirst => sea_query::Order::Asc,
    };
    let mut select = Query::select();
    select
        .columns(columns(facts))
        .from(table)
        .and_where(Expr::col("project_id").eq(request.project));
    if let Some(key) = after {
        select.and_where(beyond(key, order));
    }
    select
        .order_by("created_at", direction.clone())
        .order_by("id", direction)
        .limit(request.limit as u64 + 1);
    select
}

fn beyond(key: &Key, order: Order) -> SimpleExpr {
    let place = Expr::tuple([Expr::col("created_at"), Expr::col("id")]);
    let edge = Expr::tuple([Expr::val(key.created_at), Expr::val(key.id.clone())]);
    match order {
        Order::NewestFirst => place.lt(edge),
        Order::OldestFirst => place.gt(edge),
    }
}

pub(super) fn narrow(select: &mut SelectStatement, selection: &RecordSelection) {
    select
        .and_where(Expr::col("created_at").gte(selection.range.from))
        .and_where(Expr::col("created_at").lt(selection.range.to));
    for (argument, values) in &selection.filters {
        if !values.wanted.is_empty() {
            select.and_where(is_among(selection.tab, argument, &values.wanted));
        }
        if !values.left_out.is_empty() {
            // A record without the field does not have the value.
            let among = is_among(selection.tab, argument, &values.left_out);
            select.and_where(Expr::expr(among.clone()).is_null().or(among.not()));
        }
    }
}

fn is_among(tab: Tab, argument: &str, values: &[String]) -> SimpleExpr {
    let numbers = |number: fn(&str) -> Option<i16>| values.iter().filter_map(|value| number(value)).collect::<Vec<_>>();
    let texts = |column: &'static str| Expr::col(column).is_in(values.iter().map(String::as_str));
    match (tab, argument) {
        (Tab::Tasks, "status") => Expr::col("status").is_in(numbers(|word| TaskStatus::parse(word).map(TaskStatus::number))),
        (Tab::Tasks, "operation_status") => {
            Expr::col("operation_status").is_in(numbers(|word| OperationStatus::parse(word).map(OperationStatus::number)))
        }
        (Tab::Exports, "status") => {
            Expr::col("status").is_in(numbers(|word| ExportStatus::parse(word).map(ExportStatus::number)))
        }
        (Tab::Exports, "exported_object") => texts("exported_object"),
        (Tab::Exports, "channel") => texts("channel"),
        (Tab::Exports, "user") => texts("by_whom").or(texts("user_id")),
        (Tab::Sendouts, "status") => {
            Expr::col("status").is_in(numbers(|word| SendoutStatus::parse(word).map(SendoutStatus::number)))
        }
        (Tab::Sendouts, "source") => Expr::col("source").is_in(numbers(|word| Source::parse(word).map(Source::number))),
        (Tab::Sendouts, "webhook") => texts("endpoint_id").or(to_urls(values)),
        (Tab::Sendouts, "type") => values
            .iter()
            .map(|value| is_kind(value))
            .reduce(SimpleExpr::or)
            .unwrap_or_else(|| Expr::val(false)),
        (Tab::Sendouts, "code") => is_code(values),
        (Tab::Tasks, "type") => texts("type"),
        (Tab::Tasks | Tab::Sendouts, "request_id") => texts("request_id"),
        _ => texts("id"),
    }
}

/// To endpoints with one of these addresses, deleted ones among them.
fn to_urls(urls: &[String]) -> SimpleExpr {
    let mut endpoints = Query::select();
    endpoints
        .column("id")
        .from("endpoints")
        .and_where(Expr::col(("endpoints", "project_id")).equals(("sendouts", "project_id")))
        .and_where(Expr::col(("endpoints", "target_url")).is_in(urls.iter().map(String::as_str)));
    Expr::col("endpoint_id").in_subquery(endpoints)
}

/// An event's type, or what it begins with (`voucher.*`, `*`), as endpoints have it.
fn is_kind(value: &str) -> SimpleExpr {
    let Some(prefix) = value.strip_suffix('*') else {
        return Expr::col("type").eq(value);
    };
    let length = i32::try_from(prefix.chars().count()).unwrap_or(i32::MAX);
    let begins: SimpleExpr = Func::cust("substr")
        .args([Expr::col("type"), Expr::val(1_i32), Expr::val(length)])
        .into();
    begins.eq(prefix)
}

/// Codes, classes and ranges of them, or that there was no answer.
fn is_code(values: &[String]) -> SimpleExpr {
    let one = |range: CodeRange| match range {
        None => Expr::col("last_code").is_null(),
        Some((from, to)) if from == to => Expr::col("last_code").eq(from as i16),
        Some((from, to)) => Expr::col("last_code").between(from as i16, to as i16),
    };
    let ranges = values.iter().filter_map(|value| crate::model::selection::code_range(value));
    ranges.map(one).reduce(SimpleExpr::or).unwrap_or_else(|| Expr::val(false))
}

fn page<T>(mut rows: Vec<T>, request: &RecordRequest<'_>) -> Page<T> {
    let more = rows.len() > request.limit;
    rows.truncate(request.limit);
    let backwards = matches!(request.place, Place::Before(_));
    if backwards {
        rows.reverse();
    }
    Page {
        rows,
        more_before: if backwards {
            more
        } else {
            matches!(request.place, Place::After(_))
        },
        more_after: backwards || more,
        searched_to: None,
    }
}
