//! Which records were meant, in words: rows of a list of names and values.
//!
//! A filter needs nothing here: its row comes with its row in its tab's list.

use leptos::prelude::*;

use super::chips::set;
use super::terms_words;
use crate::model::tab::TabQuery;
use crate::model::zone::Zone;

/// The filters that are set, or that none is.
pub fn filters(
    query: &TabQuery,
    // What is meant where none is set, as "every sendout of the range".
    all: &'static str,
) -> impl IntoView + use<> {
    let filters = set(query).map(|filter| {
        let words = terms_words(filter, &query.value(filter.argument));
        view! { <div><dt>{filter.label}</dt><dd>{words}</dd></div> }
    });
    let filters = filters.collect_view();
    let none = (query.active() == 0).then(|| view! { <div><dt>"Filters"</dt><dd>"none: "{all}</dd></div> });
    view! { {filters}{none} }
}

/// The range; without a beginning it has none.
pub fn range(zone: &Zone, from: Option<i64>, to: i64, now: i64) -> String {
    match from {
        Some(from) => format!("{} {}", zone.range(from, to, now), zone.label_at(to)),
        None => format!("until {} {}", zone.coarse(to, now), zone.label_at(to)),
    }
}
