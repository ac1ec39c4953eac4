//! Gives a query its meaning: times in a zone, relative ranges against now, cursors that were signed, code classes, who may ask what.

use crate::model::log::Origin;
use crate::model::page::{Key, Place};
use crate::model::query::{LogQuery, QueryProblem};
use crate::model::rights::Rights;
use crate::model::selection::LogSelection;

use super::secrets::InstanceKey;

/// What a query is read with.
#[derive(Debug)]
pub struct QueryContext<'a> {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The zone in which times without an offset are meant.
    pub zone: &'a jiff::tz::TimeZone,
    /// What whoever asks may see; a filter on what they may not see is refused.
    pub rights: Rights,
    /// Signs cursors.
    pub key: &'a InstanceKey,
    /// The project's id, which cursors are bound to.
    pub project_id: &'a str,
    /// The range where the query names none: the last 24 hours.
    pub default_origin: Origin,
}

/// The selection and the place that a query means.
pub fn resolve(query: &LogQuery, context: &QueryContext<'_>) -> Result<(LogSelection, Place), QueryProblem> {
    let _ = (query, context);
    todo!()
}

/// The cursor that stands for a place in the list: opaque, signed, bound to the project.
pub fn cursor(key: &InstanceKey, project_id: &str, place: &Key) -> String {
    let _ = (key, project_id, place);
    todo!()
}
