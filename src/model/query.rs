//! The whole query of the Logs tab, read from a URL and written back to one. Everything a shared link should carry is here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::column::Column;
use super::filter::{LogFilter, Term, parse_terms, write_terms};

/// What a query string's values keep as they are: enough for a link to stay readable.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b':')
    .remove(b'/')
    .remove(b',')
    .remove(b'!')
    .remove(b'@');

/// What a path segment or a lone value keeps as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The time range that a list has where the URL names none.
pub const DEFAULT_FROM: &str = "-24h";
/// The page sizes on offer; the first is the API's default where it is not said.
pub const LIMITS: [u16; 3] = [25, 50, 100];
/// The page size where the URL names none.
pub const DEFAULT_LIMIT: u16 = 50;

/// Which end of time comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// `-created_at`, the default.
    #[default]
    NewestFirst,
    /// `created_at`.
    OldestFirst,
}

/// A query of the Logs tab. Times, cursors and zones are kept as the URL has them; the server gives them their meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// RFC 3339, or `-24h` for the time before now; included.
    pub from: Option<String>,
    /// RFC 3339, or relative; not included.
    pub to: Option<String>,
    /// Each filter that is set, in [`LogFilter::ALL`]'s order, with at least one term.
    pub filters: Vec<(LogFilter, Vec<Term>)>,
    /// Which end comes first.
    pub order: Order,
    /// A cursor: the rows that come after it in the list's order.
    pub after: Option<String>,
    /// A cursor: the rows that come before it in the list's order.
    pub before: Option<String>,
    /// Rows a page.
    pub limit: u16,
    /// `utc`, `local`, `project`, or a zone's IANA name; none for the person's last choice.
    pub tz: Option<String>,
    /// The columns shown, in order; empty for the default ones.
    pub columns: Vec<String>,
    /// The saved view that it began from, `view_…`; it selects nothing.
    pub view: Option<String>,
}

impl Default for LogQuery {
    fn default() -> Self {
        Self {
            from: None,
            to: None,
            filters: Vec::new(),
            order: Order::default(),
            after: None,
            before: None,
            limit: DEFAULT_LIMIT,
            tz: None,
            columns: Vec::new(),
            view: None,
        }
    }
}

