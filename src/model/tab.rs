//! The tabs of records that are no logs: their filters, and a list's query read from a URL and written back to one.
//!
//! To add a filter: a row in its tab's list, and what it selects in `server/store/records.rs`.

use serde::{Deserialize, Serialize};

use super::endpoint::Source;
use super::export::ExportStatus;
use super::filter::{Term, parse_terms, write_terms};
use super::query::{DEFAULT_LIMIT, Order, QueryProblem, QueryWriter, pairs};
use super::sendout::SendoutStatus;
use super::task::{OperationStatus, TaskStatus};

/// A tab of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Tab {
    /// Background tasks.
    Tasks,
    /// Exports.
    Exports,
    /// Webhook sendouts.
    Sendouts,
}

/// A filter of such a tab.
#[derive(Debug, PartialEq, Eq)]
pub struct TabFilter {
    /// Its argument in the URL.
    pub argument: &'static str,
    /// Its label on the page.
    pub label: &'static str,
    /// What it may be: the API's word, and the word that people read; empty where anything may stand.
    pub choices: &'static [(&'static str, &'static str)],
    /// Whether it reads who did it.
    pub reads_users: bool,
}

const fn any(argument: &'static str, label: &'static str) -> TabFilter {
    TabFilter {
        argument,
        label,
        choices: &[],
        reads_users: false,
    }
}

const TASKS: &[TabFilter] = &[
    any("type", "Type"),
    TabFilter {
        choices: &[
            (TaskStatus::Enqueued.as_str(), TaskStatus::Enqueued.label()),
            (TaskStatus::InProgress.as_str(), TaskStatus::InProgress.label()),
            (TaskStatus::Done.as_str(), TaskStatus::Done.label()),
            (TaskStatus::Failed.as_str(), TaskStatus::Failed.label()),
        ],
        ..any("status", "Status")
    },
    TabFilter {
        choices: &[
            (OperationStatus::Success.as_str(), OperationStatus::Success.label()),
            (OperationStatus::Failed.as_str(), OperationStatus::Failed.label()),
            (OperationStatus::Unknown.as_str(), OperationStatus::Unknown.label()),
        ],
        ..any("operation_status", "Processing status")
    },
    any("id", "Task ID"),
    any("request_id", "Request ID"),
];

const EXPORTS: &[TabFilter] = &[
    any("exported_object", "Resource"),
    TabFilter {
        choices: &[
            (ExportStatus::Scheduled.as_str(), ExportStatus::Scheduled.label()),
            (ExportStatus::InProgress.as_str(), ExportStatus::InProgress.label()),
            (ExportStatus::Done.as_str(), ExportStatus::Done.label()),
            (ExportStatus::Error.as_str(), ExportStatus::Error.label()),
        ],
        ..any("status", "Status")
    },
    any("channel", "Channel"),
    TabFilter {
        reads_users: true,
        ..any("user", "User")
    },
    any("id", "Export ID"),
];

const SENDOUTS: &[TabFilter] = &[
    TabFilter {
        choices: &[
            (SendoutStatus::Pending.as_str(), SendoutStatus::Pending.label()),
            (SendoutStatus::Retrying.as_str(), SendoutStatus::Retrying.label()),
            (SendoutStatus::Succeeded.as_str(), SendoutStatus::Succeeded.label()),
            (SendoutStatus::Failed.as_str(), SendoutStatus::Failed.label()),
        ],
        ..any("status", "Status")
    },
    any("type", "Event type"),
    any("webhook", "Endpoint"),
    TabFilter {
        choices: &[
            (Source::Project.as_str(), Source::Project.label()),
            (Source::Distribution.as_str(), Source::Distribution.label()),
        ],
        ..any("source", "Source")
    },
    any("request_id", "Request ID"),
    any("id", "Sendout ID"),
    any("code", "Response code"),
];

impl Tab {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tasks, Self::Exports, Self::Sendouts];

    /// What `from` is where no time is named; `None` for everything.
    pub const fn default_from(self) -> Option<&'static str> {
        match self {
            Self::Tasks | Self::Exports => None,
            Self::Sendouts => Some("-24h"),
        }
    }

    /// The argument `from` that means everything.
    pub const EVERYTHING: &'static str = "1970-01-01T00:00:00Z";

    /// Its filters, in the order that people see them.
    pub const fn filters(self) -> &'static [TabFilter] {
        match self {
            Self::Tasks => TASKS,
            Self::Exports => EXPORTS,
            Self::Sendouts => SENDOUTS,
        }
    }

    /// Its name in the navigation.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tasks => "Background tasks",
            Self::Exports => "Exports",
            Self::Sendouts => "Webhook sendouts",
        }
    }

    pub(super) fn filter(self, argument: &str) -> Option<&'static TabFilter> {
        self.filters().iter().find(|filter| filter.argument == argument)
    }
}

/// A list's query. Times, cursors and zones are kept as the URL has them; the server gives them their meaning. No time named means all of it, or the tab's own range ([`Tab::default_from`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabQuery {
    /// Of which tab.
    pub tab: Tab,
    /// RFC 3339, or `-24h` for the time before now; included.
    pub from: Option<String>,
    /// RFC 3339, or relative; not included.
    pub to: Option<String>,
    /// Each filter that is set, by its argument, in the tab's order, with at least one term.
    pub filters: Vec<(String, Vec<Term>)>,
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
    /// The saved view that it began from, `view_…`; it selects nothing.
    pub view: Option<String>,
}

impl TabQuery {
    /// What a tab shows where nothing is named, newest first.
    pub const fn all(tab: Tab) -> Self {
        Self {
            tab,
            from: None,
            to: None,
            filters: Vec::new(),
            order: Order::NewestFirst,
            after: None,
            before: None,
            limit: DEFAULT_LIMIT,
            tz: None,
            view: None,
        }
    }

