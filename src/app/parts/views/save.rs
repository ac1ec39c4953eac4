//! The dialog *Save view*: its name, and who has it. The same renames one.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Board, Saving, words};
use crate::api::error::ApiError;
use crate::api::views::{change_view, save_view};
use crate::app::parts::dialog::{Modal, focus};
use crate::app::parts::records::live::say;
use crate::model::view::{MAX_NAME, ViewChange, ViewFacts, ViewQuery, ViewWish};

/// What is filled in.
#[derive(Clone, Copy)]
struct Fields {
    name: RwSignal<String>,
    shared: RwSignal<bool>,
    /// Whether the zone is part of the view.
    zoned: RwSignal<bool>,
}

/// The dialog, which opens once the board says what is to be saved.
pub fn dialog(board: Board) -> impl IntoView {
    let modal = Modal::new();
    let fields = Fields {
        name: RwSignal::new(String::new()),
        shared: RwSignal::new(false),
        zoned: RwSignal::new(false),
    };
    let (failed, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    Effect::new(move |_| {
        let Some(saving) = board.saving.get() else { return };
        failed.set(None);
        let view = match saving {
            Saving::New => None,
            Saving::Renamed(view) => Some(view),
        };
        fields
            .name
            .set(view.as_ref().map(|view| view.name.clone()).unwrap_or_default());
        fields.shared.set(view.is_some_and(|view| view.shared));
        fields.zoned.set(false);
        modal.open();
    });
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(saving) = board.saving.get_untracked().filter(|_| !busy.get_untracked()) else {
            return;
        };
        failed.set(None);
        busy.set(true);
        spawn_local(async move {
            let answer = match saving {
                Saving::New => save_new(board, fields).await,
                Saving::Renamed(view) => rename(board, fields, &view).await,
            };
            // The page may be gone by now.
            busy.try_set(false);
            match answer {
                Ok(()) => {
                    modal.close();
                    // What opened it may be drawn anew.
                    focus(board.button);
                    board.again();
                    say("The view is saved");
                }
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let is_new = move || board.saving.with(|saving| *saving == Some(Saving::New));
    let form = move || board.saving.get().map(|saving| form(board, fields, &saving));
    view! {
        <dialog
            id="save-view" class="dialog save-view" node_ref=modal.node() aria-labelledby="save-view-title"
            on:close=move |_| board.saving.set(None)
        >
            <h2 id="save-view-title">{move || if is_new() { "Save view" } else { "Rename view" }}</h2>
            <form class="settings-form" on:submit=send>
                {form}
                {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
                <div class="actions">
                    <button type="submit" class="button primary" aria-disabled=move || busy.get().then_some("true")>"Save"</button>
                    <button type="button" class="button" on:click=move |_| modal.close()>"Cancel"</button>
                </div>
            </form>
        </dialog>
    }
}

/// What the page shows, as the view keeps it.
fn asked(board: Board, fields: Fields) -> ViewQuery {
    let page = board.page.get_untracked().kept();
    if fields.zoned.get_untracked() {
        page
    } else {
        page.in_zone(None)
    }
}

/// Saves what the page shows, and opens it.
async fn save_new(board: Board, fields: Fields) -> Result<(), ApiError> {
    let query = asked(board, fields);
    let zone = board.page.with_untracked(|page| page.zone().map(str::to_owned));
    let wish = ViewWish {
        name: fields.name.get_untracked(),
        shared: fields.shared.get_untracked(),
        query: query.to_query_string(),
    };
    let id = save_view(board.project.get_untracked(), board.tab, wish).await?;
    board.go.try_run(query.link(&id, zone.as_deref()));
    Ok(())
}

async fn rename(board: Board, fields: Fields, view: &ViewFacts) -> Result<(), ApiError> {
    let shared = fields.shared.get_untracked();
    let change = ViewChange {
        name: Some(fields.name.get_untracked()),
        shared: (shared != view.shared).then_some(shared),
        query: None,
    };
    change_view(board.project.get_untracked(), view.id.clone(), view.changed_at, change).await
}

fn form(board: Board, fields: Fields, saving: &Saving) -> impl IntoView + use<> {
    let is_new = *saving == Saving::New;
    let is_mine = match saving {
        Saving::New => true,
        Saving::Renamed(view) => view.mine,
    };
    let keeps = is_new.then(|| keeps(board, fields));
    view! {
        <label for="view-name">"Name"</label>
        <input
            id="view-name" type="text" required maxlength=MAX_NAME.to_string() autocomplete="off"
            prop:value=fields.name on:input=move |event| fields.name.set(event_target_value(&event))
        />
        {is_mine.then(|| who(board, fields))}
        {keeps}
    }
}

/// Who is to have it. A role that changes nothing in the project shares nothing in it either.
fn who(board: Board, fields: Fields) -> impl IntoView {
    let may_share = board.may_share.try_get_value().unwrap_or_default();
    let choice = move |shared: bool| {
        let is_closed = shared && !may_share;
        view! {
            <input
                type="radio" name="view-shared" disabled=is_closed prop:checked=move || fields.shared.get() == shared
                on:change=move |_| fields.shared.set(shared)
            />
        }
    };
    let note = if may_share {
        "What is shared shows its name and its filters to everyone in the project; each sees the rows that their own role lets them see."
    } else {
        "Your role in this project may not share views; a member or an owner can."
    };
    view! {
        <fieldset>
            <legend>"Who has it"</legend>
            <label class="tick">{choice(false)}"Only me"</label>
            <label class="tick">{choice(true)}"Everyone in the project"</label>
        </fieldset>
        <p class="quiet">{note}</p>
    }
}

/// A zone as a sentence has it.
fn zone_words(zone: &str) -> &str {
    match zone {
        "utc" => "UTC",
        "local" => "the reader's own zone",
        "project" => "the project's zone",
        name => name,
    }
}

/// What it will say.
fn keeps(board: Board, fields: Fields) -> impl IntoView {
    let page = board.page.get_untracked();
    let words = words::kept(&page).into_iter().map(|(name, value)| {
        view! { <div><dt>{name}</dt><dd>{value}</dd></div> }
    });
    let words = words.collect_view();
    let zone = page.zone().map(|zone| {
        view! {
            <label class="tick">
                <input type="checkbox" prop:checked=fields.zoned on:change=move |event| fields.zoned.set(event_target_checked(&event))/>
                "Always show times in "{zone_words(zone).to_owned()}
            </label>
        }
    });
    view! {
        <dl class="record-list">{words}</dl>
        {zone}
    }
}
