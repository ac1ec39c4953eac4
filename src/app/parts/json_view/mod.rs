//! A body as rows: numbered, foldable, searchable, of any size.
//!
//! The server renders the first rows as plain markup. In the browser a worker loads and reads the body and gives the rows that are in view, so
//! that neither the document nor the page's own thread ever holds a large one. A body that is here whole stays as it was rendered until somebody
//! touches it.

#[cfg(feature = "hydrate")]
mod live;
#[cfg(not(feature = "hydrate"))]
#[path = "still.rs"]
mod live;
pub(super) mod row;

use leptos::html::{Div, Input};
use leptos::prelude::*;

use self::live::Talk;
use self::row::{Found, Shown, markup};
use crate::model::format;
use crate::model::json_doc::Preview;
use crate::model::json_doc::message::{Ask, Form};

/// Where a body comes from.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only a browser fetches"))]
struct Source {
    url: String,
    form: Form,
    masked: bool,
    sought: Option<String>,
    /// The whole of it, where it is here already.
    text: Option<String>,
}

/// A body's first rows on a page that no script wakes.
#[cfg(feature = "ssr")]
pub fn still_rows(preview: &Preview) -> String {
    markup(&preview.rows, 0, false, preview.form)
}

/// A body as rows.
#[component]
pub fn JsonView(
    /// Its first rows.
    preview: Preview,
    /// Where the whole of it is.
    #[prop(into)]
    url: String,
    /// Whether secrets in it were replaced.
    masked: bool,
    /// Its size.
    bytes: i64,
    /// What it is, as "Request body".
    label: &'static str,
    /// What to look for at once.
    sought: Option<String>,
    /// The whole of it, where it is here already and at no address.
    #[prop(optional)]
    text: Option<String>,
) -> impl IntoView {
    let form = if preview.problem.is_some() {
        Form::Pretty
    } else {
        preview.form
    };
    let can_be_pretty = preview.form == Form::Pretty;
    let shown = Shown::new(preview);
    let (scroll, space, window) = (NodeRef::<Div>::new(), NodeRef::<Div>::new(), NodeRef::<Div>::new());
    let source = Source {
        url: url.clone(),
        form,
        masked,
        sought: sought.clone(),
        text,
    };
    let talk = Talk::new(shown, source, scroll, space, window);
    let wrap_class = move || shown.wrap.get();
    // Line numbers of more than five digits.
    let is_wide = move || shown.total.get().is_none_or(|total| total > 99_999);
    let rows = move || {
        shown
            .rows
            .with(|rows| markup(rows, shown.first.get(), shown.live.get(), shown.form.get()))
    };
    view! {
        <div class="json" class:json-live=move || shown.live.get() class:wrap=wrap_class class:json-wide=is_wide on:pointerenter=move |_| talk.start() on:focusin=move |_| talk.start()>
            <div class="json-bar">
                <Find shown talk label sought/>
                <Tools shown talk can_be_pretty/>
            </div>
            <Said shown talk/>
            <div
                class="json-scroll" tabindex="0" role="group" aria-label=label node_ref=scroll
                on:scroll=move |_| talk.scrolled()
                on:wheel=move |event| talk.turned(&event)
                on:keydown=move |event| talk.pressed(&event)
                on:click=move |event| talk.clicked(&event)
            >
                <div class="json-space" node_ref=space>
                    <div class="json-rows" node_ref=window inner_html=rows></div>
                </div>
            </div>
            <More shown bytes url/>
            <p class="visually-hidden" aria-live="polite">{shown.spoken}</p>
        </div>
    }
}

/// The box to look for something, the number of matches, and the way between them.
#[component]
fn Find(shown: Shown, talk: Talk, label: &'static str, sought: Option<String>) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    let go = move |forward| talk.ask(Ask::Go { forward });
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            go(!event.shift_key());
        }
    };
    let count = move || shown.found.get().map(words);
    let none = move || shown.found.get().is_none_or(|found| found.total == 0);
    view! {
        <span class="json-find needs-scripts">
            <input
                type="search" placeholder="Find" aria-label=format!("Find in {}", label.to_lowercase()) value=sought autocomplete="off"
                spellcheck="false" node_ref=input on:keydown=on_key
                on:input=move |event| talk.find(event_target_value(&event))
            />
            <span class="json-count figure" role="status">{count}</span>
            <button type="button" class="icon json-previous" aria-label="Previous match" disabled=none on:click=move |_| go(false)></button>
            <button type="button" class="icon json-next" aria-label="Next match" disabled=none on:click=move |_| go(true)></button>
        </span>
    }
}

