//! The values behind a choice, and how many logs of the range each has: whole hours are counted already, what hangs over at the ends is counted row
//! by row while it is little.

use std::collections::HashMap;

use sea_query::{Expr, ExprTrait, Query, SimpleExpr};

use super::counts;
use super::tallies::{HOUR, NO_CODE};
use crate::model::filter::LogFilter;
use crate::model::log::Origin;
use crate::model::selection::TimeRange;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError, render};

/// Logs of an end that are counted one by one.
const FEW: usize = 1_000;

/// What a choice offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Each value with the number of logs behind it, most first.
    pub values: Vec<(String, u64)>,
    /// Whether the numbers are of the range itself; else of the hours that it touches.
    pub exact: bool,
}

/// The values of a field in use within a range. Only for Code, Method, Endpoint and Channel; a code of `none` stands for no answer.
pub async fn offered(
    db: &Db,
    project: ProjectKey,
    field: LogFilter,
    range: TimeRange,
    origins: &[Origin],
    limit: usize,
) -> Result<Offered, StoreError> {
    let (whole, ends) = apart(range);
    let mut sums: HashMap<String, u64> = HashMap::new();
    for end in ends {
        let Some(some) = at_an_end(db, project, field, end, origins).await? else {
            let values = counts::values(db, project, field, range, origins, limit).await?;
            return Ok(Offered { values, exact: false });
        };
        for (value, count) in some {
            *sums.entry(value).or_default() += count;
        }
    }
    if let Some(whole) = whole {
        for (value, count) in counts::values(db, project, field, whole, origins, usize::MAX).await? {
            *sums.entry(value).or_default() += count;
        }
    }
    let mut values: Vec<_> = sums.into_iter().collect();
    values.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    values.truncate(limit);
    Ok(Offered { values, exact: true })
}

/// The whole hours of a range, and what hangs over at its ends.
fn apart(range: TimeRange) -> (Option<TimeRange>, Vec<TimeRange>) {
    let TimeRange { from, to } = range;
    let first = from.div_euclid(HOUR) * HOUR + if from.rem_euclid(HOUR) == 0 { 0 } else { HOUR };
    let last = to.div_euclid(HOUR) * HOUR;
    if first >= last {
        return (None, vec![range].into_iter().filter(|range| range.from < range.to).collect());
    }
    let ends = [TimeRange { from, to: first }, TimeRange { from: last, to }];
    (
        Some(TimeRange { from: first, to: last }),
        ends.into_iter().filter(|end| end.from < end.to).collect(),
    )
}

/// The values at an end; none where it has too many logs.
async fn at_an_end(
    db: &Db,
    project: ProjectKey,
    field: LogFilter,
    end: TimeRange,
    origins: &[Origin],
) -> Result<Option<Vec<(String, u64)>>, StoreError> {
    let Some(value) = value_of(field) else {
        return Ok(Some(Vec::new()));
    };
    let mut rows = Query::select();
    rows.expr_as(value, "value")
        .from("logs")
        .and_where(Expr::col("project_id").eq(project))
        .and_where(Expr::col("origin").is_in(origins.iter().map(|origin| origin.number())))
        .and_where(Expr::col("created_at").gte(end.from))
        .and_where(Expr::col("created_at").lt(end.to))
        .limit(FEW as u64 + 1);
    let mut grouped = Query::select();
    grouped
        .column("value")
        .expr_as(Expr::cust("COUNT(*)"), "amount")
        .from_subquery(rows, "some_logs")
        .group_by_col("value");
    let sums: Vec<(Option<String>, i64)> = render::fetch_at_once(db, &grouped, None, &["value", "amount"]).await?;
    let all: i64 = sums.iter().map(|(_, count)| count).sum();
    let known = sums
        .into_iter()
        .filter_map(|(value, count)| Some((value?, count.unsigned_abs())));
    Ok((all <= FEW as i64).then(|| known.collect()))
}

/// A log's value of the field as a text, as the counts of hours name it.
fn value_of(field: LogFilter) -> Option<SimpleExpr> {
    match field {
        LogFilter::Code => Some(Expr::cust(format!("COALESCE(CAST(status_code AS TEXT), '{NO_CODE}')"))),
        LogFilter::Method => Some(Expr::col("method")),
        LogFilter::Endpoint => Some(Expr::col("endpoint")),
        LogFilter::Channel => Some(Expr::col("channel")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_at_whole_hours() {
        let range = |from: i64, to: i64| TimeRange {
            from: from * HOUR / 4,
            to: to * HOUR / 4,
        };
        assert_eq!(apart(range(4, 12)), (Some(range(4, 12)), vec![]));
        assert_eq!(apart(range(3, 13)), (Some(range(4, 12)), vec![range(3, 4), range(12, 13)]));
        assert_eq!(apart(range(5, 12)), (Some(range(8, 12)), vec![range(5, 8)]));
        assert_eq!(apart(range(5, 7)), (None, vec![range(5, 7)]));
        assert_eq!(apart(range(3, 6)), (None, vec![range(3, 6)]));
        assert_eq!(apart(range(5, 5)), (None, vec![]));
    }
}
