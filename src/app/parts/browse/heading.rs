//! The columns' headings, each with its order and its filter, and the filters that are set.
#![allow(unreachable_pub, reason = "a component's macro writes its props as pub")]

use leptos::ev::SubmitEvent;
use leptos::html::{Input, Select};
use leptos::prelude::*;

use super::live::Talk;
use super::shown::{Shown, width};
use crate::app::parts::dialog::Modal;
use crate::model::browse::message::{Filter, Op, Sort, View};

/// The headings.
#[component]
pub(super) fn Heading(shown: Shown, talk: Talk) -> impl IntoView {
    let columns = move || {
        let names = shown.columns.get().into_iter();
        names
            .zip(0..)
            .map(|(name, column)| view! { <Column name column shown talk/> })
            .collect_view()
    };
    view! {
        <thead>
            <tr aria-rowindex="1">
                <th scope="col" class="browse-number"><span class="visually-hidden">"Row in the file"</span>"#"</th>
                {columns}
            </tr>
        </thead>
    }
}

#[component]
fn Column(name: String, column: u32, shown: Shown, talk: Talk) -> impl IntoView {
    let sorted = move || shown.view.with(|view| view.sort.filter(|sort| sort.column == column));
    let order = move || sorted().map_or("none", |sort| if sort.descending { "descending" } else { "ascending" });
    let filtered = move || {
        shown
            .view
            .with(|view| view.filters.iter().any(|filter| filter.column == column))
    };
    // In order, the other way round, as the file has it.
    let turn = move |_| {
        talk.show(|view: &mut View| {
            view.sort = match view.sort.filter(|sort| sort.column == column) {
                None => Some(Sort {
                    column,
                    descending: false,
                }),
                Some(Sort { descending: false, .. }) => Some(Sort {
                    column,
                    descending: true,
                }),
                Some(_) => None,
            };
        });
    };
    let filter_label = format!("Filter by {name}");
    view! {
        <th scope="col" class=width(&name) aria-sort=order>
            <span class="browse-th">
                <button type="button" class="browse-sort" title=format!("Sort by {name}") on:click=turn>{name.clone()}</button>
                <button
                    type="button" class="browse-filter" class:set=filtered aria-label=filter_label aria-haspopup="dialog"
                    on:click=move |_| shown.filtering.set(Some(column))
                ></button>
            </span>
        </th>
    }
}

/// The filters that are set, each with a way to take it back.
#[component]
pub(super) fn Chips(shown: Shown, talk: Talk) -> impl IntoView {
    move || {
        let view = shown.view.get();
        let columns = shown.columns.get();
        let chips = view.filters.into_iter().enumerate().map(|(place, filter)| {
            let name = columns.get(filter.column as usize).cloned().unwrap_or_default();
            let value = if filter.text.is_empty() {
                "empty".to_owned()
            } else {
                filter.text
            };
            let words = format!("{name} {} {value}", filter.op.label());
            let label = format!("Remove the filter {words}");
            let remove = move |_| {
                talk.show(|view: &mut View| {
                    if place < view.filters.len() {
                        view.filters.remove(place);
                    }
                });
            };
            view! { <li>{words}<button type="button" aria-label=label on:click=remove>"×"</button></li> }
        });
        let chips: Vec<_> = chips.collect();
        (!chips.is_empty()).then(|| view! { <ul class="browse-chips" aria-label="Filters by column">{chips}</ul> })
    }
}

/// The dialog in which a column's filter is set.
#[component]
pub(super) fn FilterDialog(shown: Shown, talk: Talk) -> impl IntoView {
    let modal = Modal::new();
    modal.open_when(move || shown.filtering.get().is_some());
    let close = move || shown.filtering.set(None);
    let form = move || shown.filtering.get().map(|column| view! { <FilterForm column shown talk/> });
    view! {
        <dialog class="dialog" node_ref=modal.node() aria-labelledby="browse-filter-title" on:close=move |_| close()>
            {form}
        </dialog>
    }
}

#[component]
fn FilterForm(column: u32, shown: Shown, talk: Talk) -> impl IntoView {
    let name = shown
        .columns
        .with_untracked(|columns| columns.get(column as usize).cloned())
        .unwrap_or_default();
    let set = shown
        .view
        .with_untracked(|view| view.filters.iter().rfind(|filter| filter.column == column).cloned());
    let is_set = set.is_some();
    let (op, text) = set.map_or((Op::Contains, String::new()), |filter| (filter.op, filter.text));
    let (select, input) = (NodeRef::<Select>::new(), NodeRef::<Input>::new());
    let take = move |filter: Option<Filter>| {
        shown.filtering.set(None);
        talk.show(|view: &mut View| {
            view.filters.retain(|filter| filter.column != column);
            view.filters.extend(filter);
        });
    };
    let apply = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(select), Some(input)) = (select.get_untracked(), input.get_untracked()) else {
            return;
        };
        let op = select
            .value()
            .parse()
            .ok()
            .and_then(|place: usize| Op::ALL.get(place).copied())
            .unwrap_or_default();
        let text = input.value();
        let says_something = op != Op::Contains || !text.is_empty();
        take(says_something.then_some(Filter { column, op, text }));
    };
    let options = Op::ALL
        .into_iter()
        .enumerate()
        .map(|(place, one)| view! { <option value=place.to_string() selected=one == op>{one.label()}</option> })
        .collect_view();
    let remove = is_set.then(|| view! { <button type="button" class="button" on:click=move |_| take(None)>"Remove"</button> });
    view! {
        <form on:submit=apply>
            <h2 id="browse-filter-title">"Rows whose "<span class="mono">{name}</span></h2>
            <p class="browse-condition">
                <select aria-label="Comparison" node_ref=select>{options}</select>
                <input type="text" aria-label="Text" value=text autofocus autocomplete="off" spellcheck="false" node_ref=input/>
            </p>
            <p class="quiet">"“contains” looks in any case; “is” and “is not” compare letter for letter."</p>
            <span class="actions">
                <button type="submit" class="button primary">"Apply"</button>
                {remove}
                <button type="button" class="button" on:click=move |_| shown.filtering.set(None)>"Cancel"</button>
            </span>
        </form>
    }
}
