//! Inviting people into a project, and the invitations that nobody has taken yet.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::focus;
use super::member::{ROLES, roles};
use super::members::Board;
use crate::api::members::{FreshInvitation, invite_member, revoke_invitation};
use crate::app::parts::records::ask::AskFirst;
use crate::model::member::InvitationFacts;
use crate::model::rights::Role;

/// The form, and the link that it made.
#[component]
pub fn InviteForm(
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let (email, role) = (RwSignal::new(String::new()), RwSignal::new(Role::Member));
    let (failed, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        busy.set(true);
        spawn_local(async move {
            let answer = invite_member(board.project(), email.get_untracked(), role.get_untracked()).await;
            busy.try_set(false);
            match answer {
                Ok(fresh) => {
                    email.try_set(String::new());
                    board.tell(fresh);
                }
                // The page may be gone by now.
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let days = board.page.with_untracked(|page| page.days);
    view! {
        <form class="settings-form" on:submit=send aria-labelledby="invite-title">
            <label for="invite-email">"E-mail"</label>
            <input
                id="invite-email" type="email" required maxlength="254" autocomplete="off"
                prop:value=email on:input=move |event| email.set(event_target_value(&event))
            />
            <label for="invite-role">"Role"</label>
            <select
                id="invite-role"
                on:change=move |event| role.set(Role::parse(&event_target_value(&event)).unwrap_or(Role::Member))
            >{roles(role)}</select>
            <p class="quiet">{format!("You get a link to send to them. It leads in once, within {days} days, and only that person.")}</p>
            {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            <div class="actions">
                <button type="submit" class="button primary needs-scripts" aria-disabled=move || busy.get().then_some("true")>"Invite"</button>
            </div>
        </form>
        {move || board.fresh.get().map(|fresh| shown_once(fresh, board))}
    }
}

fn shown_once(fresh: FreshInvitation, board: Board) -> impl IntoView {
    let kept = move |_| {
        board.fresh.set(None);
        focus(board.heading);
    };
    view! {
        <div class="notice fresh-secret" role="status">
            <p><label for="fresh-link">{format!("Link for {}", fresh.email)}</label>": shown this once. Copy it now and send it to them; afterwards another can be made."</p>
            <input id="fresh-link" class="mono" type="text" readonly value=fresh.link.clone()/>
            <div class="actions">
                <button type="button" class="button primary" data-copy=fresh.link>"Copy"</button>
                <button type="button" class="button" on:click=kept>"I have sent it"</button>
            </div>
        </div>
    }
}

/// The invitations that nobody has taken yet; nothing where there are none.
#[component]
pub fn Invitations(
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let all = move || board.page.with(|page| page.invitations.clone());
    let any = move || board.page.with(|page| !page.invitations.is_empty());
    view! {
        {move || any().then(|| view! { <h2>"Invited"</h2> })}
        <ul class="sessions">
            <For each=all key=|invitation| invitation.id.clone() let:invitation><One invitation board/></For>
        </ul>
    }
}

#[component]
fn One(invitation: InvitationFacts, board: Board) -> impl IntoView {
    let failed = RwSignal::new(None::<String>);
    let id = invitation.id.clone();
    let revoke = Callback::new(move |()| {
        let id = id.clone();
        spawn_local(async move {
            let answer = revoke_invitation(board.project(), id.clone()).await;
            if board.changed(answer, "The invitation is taken back", failed) {
                board.fresh.try_update(|fresh| fresh.take_if(|fresh| fresh.id == id));
                focus(board.heading);
            }
        });
    });
    let role = ROLES
        .iter()
        .find(|(role, _)| *role == invitation.role)
        .map_or("", |(_, words)| *words);
    let now = board.page.with_untracked(|page| page.now);
    let until = board.full(invitation.expires_at);
    let (words, look) = if invitation.is_open(now) {
        (format!("Open until {until}"), "stand waiting")
    } else {
        (format!("Its time passed {until}"), "stand badly")
    };
    view! {
        <li>
            <div>
                <p><strong>{invitation.email.clone()}</strong>" "{role}</p>
                <p class="quiet">"Invited by "{invitation.invited_by}" "{board.full(invitation.created_at)}"."</p>
                <p><span class=look>{words}</span></p>
                {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            </div>
            <div class="actions">
                <AskFirst
                    id=format!("{}-revoke", invitation.id) button="Take back" title="Take this invitation back?" confirm="Take it back" keep="Keep it"
                    run=revoke text=format!("The link that {} has leads nowhere from then on.", invitation.email)
                />
            </div>
        </li>
    }
}
