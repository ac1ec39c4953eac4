//! How far a search got whose time ran out. Where it has found nothing yet it goes on by itself, look by look, until it finds something, ends, or is stopped.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use crate::api::logs::LogsPage;
use crate::model::query::{LogQuery, Order};

use super::links::to_query;

/// Whether searches of a page go on by themselves: they do, until somebody stops one; another query's do again.
pub fn going_on(query: Memo<LogQuery>) -> RwSignal<bool> {
    let going = RwSignal::new(true);
    let asked = Memo::new(move |_| without_place(&query.get()));
    Effect::new(move |_| {
        asked.track();
        going.set(true);
    });
    going
}

/// A query as it was before any look went on.
fn without_place(query: &LogQuery) -> LogQuery {
    LogQuery {
        after: None,
        before: None,
        ..query.clone()
    }
}

/// How far a page's search got, and a link that goes on; nothing where the search was whole.
pub fn searched(page: &LogsPage, query: Memo<LogQuery>, going: RwSignal<bool>) -> Option<impl IntoView + use<>> {
    let (time, turn) = page.searched.as_ref()?;
    let cursor = Some(turn.cursor.clone());
    let (after, before) = if turn.after { (cursor, None) } else { (None, cursor) };
    let link = to_query(&LogQuery {
        after,
        before,
        ..query.get_untracked()
    });
    // Oldest first, a list goes on with what is newer; its pages before a place go the other way.
    let towards_older = turn.after == (query.with_untracked(|query| query.order) == Order::NewestFirst);
    let words = if towards_older {
        "Searched back to "
    } else {
        "Searched up to "
    };
    let time = page.zone.coarse(*time, page.now);
    let found_nothing = page.rows.is_empty();
    Some(view! { <Searched words time link found_nothing going/> })
}

#[component]
fn Searched(
    words: &'static str,
    time: String,
    link: String,
    /// Whether there is nothing on the page that somebody may be reading.
    found_nothing: bool,
    going: RwSignal<bool>,
) -> impl IntoView {
    // Only once the browser has taken the page over: without scripts the link is all there is.
    let is_going = RwSignal::new(false);
    let navigate = use_navigate();
    let to = link.clone();
    Effect::new(move |_| {
        let goes = found_nothing && going.get();
        is_going.set(goes);
        if goes {
            // The looks of one search are one step of the browser's history.
            let options = NavigateOptions {
                replace: true,
                scroll: false,
                ..NavigateOptions::default()
            };
            navigate(&to, options);
        }
    });
    let on = move |click: leptos::ev::MouseEvent| {
        let is_plain = !(click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key());
        if found_nothing && is_plain {
            click.prevent_default();
            going.set(true);
        }
    };
    view! {
        <p class="searched" role="status">
            {words}{time}". "
            <a href=link hidden=move || is_going.get() on:click=on>"Go on"</a>
            {move || is_going.get().then(|| view! {
                <button type="button" class="button quiet-button" on:click=move |_| going.set(false)>"Stop"</button>
            })}
        </p>
    }
}
