//! How many logs there are: totals, histograms, and the values in use behind each choice.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, query_as, query_scalar};

use super::tallies::{HOUR, MINUTE};
use super::{ValueField, bars};
use crate::model::filter::LogFilter;
use crate::model::log::{Origin, Status};
use crate::model::page::Total;
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError, render};

/// How long counting may go on where no count is kept.
const BUDGET: Duration = Duration::from_millis(150);
/// One bar for everything.
const ONE_BAR: i64 = i64::MAX;

/// One bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Where it begins, in milliseconds since 1970; it lasts one step.
    pub from: i64,
    /// Logs that succeeded.
    pub success: u64,
    /// Logs that failed.
    pub failure: u64,
}

/// A histogram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// The bars that are not empty, in time order.
    pub bars: Vec<Bar>,
    /// Whether every log of the selection is in it; false where counting stopped at its bound.
    pub whole: bool,
}

/// Successes and failures of a bar.
pub(super) type Bars = BTreeMap<i64, [u64; 2]>;

/// How many logs of the selection succeeded and failed, in this order; exact from the minute counts where only time, origin and status choose, else
/// counted up to `bound`. A selection with text is not counted.
pub async fn total(db: &Db, project: ProjectKey, selection: &LogSelection, bound: u64) -> Result<(Total, Total), StoreError> {
    if !selection.text.is_empty() {
        return Ok((Total::Unknown, Total::Unknown));
    }
    let (bars, whole) = tally(db, project, selection, ONE_BAR, bound).await?;
    let [success, failure] = bars.values().fold([0; 2], |sum, bar| [sum[0] + bar[0], sum[1] + bar[1]]);
    let total = |count| if whole { Total::Exact(count) } else { Total::AtLeast(count) };
    Ok((total(success), total(failure)))
}

/// The histogram of a selection, in steps of `step_ms` (a multiple of a minute), aligned to 1970; at most `bound` logs are looked at where the minute
/// counts do not do. A selection with text has none.
pub async fn histogram(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    step_ms: i64,
    bound: u64,
) -> Result<Histogram, StoreError> {
    if !selection.text.is_empty() {
        return Ok(Histogram {
            bars: Vec::new(),
            whole: false,
        });
    }
    let step = (step_ms.max(MINUTE) / MINUTE).saturating_mul(MINUTE);
    let (bars, whole) = tally(db, project, selection, step, bound).await?;
    let bars = bars
        .into_iter()
        .map(|(from, [success, failure])| Bar { from, success, failure })
        .collect();
    Ok(Histogram { bars, whole })
}

async fn tally(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    step: i64,
    bound: u64,
) -> Result<(Bars, bool), StoreError> {
    if selection.is_counted() {
        return Ok((exact(db, project, selection, step).await?, true));
    }
    bars::counted(db, project, selection, step, bound, Instant::now() + BUDGET).await
}

/// From the counts that are kept: whole hours, then whole minutes, then rows at the ragged ends.
async fn exact(db: &Db, project: ProjectKey, selection: &LogSelection, step: i64) -> Result<Bars, StoreError> {
    let TimeRange { from, to } = selection.range;
    let mut bars = Bars::new();
    let (first, last) = (ceil(from, MINUTE), to.div_euclid(MINUTE));
    if first >= last {
        bars::rows(db, project, selection, step, TimeRange { from, to }, &mut bars).await?;
        return Ok(bars);
    }
    bars::rows(
        db,
        project,
        selection,
        step,
        TimeRange {
            from,
            to: first * MINUTE,
        },
        &mut bars,
    )
    .await?;
    bars::rows(db, project, selection, step, TimeRange { from: last * MINUTE, to }, &mut bars).await?;
    let per_hour = HOUR / MINUTE;
    let (first_hour, last_hour) = (ceil(first, per_hour), last.div_euclid(per_hour));
    if first_hour < last_hour && (step % HOUR == 0 || step == ONE_BAR) {
        minutes(db, project, selection, step, (first, first_hour * per_hour), &mut bars).await?;
        hours(db, project, selection, step, (first_hour, last_hour), &mut bars).await?;
        minutes(db, project, selection, step, (last_hour * per_hour, last), &mut bars).await?;
    } else {
        minutes(db, project, selection, step, (first, last), &mut bars).await?;
    }
    Ok(bars)
}

const fn ceil(value: i64, unit: i64) -> i64 {
    value.div_euclid(unit) + if value.rem_euclid(unit) == 0 { 0 } else { 1 }
}

/// Adds counts to a bar, unless the selection leaves the status out.
pub(super) fn add(bars: &mut Bars, selection: &LogSelection, bar: i64, status: Status, count: i64) {
    if selection.statuses.is_empty() || selection.statuses.contains(&status) {
        let place = usize::from(status == Status::Failure);
        bars.entry(bar).or_default()[place] += count.unsigned_abs();
    }
}

