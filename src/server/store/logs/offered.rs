//! The values behind a choice, and how many logs of the range each has: whole hours, days and weeks are counted already, what hangs over at the ends is counted row
//! by row while it is little; statuses by the minute, too.

use super::{ValueField, counts, kept};
use crate::model::filter::LogFilter;
use crate::model::log::Origin;
use crate::model::selection::TimeRange;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Logs of both ends together that are counted one by one.
const FEW: usize = 1_000;

/// What a choice offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Each value with the number of logs behind it, most first.
    pub values: Vec<(String, u64)>,
    /// Whether the numbers are of the range itself; else of the hours that it touches.
    pub exact: bool,
}

/// What is offered of a field that is not counted.
const NOTHING: Offered = Offered {
    values: Vec::new(),
    exact: true,
};

/// The values of a field in use within a range. Only for Status, Code, Method, Endpoint and Channel; a code of `none` stands for no answer.
pub async fn offered(
    db: &Db,
    project: ProjectKey,
    field: LogFilter,
    range: TimeRange,
    origins: &[Origin],
    limit: usize,
) -> Result<Offered, StoreError> {
    let offered = all(db, project, &[field], range, origins, limit).await?;
    Ok(offered.into_iter().next().unwrap_or(NOTHING))
}

/// The same of several fields, in their order: with one statement, where nothing is too much.
pub async fn all(
    db: &Db,
    project: ProjectKey,
    fields: &[LogFilter],
    range: TimeRange,
    origins: &[Origin],
    limit: usize,
) -> Result<Vec<Offered>, StoreError> {
    let Some(counted) = fields
        .iter()
        .map(|field| counts::counted_field(*field))
        .collect::<Option<Vec<_>>>()
    else {
        return Ok(vec![NOTHING; fields.len()]);
    };
    let exactly = |sums| Offered {
        values: counts::most(sums, limit),
        exact: true,
    };
    if let Some(sums) = kept::by_value_exactly(db, project, origins, &counted, range, FEW).await? {
        return Ok(sums.into_iter().map(exactly).collect());
    }
    let mut each = Vec::new();
    for (filter, field) in fields.iter().zip(counted) {
        // Statuses are known exactly all the same; the other fields' rows are the same ones, too many for each.
        let sums = match field {
            ValueField::Status => kept::by_value_exactly(db, project, origins, &[field], range, FEW).await?,
            _ => None,
        };
        each.push(match sums.and_then(|sums| sums.into_iter().next()) {
            Some(sums) => exactly(sums),
            None => Offered {
                values: counts::values(db, project, *filter, range, origins, limit).await?,
                exact: false,
            },
        });
    }
    Ok(each)
}
