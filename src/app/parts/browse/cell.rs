//! One cell: where the person is, and its whole text, as JSON where it is that.
#![allow(unreachable_pub, reason = "a component's macro writes its props as pub")]

use leptos::prelude::*;

use super::live::{Talk, copy};
use super::shown::{Shown, Whole};
use crate::app::parts::dialog::Modal;
use crate::app::parts::json_view::JsonView;
use crate::model::browse::message::Aim;
use crate::model::format;
use crate::model::json_doc::message::Form;
use crate::model::json_doc::preview;

/// Rows of a JSON text that are drawn before the viewer's worker answers.
const PREVIEW: u32 = 200;

/// The cell that the person is at, in a line, and what can be done with it.
#[component]
pub(super) fn CurrentCell(shown: Shown, talk: Talk) -> impl IntoView {
    let current = move || {
        let (place, column) = shown.current.get()?;
        let name = shown.columns.with(|columns| columns.get(column as usize).cloned())?;
        let first = shown.first.get();
        let text = shown.lines.with(|lines| {
            let line = lines.get(place.checked_sub(first)? as usize)?;
            line.cells.get(column as usize).map(|cell| cell.text.clone())
        });
        Some(view! {
            <div class="browse-current">
                <span class="browse-current-name">{name}</span>
                <span class="browse-current-text mono">{text}</span>
                <button type="button" class="button" on:click=move |_| talk.whole(Aim::Copy)>"Copy"</button>
                <button type="button" class="button" aria-haspopup="dialog" on:click=move |_| talk.whole(Aim::Open)>"Open"</button>
            </div>
        })
    };
    view! { {current} }
}

/// The dialog that shows a cell's whole text.
#[component]
pub(super) fn CellDialog(shown: Shown) -> impl IntoView {
    let modal = Modal::new();
    modal.open_when(move || shown.whole.get().is_some());
    let close = move || shown.whole.set(None);
    let inner = move || {
        shown.whole.get().map(|whole| {
            let sought = shown.view.with_untracked(|view| view.text.clone());
            view! { <Opened whole sought/> }
        })
    };
    view! {
        <dialog class="dialog browse-cell" node_ref=modal.node() aria-labelledby="browse-cell-title" on:close=move |_| close()>
            {inner}
            <span class="actions browse-cell-actions">
                <button type="button" class="button" on:click=move |_| if let Some(whole) = shown.whole.get_untracked() { copy(whole.text) }>"Copy"</button>
                <button type="button" class="button" on:click=move |_| close()>"Close"</button>
            </span>
        </dialog>
    }
}

#[component]
fn Opened(whole: Whole, sought: String) -> impl IntoView {
    let Whole { name, row, text } = whole;
    let bytes = text.len() as i64;
    let about = format!("row {} · {}", format::count(u64::from(row) + 1), format::size(bytes));
    let is_nested = text.trim_start().starts_with(['{', '[']);
    let preview = is_nested
        .then(|| preview(text.as_bytes(), Form::Pretty, false, PREVIEW))
        .filter(|preview| preview.problem.is_none());
    let body = if let Some(preview) = preview {
        let sought = (!sought.is_empty()).then_some(sought);
        view! { <JsonView preview url="" masked=false bytes label="Cell" sought text/> }.into_any()
    } else {
        view! { <pre class="browse-text" tabindex="0">{text}</pre> }.into_any()
    };
    view! {
        <h2 id="browse-cell-title"><span class="mono">{name}</span>" "<span class="quiet">{about}</span></h2>
        {body}
    }
}
