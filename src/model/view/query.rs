//! A view's query: the query of its tab, whichever that is.

use serde::{Deserialize, Serialize};

use super::{MAX_QUERY, ViewTab};
use crate::model::column::Column;
use crate::model::filter::LogFilter;
use crate::model::query::{LogQuery, QueryProblem, pairs};
use crate::model::tab::TabQuery;

/// Where a page of the list stood, and what it began from: no part of a view, and passed over.
const OF_A_PAGE: [&str; 3] = ["after", "before", "view"];
/// What every list has beside its filters.
const OF_EVERY_LIST: [&str; 5] = ["from", "to", "order", "limit", "tz"];

/// The query of one of the four tabs, as that tab's own type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ViewQuery {
    /// Of the Logs tab.
    Logs(LogQuery),
    /// Of a tab of records.
    Records(TabQuery),
}

impl ViewQuery {
    /// Reads what a tab's address says, as the tab's own page does: what is not known is passed over.
    pub fn of_page(tab: ViewTab, query: &str) -> Result<Self, QueryProblem> {
        Ok(match tab.records() {
            None => Self::Logs(LogQuery::parse(query)?),
            Some(tab) => Self::Records(TabQuery::parse(tab, query)?),
        })
    }

    /// Reads what is to be saved: what a view does not keep is passed over, anything else that the tab does not know is refused.
    pub fn to_save(tab: ViewTab, query: &str) -> Result<Self, QueryProblem> {
        for (name, value) in pairs(query) {
            check(tab, &name, &value)?;
        }
        let read = Self::of_page(tab, &without_page(query))?;
        if read.to_query_string().len() > MAX_QUERY {
            let reason = format!("a view keeps at most {MAX_QUERY} bytes of an address");
            return Err(QueryProblem::new("query", reason));
        }
        Ok(read)
    }

    /// What a tab shows where nothing is named.
    pub fn all(tab: ViewTab) -> Self {
        tab.records()
            .map_or_else(|| Self::Logs(LogQuery::default()), |tab| Self::Records(TabQuery::all(tab)))
    }

    /// Its tab.
    pub const fn tab(&self) -> ViewTab {
        match self {
            Self::Logs(_) => ViewTab::Logs,
            Self::Records(query) => ViewTab::of_records(query.tab),
        }
    }

    /// The view that a page's query began from.
    pub fn view(&self) -> Option<&str> {
        match self {
            Self::Logs(query) => query.view.as_deref(),
            Self::Records(query) => query.view.as_deref(),
        }
    }

    /// The zone that it names.
    pub fn zone(&self) -> Option<&str> {
        match self {
            Self::Logs(query) => query.tz.as_deref(),
            Self::Records(query) => query.tz.as_deref(),
        }
    }

    /// The ends of time that it names.
    pub fn range(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Logs(query) => (query.from.as_deref(), query.to.as_deref()),
            Self::Records(query) => (query.from.as_deref(), query.to.as_deref()),
        }
    }

    /// The same query in another zone, or in none that it names.
    #[must_use]
    pub fn in_zone(mut self, zone: Option<&str>) -> Self {
        match &mut self {
            Self::Logs(query) => query.tz = zone.map(str::to_owned),
            Self::Records(query) => query.tz = zone.map(str::to_owned),
        }
        self
    }

    /// The same query as a page within a view has it; within none where none is given.
    #[must_use]
    pub fn within(mut self, view: Option<&str>) -> Self {
        match &mut self {
            Self::Logs(query) => query.view = view.map(str::to_owned),
            Self::Records(query) => query.view = view.map(str::to_owned),
        }
        self
    }

    /// What a view keeps of it: neither a place in the list nor what it began from.
    #[must_use]
    pub fn kept(self) -> Self {
        match self {
            Self::Logs(query) => Self::Logs(LogQuery {
                after: None,
                before: None,
                view: None,
                ..query
            }),
            Self::Records(query) => Self::Records(TabQuery {
                view: None,
                ..query.first_page()
            }),
        }
    }

    /// Whether a page shows what this view says. A view that names no zone is the same in every one.
    pub fn is_shown_by(&self, page: &Self) -> bool {
        let page = page.clone().kept();
        let page = if self.zone().is_none() { page.in_zone(None) } else { page };
        self.clone().kept() == page
    }

    /// As the tab's address has it, without the `?`.
    pub fn to_query_string(&self) -> String {
        match self {
            Self::Logs(query) => query.to_query_string(),
            Self::Records(query) => query.to_query_string(),
        }
    }

    /// The address of the view's list, from its `?` on: its own filters, in the zone that it names, else in this one.
    pub fn link(&self, id: &str, zone: Option<&str>) -> String {
        let zone = self.zone().or(zone).map(str::to_owned);
        let page = self.clone().in_zone(zone.as_deref()).within(Some(id));
        format!("?{}", page.to_query_string())
    }
}

