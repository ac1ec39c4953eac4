//! Gives a query its meaning: times in a zone, relative ranges against now, cursors that were signed, code classes, who may ask what.

mod cursor;
mod pasted;
pub mod records;
mod time;

use jiff::tz::TimeZone;

use crate::model::filter::{LogFilter, Term};
use crate::model::log::{Origin, Status};
use crate::model::page::Place;
use crate::model::query::{DEFAULT_FROM, LogQuery, QueryProblem};
use crate::model::rights::Rights;
use crate::model::selection::{CodeRange, LogSelection, OneOf, TextNeedles, TimeRange, code_range};

use super::secrets::InstanceKey;

pub use cursor::cursor;
pub(crate) use time::read as read_time;

/// Values that one filter may name: enough for any list that a person pastes, and under what one statement can bind.
const MAX_VALUES: usize = 100;
/// Bytes of a value or a text that is searched for.
const MAX_VALUE: usize = 4_096;
/// Logs may be so many milliseconds ahead of the server's clock, so a list that is open at its end shows those too.
const AHEAD_MS: i64 = 60 * 60 * 1_000;

/// What a query is read with.
#[derive(Debug)]
pub struct QueryContext<'a> {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The zone in which times without an offset are meant.
    pub zone: &'a TimeZone,
    /// What whoever asks may see; a filter on what they may not see is refused.
    pub rights: Rights,
    /// Signs cursors.
    pub key: &'a InstanceKey,
    /// The project's id, which cursors are bound to.
    pub project_id: &'a str,
    /// Whose traffic is meant where the query does not say.
    pub default_origin: Origin,
}

/// Why a query selects nothing. Both name the argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// An argument makes no sense.
    #[error(transparent)]
    Problem(#[from] QueryProblem),
    /// It makes sense, but whoever asks may not see what it reads.
    #[error("{0}")]
    NotAllowed(QueryProblem),
}

/// The selection and the place that a query means.
pub fn resolve(query: &LogQuery, context: &QueryContext<'_>) -> Result<(LogSelection, Place), SelectionError> {
    check_rights(query, context.rights)?;
    check_values(query)?;
    let codes = codes(query.terms(LogFilter::Code))?;
    let selection = LogSelection {
        range: range(query, context)?,
        origins: chosen(
            "origin",
            query.terms(LogFilter::Origin),
            &[Origin::Application, Origin::Own],
            Origin::parse,
        )?
        .unwrap_or_else(|| vec![context.default_origin]),
        statuses: chosen(
            "status",
            query.terms(LogFilter::Status),
            &[Status::Success, Status::Failure],
            Status::parse,
        )?
        .unwrap_or_default(),
        codes: codes.0,
        codes_left_out: codes.1,
        methods: in_capitals(one_of(query, LogFilter::Method)),
        endpoints: one_of(query, LogFilter::Endpoint),
        channels: one_of(query, LogFilter::Channel),
        users: one_of(query, LogFilter::User),
        apps: one_of(query, LogFilter::AppId),
        client_apps: one_of(query, LogFilter::ClientAppId),
        request_ids: one_of(query, LogFilter::RequestId),
        ids: one_of(query, LogFilter::LogId),
        resources: one_of(query, LogFilter::Resource),
        ips: one_of(query, LogFilter::Ip),
        path: literal(query, LogFilter::Path),
        slower_than_us: slower_than_us(query)?,
        text: TextNeedles {
            anywhere: literal(query, LogFilter::Anywhere).map(pasted::meant),
            request_body: literal(query, LogFilter::RequestBody),
            response_body: literal(query, LogFilter::ResponseBody),
        },
        up_to_seq: None,
    };
    Ok((selection, place(query, context)?))
}

/// The zone that an argument names: `utc`, `project` for the one of a project, or an IANA name.
pub fn zone(asked: &str, project: &str) -> Result<TimeZone, QueryProblem> {
    let name = match asked {
        "utc" => return Ok(TimeZone::UTC),
        "project" => project,
        name => name,
    };
    TimeZone::get(name).map_err(|_| QueryProblem::new("tz", "utc, project, or a zone such as Europe/Berlin"))
}

fn check_rights(query: &LogQuery, rights: Rights) -> Result<(), SelectionError> {
    let refused = |filter: LogFilter, what: &str| {
        let reason = format!("this filter reads {what}, which you may not see here");
        Err(SelectionError::NotAllowed(QueryProblem::new(filter.argument(), &reason)))
    };
    for (filter, _) in &query.filters {
        if filter.reads_text() && !rights.read_bodies {
            return refused(*filter, "headers and bodies (read:bodies)");
        }
        if filter.reads_users() && !rights.read_users {
            return refused(*filter, "who did it (read:users)");
        }
    }
    Ok(())
}