async fn minutes(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    step: i64,
    (first, end): (i64, i64),
    bars: &mut Bars,
) -> Result<(), StoreError> {
    const SUM: &str = "SELECT minute - minute % $5 AS bar, status AS value, CAST(SUM(count) AS BIGINT) AS amount FROM log_minutes
        WHERE project_id = $1 AND origin = $2 AND minute >= $3 AND minute < $4 AND ($6 < 0 OR status = $6) GROUP BY 1, 2";
    if first >= end {
        return Ok(());
    }
    let status = match selection.statuses[..] {
        [only] => i64::from(only.number()),
        _ => -1,
    };
    for origin in &selection.origins {
        let bound = [project, origin.number().into(), first, end, step / MINUTE, status];
        let sums: Vec<(i64, i16, i64)> = sums(db, SUM, &bound).await?;
        for (minute, status, count) in sums {
            add(
                bars,
                selection,
                if step == ONE_BAR { 0 } else { minute * MINUTE },
                Status::of_number(status),
                count,
            );
        }
    }
    Ok(())
}

async fn hours(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    step: i64,
    (first, end): (i64, i64),
    bars: &mut Bars,
) -> Result<(), StoreError> {
    const SUM: &str = "SELECT hour - hour % $5 AS bar, value, CAST(SUM(count) AS BIGINT) AS amount FROM log_value_hours
        WHERE project_id = $1 AND field = 0 AND origin = $2 AND hour >= $3 AND hour < $4 GROUP BY 1, 2";
    for origin in &selection.origins {
        let bound = [project, origin.number().into(), first, end, step / HOUR];
        let sums: Vec<(i64, String, i64)> = sums(db, SUM, &bound).await?;
        for (hour, value, count) in sums {
            let status =
                Status::parse(&value).ok_or_else(|| StoreError::Corrupt(format!("an hour's count has the status {value}")))?;
            add(bars, selection, if step == ONE_BAR { 0 } else { hour * HOUR }, status, count);
        }
    }
    Ok(())
}

/// The sums of a bar and a value each, under the names `bar`, `value` and `amount`; on SQLite as one text, see [`render::fetch_at_once`].
async fn sums<V>(db: &Db, sql: &str, bound: &[i64]) -> Result<Vec<(i64, V, i64)>, StoreError>
where
    V: DeserializeOwned + Send + Unpin,
    (i64, V, i64): for<'r> FromRow<'r, PgRow>,
{
    Ok(match db {
        Db::Sqlite { read, .. } => {
            let whole = format!("SELECT json_group_array(json_array(bar, value, amount)) FROM ({sql})");
            let asked = bound
                .iter()
                .fold(query_scalar::<_, String>(AssertSqlSafe(whole)), |query, value| {
                    query.bind(value)
                });
            render::read_json(&asked.fetch_one(read).await?)?
        }
        Db::Postgres(pool) => {
            let asked = bound
                .iter()
                .fold(query_as(AssertSqlSafe(sql.to_owned())), sqlx::query::QueryAs::bind);
            asked.fetch_all(pool).await?
        }
    })
}

/// The values of a field in use within a range (rounded out to whole hours), with the number of logs behind each, most first.
/// Only for Status, Code, Method, Endpoint, Channel; empty for others. A code of `none` stands for no answer.
pub async fn values(
    db: &Db,
    project: ProjectKey,
    field: LogFilter,
    range: TimeRange,
    origins: &[Origin],
    limit: usize,
) -> Result<Vec<(String, u64)>, StoreError> {
    const VALUES: &str = "SELECT value, CAST(SUM(count) AS BIGINT) FROM log_value_hours
        WHERE project_id = $1 AND field = $2 AND origin IN ($3, $4) AND hour >= $5 AND hour <= $6
        GROUP BY value ORDER BY 2 DESC, 1 LIMIT $7";
    let field = match field {
        LogFilter::Status => ValueField::Status,
        LogFilter::Code => ValueField::Code,
        LogFilter::Method => ValueField::Method,
        LogFilter::Endpoint => ValueField::Endpoint,
        LogFilter::Channel => ValueField::Channel,
        _ => return Ok(Vec::new()),
    };
    let (Some(first), Some(last)) = (origins.first(), origins.last()) else {
        return Ok(Vec::new());
    };
    let (from, to) = (range.from.div_euclid(HOUR), (range.to.saturating_sub(1)).div_euclid(HOUR));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: Vec<(String, i64)> = on_db!(read db, pool => {
        query_as(VALUES)
            .bind(project)
            .bind(field.number())
            .bind(first.number())
            .bind(last.number())
            .bind(from)
            .bind(to)
            .bind(limit)
            .fetch_all(pool)
            .await?
    });
    Ok(values
        .into_iter()
        .map(|(value, count)| (value, count.unsigned_abs()))
        .collect())
}

/// The status codes that logs within the selection's range have.
pub(super) async fn codes_in_use(db: &Db, project: ProjectKey, selection: &LogSelection) -> Result<Vec<u16>, StoreError> {
    let values = values(db, project, LogFilter::Code, selection.range, &selection.origins, usize::MAX).await?;
    Ok(values.iter().filter_map(|(value, _)| value.parse().ok()).collect())
}