    /// Reads a query string (without its `?`). Arguments it does not know are passed over; those it knows must make sense.
    pub fn parse(tab: Tab, query: &str) -> Result<Self, QueryProblem> {
        let mut parsed = Self::all(tab);
        for (name, value) in pairs(query) {
            // A form sends every control it has, also the empty ones: those say nothing.
            let value = value.trim().to_owned();
            if !value.is_empty() {
                parsed.take(&name, value)?;
            }
        }
        if parsed.after.is_some() && parsed.before.is_some() {
            return Err(QueryProblem::new("after", "give after or before, not both"));
        }
        Ok(parsed)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), QueryProblem> {
        if self.tab.filter(name).is_some() {
            let before = self.value(name);
            // A list may come in several arguments, as check boxes send it.
            let both = if before.is_empty() {
                value
            } else {
                format!("{before},{value}")
            };
            self.put(name, &both);
            return Ok(());
        }
        match name {
            "from" => self.from = Some(value),
            "to" => self.to = Some(value),
            "after" => self.after = Some(value),
            "before" => self.before = Some(value),
            "tz" => self.tz = Some(value),
            "view" => self.view = Some(value),
            "limit" => {
                self.limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=100).contains(limit))
                    .ok_or_else(|| QueryProblem::new("limit", "a number from 1 to 100"))?;
            }
            "order" => {
                self.order = match value.as_str() {
                    "-created_at" => Order::NewestFirst,
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

    /// The terms of a filter, none where it is not set.
    pub fn terms(&self, argument: &str) -> &[Term] {
        self.filters
            .iter()
            .find(|(set, _)| set == argument)
            .map_or(&[], |(_, terms)| terms)
    }

    /// A filter's value as the URL and its control have it; empty where it is not set.
    pub fn value(&self, argument: &str) -> String {
        write_terms(self.terms(argument))
    }

    fn put(&mut self, argument: &str, value: &str) {
        self.filters.retain(|(set, _)| set != argument);
        let terms = parse_terms(value);
        if !terms.is_empty() {
            self.filters.push((argument.to_owned(), terms));
            let place = |argument: &str| self.tab.filters().iter().position(|filter| filter.argument == argument);
            self.filters.sort_by_key(|(argument, _)| place(argument));
        }
    }

    /// The same query with one filter set otherwise (an empty value clears it), on its first page.
    #[must_use]
    pub fn with(&self, argument: &str, value: &str) -> Self {
        let mut query = self.first_page();
        query.put(argument, value);
        query
    }

    /// The same query with other ends of time, on its first page.
    #[must_use]
    pub fn within(&self, from: Option<String>, to: Option<String>) -> Self {
        Self {
            from,
            to,
            ..self.first_page()
        }
    }

    /// The query without its filters, and out of any saved view; range, zone and order stay.
    #[must_use]
    pub fn cleared(&self) -> Self {
        Self {
            filters: Vec::new(),
            view: None,
            ..self.first_page()
        }
    }

    /// The same query on its first page.
    #[must_use]
    pub fn first_page(&self) -> Self {
        Self {
            after: None,
            before: None,
            ..self.clone()
        }
    }

    /// Whether it is the first page.
    pub const fn is_first_page(&self) -> bool {
        self.after.is_none() && self.before.is_none()
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
        for (argument, terms) in &self.filters {
            out.pair(argument, &write_terms(terms));
        }
        out.order(self.order, self.view.is_some());
        out.optional("after", self.after.as_deref());
        out.optional("before", self.before.as_deref());
        if self.limit != DEFAULT_LIMIT {
            out.pair("limit", &self.limit.to_string());
        }
        out.optional("tz", self.tz.as_deref());
        out.into_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_as_it_was_written() {
        let text = "from=-7d&type=EXPORT.CREATE,!LOGS.IMPORT&status=FAILED&order=created_at&limit=25&tz=utc";
        let query = TabQuery::parse(Tab::Tasks, text).unwrap();
        assert_eq!(query.terms("type").len(), 2);
        assert_eq!(query.to_query_string(), text);
        assert_eq!(query.cleared().active(), 0);
        assert_eq!(query.with("status", "").value("status"), "");
    }

    #[test]
    fn each_tab_has_its_own_filters() {
        let query = TabQuery::parse(Tab::Exports, "type=x&exported_object=api_log&user=&status=DONE&status=ERROR").unwrap();
        assert_eq!(query.to_query_string(), "exported_object=api_log&status=DONE,ERROR");
    }

    #[test]
    fn sendouts_are_the_last_days_unless_a_time_is_named() {
        let query = TabQuery::parse(Tab::Sendouts, "status=FAILED&code=5xx,!503&webhook=wh_1").unwrap();
        assert_eq!(query.to_query_string(), "status=FAILED&webhook=wh_1&code=5xx,!503");
        assert_eq!((query.from, Tab::Sendouts.default_from()), (None, Some("-24h")));
    }

    #[test]
    fn a_query_stays_within_its_view_until_it_is_cleared() {
        let query = TabQuery::parse(Tab::Tasks, "status=FAILED&view=view_1").unwrap();
        assert_eq!(query.to_query_string(), "view=view_1&status=FAILED&order=-created_at");
        assert_eq!(query.with("status", "").to_query_string(), "view=view_1&order=-created_at");
        assert_eq!(query.cleared().to_query_string(), "");
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let problem = |query| TabQuery::parse(Tab::Tasks, query).unwrap_err().argument;
        assert_eq!(problem("limit=1000"), "limit");
        assert_eq!(problem("order=status"), "order");
        assert_eq!(problem("after=a&before=b"), "after");
    }
}
