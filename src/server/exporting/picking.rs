//! Which of a call's comparisons a list's own filters can say: those become the selection, which is found by index. Where one comparison is enough,
//! each that the Logs tab can say keeps the tab's meaning, log by log.

use super::compare::{Op, Test};
use super::condition::{Condition, Pick};
use super::plan::Source;
use crate::model::export::Exported;
use crate::model::filter::{LogFilter, Term, parse_terms};
use crate::model::log::Origin;
use crate::model::query::LogQuery;
use crate::model::selection::{OneOf, TimeRange};
use crate::model::tab::Tab;
use crate::model::zone::rfc3339;
use crate::server::error::ApiError;
use crate::server::selection::{QueryContext, resolve};
use crate::server::store::records::RecordSelection;

/// So many milliseconds after a time that is yet to come there can be no log.
const AHEAD_MS: i64 = 60 * 60 * 1_000;
/// All of time.
const EVER: TimeRange = TimeRange { from: 0, to: i64::MAX };

/// What the Logs tab's own filters can say becomes the selection.
pub(super) fn logs(mut condition: Condition, context: &QueryContext<'_>) -> Result<(Source, Condition), ApiError> {
    let mut query = LogQuery::default();
    let mut range = EVER;
    let asks_origin = condition.reads(&["origin"]);
    if condition.one_is_enough {
        each_by_itself(&mut condition, context)?;
    } else {
        condition
            .tests
            .retain(|test| !narrows(&mut range, test) && !take_log_filter(&mut query, test));
        denials(&mut condition, context)?;
    }
    check_known(&condition, Exported::ApiLog)?;
    // Whoever compares the origin in a way of their own means the logs of both: the list's default would leave some out.
    if asks_origin && !query.filters.iter().any(|(filter, _)| *filter == LogFilter::Origin) {
        query.filters.push((LogFilter::Origin, parse_terms("application,self")));
    }
    let (selection, _) = resolve(&within(query, range, context.now_ms), context)?;
    Ok((Source::Logs(Box::new(selection)), condition))
}

/// A query with its range, as its arguments have it.
fn within(mut query: LogQuery, mut range: TimeRange, now_ms: i64) -> LogQuery {
    if range.to == EVER.to && range.from > now_ms {
        // The list's own end may come before what is asked for, of which there is little yet: logs are at most an hour ahead.
        range.to = range.from.saturating_add(AHEAD_MS);
    }
    query.from = Some(rfc3339(range.from));
    query.to = (range.to < EVER.to).then(|| rfc3339(range.to));
    query
}

/// Makes each comparison that the tab can say a selection of its own. What the tab would refuse is refused.
fn each_by_itself(condition: &mut Condition, context: &QueryContext<'_>) -> Result<(), ApiError> {
    for test in std::mem::take(&mut condition.tests) {
        match pick(&test, false, context)? {
            Some(pick) => condition.picks.push(pick),
            None => match denial(&test, context)? {
                Some(pick) => condition.picks.push(pick),
                None => condition.tests.push(test),
            },
        }
    }
    Ok(())
}

/// Texts that a log must not have, where only the tab's filter knows where to look for them.
fn denials(condition: &mut Condition, context: &QueryContext<'_>) -> Result<(), ApiError> {
    for test in std::mem::take(&mut condition.tests) {
        match denial(&test, context)? {
            Some(pick) => condition.picks.push(pick),
            None => condition.tests.push(test),
        }
    }
    Ok(())
}

fn denial(test: &Test, context: &QueryContext<'_>) -> Result<Option<Pick>, ApiError> {
    let is_denied = test.op == Op::NotContain && LogFilter::of_argument(&test.field).is_some_and(LogFilter::is_literal);
    if !is_denied {
        return Ok(None);
    }
    let wanted = Test {
        op: Op::Contains,
        ..test.clone()
    };
    pick(&wanted, true, context)
}

