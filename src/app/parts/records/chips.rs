//! The filters of a tab that are set, each with a link that takes it away.
//!
//! A filter needs nothing here: its chip comes with its row in its tab's list.

use leptos::prelude::*;

use super::filters::AroundSignal;
use super::{Around, to_query, value_words};
use crate::model::tab::{TabFilter, TabQuery};

/// One chip a filter; nothing where none is set.
#[component]
pub fn Chips(
    /// The page's query.
    query: Memo<TabQuery>,
    /// What surrounds the rows: it knows what values are called.
    around: AroundSignal,
) -> impl IntoView {
    move || {
        let around = around.get().flatten();
        let query = query.get();
        let count = query.active();
        (count > 0).then(|| {
            let words = if count == 1 {
                "1 filter".to_owned()
            } else {
                format!("{count} filters")
            };
            let chips = set(&query).map(|filter| chip(&query, filter, around.as_ref())).collect_view();
            view! {
                <div class="chips">
                    <span class="quiet">{words}</span>
                    <ul aria-label="Filters that are set">{chips}</ul>
                </div>
            }
        })
    }
}

/// The filters that are set.
pub fn set(query: &TabQuery) -> impl Iterator<Item = &'static TabFilter> {
    let is_set = |filter: &&TabFilter| !query.terms(filter.argument).is_empty();
    query.tab.filters().iter().filter(is_set).collect::<Vec<_>>().into_iter()
}

fn chip(query: &TabQuery, filter: &'static TabFilter, around: Option<&Around>) -> impl IntoView + use<> {
    let words = query.terms(filter.argument).iter().map(|term| {
        let name = around.and_then(|around| around.name_of(filter.argument, &term.value));
        let words = name.map_or_else(|| value_words(filter, &term.value), str::to_owned);
        if term.without { format!("not {words}") } else { words }
    });
    let words = words.collect::<Vec<_>>().join(", ");
    let spoken = format!("Remove {}: {words}", filter.label);
    let href = to_query(&query.with(filter.argument, ""));
    view! {
        <li class="chip">
            <span class="chip-name">{filter.label}</span>
            <span class="chip-value" title=words.clone()>{words.clone()}</span>
            <a href=href><span class="visually-hidden">{spoken}</span><span aria-hidden="true">"×"</span></a>
        </li>
    }
}
