//! The tabs whose pages are not part of this version: they say so.

use leptos::prelude::*;
use leptos_meta::Title;

/// The tab Webhook sendouts.
#[component]
pub fn Sendouts() -> impl IntoView {
    later(
        "Webhook sendouts",
        "Every delivery of an event to your endpoints, with each attempt",
    )
}

fn later(name: &'static str, what: &'static str) -> impl IntoView {
    view! {
        <Title text=format!("{name} · audit-log")/>
        <main id="content" class="alone">
            <h1>{name}</h1>
            <p>{what}", will be here. The tab is not part of this version yet: nothing is kept for it so far."</p>
        </main>
    }
}
