//! A file's rows as a table of any length: searched, filtered, sorted, cell by cell.
//!
//! A worker loads the file and holds it; here are only the rows in view. The table's frame stays in place while the page scrolls past it, and its rows
//! are moved to where they belong: so the heading stays, and a million rows are one real `<table>`.
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a handful of handles, copied once for each part of the page"
)]

mod cell;
mod heading;
#[cfg(feature = "hydrate")]
mod live;
#[cfg(not(feature = "hydrate"))]
#[path = "still.rs"]
mod live;
mod shown;

use leptos::prelude::*;

use self::cell::{CellDialog, CurrentCell};
use self::heading::{Chips, FilterDialog, Heading};
use self::live::{Places, Talk};
use self::shown::{Shown, markup};
use crate::model::browse::message::{Opened, View, Work};
use crate::model::format;

/// What is opened.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only a browser fetches"))]
pub struct Source {
    /// From here.
    pub url: String,
    /// What it is.
    pub opened: Opened,
    /// The name of the file that found rows are saved as.
    pub saved_as: String,
}

/// A file's rows.
#[component]
pub fn Table(
    /// The file.
    source: Source,
) -> impl IntoView {
    let shown = Shown::new(source.opened.fields.clone());
    let places = Places::default();
    let talk = Talk::new(shown, source, places);
    let rows = move || {
        shown.lines.with(|lines| {
            let (columns, sought) = (shown.columns.get(), shown.view.with(|view| view.text.clone()));
            markup(lines, shown.first.get_untracked(), &columns, &sought)
        })
    };
    let row_count = move || (u64::from(shown.count.get()) + 1).to_string();
    let column_count = move || shown.columns.with(|columns| columns.len() + 1).to_string();
    view! {
        <div class="browse">
            <Bar shown talk/>
            <Chips shown talk/>
            <Said shown talk/>
            <div
                class="browse-scroll" tabindex="0" role="group" aria-label="Rows" node_ref=places.scroll
                aria-busy=move || (!shown.loaded.get()).then_some("true")
                on:scroll=move |_| talk.scrolled()
                on:wheel=move |event| talk.turned(&event)
                on:keydown=move |event| talk.pressed(&event)
                on:click=move |event| talk.clicked(&event)
                on:dblclick=move |_| talk.whole(crate::model::browse::message::Aim::Open)
            >
                <div class="browse-space" node_ref=places.space>
                    <div class="browse-window" node_ref=places.window>
                        <table class="browse-table" aria-label="Rows of the file" aria-rowcount=row_count aria-colcount=column_count>
                            <Heading shown talk/>
                            <tbody node_ref=places.body inner_html=rows></tbody>
                        </table>
                    </div>
                </div>
            </div>
            <Nothing shown talk/>
            <CurrentCell shown talk/>
            <FilterDialog shown talk/>
            <CellDialog shown/>
            <p class="visually-hidden" aria-live="polite">{shown.spoken}</p>
        </div>
    }
}

/// How far loading is, the search, the number of rows, and the way to have them as a file.
#[component]
fn Bar(shown: Shown, talk: Talk) -> impl IntoView {
    let progress = move || {
        let is_over = shown.loaded.get() || shown.failed.get().is_some();
        (!is_over).then(|| {
            let (done, total) = shown.loading.get().unwrap_or_default();
            let (words, percent) = if let Some((Work::Reading, percent)) = shown.working.get() {
                (format!("Reading: {percent} %"), Some(percent.to_string()))
            } else {
                let words = total.map_or_else(
                    || format!("Loading: {}", format::size(done as i64)),
                    |total| format!("Loading: {} of {}", format::size(done as i64), format::size(total as i64)),
                );
                (words, total.map(|total| (done * 100 / total.max(1)).min(100).to_string()))
            };
            view! {
                <p class="browse-loading">
                    <progress max="100" value=percent aria-label="Loading the file"></progress>
                    <span class="figure quiet">{words}</span>
                </p>
            }
        })
    };
    let working = move || {
        shown.working.get().map(|(work, percent)| {
            let what = match work {
                // Its progress stands above, as loading's does.
                Work::Reading => return ().into_any(),
                Work::Looking => "Searching",
                Work::Sorting => "Sorting",
                Work::Saving => "Writing the file",
            };
            view! { <span class="browse-working figure quiet">{format!("{what}: {percent} %")}</span> }.into_any()
        })
    };
    let cannot_save = move || !shown.loaded.get() || !shown.looked.get() || shown.count.get() == 0;
    view! {
        {progress}
        <div class="browse-bar">
            <input
                type="search" id="f-q" class="browse-search" placeholder="Search in all rows" aria-label="Search in all rows" autocomplete="off"
                spellcheck="false" prop:value=move || shown.view.with(|view| view.text.clone())
                on:input=move |event| {
                    let text = event_target_value(&event);
                    talk.show(|view: &mut View| view.text = text);
                }
            />
            <span class="browse-count figure">{move || shown.count_words()}</span>
            {working}
            <button type="button" class="button browse-save" disabled=cannot_save on:click=move |_| talk.save()>"Download found rows as CSV"</button>
        </div>
    }
}

/// What is wrong.
#[component]
fn Said(shown: Shown, talk: Talk) -> impl IntoView {
    let said = move |reason: String| {
        view! {
            <p class="browse-note" role="alert">
                {reason}" "<button type="button" class="button" on:click=move |_| talk.again()>"Try again"</button>
            </p>
        }
    };
    let waits = move || {
        let waits = !shown.loaded.get() && shown.failed.get().is_none() && shown.view.with(|view| view.sort.is_some());
        waits.then(|| view! { <p class="browse-note" role="status">"Rows are put in order once all of them are here."</p> })
    };
    view! {
        {move || shown.failed.get().map(said)}
        {move || shown.problem.get().map(said)}
        {waits}
    }
}

/// No row is left, or none is there.
#[component]
fn Nothing(shown: Shown, talk: Talk) -> impl IntoView {
    move || {
        let is_over = shown.loaded.get() && shown.looked.get() && shown.count.get() == 0;
        if !is_over {
            return None;
        }
        if shown.all.get() == 0 {
            return Some(view! { <p class="browse-nothing">"The file holds no rows."</p> }.into_any());
        }
        let clear = move |_| {
            talk.show(|view: &mut View| {
                view.text.clear();
                view.filters.clear();
            });
        };
        let words = "No row has what is searched and filtered for. ";
        Some(
            view! {
                <p class="browse-nothing">{words}<button type="button" class="button" on:click=clear>"Show all rows"</button></p>
            }
            .into_any(),
        )
    }
}
