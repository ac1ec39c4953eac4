//! The filters that are set, each with a link that takes it away.

use leptos::prelude::*;

use super::filter_bar::terms_words;
use super::links::to_query;
use crate::model::filter::LogFilter;
use crate::model::query::LogQuery;

/// One chip a filter; nothing where none is set.
#[component]
pub fn Chips(
    /// The page's query.
    query: Memo<LogQuery>,
) -> impl IntoView {
    move || {
        let query = query.get();
        let count = query.active();
        (count > 0).then(|| {
            let words = if count == 1 {
                "1 filter".to_owned()
            } else {
                format!("{count} filters")
            };
            let chips = query.filters.iter().map(|(filter, _)| chip(&query, *filter)).collect_view();
            view! {
                <div class="chips">
                    <span class="quiet">{words}</span>
                    <ul aria-label="Filters that are set">{chips}</ul>
                </div>
            }
        })
    }
}

fn chip(query: &LogQuery, filter: LogFilter) -> impl IntoView + use<> {
    let words = terms_words(filter, &query.value(filter));
    let spoken = format!("Remove {}: {words}", filter.label());
    let href = to_query(&query.with(filter, ""));
    view! {
        <li class="chip">
            <span class="chip-name">{filter.label()}</span>
            <span class="chip-value" title=words.clone()>{words.clone()}</span>
            <a href=href><span class="visually-hidden">{spoken}</span><span aria-hidden="true">"×"</span></a>
        </li>
    }
}
