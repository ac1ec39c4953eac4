//! Sums of the counts that are kept with the logs (see `tallies`), each part of a range in the coarsest unit that it has whole ones of (see `units`). One statement
//! each, however many parts it takes: on SQLite a statement costs more than what it reads here.

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, query_as, query_scalar};

use super::ValueField;
use super::tallies::{HOUR, MINUTE, NO_CODE};
use super::units::{ONE_BAR, Stretch, Unit, ceil, cut, whole_hours};
use crate::model::log::{Origin, Status};
use crate::model::selection::TimeRange;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError, render};

/// Bars that are summed one by one at most.
const MOST_BARS: i64 = 1_000;

/// How many logs of each status a range has, by bars that begin at multiples of `step` (milliseconds, a multiple of a minute); of one status alone where `only`
/// names it. A bar may come in parts.
pub(super) async fn by_status(
    db: &Db,
    project: ProjectKey,
    origins: &[Origin],
    only: Option<Status>,
    range: TimeRange,
    step: i64,
) -> Result<Vec<(i64, Status, i64)>, StoreError> {
    let parts = cut(range, Unit::of_bars(step));
    if parts.is_empty() || origins.is_empty() {
        return Ok(Vec::new());
    }
    let mut asked = Asked::of(project, origins);
    // SQLite sorts what it groups: minutes are summed bar by bar instead, wherever bars are finer than an hour.
    let (by_bar, by_row): (Vec<&Stretch>, Vec<&Stretch>) = parts
        .iter()
        .partition(|part| db.is_sqlite() && part.unit == Unit::Minute && part.bars(step).is_some_and(|bars| bars <= MOST_BARS));
    let mut arms: Vec<String> = by_bar.iter().map(|part| asked.bars(part, step / MINUTE, only)).collect();
    arms.extend(by_row.iter().map(|part| asked.statuses(part, step, only)));
    let sql = arms.join(" UNION ALL ");
    let sums: Vec<(i64, i16, i64)> = asked.fetch(db, &sql, &["bar", "status", "amount"]).await?;
    sums.into_iter()
        .map(|(bar, status, count)| match status {
            0.. => Ok((bar, Status::of_number(status), count)),
            _ => Err(StoreError::Corrupt(
                "a kept count has a status that there is none of".to_owned(),
            )),
        })
        .collect()
}

/// How many logs each value of a field has in a range that is rounded out to whole hours.
pub(super) async fn by_value(
    db: &Db,
    project: ProjectKey,
    origins: &[Origin],
    field: ValueField,
    range: TimeRange,
) -> Result<Vec<(String, i64)>, StoreError> {
    let parts = cut(whole_hours(range), Unit::Week);
    let mut asked = Asked::of(project, origins);
    let arms: Vec<String> = parts.iter().map(|part| asked.values(part, field)).collect();
    if arms.is_empty() || origins.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT value, CAST(SUM(amount) AS BIGINT) AS amount FROM ({}) AS counted GROUP BY value",
        arms.join(" UNION ALL ")
    );
    asked.fetch(db, &sql, &["value", "amount"]).await
}

/// How many logs each value of some fields has in a range to the millisecond, field by field; none where a ragged end has more than `few` logs, which are looked
/// at one by one. Statuses are counted by the minute, too: there are always some.
pub(super) async fn by_value_exactly(
    db: &Db,
    project: ProjectKey,
    origins: &[Origin],
    fields: &[ValueField],
    range: TimeRange,
    few: usize,
) -> Result<Option<Vec<Vec<(String, i64)>>>, StoreError> {
    let whole = TimeRange {
        from: ceil(range.from, HOUR).saturating_mul(HOUR),
        to: range.to.div_euclid(HOUR) * HOUR,
    };
    let (inner, ends) = if whole.from < whole.to {
        let (from, to) = (range.from, range.to);
        let ends = [TimeRange { from, to: whole.from }, TimeRange { from: whole.to, to }];
        (cut(whole, Unit::Week), ends.map(|end| cut(end, Unit::Row)).concat())
    } else {
        (Vec::new(), cut(range, Unit::Row))
    };
    let mut asked = Asked::of(project, origins);
    let mut arms = Vec::new();
    for field in fields {
        if *field == ValueField::Status {
            arms.extend(cut(range, Unit::Week).iter().map(|part| asked.status_values(part)));
            continue;
        }
        arms.extend(inner.iter().map(|part| asked.values(part, *field)));
        arms.extend(ends.iter().map(|end| asked.looked_at(end, *field, few + 1)));
    }
    if arms.is_empty() || origins.is_empty() {
        return Ok(Some(vec![Vec::new(); fields.len()]));
    }
    let sql = format!(
        "SELECT field, value, CAST(SUM(amount) AS BIGINT) AS amount, CAST(SUM(looked) AS BIGINT) AS looked FROM ({}) AS counted GROUP BY field, value",
        arms.join(" UNION ALL ")
    );
    let sums: Vec<(i16, Option<String>, i64, i64)> = asked.fetch(db, &sql, &["field", "value", "amount", "looked"]).await?;
    let of = |wanted: ValueField| sums.iter().filter(move |(field, ..)| *field == wanted.number());
    let is_few = |field: &ValueField| of(*field).map(|(_, _, _, looked)| looked).sum::<i64>() <= few as i64;
    if !fields.iter().all(is_few) {
        return Ok(None);
    }
    let known = |field: &ValueField| {
        of(*field)
            .filter_map(|(_, value, amount, _)| Some((value.clone()?, *amount)))
            .collect()
    };
    Ok(Some(fields.iter().map(known).collect()))
}