fn check_values(query: &LogQuery) -> Result<(), QueryProblem> {
    for (filter, terms) in &query.filters {
        let wrong = |reason: &str| Err(QueryProblem::new(filter.argument(), reason));
        if terms.len() > MAX_VALUES {
            return wrong(&format!("at most {MAX_VALUES} values"));
        }
        if terms.iter().any(|term| term.value.len() > MAX_VALUE) {
            return wrong(&format!("at most {MAX_VALUE} bytes"));
        }
        // No column holds one, and PostgreSQL takes none.
        if terms.iter().any(|term| term.value.contains('\0')) {
            return wrong("a NUL stands in nothing that is kept");
        }
    }
    Ok(())
}

fn range(query: &LogQuery, context: &QueryContext<'_>) -> Result<TimeRange, QueryProblem> {
    let read = |argument, text: &str| time::read(argument, text, context.now_ms, context.zone);
    let to = query.to.as_deref().map(|text| read("to", text)).transpose()?;
    let from = match (query.from.as_deref(), to) {
        (Some(text), _) => read("from", text)?,
        // The default is as long before an end that lies in the past as it is before now.
        (None, Some(to)) if to < context.now_ms => time::read("from", DEFAULT_FROM, to, context.zone)?,
        (None, _) => read("from", DEFAULT_FROM)?,
    };
    let to = to.unwrap_or_else(|| context.now_ms.saturating_add(AHEAD_MS));
    if from >= to {
        return Err(QueryProblem::new("from", "must be before to"));
    }
    Ok(TimeRange { from, to })
}

fn place(query: &LogQuery, context: &QueryContext<'_>) -> Result<Place, QueryProblem> {
    let read = |argument, text: &str| cursor::read(argument, text, context.key, context.project_id);
    match (&query.after, &query.before) {
        (Some(after), _) => Ok(Place::After(read("after", after)?)),
        (None, Some(before)) => Ok(Place::Before(read("before", before)?)),
        (None, None) => Ok(Place::Start),
    }
}

/// The values that are wanted and not left out; none where the filter is not set.
fn chosen<T: Copy + PartialEq>(
    argument: &str,
    terms: &[Term],
    all: &[T],
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<Vec<T>>, QueryProblem> {
    if terms.is_empty() {
        return Ok(None);
    }
    let mut wanted = Vec::new();
    let mut left_out = Vec::new();
    for term in terms {
        let value = parse(&term.value).ok_or_else(|| QueryProblem::new(argument, format!("{:?} is not known", term.value)))?;
        if term.without { &mut left_out } else { &mut wanted }.push(value);
    }
    let is_chosen = |value: &T| (wanted.is_empty() || wanted.contains(value)) && !left_out.contains(value);
    let chosen: Vec<T> = all.iter().copied().filter(is_chosen).collect();
    if chosen.is_empty() {
        return Err(QueryProblem::new(argument, "leaves nothing to choose from"));
    }
    Ok(Some(chosen))
}

fn codes(terms: &[Term]) -> Result<(Vec<CodeRange>, Vec<CodeRange>), QueryProblem> {
    let (mut wanted, mut left_out) = (Vec::new(), Vec::new());
    for term in terms {
        let range = code_range(&term.value)
            .ok_or_else(|| QueryProblem::new("code", "a status code (404), a class (4xx), a range (400-499), or none"))?;
        if term.without { &mut left_out } else { &mut wanted }.push(range);
    }
    Ok((wanted, left_out))
}

fn one_of(query: &LogQuery, filter: LogFilter) -> OneOf {
    let mut values = OneOf::default();
    for term in query.terms(filter) {
        if term.without {
            &mut values.left_out
        } else {
            &mut values.wanted
        }
        .push(term.value.clone());
    }
    values
}

fn in_capitals(mut values: OneOf) -> OneOf {
    for value in values.wanted.iter_mut().chain(&mut values.left_out) {
        value.make_ascii_uppercase();
    }
    values
}

fn literal(query: &LogQuery, filter: LogFilter) -> Option<String> {
    query.terms(filter).first().map(|term| term.value.clone())
}

fn slower_than_us(query: &LogQuery) -> Result<Option<i64>, QueryProblem> {
    let Some(text) = literal(query, LogFilter::Slower) else {
        return Ok(None);
    };
    let millis = text.trim().parse::<f64>().ok().filter(|millis| (0.0..=1e12).contains(millis));
    let millis = millis.ok_or_else(|| QueryProblem::new("slower", "a number of milliseconds, as 250"))?;
    Ok(Some((millis * 1_000.0).round() as i64))
}

#[cfg(test)]
mod tests;
