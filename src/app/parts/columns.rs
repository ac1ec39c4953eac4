//! The dialog in which a person chooses the table's columns. Its check boxes belong to the form of the filters, so the choice is in the URL.

use leptos::prelude::*;

use crate::model::column::Column;
use crate::model::query::LogQuery;

/// The button and its dialog.
#[component]
pub fn Columns(
    /// The page's query.
    query: Memo<LogQuery>,
) -> impl IntoView {
    let chosen = Memo::new(move |_| query.with(|query| Column::chosen(&query.columns)));
    let boxes = Column::ALL.map(|column| {
        let on = move || chosen.with(|chosen| chosen.contains(&column));
        view! {
            <label class="tick">
                <input
                    type="checkbox" name="columns" form="filters" value=column.name()
                    checked=chosen.with_untracked(|chosen| chosen.contains(&column)) prop:checked=on data-apply
                />
                {column.label()}
            </label>
        }
    });
    view! {
        <button type="button" class="button quiet-button" popovertarget="columns">"Columns"</button>
        <div id="columns" class="dialog" popover role="dialog" aria-labelledby="columns-title">
            <h2 id="columns-title">"Columns"</h2>
            <p class="quiet">"The log's id always comes first."</p>
            <div class="ticks">{boxes}</div>
            <div class="actions">
                <button type="submit" form="filters" class="button primary">"Show these"</button>
                <button type="button" class="button" popovertarget="columns" popovertargetaction="hide">"Close"</button>
            </div>
        </div>
    }
}
