//! Counts that are written with the logs, and taken back with them: by the minute and the quarter of an hour, and by the hour, the day and the week for each value
//! of some fields.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, query};

use super::ValueField;
use super::rows::column_text;
use crate::model::log::{LogFacts, Origin, Status};
use crate::server::store::StoreError;
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::insert::Insert;
use crate::server::store::projects::ProjectKey;

/// Milliseconds of a minute.
pub(super) const MINUTE: i64 = 60_000;
/// Milliseconds of a quarter of an hour.
pub(super) const QUARTER: i64 = 15 * MINUTE;
/// Milliseconds of an hour.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub(super) const DAY: i64 = 24 * HOUR;
/// Milliseconds of a week.
pub(super) const WEEK: i64 = 7 * DAY;
/// What stands for "no answer" among status codes.
pub(super) const NO_CODE: &str = "none";

const MINUTES: Insert = Insert {
    head: "INSERT INTO log_minutes (project_id, origin, minute, status, count) VALUES",
    tail: "ON CONFLICT (project_id, origin, minute, status) DO UPDATE SET count = log_minutes.count + excluded.count",
    columns: 5,
};
const QUARTERS: Insert = Insert {
    head: "INSERT INTO log_quarters (project_id, origin, quarter, status, count) VALUES",
    tail: "ON CONFLICT (project_id, origin, quarter, status) DO UPDATE SET count = log_quarters.count + excluded.count",
    columns: 5,
};
const HOURS: Insert = Insert {
    head: "INSERT INTO log_value_hours (project_id, field, origin, hour, value, count) VALUES",
    tail: "ON CONFLICT (project_id, field, origin, hour, value) DO UPDATE SET count = log_value_hours.count + excluded.count",
    columns: 6,
};
const DAYS: Insert = Insert {
    head: "INSERT INTO log_value_days (project_id, field, origin, day, value, count) VALUES",
    tail: "ON CONFLICT (project_id, field, origin, day, value) DO UPDATE SET count = log_value_days.count + excluded.count",
    columns: 6,
};
const WEEKS: Insert = Insert {
    head: "INSERT INTO log_value_weeks (project_id, field, origin, week, value, count) VALUES",
    tail: "ON CONFLICT (project_id, field, origin, week, value) DO UPDATE SET count = log_value_weeks.count + excluded.count",
    columns: 6,
};
/// Minutes of a quarter of an hour.
const MINUTES_A_QUARTER: i64 = QUARTER / MINUTE;
/// Hours of a day.
const HOURS_A_DAY: i64 = DAY / HOUR;
/// Days of a week.
const DAYS_A_WEEK: i64 = WEEK / DAY;

/// Counts of one batch. Kept in key order, so that several writers take row locks in the same order.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    minutes: Statuses,
    values: BTreeMap<(ProjectKey, i16, i16, i64), BTreeMap<String, i64>>,
}

/// What of a log is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted<'a> {
    pub(super) origin: Origin,
    pub(super) created_at: i64,
    pub(super) status: Status,
    pub(super) status_code: Option<u16>,
    pub(super) method: &'a str,
    pub(super) endpoint: &'a str,
    pub(super) channel: Option<&'a str>,
}

impl Tallies {
    /// Counts a log.
    pub(super) fn add(&mut self, project: ProjectKey, facts: &LogFacts) {
        let counted = Counted {
            origin: facts.origin,
            created_at: facts.created_at,
            status: facts.status,
            status_code: facts.status_code,
            method: &facts.method,
            endpoint: &facts.endpoint,
            channel: facts.channel.as_deref(),
        };
        self.count(project, &counted, 1);
    }

    /// Counts a log that is deleted.
    pub(super) fn take(&mut self, project: ProjectKey, counted: &Counted<'_>) {
        self.count(project, counted, -1);
    }

    fn count(&mut self, project: ProjectKey, counted: &Counted<'_>, by: i64) {
        let origin = counted.origin.number();
        *self
            .minutes
            .entry((
                project,
                origin,
                counted.created_at.div_euclid(MINUTE),
                counted.status.number(),
            ))
            .or_default() += by;
        let hour = counted.created_at.div_euclid(HOUR);
        let mut count = |field: ValueField, value: &str| {
            let values = self.values.entry((project, field.number(), origin, hour)).or_default();
            match values.get_mut(value) {
                Some(count) => *count += by,
                None => drop(values.insert(value.to_owned(), by)),
            }
        };
        count(ValueField::Status, counted.status.as_str());
        match counted.status_code {
            Some(code) => count(ValueField::Code, &code.to_string()),
            None => count(ValueField::Code, NO_CODE),
        }
        count(ValueField::Method, counted.method);
        count(ValueField::Endpoint, counted.endpoint);
        if let Some(channel) = counted.channel {
            count(ValueField::Channel, channel);
        }
    }

