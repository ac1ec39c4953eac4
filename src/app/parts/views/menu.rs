//! The menu *Views*: own and shared ones as plain links, and the way to save another.

use leptos::prelude::*;

use super::{Board, Saving, Standing};
use crate::api::views::ViewsPage;
use crate::app::parts::at_once::at_once;
use crate::app::parts::awaited::answered;
use crate::model::view::ViewFacts;

/// The button and what it opens.
pub fn menu(board: Board) -> impl IntoView {
    let save = move |_| board.saving.set(Some(Saving::New));
    view! {
        <button type="button" class="button views-button" popovertarget="views" node_ref=board.button>"Views"</button>
        <div id="views" class="menu views-menu" popover>
            <Transition>
                {answered(board.views, move |views| match views {
                    Ok(page) => {
                        board.may_share.set_value(page.may_share);
                        at_once(groups(board, page)).into_any()
                    }
                    Err(error) => view! { <p class="menu-title">"The views could not be read. "{error.to_string()}</p> }.into_any(),
                })}
            </Transition>
            <ul class="menu-foot">
                <li class="needs-scripts">
                    <button type="button" popovertarget="views" popovertargetaction="hide" aria-haspopup="dialog" on:click=save>
                        "Save view…"
                    </button>
                </li>
            </ul>
        </div>
    }
}

fn groups(board: Board, page: ViewsPage) -> impl IntoView {
    let (shared, own): (Vec<ViewFacts>, Vec<ViewFacts>) = page.views.into_iter().partition(|view| view.shared);
    if own.is_empty() && shared.is_empty() {
        return view! {
            <div class="views-none">
                <p><strong>"No views yet"</strong></p>
                <p class="quiet">
                    "A view is what this tab shows under a name: its filters, time range, order and columns. Set them, then save them here, for yourself or "
                    "for everyone in the project."
                </p>
            </div>
        }
        .into_any();
    }
    view! {
        {group(board, "Only for me", own)}
        {group(board, "Everyone in the project", shared)}
    }
    .into_any()
}

fn group(board: Board, title: &'static str, views: Vec<ViewFacts>) -> Option<impl IntoView> {
    if views.is_empty() {
        return None;
    }
    let items = views.into_iter().map(|view| item(board, view)).collect_view();
    Some(view! {
        <p class="menu-title">{title}</p>
        <ul aria-label=title>{items}</ul>
    })
}

fn item(board: Board, facts: ViewFacts) -> impl IntoView {
    let by = facts.by.clone().filter(|_| facts.shared && !facts.mine);
    let (name, view) = (facts.name.clone(), StoredValue::new(facts));
    let href = move || view.with_value(|view| board.link(view));
    let standing = move || view.with_value(|view| board.standing(view));
    let note = move || match standing() {
        Standing::Changed => Some("changed".to_owned()),
        Standing::Shown | Standing::Other => by.clone(),
    };
    view! {
        <li>
            <a href=href aria-current=move || (standing() == Standing::Shown).then_some("true")>
                <span class="view-name" title=name.clone()>{name.clone()}</span>
                <span class="quiet">{note}</span>
            </a>
        </li>
    }
}
