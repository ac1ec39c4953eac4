//! The dialog in which a person chooses the table's columns; the choice is in the URL.
//!
//! Its check boxes are only there while it is open: their names are those of the filters.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::Element;

use super::filter_bar::hidden;
use crate::model::column::Column;
use crate::model::query::LogQuery;

const WITHOUT_SCRIPTS: &str = "Without scripts, name the columns in the address: <code>columns=time,status,path</code>.";

/// The button and its dialog.
#[component]
pub fn Columns(
    /// The page's query.
    query: Memo<LogQuery>,
) -> impl IntoView {
    let (open, set_open) = signal(false);
    let toggled = move |event: leptos::ev::Event| {
        let dialog = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        set_open.set(dialog.is_some_and(|dialog| dialog.matches(":popover-open").unwrap_or(false)));
    };
    view! {
        <button type="button" class="button quiet-button" popovertarget="columns">"Columns"</button>
        <div id="columns" class="dialog" popover role="dialog" aria-labelledby="columns-title" on:toggle=toggled>
            <h2 id="columns-title">"Columns"</h2>
            <p class="quiet">"The log's id always comes first."</p>
            <noscript inner_html=WITHOUT_SCRIPTS></noscript>
            <form method="get" data-go>
                {move || open.get().then(|| choice(&query.get_untracked()))}
                <div class="actions">
                    <button type="submit" class="button primary needs-scripts">"Show these"</button>
                    <button type="button" class="button" popovertarget="columns" popovertargetaction="hide">"Close"</button>
                </div>
            </form>
        </div>
    }
}

fn choice(query: &LogQuery) -> impl IntoView + use<> {
    let chosen = Column::chosen(&query.columns);
    let boxes = Column::ALL.map(|column| {
        view! {
            <label class="tick">
                <input type="checkbox" name="columns" value=column.name() checked=chosen.contains(&column)/>
                {column.label()}
            </label>
        }
    });
    let mut kept = query.clone();
    kept.columns.clear();
    view! { {hidden(&kept.to_query_string())} <div class="ticks">{boxes}</div> }
}