    /// Takes the counts of logs that are deleted from the database's, and leaves no count of nothing.
    pub(super) async fn write_and_clear(self, tx: &mut WriteTx) -> Result<(), StoreError> {
        const MINUTES: &str = "DELETE FROM log_minutes WHERE project_id = $1 AND origin IN (0, 1) AND count <= 0 AND minute IN";
        const QUARTERS: &str =
            "DELETE FROM log_quarters WHERE project_id = $1 AND origin IN (0, 1) AND count <= 0 AND quarter IN";
        const HOURS: &str = "DELETE FROM log_value_hours WHERE project_id = $1 AND field IN (0, 1, 2, 3, 4) AND origin IN (0, 1) AND count <= 0 AND hour IN";
        const DAYS: &str = "DELETE FROM log_value_days WHERE project_id = $1 AND field IN (0, 1, 2, 3, 4) AND origin IN (0, 1) AND count <= 0 AND day IN";
        const WEEKS: &str = "DELETE FROM log_value_weeks WHERE project_id = $1 AND field IN (0, 1, 2, 3, 4) AND origin IN (0, 1) AND count <= 0 AND week IN";
        let minutes: BTreeSet<_> = self
            .minutes
            .keys()
            .map(|(project, _, minute, _)| (*project, *minute))
            .collect();
        let quarters: BTreeSet<_> = minutes
            .iter()
            .map(|(project, minute)| (*project, minute.div_euclid(MINUTES_A_QUARTER)))
            .collect();
        let hours: BTreeSet<_> = self.values.keys().map(|(project, _, _, hour)| (*project, *hour)).collect();
        let days: BTreeSet<_> = hours
            .iter()
            .map(|(project, hour)| (*project, hour.div_euclid(HOURS_A_DAY)))
            .collect();
        let weeks: BTreeSet<_> = days
            .iter()
            .map(|(project, day)| (*project, day.div_euclid(DAYS_A_WEEK)))
            .collect();
        self.write(tx).await?;
        for (sql, places) in [
            (MINUTES, minutes),
            (QUARTERS, quarters),
            (HOURS, hours),
            (DAYS, days),
            (WEEKS, weeks),
        ] {
            let places: Vec<_> = places.into_iter().collect();
            for of_project in places.chunk_by(|a, b| a.0 == b.0) {
                let Some((project, _)) = of_project.first() else { continue };
                // Numbers of our own may stand in the text.
                let list: Vec<String> = of_project.iter().map(|(_, place)| place.to_string()).collect();
                let sql = AssertSqlSafe(format!("{sql} ({})", list.join(",")));
                on_tx!(tx, connection => query(sql).bind(*project).persistent(false).execute(connection).await?.rows_affected());
            }
        }
        Ok(())
    }

    /// Adds the counts to the database's.
    pub(super) async fn write(self, tx: &mut WriteTx) -> Result<(), StoreError> {
        let mut quarters = Statuses::new();
        for ((project, origin, minute, status), count) in &self.minutes {
            let quarter = minute.div_euclid(MINUTES_A_QUARTER);
            *quarters.entry((*project, *origin, quarter, *status)).or_default() += count;
        }
        write_statuses(tx, &MINUTES, self.minutes).await?;
        write_statuses(tx, &QUARTERS, quarters).await?;
        let (mut hours, mut days, mut weeks) = (Sums::new(), Sums::new(), Sums::new());
        for ((project, field, origin, hour), counts) in self.values {
            let day = hour.div_euclid(HOURS_A_DAY);
            for (value, count) in counts {
                let value = column_text(&value).into_owned();
                let week = day.div_euclid(DAYS_A_WEEK);
                *weeks.entry((project, field, origin, week, value.clone())).or_default() += count;
                *days.entry((project, field, origin, day, value.clone())).or_default() += count;
                *hours.entry((project, field, origin, hour, value)).or_default() += count;
            }
        }
        write_sums(tx, &HOURS, hours).await?;
        write_sums(tx, &DAYS, days).await?;
        write_sums(tx, &WEEKS, weeks).await
    }
}

/// Counts by project, origin, minute or quarter, and status.
type Statuses = BTreeMap<(ProjectKey, i16, i64, i16), i64>;

async fn write_statuses(tx: &mut WriteTx, insert: &Insert, counts: Statuses) -> Result<(), StoreError> {
    let counts: Vec<_> = counts.into_iter().collect();
    for chunk in insert.chunks(&counts) {
        let sql = insert.sql(chunk.len(), tx.is_sqlite());
        on_tx!(tx, connection => {
            let mut statement = query(sql);
            for ((project, origin, at, status), count) in chunk {
                statement = statement.bind(*project).bind(*origin).bind(*at).bind(*status).bind(*count);
            }
            statement.execute(connection).await?;
        });
    }
    Ok(())
}

/// Counts by project, field, origin, hour, day or week, and value.
type Sums = BTreeMap<(ProjectKey, i16, i16, i64, String), i64>;

async fn write_sums(tx: &mut WriteTx, insert: &Insert, sums: Sums) -> Result<(), StoreError> {
    let sums: Vec<_> = sums.into_iter().collect();
    for chunk in insert.chunks(&sums) {
        let sql = insert.sql(chunk.len(), tx.is_sqlite());
        on_tx!(tx, connection => {
            let mut statement = query(sql);
            for ((project, field, origin, at, value), count) in chunk {
                statement = statement.bind(*project).bind(*field).bind(*origin).bind(*at).bind(value.as_str()).bind(*count);
            }
            statement.execute(connection).await?;
        });
    }
    Ok(())
}
