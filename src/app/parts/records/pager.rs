//! Turning the pages of a tab: a plain form whose two buttons carry the cursors.
//!
//! A tab needs nothing here: cursors come with its rows.

use leptos::prelude::*;

use super::{Record, segment};
use crate::api::logs::Turn;
use crate::api::tasks::Listed;
use crate::app::parts::filter_bar::hidden;
use crate::model::query::LIMITS;
use crate::model::tab::TabQuery;

/// How many rows are shown, Newer and Older.
pub fn pager<R: Record>(page: RwSignal<Listed<R>>, query: Memo<TabQuery>) -> impl IntoView {
    let kept = move || hidden(&query.with(TabQuery::first_page).to_query_string());
    let limit = move || query.with(|query| query.limit.to_string());
    let now = query.with_untracked(|query| query.limit);
    let shown = move || page.with(|page| format!("{} shown", page.rows.len()));
    let button = move |words: &'static str, class: &'static str, turn: fn(&Listed<R>) -> &Option<Turn>| {
        let name = move || page.with(|page| turn(page).as_ref().map(Turn::argument));
        let cursor = move || page.with(|page| turn(page).as_ref().map(|turn| turn.cursor.clone()));
        let none = move || page.with(|page| turn(page).is_none());
        view! { <button type="submit" class=class name=name value=cursor disabled=none>{words}</button> }
    };
    view! {
        <div class="pager">
            <span class="shown">{shown}</span>
            <span class="limit">
                <label for="f-limit">"Rows"</label>
                <select id="f-limit" name="limit" form="filters" prop:value=limit data-apply>
                    {LIMITS.map(|limit| view! { <option value=limit selected=limit == now>{limit}</option> })}
                </select>
            </span>
            <form method="get" data-go data-turn data-tab=segment(R::TAB)>
                {kept}
                {button("Newer", "button newer", |page| &page.newer)}
                {button("Older", "button older", |page| &page.older)}
            </form>
        </div>
    }
}