/// An argument that makes no sense, said so that a person can mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{argument}: {reason}")]
pub struct QueryProblem {
    /// The argument's name.
    pub argument: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl QueryProblem {
    /// A problem with one argument.
    pub fn new(argument: &str, reason: impl Into<String>) -> Self {
        Self {
            argument: argument.to_owned(),
            reason: reason.into(),
        }
    }
}

impl LogQuery {
    /// Reads a query string (without its `?`). Arguments it does not know are passed over; those it knows must make sense.
    pub fn parse(query: &str) -> Result<Self, QueryProblem> {
        let mut parsed = Self::default();
        for (name, value) in pairs(query) {
            parsed.take(&name, value)?;
        }
        parsed.filters.sort_by_key(|(filter, _)| *filter);
        if Column::chosen(&parsed.columns) == Column::DEFAULT {
            parsed.columns.clear();
        }
        if parsed.after.is_some() && parsed.before.is_some() {
            return Err(QueryProblem::new("after", "give after or before, not both"));
        }
        Ok(parsed)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), QueryProblem> {
        if let Some(filter) = LogFilter::of_argument(name) {
            self.add(filter, &value);
            return Ok(());
        }
        // A form sends every control it has, also the empty ones: those say nothing.
        let value = if value.trim().is_empty() {
            return Ok(());
        } else {
            value.trim().to_owned()
        };
        match name {
            "from" => self.from = Some(value),
            "to" => self.to = Some(value),
            "after" => self.after = Some(value),
            "before" => self.before = Some(value),
            "tz" => self.tz = Some(value),
            "view" => self.view = Some(value),
            "columns" => self.columns.extend(
                value
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned),
            ),
            "limit" => {
                self.limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=100).contains(limit))
                    .ok_or_else(|| QueryProblem::new("limit", "a number from 1 to 100"))?;
            }
            "order" => {
                self.order = match value.as_str() {
                    "" | "-created_at" => Order::NewestFirst,
                    "created_at" => Order::OldestFirst,
                    _ => {
                        return Err(QueryProblem::new(
                            "order",
                            "created_at (oldest first) or -created_at (newest first)",
                        ));
                    }
                };
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes an argument's value; a list may come in several arguments, as check boxes send it.
    fn add(&mut self, filter: LogFilter, value: &str) {
        if !filter.is_literal() && !self.terms(filter).is_empty() {
            let both = format!("{},{value}", self.value(filter));
            self.put(filter, &both);
        } else if !value.is_empty() {
            self.put(filter, value);
        }
    }

    /// The terms of a filter, none where it is not set.
    pub fn terms(&self, filter: LogFilter) -> &[Term] {
        self.filters
            .iter()
            .find(|(set, _)| *set == filter)
            .map_or(&[], |(_, terms)| terms)
    }

    /// A filter's value as the URL and its control have it; empty where it is not set.
    pub fn value(&self, filter: LogFilter) -> String {
        let terms = self.terms(filter);
        if filter.is_literal() {
            terms.first().map(|term| term.value.clone()).unwrap_or_default()
        } else {
            write_terms(terms)
        }
    }

    /// Sets a filter from its control's value; an empty one clears it. Leads back to the first page.
    pub fn set(&mut self, filter: LogFilter, value: &str) {
        self.put(filter, value);
        self.after = None;
        self.before = None;
    }

    fn put(&mut self, filter: LogFilter, value: &str) {
        // An id that was copied brings the blanks around it along.
        let value = if filter == LogFilter::Anywhere { value.trim() } else { value };
        self.filters.retain(|(set, _)| *set != filter);
        let terms = if filter.is_literal() {
            // The text of a path or a body is searched for as it is; only a wholly empty one is no filter.
            if value.is_empty() {
                Vec::new()
            } else {
                vec![Term {
                    without: false,
                    value: value.to_owned(),
                }]
            }
        } else {
            parse_terms(value)
        };
        if !terms.is_empty() {
            self.filters.push((filter, terms));
            self.filters.sort_by_key(|(filter, _)| *filter);
        }
    }

    /// The same query with one filter set otherwise, on its first page.
    #[must_use]
    pub fn with(&self, filter: LogFilter, value: &str) -> Self {
        let mut query = self.clone();
        query.set(filter, value);
        query
    }

    /// The same query with other ends of time, on its first page.
    #[must_use]
    pub fn within(&self, from: Option<String>, to: Option<String>) -> Self {
        Self {
            from,
            to,
            after: None,
            before: None,
            ..self.clone()
        }
    }

    /// The query without its filters, and out of any saved view; range, zone, columns and order stay.
    #[must_use]
    pub fn cleared(&self) -> Self {
        Self {
            filters: Vec::new(),
            after: None,
            before: None,
            view: None,
            ..self.clone()
        }
    }

    /// How many filters are set.
    pub const fn active(&self) -> usize {
        self.filters.len()
    }

    /// The query as a URL has it, without the `?`; what is as by default is left out, so that equal queries are equal links.
    pub fn to_query_string(&self) -> String {
        let mut out = QueryWriter::default();
        out.optional("view", self.view.as_deref());
        out.optional("from", self.from.as_deref());
        out.optional("to", self.to.as_deref());
        for (filter, _) in &self.filters {
            out.pair(filter.argument(), &self.value(*filter));
        }
        out.order(self.order, self.view.is_some());
        out.optional("after", self.after.as_deref());
        out.optional("before", self.before.as_deref());
        if self.limit != DEFAULT_LIMIT {
            out.pair("limit", &self.limit.to_string());
        }
        out.optional("tz", self.tz.as_deref());
        if !self.columns.is_empty() {
            out.pair("columns", &self.columns.join(","));
        }
        out.0
    }
}

/// Writes a query string.
#[derive(Default)]
pub(super) struct QueryWriter(String);

impl QueryWriter {
    /// What was written.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn pair(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, VALUE));
    }

