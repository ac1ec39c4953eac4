//! One person among a project's members: their role, and taking them out.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::focus;
use super::members::Board;
use crate::api::members::{change_role, remove_member};
use crate::app::parts::records::ask::AskFirst;
use crate::model::member::MemberFacts;
use crate::model::rights::Role;

/// The roles, and their words.
pub(super) const ROLES: [(Role, &str); 3] = [(Role::Owner, "Owner"), (Role::Member, "Member"), (Role::Auditor, "Auditor")];

/// The choices of a role.
pub(super) fn roles(chosen: RwSignal<Role>) -> impl IntoView {
    ROLES.map(|(role, words)| view! { <option value=role.as_str() prop:selected=move || chosen.get() == role selected=chosen.get_untracked() == role>{words}</option> })
}

/// A person. They stay the same part of the page however their role changes, so that whoever stands in it is not thrown off.
#[component]
pub fn Member(
    /// Them.
    member: MemberFacts,
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let failed = RwSignal::new(None::<String>);
    let id = StoredValue::new(member.id.clone());
    let is_me = board.page.with_untracked(|page| page.me == member.id);
    let first = member.role;
    let role = Memo::new(move |before: Option<&Role>| {
        let known = |page: &crate::api::members::MembersPage| {
            id.with_value(|id| page.members.iter().find(|known| known.id == *id).map(|known| known.role))
        };
        board.page.with(known).or(before.copied()).unwrap_or(first)
    });
    let chosen = RwSignal::new(first);
    let save = move |_| {
        spawn_local(async move {
            let answer = change_role(board.project(), id.get_value(), chosen.get_untracked()).await;
            if !board.changed(answer, "The role is changed", failed)
                && let Some(role) = role.try_get_untracked()
            {
                chosen.try_set(role);
            }
        });
    };
    let remove = Callback::new(move |()| {
        spawn_local(async move {
            let answer = remove_member(board.project(), id.get_value()).await;
            if board.changed(answer, "They are no longer a member", failed) {
                focus(board.heading);
            }
        });
    });
    let seen = member.last_seen_at.map_or_else(
        || "Not signed in.".to_owned(),
        |at| format!("Last here {}, to the hour.", board.full(at)),
    );
    let select = format!("role-{}", member.id);
    let (title, text) = if is_me {
        (
            "Leave this project?",
            "You lose sight of it at once. Another owner can invite you again.".to_owned(),
        )
    } else {
        (
            "Take them out of this project?",
            format!("{} loses sight of it at once. What they did stays in the logs.", member.email),
        )
    };
    let is_other = move || chosen.get() != role.get();
    view! {
        <li>
            <div>
                <p><strong>{member.email.clone()}</strong>{(!member.name.is_empty()).then(|| format!(" {}", member.name))}{is_me.then_some(" (you)")}</p>
                <p class="quiet">"Since "{board.full(member.joined_at)}". "{seen}</p>
                {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            </div>
            <div class="actions">
                <label class="visually-hidden" for=select.clone()>{format!("Role of {}", member.email)}</label>
                <select
                    id=select
                    on:change=move |event| chosen.set(Role::parse(&event_target_value(&event)).unwrap_or(first))
                >{roles(chosen)}</select>
                {move || is_other().then(|| view! { <button type="button" class="button primary" on:click=save>"Save role"</button> })}
                <AskFirst
                    id=format!("{}-remove", member.id) button=if is_me { "Leave" } else { "Remove" } title confirm=if is_me { "Leave it" } else { "Remove them" }
                    keep="Keep it" run=remove text
                />
            </div>
        </li>
    }
}
