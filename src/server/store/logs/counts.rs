//! How many logs there are: totals, histograms, and the values in use behind each choice.

use crate::model::filter::LogFilter;
use crate::model::log::Origin;
use crate::model::page::Total;
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

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

/// How many logs of the selection failed and succeeded; exact from the minute counts where only time, origin and status choose, else counted up to `bound`.
/// A selection with text is not counted.
pub async fn total(db: &Db, project: ProjectKey, selection: &LogSelection, bound: u64) -> Result<(Total, Total), StoreError> {
    let _ = (db, project, selection, bound);
    todo!()
}

/// The histogram of a selection, in steps of `step_ms` (a multiple of a minute), aligned to the epoch plus `offset_ms`; at most `bound` logs are looked at where the minute counts do not do.
pub async fn histogram(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    step_ms: i64,
    bound: u64,
) -> Result<Histogram, StoreError> {
    let _ = (db, project, selection, step_ms, bound);
    todo!()
}

/// The values of a field in use within a range (rounded out to whole hours), with the number of logs behind each, most first.
/// Only for Status, Code, Method, Endpoint, Channel; empty for others.
pub async fn values(
    db: &Db,
    project: ProjectKey,
    field: LogFilter,
    range: TimeRange,
    origins: &[Origin],
    limit: usize,
) -> Result<Vec<(String, u64)>, StoreError> {
    let _ = (db, project, field, range, origins, limit);
    todo!()
}
