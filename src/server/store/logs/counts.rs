//! How many logs there are: totals, histograms, and the values in use behind each choice.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::tallies::MINUTE;
use super::units::ONE_BAR;
use super::{ValueField, bars, kept};
use crate::model::filter::LogFilter;
use crate::model::log::{Origin, Status};
use crate::model::page::Total;
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// How long counting may go on where no count is kept.
const BUDGET: Duration = Duration::from_millis(150);

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

/// From the counts that are kept.
async fn exact(db: &Db, project: ProjectKey, selection: &LogSelection, step: i64) -> Result<Bars, StoreError> {
    let mut bars = Bars::new();
    let only = match selection.statuses.as_slice() {
        [status] => Some(*status),
        _ => None,
    };
    for (bar, status, count) in kept::by_status(db, project, &selection.origins, only, selection.range, step).await? {
        add(&mut bars, selection, bar, status, count);
    }
    Ok(bars)
}

/// Adds counts to a bar, unless the selection leaves the status out.
pub(super) fn add(bars: &mut Bars, selection: &LogSelection, bar: i64, status: Status, count: i64) {
    if selection.statuses.is_empty() || selection.statuses.contains(&status) {
        let place = usize::from(status == Status::Failure);
        bars.entry(bar).or_default()[place] += count.unsigned_abs();
    }
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
    let Some(field) = counted_field(field) else {
        return Ok(Vec::new());
    };
    Ok(most(kept::by_value(db, project, origins, field, range).await?, limit))
}

/// A filter's field among those whose values are counted.
pub(super) const fn counted_field(filter: LogFilter) -> Option<ValueField> {
    Some(match filter {
        LogFilter::Status => ValueField::Status,
        LogFilter::Code => ValueField::Code,
        LogFilter::Method => ValueField::Method,
        LogFilter::Endpoint => ValueField::Endpoint,
        LogFilter::Channel => ValueField::Channel,
        _ => return None,
    })
}

/// The most frequent values, most first.
pub(super) fn most(sums: Vec<(String, i64)>, limit: usize) -> Vec<(String, u64)> {
    let mut values: Vec<_> = sums.into_iter().map(|(value, count)| (value, count.unsigned_abs())).collect();
    values.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    values.truncate(limit);
    values
}

/// The status codes that logs within the selection's range have.
pub(super) async fn codes_in_use(db: &Db, project: ProjectKey, selection: &LogSelection) -> Result<Vec<u16>, StoreError> {
    let values = values(db, project, LogFilter::Code, selection.range, &selection.origins, usize::MAX).await?;
    Ok(values.iter().filter_map(|(value, _)| value.parse().ok()).collect())
}
