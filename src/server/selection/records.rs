//! The query of a tab of records: times in a zone, signed cursors, statuses that are known, who may ask what.

use jiff::tz::TimeZone;

use super::{MAX_VALUE, MAX_VALUES, QueryContext, SelectionError, cursor, time};
use crate::model::log::Origin;
use crate::model::page::Place;
use crate::model::query::QueryProblem;
use crate::model::rights::Rights;
use crate::model::selection::{OneOf, TimeRange, code_range};
use crate::model::tab::TabQuery;
use crate::server::state::Server;
use crate::server::store::projects::Project;
use crate::server::store::records::RecordSelection;

/// What a call's times are in.
static UTC: TimeZone = TimeZone::UTC;

/// What a call's query is read with: times without an offset are UTC.
pub fn context<'a>(server: &'a Server, project: &'a Project, rights: Rights) -> QueryContext<'a> {
    QueryContext {
        now_ms: server.clock.now_ms(),
        zone: &UTC,
        rights,
        key: &server.key,
        project_id: &project.id,
        default_origin: Origin::Application,
    }
}

/// The selection and the place that a query means.
pub fn resolve(query: &TabQuery, context: &QueryContext<'_>) -> Result<(RecordSelection, Place), SelectionError> {
    let mut filters = Vec::new();
    for filter in query.tab.filters() {
        let terms = query.terms(filter.argument);
        if terms.is_empty() {
            continue;
        }
        let wrong = |reason: String| QueryProblem::new(filter.argument, reason);
        if filter.reads_users && !context.rights.read_users {
            let reason = "this filter reads who did it (read:users), which you may not see here";
            return Err(SelectionError::NotAllowed(wrong(reason.to_owned())));
        }
        if terms.len() > MAX_VALUES {
            return Err(wrong(format!("at most {MAX_VALUES} values")).into());
        }
        let mut values = OneOf::default();
        for term in terms {
            let is_known = |word: &str| word.eq_ignore_ascii_case(&term.value);
            if !filter.choices.is_empty() && !filter.choices.iter().any(|(word, _)| is_known(word)) {
                return Err(wrong(format!("{:?} is not known", term.value)).into());
            }
            if filter.argument == "code" && code_range(&term.value).is_none() {
                let reason = "a response code (404), a class (4xx), a range (400-499), or none";
                return Err(wrong(reason.to_owned()).into());
            }
            if term.value.len() > MAX_VALUE || term.value.contains('\0') {
                return Err(wrong(format!("at most {MAX_VALUE} bytes, and no NUL")).into());
            }
            if term.without {
                &mut values.left_out
            } else {
                &mut values.wanted
            }
            .push(term.value.clone());
        }
        filters.push((filter.argument.to_owned(), values));
    }
    let selection = RecordSelection {
        tab: query.tab,
        range: range(query, context)?,
        filters,
    };
    let read = |argument, text: &str| cursor::read(argument, text, context.key, context.project_id);
    let place = match (&query.after, &query.before) {
        (Some(after), _) => Place::After(read("after", after)?),
        (None, Some(before)) => Place::Before(read("before", before)?),
        (None, None) => Place::Start,
    };
    Ok((selection, place))
}

fn range(query: &TabQuery, context: &QueryContext<'_>) -> Result<TimeRange, QueryProblem> {
    let read = |argument, text: &Option<String>| {
        text.as_deref()
            .map(|text| time::read(argument, text, context.now_ms, context.zone))
            .transpose()
    };
    let to = read("to", &query.to)?;
    // A tab's own range ends with now, or with the end that was named.
    let default_from = query.tab.default_from().map(str::to_owned);
    let default_from = default_from.map_or(Ok(0), |from| {
        time::read("from", &from, to.unwrap_or(context.now_ms), context.zone)
    });
    let range = TimeRange {
        from: read("from", &query.from)?.map_or_else(|| default_from, Ok)?,
        to: to.unwrap_or(i64::MAX),
    };
    if range.from >= range.to {
        return Err(QueryProblem::new("from", "must be before to"));
    }
    Ok(range)
}
