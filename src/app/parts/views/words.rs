//! What a view keeps, in words: for whoever is about to save it.

use crate::app::parts::range_panel::is_relative;
use crate::app::parts::{filter_bar, records};
use crate::model::column::Column;
use crate::model::query::Order;
use crate::model::tab::Tab;
use crate::model::view::ViewQuery;

/// Names and values, the range first.
pub(super) fn kept(query: &ViewQuery) -> Vec<(&'static str, String)> {
    let mut all = vec![("Time range", range(query))];
    let order = match query {
        ViewQuery::Logs(query) => {
            let filters = query.filters.iter();
            all.extend(filters.map(|(filter, _)| (filter.label(), filter_bar::terms_words(*filter, &query.value(*filter)))));
            if !query.columns.is_empty() {
                let columns = Column::chosen(&query.columns).into_iter().map(Column::label);
                all.push(("Columns", columns.collect::<Vec<_>>().join(", ")));
            }
            query.order
        }
        ViewQuery::Records(query) => {
            let set = records::chips::set(query);
            all.extend(set.map(|filter| (filter.label, records::terms_words(filter, &query.value(filter.argument)))));
            query.order
        }
    };
    if order == Order::OldestFirst {
        all.push(("Order", "oldest first".to_owned()));
    }
    all
}

/// The range as the address names it.
fn range(query: &ViewQuery) -> String {
    let has_own = query.tab().records().is_none_or(|tab| tab.default_from().is_some());
    match query.range() {
        (None, None) if has_own => "the last 24 hours".to_owned(),
        (None | Some(Tab::EVERYTHING), None) => "all time".to_owned(),
        (from, to) => {
            let from = from.map(end);
            let words = match (from, to.map(end)) {
                (Some(from), None) => format!("from {from} until now"),
                (Some(from), Some(to)) => format!("from {from} to {to}"),
                (None, to) => format!("until {}", to.unwrap_or_default()),
            };
            let (from, to) = query.range();
            if is_relative(from, to) {
                words
            } else {
                format!("{words}: a fixed time, which does not move on with the clock")
            }
        }
    }
}

/// `-15m` in words; anything else as it is.
fn end(time: &str) -> String {
    let split = time
        .strip_prefix('-')
        .and_then(|rest| rest.split_at_checked(rest.len().checked_sub(1)?));
    let Some((count, unit)) = split else {
        return time.to_owned();
    };
    let unit = match unit {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        _ => return time.to_owned(),
    };
    let several = if count == "1" { "" } else { "s" };
    format!("{count} {unit}{several} ago")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::view::ViewTab;

    fn said(tab: ViewTab, query: &str) -> Vec<(&'static str, String)> {
        kept(&ViewQuery::to_save(tab, query).unwrap())
    }

    #[test]
    fn it_says_what_is_kept() {
        let all = said(
            ViewTab::Logs,
            "from=-7d&status=FAILURE&channel=!API&columns=time,path&order=created_at",
        );
        let words: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(
            words,
            [
                ("Time range", "from 7 days ago until now"),
                ("Status", "Failure"),
                ("Channel", "not API"),
                ("Columns", "Time, Path"),
                ("Order", "oldest first"),
            ]
        );
        assert_eq!(said(ViewTab::Sendouts, "status=FAILED")[1], ("Status", "Failed".to_owned()));
    }

    #[test]
    fn a_range_is_said_as_it_will_be_read() {
        let range = |tab, query| said(tab, query).swap_remove(0).1;
        assert_eq!(range(ViewTab::Logs, ""), "the last 24 hours");
        assert_eq!(range(ViewTab::Tasks, ""), "all time");
        assert_eq!(range(ViewTab::Sendouts, "from=1970-01-01T00:00:00Z"), "all time");
        assert_eq!(range(ViewTab::Logs, "from=-2h&to=-1h"), "from 2 hours ago to 1 hour ago");
        let fixed = range(ViewTab::Logs, "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z");
        assert!(fixed.contains("does not move on"), "{fixed}");
        assert_eq!(end("-é"), "-é");
        assert_eq!(end("now"), "now");
    }
}
