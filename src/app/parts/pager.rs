//! Turning pages: a plain form whose two buttons carry the cursors.

use leptos::prelude::*;

use super::filter_bar::hidden;
use super::totals::shown_of;
use crate::api::logs::{LogsPage, Turn};
use crate::model::query::{LIMITS, LogQuery};

/// How many rows of how many are shown, Newer and Older.
#[component]
pub fn Pager(
    /// What the page shows.
    page: Signal<LogsPage>,
    /// The page's query.
    query: Memo<LogQuery>,
) -> impl IntoView {
    let kept = move || {
        hidden(
            &LogQuery {
                after: None,
                before: None,
                ..query.get()
            }
            .to_query_string(),
        )
    };
    let limit = move || query.with(|query| query.limit.to_string());
    let now = query.with_untracked(|query| query.limit);
    let button = move |words: &'static str, class: &'static str, turn: fn(&LogsPage) -> &Option<Turn>| {
        let name = move || page.with(|page| turn(page).as_ref().map(Turn::argument));
        let cursor = move || page.with(|page| turn(page).as_ref().map(|turn| turn.cursor.clone()));
        let none = move || page.with(|page| turn(page).is_none());
        view! { <button type="submit" class=class name=name value=cursor disabled=none>{words}</button> }
    };
    view! {
        <div class="pager">
            <span class="shown">{move || page.with(shown_of)}</span>
            <span class="limit">
                <label for="f-limit">"Rows"</label>
                <select id="f-limit" name="limit" form="filters" prop:value=limit data-apply>
                    {LIMITS.map(|limit| view! { <option value=limit selected=limit == now>{limit}</option> })}
                </select>
            </span>
            <form method="get" data-go data-turn>
                {kept}
                {button("Newer", "button newer", |page| &page.newer)}
                {button("Older", "button older", |page| &page.older)}
            </form>
        </div>
    }
}