    /// The order, where it is not the default. A query within a saved view always says it: `view` alone is the view's own link
    /// ([`view_alone`](super::view::view_alone)), and a query from which the last filter was taken is not that.
    pub(super) fn order(&mut self, order: Order, is_in_view: bool) {
        match order {
            Order::OldestFirst => self.pair("order", "created_at"),
            Order::NewestFirst if is_in_view => self.pair("order", "-created_at"),
            Order::NewestFirst => {}
        }
    }

    pub(super) fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.pair(name, value);
        }
    }
}

/// The pairs of a query string, decoded (`+` is a space, as forms send it). Bytes that are not UTF-8 become U+FFFD.
pub fn pairs(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Escapes a value for a URL's query or a path segment.
pub fn escape(value: &str) -> String {
    utf8_percent_encode(value, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_link_reads_as_it_was_written() {
        let query =
            LogQuery::parse("status=FAILURE&channel=!API,WEBSITE&q=a%2Cb%26%21&limit=25&order=created_at&tz=utc").unwrap();
        assert_eq!(query.terms(LogFilter::Channel).len(), 2);
        assert_eq!(query.value(LogFilter::Anywhere), "a,b&!");
        assert_eq!(LogQuery::parse(&query.to_query_string()).unwrap(), query);
    }

    #[test]
    fn a_form_with_empty_controls_sets_nothing() {
        let query = LogQuery::parse("q=&status=&code=&from=&limit=").unwrap();
        assert_eq!(query, LogQuery::default());
        assert_eq!(query.to_query_string(), "");
    }

    #[test]
    fn blanks_around_what_is_sought_anywhere_do_not_count() {
        let query = LogQuery::parse("q=%20%20log_1%20two%0A&request_body=+a").unwrap();
        assert_eq!(query.value(LogFilter::Anywhere), "log_1 two");
        assert_eq!(query.value(LogFilter::RequestBody), " a");
        assert_eq!(LogQuery::parse("q=+%0A").unwrap(), LogQuery::default());
    }

    #[test]
    fn a_cursor_stays_wherever_it_stands_in_the_link() {
        let query = LogQuery::parse("after=abc&status=FAILURE").unwrap();
        assert_eq!(query.after.as_deref(), Some("abc"));
        assert_eq!(query.with(LogFilter::Method, "GET").after, None);
    }

    #[test]
    fn check_boxes_and_controls_of_a_form_come_together() {
        let query = LogQuery::parse("method=GET&method=POST&columns=time&columns=path&from=-1h&from=&limit=25&limit=").unwrap();
        assert_eq!(query.value(LogFilter::Method), "GET,POST");
        assert_eq!(query.columns, ["time", "path"]);
        assert_eq!(query.from.as_deref(), Some("-1h"));
        assert_eq!(query.limit, 25);
    }

    #[test]
    fn a_query_stays_within_its_view_until_it_is_cleared() {
        let query = LogQuery::parse("view=view_1&status=FAILURE").unwrap();
        assert_eq!(query.to_query_string(), "view=view_1&status=FAILURE&order=-created_at");
        let bare = query.with(LogFilter::Status, "").to_query_string();
        assert_eq!(bare, "view=view_1&order=-created_at", "this is not the view's own link");
        assert_eq!(LogQuery::parse(&bare).unwrap().to_query_string(), bare);
        assert_eq!(query.cleared().to_query_string(), "");
    }

    #[test]
    fn the_default_columns_need_no_argument() {
        let all = Column::DEFAULT.map(Column::name).join(",");
        assert_eq!(LogQuery::parse(&format!("columns={all}")).unwrap(), LogQuery::default());
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert_eq!(LogQuery::parse("limit=1000").unwrap_err().argument, "limit");
        assert_eq!(LogQuery::parse("order=status").unwrap_err().argument, "order");
        assert_eq!(LogQuery::parse("after=a&before=b").unwrap_err().argument, "after");
    }

    proptest! {
        #[test]
        fn any_text_survives_the_url(text in "\\PC{1,40}", path in "[ -~]{1,40}") {
            let query = LogQuery::default().with(LogFilter::Anywhere, &text).with(LogFilter::Path, &path);
            let read = LogQuery::parse(&query.to_query_string()).unwrap();
            prop_assert_eq!(read, query);
        }
    }
}