fn words(found: Found) -> String {
    let total = format::count(found.total.into());
    let total = if found.more { format!("{total}+") } else { total };
    match (found.at, found.total) {
        (_, 0) if found.done => "No match".to_owned(),
        (_, 0) => "Searching".to_owned(),
        (Some(at), _) => format!("{} of {total}", format::count(u64::from(at) + 1)),
        (None, 1) => "1 match".to_owned(),
        (None, _) => format!("{total} matches"),
    }
}

/// Folding by level, pretty or raw, wrapping.
#[component]
fn Tools(shown: Shown, talk: Talk, can_be_pretty: bool) -> impl IntoView {
    let level = move |level: Option<u16>| move |_| talk.ask(Ask::Level(level));
    let is_pretty = move || shown.form.get() == Form::Pretty;
    let levels = [1_u16, 2, 3].map(|number| {
        let label = format!("Expand to level {number}");
        view! { <button type="button" class="button quiet-button" aria-label=label on:click=level(Some(number))>{number}</button> }
    });
    let folding = can_be_pretty.then(|| {
        view! {
            <span class="json-levels" role="group" aria-label="Collapse and expand" hidden=move || !is_pretty()>
                <button type="button" class="button quiet-button" aria-label="Collapse all" on:click=level(Some(0))>"Collapse"</button>
                {levels}
                <button type="button" class="button quiet-button" aria-label="Expand all" on:click=level(None)>"Expand"</button>
            </span>
        }
    });
    let raw = can_be_pretty.then(|| {
        let turn = move |_| talk.ask(Ask::Form(if is_pretty() { Form::Raw } else { Form::Pretty }));
        view! {
            <button type="button" class="button quiet-button" aria-pressed=move || (!is_pretty()).to_string() on:click=turn>"Raw"</button>
        }
    });
    let wrap = move |_| {
        shown.wrap.update(|wrap| *wrap = !*wrap);
        talk.wrapped();
    };
    view! {
        <span class="json-tools needs-scripts">
            {folding}
            {raw}
            <button type="button" class="button quiet-button" aria-pressed=move || shown.wrap.get().to_string() on:click=wrap>"Wrap"</button>
        </span>
    }
}

/// What is wrong, and what takes long.
#[component]
fn Said(shown: Shown, talk: Talk) -> impl IntoView {
    let problem = move || {
        shown.problem.get().map(|problem| view! { <p class="json-note" role="status">"Shown as text, because it is not valid JSON: "{problem}"."</p> })
    };
    let failed = move || {
        shown.failed.get().map(|reason| {
            view! {
                <p class="json-note" role="alert">
                    {reason}" "<button type="button" class="button" on:click=move |_| talk.again()>"Try again"</button>
                </p>
            }
        })
    };
    let busy = move || shown.busy.get().map(|busy| view! { <p class="json-busy">{busy}</p> });
    view! {
        {problem}
        {failed}
        {busy}
    }
}

/// What lies beyond the rows that the server sent.
#[component]
fn More(shown: Shown, bytes: i64, url: String) -> impl IntoView {
    move || {
        let here = shown.rows.with(Vec::len) as u64;
        let total = shown.total.get().map(u64::from);
        if shown.live.get() || total == Some(here) || url.is_empty() {
            return None;
        }
        let words = match total {
            Some(total) => format!("{} more lines. ", format::count(total.saturating_sub(here))),
            None => format!(
                "These are the first {} lines of {}. ",
                format::count(here),
                format::size(bytes)
            ),
        };
        Some(view! { <p class="json-more">{words}<a href=url.clone() download="" rel="external">"Download all of it"</a></p> })
    }
}