/// A statement in the making: what is bound to it so far, first the project and the origins.
struct Asked {
    bound: Vec<i64>,
    /// Which origins, as a condition on the column.
    origins: String,
}

impl Asked {
    fn of(project: ProjectKey, origins: &[Origin]) -> Self {
        let mut asked = Self {
            bound: vec![project],
            origins: String::new(),
        };
        let places: Vec<String> = origins.iter().map(|origin| asked.bind(origin.number().into())).collect();
        // One alone is not put into a list: SQLite would make a table of it, and go through that for each bar.
        asked.origins = match places.as_slice() {
            [one] => format!("= {one}"),
            some => format!("IN ({})", some.join(", ")),
        };
        asked
    }

    fn bind(&mut self, value: i64) -> String {
        self.bound.push(value);
        format!("${}", self.bound.len())
    }

    fn arm(&mut self, part: &Stretch, columns: &str, field: Option<ValueField>) -> String {
        let (table, at) = part.unit.place();
        let [from, to] = part.bounds().map(|bound| self.bind(bound));
        let field = field
            .map(|field| format!(" AND field = {}", field.number()))
            .unwrap_or_default();
        format!(
            "SELECT {columns} FROM {table} WHERE project_id = $1{field} AND origin {} AND {at} >= {from} AND {at} < {to}",
            self.origins
        )
    }