fn pick(test: &Test, without: bool, context: &QueryContext<'_>) -> Result<Option<Pick>, ApiError> {
    let mut query = LogQuery::default();
    if !take_log_filter(&mut query, test) {
        return Ok(None);
    }
    let asks_origin = query.filters.iter().any(|(filter, _)| *filter == LogFilter::Origin);
    let (mut selection, _) = resolve(&within(query, EVER, context.now_ms), context)?;
    if !asks_origin {
        selection.origins = vec![Origin::Application, Origin::Own];
    }
    selection.range = EVER;
    Ok(Some(Pick { selection, without }))
}

/// Narrows a range to a comparison of the time a record was made; false where it is another, or means more than one span.
fn narrows(range: &mut TimeRange, test: &Test) -> bool {
    let [span] = test.spans.as_slice() else { return false };
    if test.field != "created_at" {
        return false;
    }
    range.from = range.from.max(span.from);
    // Before 1970 there is nothing; a range has an end after its beginning.
    range.to = range.to.min(span.to.max(1));
    true
}

fn take_log_filter(query: &mut LogQuery, test: &Test) -> bool {
    let argument = if test.field == "status_code" {
        "code"
    } else {
        test.field.as_str()
    };
    let Some(filter) = LogFilter::of_argument(argument) else {
        return false;
    };
    let is_slower = filter == LogFilter::Slower;
    let (without, literal) = match test.op {
        // The list's slower=1000 is one number, however it is compared.
        Op::In | Op::Is if is_slower => (false, true),
        Op::In | Op::Is => (false, false),
        Op::NotIn | Op::IsNot => (true, false),
        Op::Contains | Op::MoreThan => (false, true),
        _ => return false,
    };
    let is_of_slower = literal && test.op != Op::Contains;
    if literal != filter.is_literal() || is_of_slower != is_slower || (literal && test.values.len() != 1) {
        return false;
    }
    let terms = test.values.iter().map(|value| Term {
        without,
        value: value.clone(),
    });
    match query.filters.iter_mut().find(|(set, _)| *set == filter) {
        // Two texts of one kind are two conditions; lists of values grow.
        Some(_) if literal => return false,
        Some((_, set)) => set.extend(terms),
        None => query.filters.push((filter, terms.collect())),
    }
    true
}

/// What can be compared besides the fields: what a tab's filters look at.
const fn also_compared(exported: Exported) -> &'static [&'static str] {
    match exported {
        Exported::ApiLog => &["path", "code", "slower", "user"],
        Exported::WebhookSendout => &["webhook", "code"],
        Exported::AsyncAction | Exported::Export => &[],
    }
}

fn check_known(condition: &Condition, exported: Exported) -> Result<(), ApiError> {
    let is_known = |field: &str| exported.fields().contains(&field) || also_compared(exported).contains(&field);
    match condition.tests.iter().find(|test| !is_known(&test.field)) {
        None => Ok(()),
        Some(test) => Err(ApiError::unreadable(format!(
            "parameters.filters: {} cannot be compared so; fields are {}",
            test.field,
            exported.fields().join(", ")
        ))),
    }
}

/// What a tab's own filters can say becomes the selection.
pub(super) fn records(tab: Tab, mut condition: Condition, exported: Exported) -> Result<(Source, Condition), ApiError> {
    let mut selection = RecordSelection {
        tab,
        range: EVER,
        filters: Vec::new(),
    };
    if !condition.one_is_enough {
        condition
            .tests
            .retain(|test| !narrows(&mut selection.range, test) && !take_record_filter(&mut selection, test));
    }
    check_known(&condition, exported)?;
    Ok((Source::Records(selection), condition))
}

fn take_record_filter(selection: &mut RecordSelection, test: &Test) -> bool {
    if !selection.tab.filters().iter().any(|filter| filter.argument == test.field) {
        return false;
    }
    let mut values = OneOf::default();
    match test.op {
        Op::In | Op::Is => &mut values.wanted,
        Op::NotIn | Op::IsNot => &mut values.left_out,
        _ => return false,
    }
    .extend(test.values.iter().cloned());
    selection.filters.push((test.field.clone(), values));
    true
}
