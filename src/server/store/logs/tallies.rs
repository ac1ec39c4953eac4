//! Counts that are written with the logs: by the minute, and by the hour for each value of some fields.

use std::collections::BTreeMap;

use sqlx::query;

use super::ValueField;
use super::rows::column_text;
use crate::model::log::LogFacts;
use crate::server::store::StoreError;
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::insert::Insert;
use crate::server::store::projects::ProjectKey;

/// Milliseconds of a minute.
pub(super) const MINUTE: i64 = 60_000;
/// Milliseconds of an hour.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// What stands for "no answer" among status codes.
pub(super) const NO_CODE: &str = "none";

const MINUTES: Insert = Insert {
    head: "INSERT INTO log_minutes (project_id, origin, minute, status, count) VALUES",
    tail: "ON CONFLICT (project_id, origin, minute, status) DO UPDATE SET count = log_minutes.count + excluded.count",
    columns: 5,
};
const VALUES: Insert = Insert {
    head: "INSERT INTO log_value_hours (project_id, field, origin, hour, value, count) VALUES",
    tail: "ON CONFLICT (project_id, field, origin, hour, value) DO UPDATE SET count = log_value_hours.count + excluded.count",
    columns: 6,
};

/// Counts of one batch. Kept in key order, so that several writers take row locks in the same order.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    minutes: BTreeMap<(ProjectKey, i16, i64, i16), i64>,
    values: BTreeMap<(ProjectKey, i16, i16, i64), BTreeMap<String, i64>>,
}

impl Tallies {
    /// Counts a log.
    pub(super) fn add(&mut self, project: ProjectKey, facts: &LogFacts) {
        let origin = facts.origin.number();
        *self
            .minutes
            .entry((project, origin, facts.created_at.div_euclid(MINUTE), facts.status.number()))
            .or_default() += 1;
        let hour = facts.created_at.div_euclid(HOUR);
        let mut count = |field: ValueField, value: &str| {
            let values = self.values.entry((project, field.number(), origin, hour)).or_default();
            match values.get_mut(value) {
                Some(count) => *count += 1,
                None => drop(values.insert(value.to_owned(), 1)),
            }
        };
        count(ValueField::Status, facts.status.as_str());
        match facts.status_code {
            Some(code) => count(ValueField::Code, &code.to_string()),
            None => count(ValueField::Code, NO_CODE),
        }
        count(ValueField::Method, &facts.method);
        count(ValueField::Endpoint, &facts.endpoint);
        if let Some(channel) = &facts.channel {
            count(ValueField::Channel, channel);
        }
    }

    /// Adds the counts to the database's.
    pub(super) async fn write(self, tx: &mut WriteTx) -> Result<(), StoreError> {
        let minutes: Vec<_> = self.minutes.into_iter().collect();
        for chunk in MINUTES.chunks(&minutes) {
            let sql = MINUTES.sql(chunk.len(), tx.is_sqlite());
            on_tx!(tx, connection => {
                let mut statement = query(sql);
                for ((project, origin, minute, status), count) in chunk {
                    statement = statement.bind(*project).bind(*origin).bind(*minute).bind(*status).bind(*count);
                }
                statement.execute(connection).await?;
            });
        }
        let mut values = BTreeMap::new();
        for (key, counts) in self.values {
            for (value, count) in counts {
                *values.entry((key, column_text(&value).into_owned())).or_default() += count;
            }
        }
        let values: Vec<(_, i64)> = values.into_iter().collect();
        for chunk in VALUES.chunks(&values) {
            let sql = VALUES.sql(chunk.len(), tx.is_sqlite());
            on_tx!(tx, connection => {
                let mut statement = query(sql);
                for (((project, field, origin, hour), value), count) in chunk {
                    statement = statement.bind(*project).bind(*field).bind(*origin).bind(*hour).bind(value.as_str()).bind(*count);
                }
                statement.execute(connection).await?;
            });
        }
        Ok(())
    }
}
