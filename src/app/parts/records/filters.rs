//! The filters of a tab as labelled controls inside one plain form. Without scripts Apply sends it; with them a choice applies itself.
//!
//! A filter needs nothing here: one with choices becomes a list of them, any other a text with what is in use on offer.

use leptos::prelude::*;

use super::range::RangePicker;
use super::{Around, segment, terms_words, value_words};
use crate::app::parts::filter_bar::hidden;
use crate::app::parts::views::Board;
use crate::app::parts::views::menu::menu;
use crate::model::tab::{Tab, TabFilter, TabQuery};

/// What the page shows, as the filters read it; `None` inside where it could not be read.
pub type AroundSignal = Signal<Option<Option<Around>>>;

/// The form.
#[component]
pub fn FilterBar(
    /// The tab.
    tab: Tab,
    /// The page's query.
    query: Memo<TabQuery>,
    /// What surrounds the rows.
    around: AroundSignal,
    /// The tab's saved views.
    views: Board,
) -> impl IntoView {
    let count = move || {
        let active = query.with(TabQuery::active);
        (active > 0).then(|| view! { <span class="badge">{active}</span> })
    };
    let fields = tab.filters().iter().map(|filter| {
        if filter.choices.is_empty() {
            view! { <TextField filter query around/> }.into_any()
        } else {
            view! { <Choice filter query/> }.into_any()
        }
    });
    let fields = fields.collect_view();
    // What the form does not show, and must not lose.
    let kept = move || {
        let kept = query.with(|query| TabQuery {
            order: query.order,
            tz: query.tz.clone(),
            view: query.view.clone(),
            ..TabQuery::all(tab)
        });
        hidden(&kept.to_query_string())
    };
    view! {
        <div class="filter-bar">
            {menu(views)}
            <button type="button" class="button open-sheet" popovertarget="filters">"Filters"{count}</button>
            <form
                id="filters" class="filters" method="get" popover role="search" aria-label="Filters" data-go data-tab=segment(tab)
            >
                <div class="sheet-head">
                    <strong>"Filters"</strong>
                    <button type="button" class="icon" popovertarget="filters" popovertargetaction="hide" aria-label="Close filters">
                        "×"
                    </button>
                </div>
                <RangePicker around query/>
                {fields}
                {kept}
                <span class="actions">
                    <button type="submit" class="button primary">"Apply"</button>
                    <button type="submit" class="button" form="cleared">"Clear"</button>
                </span>
            </form>
            <form id="cleared" method="get" data-go data-tab=segment(tab) hidden>
                {move || hidden(&query.with(TabQuery::cleared).to_query_string())}
            </form>
        </div>
    }
}

/// One of a few values, or all but it.
#[component]
fn Choice(filter: &'static TabFilter, query: Memo<TabQuery>) -> impl IntoView {
    let id = format!("f-{}", filter.argument);
    let value = move || query.with(|query| query.value(filter.argument));
    let now = query.with_untracked(|query| query.value(filter.argument));
    let wanted = filter
        .choices
        .iter()
        .map(|(word, words)| ((*word).to_owned(), (*words).to_owned()));
    let left_out = filter
        .choices
        .iter()
        .map(|(word, words)| (format!("!{word}"), format!("not {words}")));
    let options: Vec<(String, String)> = wanted.chain(left_out).collect();
    let others = options.clone();
    // Several values in the address are shown all the same.
    let foreign = move || {
        let value = value();
        (!value.is_empty() && !others.iter().any(|(other, _)| *other == value)).then(|| {
            let words = terms_words(filter, &value);
            view! { <option value=value selected>{words}</option> }
        })
    };
    let options = options.into_iter().map(|(value, words)| {
        let selected = value == now;
        view! { <option value=value selected=selected>{words}</option> }
    });
    let options = options.collect_view();
    view! {
        <div class="field" class:set=move || !value().is_empty()>
            <label for=id.clone()>{filter.label}</label>
            <select id=id name=filter.argument prop:value=value data-apply>
                <option value="">"Any"</option>
                {foreign}
                {options}
            </select>
        </div>
    }
}

/// A value that is typed in, with those in use on offer.
#[component]
fn TextField(filter: &'static TabFilter, query: Memo<TabQuery>, around: AroundSignal) -> impl IntoView {
    let id = format!("f-{}", filter.argument);
    let list = format!("{id}-list");
    let value = move || query.with(|query| query.value(filter.argument));
    let offered = move || {
        let values = around.get().flatten().map(|around| around.offered).unwrap_or_default();
        let values = values.into_iter().find(|(argument, _)| argument == filter.argument);
        let options = values.into_iter().flat_map(|(_, values)| values).map(|offer| {
            let words = if offer.about.is_empty() {
                value_words(filter, &offer.value)
            } else {
                offer.about
            };
            view! { <option value=offer.value>{words}</option> }
        });
        options.collect_view()
    };
    view! {
        <div class=format!("field f-{}", filter.argument) class:set=move || !value().is_empty()>
            <label for=id.clone()>{filter.label}</label>
            <input
                id=id type="text" name=filter.argument list=list.clone() autocomplete="off" spellcheck="false" class="mono"
                placeholder="any" value=value prop:value=value
            />
            <datalist id=list>{offered}</datalist>
        </div>
    }
}