/// Whether a tab knows an argument, and its words where they are a list of the tab's own.
fn check(tab: ViewTab, name: &str, value: &str) -> Result<(), QueryProblem> {
    let is_filter = match tab.records() {
        None => LogFilter::of_argument(name).is_some(),
        Some(tab) => tab.filter(name).is_some(),
    };
    if is_filter || OF_EVERY_LIST.contains(&name) || OF_A_PAGE.contains(&name) {
        return Ok(());
    }
    if tab == ViewTab::Logs && name == "columns" {
        let unknown = value
            .split(',')
            .find(|word| !word.is_empty() && Column::parse(word).is_none());
        return match unknown {
            Some(word) => Err(QueryProblem::new("columns", format!("{word:?} is no column"))),
            None => Ok(()),
        };
    }
    Err(QueryProblem::new(name, "is no argument of this tab"))
}

/// The query without a place in the list, which may be of a page that is no more.
fn without_page(query: &str) -> String {
    let names_page = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        OF_A_PAGE.contains(&name)
    };
    query
        .split('&')
        .filter(|pair| !names_page(pair))
        .collect::<Vec<_>>()
        .join("&")
}

/// The view that an address names and nothing beside it, but for a zone: the view's own link, which leads to what the view says.
pub fn view_alone(query: &str) -> Option<String> {
    let mut view = None;
    for (name, value) in pairs(query) {
        match name.as_str() {
            "view" if view.is_none() && !value.is_empty() => view = Some(value),
            "tz" => {}
            _ => return None,
        }
    }
    view
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn saved(tab: ViewTab, query: &str) -> String {
        ViewQuery::to_save(tab, query).unwrap().to_query_string()
    }

    #[test]
    fn what_is_saved_is_the_tab_s_own_query_without_a_page() {
        let all = "view=view_1&after=abc&status=FAILURE&from=-7d&order=-created_at&columns=path,time&tz=utc";
        assert_eq!(saved(ViewTab::Logs, all), "from=-7d&status=FAILURE&tz=utc&columns=path,time");
        assert_eq!(
            saved(ViewTab::Sendouts, "code=5xx,!503&before=x&order=created_at"),
            "code=5xx,!503&order=created_at"
        );
        assert_eq!(saved(ViewTab::Exports, ""), "");
        assert_eq!(saved(ViewTab::Logs, "after=a&before=b"), "", "a page's place is no matter");
    }

    #[test]
    fn what_a_tab_does_not_know_is_refused_by_name() {
        for (tab, query, argument) in [
            (ViewTab::Logs, "stauts=FAILURE", "stauts"),
            (ViewTab::Tasks, "columns=time", "columns"),
            (ViewTab::Tasks, "method=GET", "method"),
            (ViewTab::Logs, "columns=time,nothing", "columns"),
            (ViewTab::Logs, "limit=0", "limit"),
            (ViewTab::Exports, "order=status", "order"),
            (ViewTab::Logs, "%00=1", "\0"),
        ] {
            assert_eq!(ViewQuery::to_save(tab, query).unwrap_err().argument, argument, "{query}");
        }
        let long = format!("q={}", "x".repeat(MAX_QUERY));
        assert_eq!(ViewQuery::to_save(ViewTab::Logs, &long).unwrap_err().argument, "query");
    }

    #[test]
    fn a_page_shows_a_view_whatever_its_place_and_zone() {
        let view = ViewQuery::to_save(ViewTab::Logs, "status=FAILURE").unwrap();
        let shows = |query: &str| view.is_shown_by(&ViewQuery::of_page(ViewTab::Logs, query).unwrap());
        assert!(shows("status=FAILURE"));
        assert!(shows("view=view_1&status=FAILURE&after=abc&tz=Asia/Tokyo&order=-created_at"));
        assert!(!shows("status=FAILURE&method=GET"));
        assert!(!shows("status=FAILURE&from=-7d"));
        let zoned = ViewQuery::to_save(ViewTab::Logs, "tz=utc").unwrap();
        assert!(!zoned.is_shown_by(&ViewQuery::all(ViewTab::Logs)));
    }

    #[test]
    fn a_view_s_link_is_led_on_and_what_is_within_it_is_not() {
        assert_eq!(view_alone("view=view_1"), Some("view_1".to_owned()));
        assert_eq!(view_alone("tz=utc&view=view_1"), Some("view_1".to_owned()));
        for not in [
            "",
            "tz=utc",
            "view=",
            "view=a&view=b",
            "view=view_1&order=-created_at",
            "view=a&status=",
        ] {
            assert_eq!(view_alone(not), None, "{not}");
        }
        for query in ["", "status=DONE&tz=utc"] {
            let link = ViewQuery::to_save(ViewTab::Tasks, query)
                .unwrap()
                .link("view_1", Some("Asia/Tokyo"));
            assert_eq!(view_alone(link.trim_start_matches('?')), None, "{link}");
            assert_eq!(link.contains("Tokyo"), query.is_empty(), "{link}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_saved_reads_back_as_it_was(text in "\\PC{0,40}", word in "[a-zA-Z,!_ ]{0,20}", tab in 0_usize..4) {
            let tab = ViewTab::ALL[tab];
            let name = if tab == ViewTab::Logs { "q" } else { "id" };
            let query = format!("{name}={}&status={}", crate::model::query::escape(&text), crate::model::query::escape(&word));
            let once = ViewQuery::to_save(tab, &query).unwrap();
            prop_assert_eq!(&ViewQuery::to_save(tab, &once.to_query_string()).unwrap(), &once);
            prop_assert!(once.is_shown_by(&once.clone().within(Some("view_1"))));
        }
    }
}