    /// When, status and count of each bar of so many minutes in a part, whose minutes are summed bar by bar. In SQLite's words.
    fn bars(&mut self, part: &Stretch, minutes: i64, only: Option<Status>) -> String {
        let [from, to] = part.bounds();
        let origins = self.origins.clone();
        let first = self.bind(from.div_euclid(minutes) * minutes);
        let [from, to, minutes] = [from, to, minutes].map(|value| self.bind(value));
        // Both statuses in one sum are read once: successes in its low 32 bits, failures above them. A bar is shorter than an hour.
        let (sum, statuses, amount) = match only.map(Status::number) {
            Some(status) => (
                format!("SUM(count) FILTER (WHERE status = {status})"),
                format!("SELECT {status} AS status"),
                "packed",
            ),
            None => (
                "SUM(count << (32 * status))".to_owned(),
                "SELECT 0 AS status UNION ALL SELECT 1".to_owned(),
                "CASE status WHEN 0 THEN packed & 4294967295 ELSE packed >> 32 END",
            ),
        };
        format!(
            "SELECT minute * {MINUTE} AS bar, status, amount FROM (
                WITH RECURSIVE bars(minute) AS (SELECT {first} UNION ALL SELECT minute + {minutes} FROM bars WHERE minute + {minutes} < {to}),
                sums AS MATERIALIZED (SELECT bars.minute, (SELECT {sum} FROM log_minutes AS kept WHERE kept.project_id = $1 AND kept.origin {origins}
                    AND kept.minute >= MAX(bars.minute, {from}) AND kept.minute < MIN(bars.minute + {minutes}, {to})) AS packed FROM bars)
                SELECT minute, status, {amount} AS amount FROM sums CROSS JOIN ({statuses})
            ) WHERE amount > 0"
        )
    }

    /// When, status and count of each bar of a part. Each part is summed by itself: what SQLite groups it sorts, and rows of several tables become records of
    /// their own first. Where a bar is one of the part's units there is nothing to sum.
    fn statuses(&mut self, part: &Stretch, step: i64, only: Option<Status>) -> String {
        let (_, at) = part.unit.place();
        let at = match part.unit.milliseconds() {
            1 => at.to_owned(),
            long => format!("{at} * {long}"),
        };
        let is_unit = step == part.unit.milliseconds();
        let is_one_bar = step == ONE_BAR;
        let bar = if is_unit {
            at
        } else if is_one_bar {
            "CAST(0 AS BIGINT)".to_owned()
        } else {
            let step = self.bind(step);
            format!("{at} - {at} % {step}")
        };
        let is_by_value = part.unit.is_by_value();
        let (column, status) = if is_by_value {
            ("value", status_of_value())
        } else {
            ("status", "status".to_owned())
        };
        let amount = if is_unit { "count" } else { part.unit.amount() };
        let field = is_by_value.then_some(ValueField::Status);
        let rows = self.arm(part, &format!("{bar} AS bar, {status} AS status, {amount} AS amount"), field);
        let only = match only {
            None => String::new(),
            Some(status) if is_by_value => format!(" AND value = '{}'", status.as_str()),
            Some(status) => format!(" AND status = {}", status.number()),
        };
        let group = match (is_unit, is_one_bar) {
            (true, _) => String::new(),
            (false, true) => format!(" GROUP BY {column}"),
            (false, false) => format!(" GROUP BY 1, {column}"),
        };
        format!("{rows}{only}{group}")
    }

    /// Each value of a field in a part that is counted by values, and its count.
    fn values(&mut self, part: &Stretch, field: ValueField) -> String {
        let columns = format!(
            "CAST({} AS SMALLINT) AS field, value, CAST(SUM(count) AS BIGINT) AS amount, CAST(0 AS BIGINT) AS looked",
            field.number()
        );
        format!("{} GROUP BY value", self.arm(part, &columns, Some(field)))
    }

    /// Each status in a part as a value, and its count.
    fn status_values(&mut self, part: &Stretch) -> String {
        if part.unit.is_by_value() {
            return self.values(part, ValueField::Status);
        }
        let columns = format!(
            "CAST({} AS SMALLINT) AS field, {} AS value, {} AS amount, CAST(0 AS BIGINT) AS looked",
            ValueField::Status.number(),
            value_of(ValueField::Status),
            part.unit.amount()
        );
        format!("{} GROUP BY status", self.arm(part, &columns, None))
    }

    /// The value of each log of a part, at most so many.
    fn looked_at(&mut self, part: &Stretch, field: ValueField, most: usize) -> String {
        let columns = format!(
            "CAST({} AS SMALLINT) AS field, {} AS value, CAST(1 AS BIGINT) AS amount, CAST(1 AS BIGINT) AS looked",
            field.number(),
            value_of(field)
        );
        let rows = self.arm(part, &columns, None);
        // A limit stands for one arm alone where it has brackets of its own.
        format!("SELECT field, value, amount, looked FROM ({rows} LIMIT {most}) AS some_logs")
    }

    /// The rows of a statement with these columns; on SQLite as one text, see [`render::fetch_at_once`].
    async fn fetch<T>(&self, db: &Db, sql: &str, columns: &[&str]) -> Result<Vec<T>, StoreError>
    where
        T: Send + Unpin + DeserializeOwned + for<'r> FromRow<'r, PgRow>,
    {
        Ok(match db {
            Db::Sqlite { read, .. } => {
                let whole = format!("SELECT json_group_array(json_array({})) FROM ({sql})", columns.join(", "));
                let asked = query_scalar::<_, String>(AssertSqlSafe(whole));
                let asked = self.bound.iter().fold(asked, |asked, value| asked.bind(*value));
                render::read_json(&asked.fetch_one(read).await?)?
            }
            Db::Postgres(pool) => {
                let asked = query_as(AssertSqlSafe(sql.to_owned()));
                let asked = self.bound.iter().fold(asked, |asked, value| asked.bind(*value));
                asked.fetch_all(pool).await?
            }
        })
    }
}

/// The number of the status that hours, days and weeks count under a value; -1 for what is none.
fn status_of_value() -> String {
    let [success, failure] = [Status::Success, Status::Failure].map(|status| (status.as_str(), status.number()));
    format!(
        "CAST(CASE value WHEN '{}' THEN {} WHEN '{}' THEN {} ELSE -1 END AS SMALLINT)",
        success.0, success.1, failure.0, failure.1
    )
}

/// A log's value of a field as a text, as the counts of hours name it.
fn value_of(field: ValueField) -> String {
    match field {
        ValueField::Status => format!(
            "CASE status WHEN {} THEN '{}' ELSE '{}' END",
            Status::Failure.number(),
            Status::Failure.as_str(),
            Status::Success.as_str()
        ),
        ValueField::Code => format!("COALESCE(CAST(status_code AS TEXT), '{NO_CODE}')"),
        ValueField::Method => "method".to_owned(),
        ValueField::Endpoint => "endpoint".to_owned(),
        ValueField::Channel => "channel".to_owned(),
    }
}
