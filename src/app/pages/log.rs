//! A log's page.

use leptos::prelude::*;

/// A log's page.
#[component]
pub fn Log() -> impl IntoView {
    view! { <main id="content" class="page"></main> }
}
