//! Two attempts of a sendout beside each other: `?a=1&b=2`; the last two where none are named.

use leptos::prelude::*;

use crate::api::compare::{Comparison, compare_attempts};
use crate::app::parts::compare::comparison;
use crate::app::parts::links::search;
use crate::app::parts::record_page::{Kind, Place, record_page};
use crate::app::parts::title::Title;

const KIND: Kind = Kind {
    one: "sendout",
    title: "Compare two attempts",
    segment: "sendouts",
    class: "log-page compare-page",
};

/// The page.
#[component]
pub fn CompareAttempts() -> impl IntoView {
    let search = search();
    record_page(KIND, compare_attempts, move |page, place| {
        whole(page, &place, search).into_any()
    })
}

fn whole(page: Comparison, place: &Place, search: Memo<String>) -> impl IntoView + use<> {
    let own = format!("{}{}", place.own(), place.query);
    let attempt = |number: &str| format!("{own}#attempt-{number}");
    let links = [attempt(&page.first.id), attempt(&page.second.id)];
    let and = place.query.replacen('?', "&", 1);
    let swapped = format!("?a={}&b={}{and}", page.second.id, page.first.id);
    view! {
        <Title text="Compare two attempts · audit-log"/>
        <header class="log-head">
            <div class="log-ways">
                <a href=own.clone() class="button quiet-button way-back">"Sendout"</a>
                <span class="log-actions"><a class="button" href=swapped>"Swap sides"</a></span>
            </div>
            <h1 class="log-line">"Two attempts beside each other"</h1>
        </header>
        {comparison(page, links, search)}
    }
}
