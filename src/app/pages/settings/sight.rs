//! What a role may see in a project: `read:bodies` and `read:users`, each given or taken.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::members::Board;
use crate::api::members::set_role_rights;
use crate::model::member::RoleRights;
use crate::model::rights::Role;

/// Which of a role's rights.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Bodies,
    Users,
}

/// The choices for one role; nothing for owners, who see everything.
#[component]
pub fn Sight(
    /// As it is.
    rights: RoleRights,
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let legend = match rights.role {
        Role::Auditor => "Auditors",
        Role::Member => "Members",
        Role::Owner => return ().into_any(),
    };
    let state = RwSignal::new(rights);
    let failed = RwSignal::new(None::<String>);
    let set = move |wanted: RoleRights| {
        let before = state.get_untracked();
        state.set(wanted);
        spawn_local(async move {
            let answer = set_role_rights(board.project(), wanted).await;
            if !board.changed(answer, "What the role may see is changed", failed) {
                state.try_set(before);
            }
        });
    };
    let tick = move |right: Right, word: &'static str, words: &'static str| {
        let is_on = move || {
            let rights = state.get();
            if right == Right::Bodies {
                rights.read_bodies
            } else {
                rights.read_users
            }
        };
        let turn = move |event| {
            let is_on = event_target_checked(&event);
            let mut wanted = state.get_untracked();
            match right {
                Right::Bodies => wanted.read_bodies = is_on,
                Right::Users => wanted.read_users = is_on,
            }
            set(wanted);
        };
        view! {
            <label class="tick">
                <input type="checkbox" prop:checked=is_on checked=is_on on:change=turn/>
                <span><span class="mono">{word}</span>" "<span class="quiet">{words}</span></span>
            </label>
        }
    };
    view! {
        <fieldset class="scopes sight">
            <legend>{legend}</legend>
            {tick(Right::Bodies, "read:bodies", "bodies, headers, text search, originals, sendout data")}
            {tick(Right::Users, "read:users", "who did it: users and keys by name")}
            {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
        </fieldset>
    }
    .into_any()
}
