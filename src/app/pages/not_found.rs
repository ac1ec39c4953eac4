//! An address that leads nowhere.

use leptos::prelude::*;

use crate::app::parts::title::Title;

/// Says so, and where to go on.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(answer) = use_context::<leptos_axum::ResponseOptions>() {
        answer.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found · audit-log"/>
        <main id="content" class="alone">
            <h1>"There is no such page"</h1>
            <p>"The address may be mistyped, or it names something that is not yours to see."</p>
            <p><a class="button" href="/" rel="external">"Go to your logs"</a></p>
        </main>
    }
}
